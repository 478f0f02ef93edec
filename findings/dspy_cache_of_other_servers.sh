#!/usr/bin/env bash
# DSPy gives the answers of one server for those of another: its cache on the disk does not know whom it asked.
#
# The usual guess: a cache of answers tells models apart. A tuned model on port 8001 and its base on port 8000, which
#   both servers call by the same name, are two `dspy.LM`s with two `api_base`s, and so two sets of answers.
# True: with dspy 3.4.1 `api_base` is left out of the key, the cache is on without being asked for, and it is kept in the
#   home folder. The second server is never asked, in another process neither. So is a server that was started again
#   with new weights.
# Whom it hurts: whoever compares a tuned model with its base, or two checkpoints: both get the score of the first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dspy==3.4.1 litellm==1.110.2
export DSPY_CACHEDIR="$folder/cache" LITELLM_LOCAL_MODEL_COST_MAP=True
cat >"$folder/ask.py" <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import dspy

asked = []


def serving(weights):
    """The URL of a server whose model, called coder, answers with the name of its weights."""

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            asked.append(weights)
            choice = {"index": 0, "message": {"role": "assistant", "content": weights}, "finish_reason": "stop"}
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


answers = {}
for weights in sys.argv[1:]:
    lm = dspy.LM("openai/coder", api_base=serving(weights), api_key="x", temperature=0)
    answers[weights] = lm("Write area(r).")[0]
lm = dspy.LM("openai/coder", api_base=serving("uncached"), api_key="x", temperature=0, cache=False)
answers["uncached"] = lm("Write area(r).")[0]
print(json.dumps({"dspy": version("dspy"), "answers": answers, "servers asked": asked}))
PYTHON
first=$("$folder/venv/bin/python" "$folder/ask.py" base tuned 2>"$folder/errors") || { cat "$folder/errors"; exit 1; }
second=$("$folder/venv/bin/python" "$folder/ask.py" tuned-again 2>"$folder/errors") || { cat "$folder/errors"; exit 1; }
echo "server -> its answer, one process:      $first"
echo "another process, another server:        $second"
"$folder/venv/bin/python" - "$first" "$second" <<'PYTHON'
import json
import sys

first, second = map(json.loads, sys.argv[1:])
unchanged = first["answers"] == {"base": "base", "tuned": "base", "uncached": "uncached"}
unchanged &= second["answers"] == {"tuned-again": "base", "uncached": "uncached"}
unchanged &= (first["servers asked"], second["servers asked"]) == (["base", "uncached"], ["uncached"])
raise SystemExit(0 if unchanged else "DSPy tells servers apart now")
PYTHON
