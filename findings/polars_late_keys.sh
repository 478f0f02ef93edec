#!/usr/bin/env bash
# polars drops a key of JSON lines that first appears behind row 100, and a field inside an object with it.
#
# The usual guess: a schema that was guessed from the first rows is a guess; what does not fit it is an error. It is one
#   for a value of another type, and for a CSV file with one more column.
# True: polars 2.1.0 takes the columns of the first 100 rows, from a file, lazily, or from Python's dicts, and leaves out
#   whatever else comes: no column, no warning, the same number of rows. Arrow's reader keeps both; DuckDB raises.
# Whom it hurts: logs and data sets whose rare fields come late (`error`, `tool_calls`, a judge's reasons): they look as
#   if they had never been there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder/log.jsonl" <<'PYTHON'
import json
import sys

import polars as pl
import pyarrow.json

path = sys.argv[1]


def columns(before):
    rows = [{"id": number, "usage": {"prompt": 1}} for number in range(before)]
    rows.append({"id": before, "usage": {"prompt": 1, "cached": 7}, "error": "timed out"})
    with open(path, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    frames = {"read_ndjson": pl.read_ndjson(path), "scan_ndjson": pl.scan_ndjson(path).collect(), "dicts": pl.DataFrame(rows)}
    for name, frame in frames.items():
        print(f"polars, {name}, {frame.height} rows: {frame.columns}, last row {frame.row(-1, named=True)}")
    arrow = pyarrow.json.read_json(path).to_pylist()[-1]
    print(f"pyarrow: last row {arrow}")
    return [frame.row(-1, named=True) for frame in frames.values()], arrow


print("polars", pl.__version__)
late = {"id": 100, "usage": {"prompt": 1}}
whole = {"usage": {"prompt": 1, "cached": 7}, "error": "timed out"}
early_rows, _ = columns(99)
late_rows, by_arrow = columns(100)
unchanged = early_rows == [{"id": 99} | whole] * 3 and late_rows == [late] * 3 and by_arrow == {"id": 100} | whole
raise SystemExit(0 if unchanged else "polars keeps late keys now")
PYTHON
