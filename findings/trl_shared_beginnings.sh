#!/usr/bin/env bash
# TRL cuts a pair without a `prompt` where its letters begin to differ: inside a number, and inside the answer.
#
# The usual guess: in the implicit form, chosen and rejected repeat the question, and `extract_prompt` finds it: what is
#   trained are the two answers, whole words at the least.
# True: trl 1.16.0 compares letter by letter. "… is 45" and "… is 46" become a prompt "… is 4" with the answers "5" and
#   "6". Where chosen is the beginning of rejected, all but its last letter is the prompt. Where the first letters differ
#   and chosen ends with a blank, the whole of chosen becomes the prompt of both. DPO and KTO do it without a word.
# Whom it hurts: pairs of short answers, numbers and code: other tokens than the model would write, asked by other prompts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  trl==1.16.0 torch==2.13.0 transformers==5.19.0 datasets==5.2.0
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from trl import extract_prompt

CASES = [  # chosen, rejected, what comes out
    ("Sky? Blue.", "Sky? Green.", ("Sky?", " Blue.", " Green.")),
    ("17+28? 45", "17+28? 46", ("17+28? 4", "5", "6")),
    ("Ham? `ham`", "Ham? `hem`", ("Ham? `h", "am`", "em`")),
    ("2+2? 4", "2+2? 4, of course", ("2+2? ", "4", "4, of course")),
    ("Blue. ", "Green.", ("Blue.", " ", ".")),
]
print("trl", version("trl"))
unchanged = True
for chosen, rejected, expected in CASES:
    found = tuple(extract_prompt({"chosen": chosen, "rejected": rejected})[name] for name in ("prompt", "chosen", "rejected"))
    print(f"{chosen!r} and {rejected!r}: prompt {found[0]!r}, chosen {found[1]!r}, rejected {found[2]!r}")
    unchanged = unchanged and found == expected
raise SystemExit(0 if unchanged else "prompts are found otherwise now")
PYTHON
