#!/usr/bin/env bash
# A file whose name holds the word "test" or "dev" makes `load_dataset` leave out every other file of its folder.
#
# The usual guess: `load_dataset("json", data_dir=…)` reads all files of the folder, as the split "train". A name such as
#   test.jsonl puts that file into a split of its own, and the others stay.
# True: with datasets 5.2.0, as soon as one name holds such a word between two signs, only files with such words are
#   read. Of repair.jsonl, summary.jsonl and unit-test.jsonl one is left, as "test"; the two others are in no split.
#   There is no warning, and no count that would show it.
# Whom it hurts: who keeps a file for each task, project or day. One more file, of the task "unit-test" or the project
#   "dev-tools", and all the others are gone from the data.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
export HF_HOME="$folder/cache"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import sys
from pathlib import Path

import datasets

datasets.disable_progress_bars()
print("datasets", datasets.__version__)


def loaded(*names):
    data = Path(sys.argv[1], "-".join(names))
    data.mkdir()
    for name in names:
        (data / f"{name}.jsonl").write_text(json.dumps({"file": name}) + "\n")
    found = datasets.load_dataset("json", data_dir=str(data))
    splits = {split: sorted(rows["file"]) for split, rows in found.items()}
    print(f"{len(names)} files, {', '.join(names)}: {splits}")
    return splits


unchanged = loaded("repair", "summary") == {"train": ["repair", "summary"]}
unchanged &= loaded("repair", "summary", "unit-test") == {"test": ["unit-test"]}
unchanged &= loaded("repair", "summary", "dev_tools") == {"validation": ["dev_tools"]}
unchanged &= loaded("repair", "summary", "pytest") == {"train": ["pytest", "repair", "summary"]}
raise SystemExit(0 if unchanged else "other files are read now")
PYTHON
