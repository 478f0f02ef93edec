#!/usr/bin/env bash
# A store's answer that is shorter than the object is an error, or at least a short read, is the usual guess: read_at says
# how many bytes it returns. pyarrow 26's S3 filesystem takes it for the whole: the length is right, and behind what came
# stands whatever its buffer held. It hurts whoever reads a bucket through a proxy, a gateway or a mirror that cuts an
# answer off and sets Content-Length to what it sends, or answers 200 with a page of its own: the file reads as complete.
# Valid requests; a server that sends half of an object, with a length that fits what it sends.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pyarrow==26.0.0 2>/dev/null ||
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "pyarrow==${PYARROW:?pyarrow 26.0.0 cannot be installed; name a version}"
"$folder/venv/bin/python" - <<'P'
import sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import pyarrow
from pyarrow import fs

WHOLE = b"x" * 100_000

class Store(BaseHTTPRequestHandler):
    """One object, of which every GET gets the first half."""
    protocol_version = "HTTP/1.1"
    def answer(self, status, body, length):
        self.send_response(status)
        self.send_header("Content-Length", str(length)); self.send_header("Last-Modified", "Sat, 28 Nov 2026 10:00:00 GMT")
        self.end_headers(); self.wfile.write(body)
    def do_HEAD(self):
        self.answer(200, b"", len(WHOLE))
    def do_GET(self):
        half = WHOLE[: len(WHOLE) // 2]
        self.answer(206, half, len(half))
    def log_message(self, *a): pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
store = fs.S3FileSystem(access_key="a", secret_key="b", region="us-east-1", scheme="http",
                        endpoint_override=f"127.0.0.1:{server.server_port}")
got = store.open_input_file("bucket/object").read_at(len(WHOLE), 0)
buffer = bytearray(b"-" * len(WHOLE))
said = store.open_input_file("bucket/object").readinto(buffer)
print("pyarrow", pyarrow.__version__)
print(f"sent {len(WHOLE) // 2:,} of {len(WHOLE):,} bytes; read_at returned {len(got):,}, the file's: {got == WHOLE}")
print(f"readinto says {said:,}, and left the last {len(buffer) - len(buffer.rstrip(b'-')):,} bytes as they were")
sys.exit(0 if len(got) == len(WHOLE) and got != WHOLE and said == len(WHOLE) and buffer.endswith(b"-" * 50_000) else 1)
P
