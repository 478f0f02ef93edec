"""What the scheduler knows of a program's threads: how long they ran, how long they were ready and had no processor.

Loaded on the host by `eval/sandbox/process_tree.py` and inside the sandbox by `eval/sandbox/inside/zygote.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

NO_TIMES = {"waited": 0.0, "ran": 0.0, "busiest": 0.0, "ready": 0.0}


def threads_of(process: int, proc: Path) -> list[Path]:
    """Folders of all threads of a process and of those that it started.

    Args:
        process: its number.
        proc: the procfs in which it has that number.
    """
    threads: list[Path] = []
    pending = [process]
    while pending:
        for thread in (proc / f"{pending.pop()}/task").glob("*"):
            threads.append(thread)
            with contextlib.suppress(OSError):
                pending += [int(child) for child in (thread / "children").read_text().split()]
    return threads


def times_of(threads: Iterable[Path]) -> dict[str, float]:
    """Times of a program.

    Args:
        threads: folders of procfs.

    Returns:
        `waited`: seconds that the thread which waited longest was ready and had no processor, a wait that still goes
        on not counted; `ran`: seconds that all have run; `busiest`: that the one has run which ran most; `ready`: 1 if
        one is running or ready, 0 if all sleep.
    """
    found = dict(NO_TIMES)
    for thread in threads:
        try:
            on_processor, in_queue = (int(word) / 1e9 for word in (thread / "schedstat").read_text().split()[:2])
            state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError, IndexError):
            continue
        found["ran"] += on_processor
        found["busiest"] = max(found["busiest"], on_processor)
        found["waited"] = max(found["waited"], in_queue)
        found["ready"] = max(found["ready"], float(state == "R"))
    return found
