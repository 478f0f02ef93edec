#!/usr/bin/env bash
# `class_encode_column` on a column of the integers 0 to 11 gives label 2 the number 4, and 10 the number 2.
#
# The usual guess: labels that are the numbers 0 to n - 1 already keep their numbers; the call only adds the class type,
#   which `train_test_split(stratify_by_column=…)` asks for.
# True: datasets 5.2.0 makes the values texts and sorts them as texts: 0, 1, 10, 11, 2, … With ten classes or fewer
#   nothing moves, and so a test on a small data set passes. A cast to ClassLabel(num_classes=12) keeps the numbers.
#   There is no warning, and the names tell the old numbers only to whoever looks.
# Whom it hurts: who stratifies a split by an integer label, language or cluster: a model's class 2 is label 4 in this
#   data, so that its accuracy falls by the classes above nine, and ids of clusters point to other centres.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from datasets import ClassLabel, Dataset, disable_progress_bars

disable_progress_bars()
print("datasets", version("datasets"))
ten, twelve = (Dataset.from_dict({"label": list(range(classes))}) for classes in (10, 12))
small = ten.class_encode_column("label")["label"][:]
encoded = twelve.class_encode_column("label")
numbers, names = encoded["label"][:], encoded.features["label"].names
cast = twelve.cast_column("label", ClassLabel(num_classes=12))["label"][:]
print(f"labels:              {twelve['label'][:]}\nclass_encode_column: {numbers}\nits names:           {names}")
print(f"cast to ClassLabel:  {cast}\nten classes:         {small}")
unchanged = numbers == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3] and names == sorted(map(str, range(12)))
unchanged = unchanged and cast == list(range(12)) and small == list(range(10))
raise SystemExit(0 if unchanged else "integer labels are numbered otherwise now")
PYTHON
