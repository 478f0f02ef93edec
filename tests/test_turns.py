"""Two programs in turns: what the benchmarks that compare long runs rest on."""

import itertools
import os
import sys

import pytest

from bench.turns import take_turns
from tests.cluster_head import ROOT

PROGRAM = """
import subprocess, sys, time
from bench.turns import say_result, wait_for_turn
WORK = "import time; [(time.sleep(0.01), print(time.monotonic())) for _ in range({steps})]"
wait_for_turn()
begun = time.monotonic()
done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
say_result({{"at": [float(line) for line in done.stdout.split()]}}, begun, time.monotonic())
"""


def program(steps):
    return [sys.executable, "-c", PROGRAM.format(steps=steps)]


def test_never_do_both_work_and_each_is_charged_its_own_turns():
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    found = take_turns({"short": program(100), "long": program(200)}, turn_s=0.25, environment=environment)
    steps = sorted((at, name) for name, each in found.items() for at in each["at"])
    changes = sum(name != before for (_, before), (_, name) in itertools.pairwise(steps))
    assert len(steps) == 300
    assert 4 <= changes <= 100  # to and fro, some 25 steps at a time, fewer where they are slow; side by side 200
    whole = steps[-1][0] - steps[0][0]
    short, long = found["short"]["seconds"], found["long"]["seconds"]
    # A step that has begun goes on for its 10 ms while its program is stopped.
    assert 0.9 <= short < long and long >= 1.8 and short + long < whole + 1.5  # the rest: starting


def test_a_program_that_does_not_load_or_says_nothing_is_told_of():
    with pytest.raises(RuntimeError, match="ended with code 3 before it had loaded"):
        take_turns({"broken": [sys.executable, "-c", "raise SystemExit(3)"]}, 1.0)
    mute = "from bench.turns import wait_for_turn; wait_for_turn()"
    with pytest.raises(RuntimeError, match="ended with code 0 and no result"):
        take_turns({"mute": [sys.executable, "-c", mute]}, 1.0, os.environ | {"PYTHONPATH": str(ROOT)})
