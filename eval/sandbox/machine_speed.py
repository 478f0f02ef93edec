"""How fast this machine is: a fixed piece of Python, in processor time, against the one that limits are meant for.

Load does not enter here: what a program waits for a busy processor is not counted at all
(`eval/sandbox/process_tree.py`).
"""

from __future__ import annotations

import time
from functools import cache

REFERENCE_S = 0.020
"""Processor seconds of the workload on the machine that the default time-outs are meant for (a 2.5 GHz Xeon)."""

MAX_SLOWNESS = 10.0


@cache
def slowness() -> float:
    """How many times slower than the reference this machine is, at least 1 and at most `MAX_SLOWNESS`."""
    return min(MAX_SLOWNESS, max(1.0, min(_workload_s() for _ in range(3)) / REFERENCE_S))


def _workload_s() -> float:
    begun = time.thread_time()
    total, seen = 0, {}
    for number in range(100_000):
        total = (total * 31 + number) % 1_000_003
        seen[total] = number
    assert len(seen) > 1
    return time.thread_time() - begun
