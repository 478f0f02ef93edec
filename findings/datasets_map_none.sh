#!/usr/bin/env bash
# `Dataset.map` forgets all results when the function returns None for the last row, and drops the rows elsewhere.
#
# The usual guess: a function that returns nothing for a row leaves that row as it is, or is an error. For a function
#   that never returns anything the first holds: it is run for what it does, and the data stay.
# True: with datasets 5.2.0 the last row decides for all: None there, and `map` gives back the data set as it was, with
#   every result computed and thrown away. None in the middle deletes that row. None for the first row is an
#   AttributeError of the writer. There is no warning; batched, it is the last batch that decides.
# Whom it hurts: `if usable(row): return {...}` cleans or tokenizes nothing, or shortens the data, by the order of rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from datasets import Dataset, disable_progress_bars

disable_progress_bars()
ROWS = Dataset.from_dict({"code": [f" x{number} " for number in range(6)]})


def cleaned(skipped, **options):
    def clean(row, number):
        if number != skipped:
            return {"code": row["code"].strip()}

    try:
        return ROWS.map(clean, with_indices=True, **options)["code"][:]
    except AttributeError as error:
        return f"AttributeError: {error}"


def batches(skipped):
    def clean(rows, numbers):
        if skipped not in numbers:
            return {"code": [code.strip() for code in rows["code"]]}

    return ROWS.map(clean, with_indices=True, batched=True, batch_size=2)["code"][:]


print("datasets", version("datasets"))
last, middle, first, last_batch = cleaned(5), cleaned(2), cleaned(0), batches(5)
print(f"None for the last row: {last}\nNone for the third: {middle}\nNone for the first: {first}")
print(f"None for the last batch: {last_batch}")
as_it_was = ROWS["code"][:]
unchanged = last == last_batch == as_it_was and middle == ["x0", "x1", "x3", "x4", "x5"]
unchanged = unchanged and str(first).startswith("AttributeError")
raise SystemExit(0 if unchanged else "map treats None otherwise now")
PYTHON
