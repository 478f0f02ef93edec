#!/usr/bin/env bash
# The same seed gives other MinHash signatures in each minor version of rensa, and stored ones compare in silence.
#
# The usual guess: RMinHash(num_perm, seed=42).digest() is a function of tokens, seed and size, so that signatures
#   kept in a table go on working; a change of the hash would be a new major version.
# True: rensa 0.3.0, 0.4.0 and 0.5.0 agree in none of 128 numbers for the same seven words. Only pickles are refused;
#   a digest is a list of integers, holds no version, and two equal documents come out with a similarity of 0.
# Whom it hurts: incremental deduplication: after an upgrade, no new document is a duplicate of an old one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
for release in 0.3.0 0.4.0 0.5.0; do
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps rensa==$release
  "$folder/venv/bin/python" - "$folder/$release.json" <<'PYTHON'
import json
import sys

from rensa import RMinHash

sketch = RMinHash(num_perm=128, seed=42)
sketch.update("a list of the first ten primes".split())
json.dump(sketch.digest(), open(sys.argv[1], "w"))
PYTHON
done
python3 - "$folder" <<'PYTHON'
import itertools
import json
import sys

releases = ["0.3.0", "0.4.0", "0.5.0"]
digests = {release: json.load(open(f"{sys.argv[1]}/{release}.json")) for release in releases}
equal = []
for one, other in itertools.combinations(releases, 2):
    equal.append(sum(a == b for a, b in zip(digests[one], digests[other], strict=True)))
    print(f"rensa {one} and {other}, the same words and seed: {equal[-1]} of 128 numbers agree")
raise SystemExit(0 if equal == [0, 0, 0] else "the signatures agree now")
PYTHON
