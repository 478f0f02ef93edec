"""What the scheduler knows of a program's threads: how long they ran, how long they were ready and had no processor.

Loaded on the host by `eval/sandbox/process_tree.py` and inside the sandbox by `eval/sandbox/inside/zygote.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def times_of(threads: Iterable[Path]) -> dict[str, float]:
    """Times of a program.

    Args:
        threads: folders of procfs.

    Returns:
        `waited`: seconds that the thread which waited longest was ready and had no processor, a wait that still goes
        on not counted; `ran`: seconds that all have run; `ready`: 1 if one is running or ready, 0 if all sleep.
    """
    waited, ran, ready = 0.0, 0.0, 0.0
    for thread in threads:
        try:
            on_processor, in_queue = (thread / "schedstat").read_text().split()[:2]
            state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError, IndexError):
            continue
        waited, ran = max(waited, int(in_queue) / 1e9), ran + int(on_processor) / 1e9
        ready = max(ready, float(state == "R"))
    return {"waited": waited, "ran": ran, "ready": ready}
