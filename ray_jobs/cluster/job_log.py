"""A job's log → what it says of the stages and of what the job waits for. Pure.

The same for a running job, a finished one and a cluster that is gone, as long as there is the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.stages import STAGES

LINE = re.compile(r"^(\d\d:\d\d:\d\d) (\w+): (.+)$")
WAITING = "waiting"
"""First word of the lines in which a job says what it waits for (ray_jobs/cluster/watch.py)."""


@dataclass(frozen=True)
class StageState:
    """How far one stage is."""

    stage: str
    state: str
    """"to do", "running", "done" or "skipped" (it was done before)."""
    since: str = ""
    """HH:MM:SS of the head node when it began or ended."""
    last: str = ""
    """The last thing that was said of it."""


def read_stages(log: str) -> list[StageState]:
    """States of the stages that the log speaks of, in the order of the data."""
    found: dict[str, StageState] = {}
    for time, stage, text in _lines(log):
        if stage not in STAGES:
            continue
        before = found.get(stage)
        if text.startswith("done before"):
            found[stage] = StageState(stage, "skipped", time, text)
        elif re.match(r"\d+ rows in, \d+ out", text):
            found[stage] = StageState(stage, "done", time, text)
        elif text.startswith(("begins", "goes on")):
            found[stage] = StageState(stage, "running", time, text)
        elif before is not None and before.state == "running":
            found[stage] = StageState(stage, "running", before.since, text)
    return [found[stage] for stage in STAGES if stage in found]


def read_waiting(log: str) -> list[str]:
    """What the job last said it waits for; nothing once it has what it waited for."""
    found: list[str] = []
    for _, word, text in _lines(log):
        if word != WAITING:
            continue
        if text.startswith("no more"):
            found = []
        elif text.startswith("for "):
            found = [text]
        else:
            found.append(text)
    return found


def _lines(log: str) -> Iterable[tuple[str, str, str]]:
    for line in log.splitlines():
        match = LINE.match(line)
        if match:
            yield match[1], match[2], match[3]
