#!/usr/bin/env bash
# `pytest --dist loadgroup` groups nothing with pytest 9.2 and pytest-xdist 3.8, without a word.
#
# The usual guess: tests marked xdist_group("gpu") run one after the other in one process; the plugin's page says so,
#   pip installs the two releases together, and both are the newest.
# True: xdist writes the group behind the private `_nodeid` of a test, which pytest 9.2 reads no longer. With pytest 9.0
#   the four tests of a group share a process; with pytest 9.2 they are spread over both. No error, no warning.
# Whom it hurts: suites that keep a GPU, a port or a database for one group: two tests take it at once, at times.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/test_group.py" <<'PYTHON'
import os
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(4))
def test_shares_a_process(number):
    time.sleep(0.5)
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
PYTHON
python3 -m venv "$folder/venv"
processes() {
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  SEEN="$folder/seen-$1" "$folder/venv/bin/python" -m pytest -q -n 2 --dist loadgroup "$folder/test_group.py" >/dev/null
  sort -u "$folder/seen-$1" | wc -l
}
before=$(processes 9.0.2)
after=$(processes 9.2.0)
echo "pytest-xdist 3.8.0, one group of four tests, two processes, --dist loadgroup"
echo "pytest 9.0.2 ran the group in $before process(es), pytest 9.2.0 in $after"
[ "$before" = 1 ] && [ "$after" = 2 ] || { echo "the behaviour has changed"; exit 1; }
