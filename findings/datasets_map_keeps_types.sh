#!/usr/bin/env bash
# `Dataset.map` presses a new value into the type that its column had: a share of 0.25 becomes True, "00042" becomes 42.
#
# The usual guess: the column has the type of what the function returned, as with a new column or a streamed data set.
#   Where the old type could not hold the value, that is an error.
# True: with datasets 5.2.0 the writer first tries the column's old type and takes any cast that Arrow allows. Numbers
#   over a boolean column all become True but 0. Texts over an integer column become integers: zeros in front are lost,
#   and "0x10" is 16. A float over an integer column is kept. There is no warning; `remove_columns` does not help.
# Whom it hurts: who replaces a verdict by a score, or numbers by padded ids: the reward is 1.0 for every row with one
#   passed test, a join on the ids finds nothing, and the same function gives other data when it is streamed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from datasets import Dataset, disable_progress_bars

disable_progress_bars()
ROWS = Dataset.from_dict({"passed": [True, False, True], "id": [7, 42, 16]})
SHARES, IDS = [1.0, 0.0, 0.25], ["00007", "00042", "0x10"]


def scored(row, number):
    return {"passed": SHARES[number], "id": IDS[number]}


def columns(rows):
    return {name: [row[name] for row in rows] for name in ("passed", "id")}


print("datasets", version("datasets"))
returned = {"passed": SHARES, "id": IDS}
mapped = columns(ROWS.map(scored, with_indices=True))
removed = columns(ROWS.map(scored, with_indices=True, remove_columns=["passed", "id"]))
streamed = columns(ROWS.to_iterable_dataset().map(scored, with_indices=True))
elsewhere = ROWS.map(lambda row, number: {"share": SHARES[number]}, with_indices=True)["share"][:]
floats = Dataset.from_dict({"id": [7, 42, 16]}).map(lambda row: {"id": row["id"] + 0.5})["id"][:]
print(f"returned:             {returned}\nmap:                  {mapped}\nwith remove_columns:  {removed}")
print(f"streamed:             {streamed}\nunder a new name:     {elsewhere}\nfloats over integers: {floats}")
unchanged = mapped == {"passed": [True, False, True], "id": [7, 42, 16]}
unchanged = unchanged and mapped["passed"][2] is True and removed == mapped
unchanged = unchanged and streamed == returned and elsewhere == SHARES and floats == [7.5, 42.5, 16.5]
raise SystemExit(0 if unchanged else "map keeps other types now")
PYTHON
