#!/usr/bin/env bash
# EvalPlus's sanitizer cuts from right answers the lines that they need, and a decorated function altogether.
#
# The usual guess: `sanitize(answer, entrypoint)` takes away prose and dead code; code that ran before it runs after.
# True: evalplus 0.3.1 keeps top-level imports, functions, classes and plain `name = value` lines. Tables that a loop
#   fills, `LOW, HIGH = 1, 9`, an import inside try, `x += 1`, and an entry point under an imported decorator
#   (functools.cache) are dropped: the answer then raises NameError or KeyError and counts as the model's failure.
# Whom it hurts: whoever compares pass@1 figures: sanitizing lowers some models' scores for their style alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps evalplus==0.3.1
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6 tree-sitter==0.26.1 tree-sitter-python==0.25.0 \
  appdirs==1.4.4 tempdir==0.7.1 wget==3.2 termcolor==3.3.0 multipledispatch==1.0.0 tqdm==4.70.1
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from evalplus.sanitize import sanitize

ANSWERS = {
    "a plain one": "BASE = 2\n\ndef f(n):\n    return n * BASE\n",
    "constants by tuple": "LOW, HIGH = 1, 9\n\ndef f(n):\n    return min(max(n, LOW), HIGH)\n",
    "a table filled by a loop": "SQUARES = {}\nfor i in range(10):\n    SQUARES[i] = i * i\n\ndef f(n):\n    return SQUARES[n]\n",
    "an import inside try": "try:\n    from math import comb\nexcept ImportError:\n    comb = None\n\ndef f(n):\n    return comb(n, 2)\n",
    "an imported decorator": "import functools\n\n@functools.cache\ndef f(n):\n    return n + 1\n",
}


def outcome(code):
    names = {}
    try:
        exec(code, names)
        return str(names["f"](3))
    except Exception as error:
        return type(error).__name__


print("evalplus", version("evalplus"))
broken = []
for name, answer in ANSWERS.items():
    before, after = outcome(answer), outcome(sanitize(answer, "f"))
    print(f"{name}: f(3) is {before} before, {after} after sanitize")
    if before != after:
        broken.append(name)
unchanged = broken == [name for name in ANSWERS if name != "a plain one"]
raise SystemExit(0 if unchanged else "the sanitizer keeps other lines now")
PYTHON
