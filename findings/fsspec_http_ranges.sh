#!/usr/bin/env bash
# A piece of a file at an HTTP server that knows no ranges is the whole file.
#
# The usual guess: `fs.cat_file(url, start=10, end=20)` gives ten bytes, or an error where a server cannot send a part.
# True: with fsspec 2026.9.0 a server that ignores the Range header and answers 200 (RFC 9110 allows it; Python's own
#   `http.server` does) gives the whole file, from its first byte on; `cat_ranges` gives it once for each piece. The
#   status is not looked at. An opened file notices the same server and refuses to seek.
# Whom it hurts: who reads tensors or chunks of an array at offsets: the bytes are real and of the wrong place, so
#   numbers come out of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fsspec==2026.9.0 aiohttp==3.14.5 requests
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import array
import functools
import http.server
import pathlib
import sys
import threading

import fsspec

folder = pathlib.Path(sys.argv[1]) / "served"
folder.mkdir()
NUMBERS = array.array("f", range(100))
(folder / "numbers.bin").write_bytes(NUMBERS.tobytes())


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/numbers.bin"
web, disk = fsspec.filesystem("http"), fsspec.filesystem("file")


def at_offset(files, path):
    return array.array("f", files.cat_file(path, start=160, end=176)).tolist()


right, got = at_offset(disk, str(folder / "numbers.bin")), at_offset(web, url)
pieces = [len(piece) for piece in web.cat_ranges([url, url], [0, 160], [16, 176])]
try:
    with web.open(url, block_size=16) as file:
        file.seek(160)
        opened = len(file.read(16))
except (ValueError, OSError) as error:
    opened = type(error).__name__
print("fsspec", fsspec.__version__)
print(f"four numbers at byte 160: {right}\nfrom the disk: {at_offset(disk, str(folder / 'numbers.bin'))}")
print(f"from the server: {len(got)} numbers, the first four {got[:4]}\nlengths of two pieces of 16 bytes: {pieces}")
print(f"an opened file that seeks there: {opened}")
unchanged = right == [40.0, 41.0, 42.0, 43.0] and got == NUMBERS.tolist() and pieces == [400, 400]
raise SystemExit(0 if unchanged else "fsspec looks at the answer's status now")
PYTHON
