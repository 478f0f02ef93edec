#!/usr/bin/env bash
# A plain JSON answer to `stream=True` is no chunk and no error in openai-python: the loop just does not run.
#
# The usual guess: where a server ignores `stream`, the client raises, or gives the whole answer in one piece.
# True: openai 3.57.0 reads the JSON as an event stream. It holds no line that begins with `data:`, so nothing comes
#   out, whatever it says: the whole answer is lost, and an error body with status 200 is lost like it. Without
#   `stream=True` the same two bodies give the answer and an object with `.error`. The content type is not looked at.
# Whom it hurts: everybody before a gateway, cache or mock that answers streams whole: empty texts, and no reason.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from openai import OpenAI

ANSWER = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "forty-two"}, "finish_reason": "stop"}]}
ERROR = {"error": {"message": "The backend is overloaded.", "type": "server_error", "code": "overloaded"}}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(ANSWER if request["model"] == "answer" else ERROR).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x", max_retries=0)
print("openai", version("openai"))


def ask(model, stream):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}], stream=stream)


whole, failed = ask("answer", stream=False), ask("error", stream=False)
print(f"stream=False: {whole.choices[0].message.content!r}; the error body: choices {failed.choices}, {failed.error}")
chunks, of_error = list(ask("answer", stream=True)), list(ask("error", stream=True))
print(f"stream=True: {chunks}; the error body: {of_error}")
unchanged = whole.choices[0].message.content == "forty-two" and chunks == [] and of_error == []
raise SystemExit(0 if unchanged else "a JSON answer to a stream is no longer lost without a word")
PYTHON
