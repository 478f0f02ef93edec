#!/usr/bin/env bash
# One integer beyond 64 bits rounds all the others of its column, and no reader says so.
#
# The usual guess: integers of JSON stay integers; one that does not fit is an error, as from a Python list.
# True: pyarrow 26.0.1 and datasets 5.2.0 make the whole column floating-point where one value reaches 2^63, DuckDB 2.0.1
#   where one reaches 2^64: the 9007199254740993 beside it comes back as 9007199254740992.0. orjson 3.13.0 rounds each
#   such number by itself. `Dataset.from_list` with the same rows raises OverflowError.
# Whom it hurts: answers of factorials, Fibonacci numbers and hashes: the largest decides whether the others are right,
#   and the right program's 9007199254740993 is compared with another number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyarrow==26.0.1 datasets==5.2.0 duckdb==2.0.1 orjson==3.13.0
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from importlib.metadata import version

import datasets
import duckdb
import orjson
import pyarrow.json

datasets.disable_progress_bars()
ODD, folder = 2**53 + 1, sys.argv[1]


def readers(large):
    path = f"{folder}/{large}.jsonl"
    with open(path, "w") as file:
        file.write(f'{{"answer": {ODD}}}\n{{"answer": {large}}}\n')
    loaded = datasets.load_dataset("json", data_files=path, split="train", cache_dir=f"{folder}/cache")
    return {
        "pyarrow": pyarrow.json.read_json(path)["answer"].to_pylist(),
        "datasets": loaded["answer"][:],
        "duckdb": [row[0] for row in duckdb.sql(f"select answer from read_json('{path}')").fetchall()],
        "orjson": [orjson.loads(line)["answer"] for line in open(path, "rb")],
    }


print(*(f"{each} {version(each)}" for each in ("pyarrow", "datasets", "duckdb", "orjson")))
found = {}
for name, large in {"20!": 2432902008176640000, "21!": 51090942171709440000}.items():
    found[name] = readers(large)
    for reader, answers in found[name].items():
        print(f"{ODD} beside {name} is read by {reader} as {answers[0]!r}, and {name} as {answers[1]!r}")
exact, rounded = [ODD, 2432902008176640000], [float(ODD), 51090942171709440000.0]
unchanged = all(answers == exact and all(isinstance(one, int) for one in answers) for answers in found["20!"].values())
for reader in ("pyarrow", "datasets", "duckdb"):
    unchanged = unchanged and found["21!"][reader] == rounded and isinstance(found["21!"][reader][0], float)
unchanged = unchanged and found["21!"]["orjson"][0] == ODD and isinstance(found["21!"]["orjson"][1], float)
try:
    datasets.Dataset.from_list([{"answer": ODD}, {"answer": 51090942171709440000}])
    unchanged = False
except OverflowError as error:
    print(f"datasets from a list: {type(error).__name__}: {error}")
raise SystemExit(0 if unchanged else "large integers are read otherwise now")
PYTHON
