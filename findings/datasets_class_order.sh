#!/usr/bin/env bash
# Classes whose names stand in another order are read by number: "good" becomes "bad", without a word.
#
# The usual guess: a `ClassLabel` column is its names. Two Parquet files of the same classes, one written with the names
#   ["bad", "good"] and one with ["good", "bad"], load as what they say; so does a cast to the other order.
# True: with datasets 5.2.0 `load_dataset` takes the first file's names for the numbers of all files, and
#   `cast_column` keeps the numbers and swaps the names. `concatenate_datasets` of the same two refuses them. Each file
#   alone loads right. A cast to text gives "0" and "1", not the names.
# Whom it hurts: who judges or labels shards in several runs, each with `class_encode_column` or a set of names, and
#   loads the folder: half the accepted rows are the rejected ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 HF_HOME="$folder/home" "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import datasets
from datasets import ClassLabel, Dataset, Features, Value, concatenate_datasets, load_dataset

folder = sys.argv[1]
ORDERS = (["bad", "good"], ["good", "bad"])
VERDICTS = ["good", "bad", "good"]


def verdicts(rows):
    return [rows.features["verdict"].int2str(number) for number in rows["verdict"]]


parts = []
for number, names in enumerate(ORDERS):
    kinds = Features({"verdict": ClassLabel(names=names)})
    parts.append(Dataset.from_dict({"verdict": [names.index(one) for one in VERDICTS]}, features=kinds))
    parts[-1].to_parquet(f"{folder}/{number}.parquet")
files = [f"{folder}/{number}.parquet" for number in range(2)]
both = verdicts(load_dataset("parquet", data_files=files, split="train"))
alone = [verdicts(load_dataset("parquet", data_files=file, split="train")) for file in files]
cast = verdicts(parts[0].cast_column("verdict", ClassLabel(names=ORDERS[1])))
as_text = list(parts[0].cast_column("verdict", Value("string"))["verdict"])
try:
    concatenate_datasets(parts)
    joined = "joined"
except ValueError:
    joined = "refused"
print("datasets", datasets.__version__)
print(f"written twice: {VERDICTS}, with the names {ORDERS[0]} and {ORDERS[1]}")
print(f"loaded together: {both}\neach file alone: {alone}\nconcatenated: {joined}")
print(f"cast to the other order: {cast}\ncast to text: {as_text}")
swapped = ["bad", "good", "bad"]
unchanged = both == VERDICTS + swapped and alone == [VERDICTS] * 2 and joined == "refused" and cast == swapped
raise SystemExit(0 if unchanged and as_text == ["1", "0", "1"] else "datasets reads class names otherwise now")
PYTHON
