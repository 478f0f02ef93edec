#!/usr/bin/env bash
# The final message of a stream that was cut off is the half that came, with openai-python and with anthropic.
#
# The usual guess: `get_final_completion()` and `get_final_message()` need the stream's last event ([DONE], a
#   finish_reason, message_stop), and raise if the server, or a proxy before it, ends the answer early.
# True: with openai 3.57.0 and anthropic 2.14.0 both return an ordinary message that holds half the text. Only
#   finish_reason, or stop_reason, is None there, which the types of a final message do not admit.
# Whom it hurts: everybody who saves answers of a stream as training data, or runs half a program as an answer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0 anthropic==2.14.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from anthropic import Anthropic
from openai import OpenAI

HALF = "def area(r):\n    return"
CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
         "choices": [{"index": 0, "delta": {"role": "assistant", "content": HALF}, "finish_reason": None}]}
MESSAGE = {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
           "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
EVENTS = [{"type": "message_start", "message": MESSAGE},
          {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
          {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": HALF}}]


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = f"data: {json.dumps(CHUNK)}\n\n"
        if self.path.endswith("/messages"):
            body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(body.encode())  # and the connection closes: no [DONE], no message_stop

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
question = [{"role": "user", "content": "Write area(r)."}]
print("openai", version("openai"), "anthropic", version("anthropic"))

with OpenAI(base_url=f"{url}/v1", api_key="x").chat.completions.stream(model="m", messages=question) as stream:
    choice = stream.get_final_completion().choices[0]
print(f"openai's final completion: {choice.message.content!r}, finish_reason {choice.finish_reason}")

with Anthropic(base_url=url, api_key="x").messages.stream(model="m", max_tokens=64, messages=question) as stream:
    message = stream.get_final_message()
print(f"anthropic's final message: {message.content[0].text!r}, stop_reason {message.stop_reason}")

unchanged = (choice.message.content, choice.finish_reason) == (HALF, None)
unchanged = unchanged and (message.content[0].text, message.stop_reason) == (HALF, None)
raise SystemExit(0 if unchanged else "a cut stream is no longer returned as a final message")
PYTHON
