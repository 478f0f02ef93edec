#!/usr/bin/env bash
# A `with` block that fails leaves a valid file: ParquetWriter closes it, and on S3 it replaces the good object.
#
# The usual guess: an exception inside `with` means that nothing is published. A multipart upload is aborted, as boto3
#   does it, the old object stays, and a Parquet file that was not finished has no footer and cannot be read.
# True: with pyarrow 26.0.1 leaving the block by an exception is leaving the block. `open_output_stream` completes the
#   upload with the bytes so far, over the object that was there. ParquetWriter writes its footer: the file can be read
#   and holds the rows so far. Nothing in it tells that rows are missing.
# Whom it hurts: a shard whose writer failed half-way counts as done for every job that asks whether the file exists or
#   can be read, and the retry that should have written it never comes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 "moto[s3,server]==5.2.5"
cat > "$folder/broken.py" <<'PYTHON'
import contextlib
import logging

import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
store = S3FileSystem(access_key="a", secret_key="b", region="us-east-1", scheme="http", allow_bucket_creation=True,
                     endpoint_override=f"127.0.0.1:{port}")
store.create_dir("bucket")
PART = b"x" * (6 * 2**20)


class SourceEnded(Exception):
    """What the reading side of a copy raises."""


with store.open_output_stream("bucket/rows.jsonl") as stream:
    stream.write(b'{"row": 1}\n{"row": 2}\n')
with contextlib.suppress(SourceEnded), store.open_output_stream("bucket/rows.jsonl") as stream:
    stream.write(b'{"row": 1}\n{"ro')
    raise SourceEnded
with contextlib.suppress(SourceEnded), store.open_output_stream("bucket/large") as stream:
    stream.write(PART)
    stream.write(PART)
    raise SourceEnded
schema = pa.schema([("row", pa.int64())])
with contextlib.suppress(SourceEnded), pq.ParquetWriter("bucket/rows.parquet", schema, filesystem=store) as writer:
    writer.write_table(pa.table({"row": [1, 2, 3]}))
    raise SourceEnded
small = store.open_input_stream("bucket/rows.jsonl").read()
large = store.get_file_info("bucket/large").size
rows = pq.read_table("bucket/rows.parquet", filesystem=store).num_rows
print("pyarrow", pa.__version__)
print(f"a good object of 22 bytes, after a write that failed: {small}")
print(f"an upload of 12 MiB in parts that failed: {large} bytes are there")
print(f"a ParquetWriter that failed behind its first table: {rows} rows are read without an error")
server.stop()
unchanged = small == b'{"row": 1}\n{"ro' and large == 2 * len(PART) and rows == 3
raise SystemExit(0 if unchanged else "a write that failed is no longer published")
PYTHON
"$folder/venv/bin/python" "$folder/broken.py" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
