#!/usr/bin/env bash
# Text in JSON lines becomes datetimes in Arrow when every row looks like one, and its UTC offset is gone.
#
# The usual guess: a quoted value of JSON stays a string; a reader may widen numbers, but not touch text.
# True: pyarrow 26.0.1's `json.read_json` makes timestamp[s] of a column whose values are all ISO dates: what was
#   "2024-01-31" is written back as "2024-01-31 00:00:00", and of "10:00:00+05:00" only 05:00 UTC, without a zone, is
#   left. One other value in any block ("20240131", ".5" of a second) makes all of them strings again, as written.
# Whom it hurts: whoever reads questions and answers by Arrow's reader: a shard's type hangs on its rows, shards do
#   not concatenate, and the answers "2024-01-31" of one file are no longer equal to those of another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import io
import json

import pyarrow as pa
import pyarrow.json


def column(*answers):
    lines = "".join(json.dumps({"answer": answer}) + "\n" for answer in answers)
    return pa.json.read_json(io.BytesIO(lines.encode())).column("answer")


def show(*answers):
    found = column(*answers)
    print(f"{list(answers)} is read as {found.type}: {found.cast('string').to_pylist()}")
    return str(found.type), found.cast("string").to_pylist()


print("pyarrow", pa.__version__)
dates = show("2024-01-31", "1999-12-31")
offset = show("2024-01-31T10:00:00+05:00")
mixed = show("2024-01-31", "20240131")
fraction = show("2024-01-31T10:00:00+05:00", "2024-01-31T10:00:00.5")
unchanged = (
    dates == ("timestamp[s]", ["2024-01-31 00:00:00", "1999-12-31 00:00:00"])
    and offset == ("timestamp[s]", ["2024-01-31 05:00:00"])
    and mixed == ("string", ["2024-01-31", "20240131"])
    and fraction == ("string", ["2024-01-31T10:00:00+05:00", "2024-01-31T10:00:00.5"])
)
raise SystemExit(0 if unchanged else "dates in JSON are read otherwise now")
PYTHON
