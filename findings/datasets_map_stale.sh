#!/usr/bin/env bash
# `map` gives the old results after the function that it applies was edited, if that function is imported from a file.
#
# The usual guess: `map` finds its results again by a fingerprint of the function. The documentation says so: edit the
#   function and it is applied again, which is what happens in a notebook.
# True: with datasets 5.2.0 a function of a module enters the fingerprint by its name alone, and so do all functions
#   that it calls. A `prep.py` that was edited gives the rows of the day before, in a new process, with no word.
# Whom it hurts: who has preprocessing in a module, as every project has: a bug in it is mended, and training goes on
#   with the rows that hold it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
cd "$folder"
export HF_HOME="$folder/cache" PYTHONDONTWRITEBYTECODE=1
for text in "  return a - b" "  return 0"; do echo "{\"text\": \"$text\"}"; done >rows.jsonl
cat >prepare.py <<'PYTHON'
import datasets
import prep

datasets.disable_progress_bars()
rows = datasets.load_dataset("json", data_files="rows.jsonl", split="train")
imported = rows.map(prep.clean)["text"][0]
called = rows.map(lambda row: {"text": prep.strip(row["text"])})["text"][0]
fresh = rows.map(prep.clean, load_from_cache_file=False)["text"][0]
print([imported, called, fresh])
PYTHON
write() {
  printf 'def strip(text):\n    return text.%s()\n\n\ndef clean(row):\n    return {"text": strip(row["text"])}\n' "$1" >prep.py
}
write strip
before=$("$folder/venv/bin/python" prepare.py 2>errors) || { cat errors; exit 1; }
write upper
after=$("$folder/venv/bin/python" prepare.py 2>errors) || { cat errors; exit 1; }
"$folder/venv/bin/pip" list 2>errors | grep '^datasets '
echo "prep.strip strips; map(prep.clean), map(lambda that calls prep.strip), and map without the cache: $before"
echo "prep.strip was edited to write capitals; the same three: $after"
[ "$before" = "['return a - b', 'return a - b', 'return a - b']" ] || { echo "other rows at first"; exit 1; }
[ "$after" = "['return a - b', 'return a - b', '  RETURN A - B']" ] || { echo "map sees the edited function now"; exit 1; }
