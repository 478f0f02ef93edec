#!/usr/bin/env bash
# httpx cuts a line of JSON in two at a letter that JSON allows, and Hugging Face's client ends a stream by it.
#
# The usual guess: iter_lines() ends a line at \n, \r or \r\n, as JSON lines and server-sent events do.
# True: httpx 0.28.1 ends one wherever Python's str.splitlines() does, at U+2028, U+2029 and U+0085 as well. JSON keeps
#   these three as they are, and most servers write them so. InferenceClient of huggingface_hub 2.4.0 reads a
#   stream by such lines: one U+2028 in the answer, and the rest of it is a JSONDecodeError. openai-python is not hurt.
# Whom it hurts: who streams answers about text copied from web pages or PDFs, or loads JSON lines over HTTP.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check httpx==0.28.1 huggingface-hub==2.4.0 openai==3.57.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import httpx
from huggingface_hub import InferenceClient
from openai import OpenAI

PIECES = ["one", " two\u2028three", " four"]


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.end_headers()
        for piece in PIECES:
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
                {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}]}
            self.wfile.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
question = [{"role": "user", "content": "?"}]
print(*(f"{each} {version(each)}" for each in ("httpx", "huggingface-hub", "openai")))


def read(chunks):
    text = ""
    try:
        for chunk in chunks:
            text += chunk.choices[0].delta.content
    except json.JSONDecodeError as error:
        return text, type(error).__name__
    return text, "no error"


with httpx.stream("POST", f"{url}/chat/completions", json={}) as answer:
    lines = [line for line in answer.iter_lines() if line]
print(f"httpx: {len(PIECES) + 1} lines were sent, {len(lines)} came")
hugging_face = InferenceClient(base_url=url, api_key="x")
by_hugging_face = read(hugging_face.chat_completion(question, model="m", stream=True))
by_openai = read(OpenAI(base_url=url, api_key="x").chat.completions.create(model="m", messages=question, stream=True))
print(f"huggingface_hub: {by_hugging_face}\nopenai: {by_openai}")
unchanged = len(lines) == 5 and by_hugging_face == ("one", "JSONDecodeError") and by_openai == ("".join(PIECES), "no error")
raise SystemExit(0 if unchanged else "lines end elsewhere now")
PYTHON
