#!/usr/bin/env bash
# LangChain's class for a prompt that is too long is never raised with openai-python 3.57.
#
# The usual guess: a server that answers OpenAI's own error object, with code `context_length_exceeded`, makes
#   langchain-openai raise OpenAIContextOverflowError, on which agents cut their history.
# True: langchain-openai 1.7.4 looks for the code in str(error). openai-python 3.57.0 writes only the message there, and
#   keeps the code in error.code. OpenAIInvalidRequestError comes instead, unless the message holds the word itself.
# Whom it hurts: everybody who catches the overflow by its class, with OpenAI's server as with any other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-openai==1.7.4 openai==3.57.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import OpenAIContextOverflowError

ERROR = {"message": "This model's maximum context length is 8192 tokens.", "type": "invalid_request_error",
         "param": "messages", "code": "context_length_exceeded"}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"error": ERROR}).encode()
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("langchain-openai", version("langchain-openai"), "openai", version("openai"))
try:
    ChatOpenAI(model="m", base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x").invoke("hi")
except Exception as error:
    print(f"raised {type(error).__name__}: {error}")
    print(f"its code: {error.code}; the overflow's class: {isinstance(error, OpenAIContextOverflowError)}")
    unchanged = error.code == "context_length_exceeded" and not isinstance(error, OpenAIContextOverflowError)
    raise SystemExit(0 if unchanged else 1)
raise SystemExit("no error came")
PYTHON
