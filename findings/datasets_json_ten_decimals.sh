#!/usr/bin/env bash
# `Dataset.to_json` writes ten decimals of a number: a probability of 1e-11 is 0.0 in the file, and dates are integers.
#
# The usual guess: JSON lines hold a float's shortest text, as json.dumps writes it, and read back as the same number.
# True: with datasets 5.2.0 (and pandas 3.1.1 behind it) a float has at most ten decimals: 2.5e-11 becomes 0.0, of
#   1.2345678e-08 two digits are left, and 0.1 + 0.2 is 0.3. That holds inside lists and structs. A date becomes
#   milliseconds, so that `load_dataset("json")` reads integers. to_parquet keeps all. There is no warning.
# Whom it hurts: who stores probabilities, learning rates, p-values or embeddings as JSON lines: the logarithm of a
#   small probability is minus infinity, and rows that differed are duplicates.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import datetime
import json
import pathlib
import sys
from importlib.metadata import version

from datasets import Dataset, disable_progress_bars

disable_progress_bars()
PROBABILITIES = [2.5e-11, 1.2345678e-08, 0.1 + 0.2]
ROWS = {"p": PROBABILITIES, "vector": [PROBABILITIES] * 3, "day": [datetime.date(2026, 11, 30)] * 3}
folder = pathlib.Path(sys.argv[1])
rows = Dataset.from_dict(ROWS)
rows.to_json(folder / "rows.jsonl")
rows.to_parquet(folder / "rows.parquet")
lines = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
read = [line["p"] for line in lines]
back = Dataset.from_parquet(str(folder / "rows.parquet"), cache_dir=str(folder / "cache"))
print("datasets", version("datasets"), "pandas", version("pandas"))
print(f"held:         {PROBABILITIES}\nto_json:      {read}\nto_parquet:   {back['p'][:]}")
print(f"in a list:    {lines[0]['vector']}\nthe day:      {lines[0]['day']}")
unchanged = read == [0.0, 1.23e-08, 0.3] and lines[0]["vector"] == read and isinstance(lines[0]["day"], int)
unchanged = unchanged and back["p"][:] == PROBABILITIES
raise SystemExit(0 if unchanged else "to_json writes other numbers now")
PYTHON
