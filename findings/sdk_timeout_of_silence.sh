#!/usr/bin/env bash
# `timeout=1` lets a call take as long as the server likes, with openai-python and with anthropic: it bounds the silence.
#
# The usual guess: `timeout` is how long a call may take; behind it comes an APITimeoutError. With `timeout=1` and no
#   retries nothing waits longer than about a second.
# True: with openai 3.57.0 and anthropic 2.14.0 the number goes to httpx, where it is the longest wait for the next byte.
#   A server that is silent for a second is given up. One that writes a blank line now and then, as hosted endpoints do
#   to keep connections open before a long answer, is waited for without end, and so is a stream that stalls with pings.
# Whom it hurts: batch jobs whose slowest call is to be cut off: a worker hangs, and the time that was promised to a
#   user is not kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0 anthropic==2.14.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import anthropic
import openai

BLANKS, PAUSE_S = 12, 0.4
ANSWER = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "type": "message", "role": "assistant",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "late"}, "finish_reason": "stop"}],
          "content": [{"type": "text", "text": "late"}], "stop_reason": "end_turn",
          "usage": {"input_tokens": 1, "output_tokens": 1}}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        blank = b"" if json.loads(self.rfile.read(int(self.headers["content-length"])))["model"] == "silent" else b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        for _ in range(BLANKS):
            self.wfile.write(blank)
            time.sleep(PAUSE_S)
        try:
            self.wfile.write(json.dumps(ANSWER).encode())
        except OSError:
            pass

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, question = f"http://127.0.0.1:{server.server_port}", [{"role": "user", "content": "Write area(r)."}]
of_openai = openai.OpenAI(base_url=f"{url}/v1", api_key="x", timeout=1, max_retries=0)
of_anthropic = anthropic.Anthropic(base_url=url, api_key="x", timeout=1, max_retries=0)


def ask(model, name, call):
    began = time.monotonic()
    try:
        found = call(model)
    except (openai.APITimeoutError, anthropic.APITimeoutError) as error:
        found = type(error).__name__
    seconds = time.monotonic() - began
    print(f"{name} with timeout=1, {model} server: {found!r} after {seconds:.1f} s")
    return found, seconds > BLANKS * PAUSE_S


CALLS = {
    "openai": lambda model: of_openai.chat.completions.create(model=model, messages=question).choices[0].message.content,
    "anthropic": lambda model: of_anthropic.messages.create(model=model, messages=question, max_tokens=9).content[0].text,
}
print("openai", version("openai"), "anthropic", version("anthropic"))
silent = [ask("silent", name, call)[0] for name, call in CALLS.items()]
blanks = [ask("blank-writing", name, call) for name, call in CALLS.items()]
unchanged = silent == ["APITimeoutError"] * 2 and blanks == [("late", True)] * 2
raise SystemExit(0 if unchanged else "calls end after their timeout now")
PYTHON
