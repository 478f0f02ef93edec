#!/usr/bin/env bash
# LiteLLM's cache gives the answer to one question for another that differs in `extra_body`.
#
# The usual guess: a cache's key holds all that is sent. `temperature`, `seed` and `top_k` are in it, so `extra_body` is,
#   through which vLLM's own fields go: structured_outputs, chat_template_kwargs, min_p.
# True: with litellm 1.110.2 the key holds the parameters that LiteLLM has in its lists, and `extra_body` is in none. The
#   same question with another schema, or with thinking turned off, is answered from the cache, with no word.
# Whom it hurts: whoever turns the cache on to save money and then compares settings: all come out equal, and JSON by one
#   schema is returned for another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litellm==1.110.2 fastapi orjson soundfile  # its cache imports them
LITELLM_LOCAL_MODEL_COST_MAP=True "$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import litellm
from litellm.caching.caching import Cache


def serving(name):
    """The URL of a server that answers with its name and with the field of the question that it was sent."""

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told = {field: asked[field] for field in ("structured_outputs", "top_k") if field in asked}
            message = {"role": "assistant", "content": f"{name}, sent {told}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            body = {"id": "1", "object": "chat.completion", "created": 1, "model": "coder", "choices": [choice], "usage": usage}
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"


def ask(question, **fields):
    messages = [{"role": "user", "content": question}]
    fields = {"api_base": base, "api_key": "x"} | fields
    return litellm.completion(model="openai/coder", messages=messages, **fields).choices[0].message.content


base = serving("base")
litellm.cache = Cache(type="local")
print("litellm", version("litellm"))
pairs = {
    "top_k": [ask("a", top_k=1), ask("a", top_k=9)],
    "extra_body": [ask("b", extra_body={"structured_outputs": {"choice": [word]}}) for word in ("yes", "good")],
}
for name, (first, second) in pairs.items():
    print(f"questions that differ in {name}: {first!r}, then {second!r}")
same = {name: first == second for name, (first, second) in pairs.items()}
raise SystemExit(0 if same == {"top_k": False, "extra_body": True} else "the cache tells them apart now")
PYTHON
