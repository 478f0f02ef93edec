#!/usr/bin/env bash
# A 503 of an object store is retried by pyarrow 26's S3 filesystem for every request, is the usual guess: that is what
# its retry_strategy says. True for all but small reads. A read goes into a buffer of the size that is asked for. An
# error's text that is longer does not fit: the read fails at once with INTERNAL_FAILURE "Failed to flush response
# stream". It hurts whoever keeps small files (JSON, markers, small Parquet columns) in a bucket: one busy second of the
# store ends a job that would outlast a minute of it with large files. Valid requests, a server that answers 503 once.
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

BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>" + b"Please reduce your request rate. " * 8 + b"</Message></Error>"
gets = []

class Store(BaseHTTPRequestHandler):
    """Objects named by their size; the first GET of each is answered by 503, as a busy store does."""
    protocol_version = "HTTP/1.1"
    def answer(self, status, body, length):
        self.send_response(status)
        self.send_header("Content-Length", str(length)); self.send_header("Last-Modified", "Sat, 28 Nov 2026 10:00:00 GMT")
        self.end_headers(); self.wfile.write(body)
    def do_HEAD(self):
        self.answer(200, b"", int(self.path.rpartition("/")[2]))
    def do_GET(self):
        gets.append(self.path)
        size = int(self.path.rpartition("/")[2].partition("?")[0])
        if gets.count(self.path) == 1: self.answer(503, BUSY, len(BUSY))
        else: self.answer(206, b"x" * size, size)
    def log_message(self, *a): pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
store = fs.S3FileSystem(access_key="a", secret_key="b", region="us-east-1", scheme="http",
                        endpoint_override=f"127.0.0.1:{server.server_port}", retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=5))
def read(size):
    try: return f"{len(store.open_input_file(f'bucket/{size}').read_at(size, 0))} bytes read"
    except OSError as error: return f"OSError: {error}"
large, small = read(100_000), read(100)
print("pyarrow", pyarrow.__version__)
print("100,000 bytes, after one 503:", large, "| GET requests:", gets.count("/bucket/100000"))
print("    100 bytes, after one 503:", small, "| GET requests:", gets.count("/bucket/100"))
sys.exit(0 if "read" in large and "OSError" in small and gets.count("/bucket/100") == 1 else 1)
P
