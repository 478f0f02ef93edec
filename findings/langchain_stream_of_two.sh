#!/usr/bin/env bash
# `stream` of a LangChain chat model with n=2 writes two answers into one, token by token.
#
# The usual guess: as `invoke`, which gives the first of the answers; or a refusal, as `streaming=True` with n=2 is
#   refused ("n must be 1 when streaming").
# True: with langchain-openai 1.7.4 `stream` asks for two answers and takes the one choice of each event, whatever its
#   index: "return a + b" and "print(1)" come as "return printa( + b1)", with one end and no warning. `astream_events`
#   does so, too. `generate` gives both apart.
# Whom it hurts: who samples several answers of a teacher or a judge and switches to streams for progress: every text
#   is two texts, and code made of it fails in ways that look like the model's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-openai==1.7.4
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import importlib.metadata
import json
import threading

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

ANSWERS = [["return ", "a", " + b"], ["print", "(", "1)"]]
WHOLE = ["".join(pieces) for pieces in ANSWERS]


def choices(kind, texts):
    return [{"index": number, kind: {"role": "assistant", "content": text}} for number, text in enumerate(texts)]


def event(choice):
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


class Handler(http.server.BaseHTTPRequestHandler):
    """Two answers, whole or as OpenAI's API streams them: one choice in each event, told apart by its index."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body.get("stream"):
            parts = [choice | {"finish_reason": None} for texts in zip(*ANSWERS) for choice in choices("delta", texts)]
            parts += [{"index": number, "delta": {}, "finish_reason": "stop"} for number in range(2)]
            told = "".join(f"data: {json.dumps(event(part))}\n\n" for part in parts) + "data: [DONE]\n\n"
            kind = "text/event-stream"
        else:
            found = [choice | {"finish_reason": "stop"} for choice in choices("message", WHOLE)]
            told = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": found,
                               "usage": {"prompt_tokens": 1, "completion_tokens": 6, "total_tokens": 7}})
            kind = "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
settings = {"model": "m", "base_url": f"http://127.0.0.1:{server.server_port}/v1", "api_key": "k", "n": 2}
model = ChatOpenAI(**settings)
invoked = model.invoke("Add two.").content
both = [one.text for one in model.generate([[HumanMessage("Add two.")]]).generations[0]]
streamed = "".join(piece.text for piece in model.stream("Add two."))
try:
    ChatOpenAI(streaming=True, **settings)
    said = "taken"
except ValueError:
    said = "refused"
print("langchain-openai", importlib.metadata.version("langchain-openai"))
print(f"sent: {WHOLE}\ninvoke: {invoked!r}\ngenerate: {both}\nstreaming=True with n=2: {said}\nstream: {streamed!r}")
unchanged = invoked == WHOLE[0] and both == WHOLE and said == "refused" and streamed == "return printa( + b1)"
raise SystemExit(0 if unchanged else "LangChain streams several answers otherwise now")
PYTHON
