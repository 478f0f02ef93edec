#!/usr/bin/env bash
# LangChain's OpenAIEmbeddings sends numbers of OpenAI's tokens to every server, which reads them by its own tokenizer.
#
# The usual guess: `OpenAIEmbeddings(base_url=…)` before a server of one's own sends the text, and gets its embedding.
# True: with langchain-openai 1.7.4 it sends lists of token numbers, made by tiktoken for a model that it does not know.
#   Servers of the OpenAI API take such lists as tokens of their model (vLLM does): the vector is of another text. With
#   `check_embedding_ctx_length=False` the text is sent. There is no warning. Here the numbers are read by the tokenizer
#   of a DeepSeek model.
# Whom it hurts: who embeds code or prompts with a model of one's own. Equal texts have equal vectors and searches find
#   something, so that it looks as if the model were weak.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-openai==1.7.4 tokenizers
# It holds tokenizers as files: tiktoken's, which would be downloaded otherwise, and DeepSeek's.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps litellm==1.110.2
files=$(echo "$folder"/venv/lib/python3*/site-packages/litellm/litellm_core_utils/tokenizers)
TIKTOKEN_CACHE_DIR="$files" "$folder/venv/bin/python" - "$files" <<'PYTHON'
import http.server
import importlib.metadata
import json
import sys
import threading

import tiktoken
from langchain_openai import OpenAIEmbeddings
from tokenizers import Tokenizer

TEXT = "def add(a, b): return a + b"
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked to embed."""

    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"])
        row = {"object": "embedding", "index": 0, "embedding": [1.0, 0.0]}
        told = json.dumps({"object": "list", "model": "m", "data": [row], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
settings = {"model": "m", "base_url": f"http://127.0.0.1:{server.server_port}/v1", "api_key": "k"}
OpenAIEmbeddings(**settings).embed_query(TEXT)
OpenAIEmbeddings(check_embedding_ctx_length=False, **settings).embed_query(TEXT)
[numbers], plain = asked
own = Tokenizer.from_file(f"{sys.argv[1]}/deepseek_tokenizer.json")
there = own.decode(numbers)
print("langchain-openai", importlib.metadata.version("langchain-openai"))
print(f"text: {TEXT!r}\nsent: {numbers}\nto OpenAI's tokenizer: {tiktoken.get_encoding('cl100k_base').decode(numbers)!r}")
print(f"to the tokenizer of a model of one's own: {there!r}\nsent with check_embedding_ctx_length=False: {plain}")
unchanged = tiktoken.get_encoding("cl100k_base").decode(numbers) == TEXT != there and plain in (TEXT, [TEXT])
raise SystemExit(0 if unchanged else "LangChain sends texts to be embedded now")
PYTHON
