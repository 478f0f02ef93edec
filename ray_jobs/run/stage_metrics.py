"""What Prometheus is told of every stage: whether it is under way, for how long, and its rows in the end.

Rooms tell of rows while they work, under the same name `wavecoder_stage_rows`; docs/metrics.md lists all of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Self

import ray
from ray.util.metrics import Gauge

EVERY_S = 10.0


class StageWatch:
    """Tells Ray's metrics of a stage, again and again: a stage may start the Ray that it runs on."""

    def __init__(self, stage: str) -> None:
        """Args: stage: its name."""
        self._stage, self._begun = stage, time.monotonic()
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell_repeatedly, daemon=True, name=f"watch {stage}")

    def __enter__(self) -> Self:
        self._teller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._teller.join()
        self._tell(running=False)

    def rows(self, counts: Mapping[str, int]) -> None:
        """Tell of rows: outcome → how many."""
        if ray.is_initialized():
            gauge = Gauge("wavecoder_stage_rows", "Rows of a stage so far, by outcome", ("stage", "outcome"))
            for outcome, count in counts.items():
                gauge.set(count, {"stage": self._stage, "outcome": outcome})

    def _tell_repeatedly(self) -> None:
        while True:
            self._tell(running=True)
            if self._over.wait(EVERY_S):
                return

    def _tell(self, *, running: bool) -> None:
        if ray.is_initialized():
            tags = {"stage": self._stage}
            Gauge("wavecoder_stage_running", "1 while a stage is under way", ("stage",)).set(running, tags)
            seconds = time.monotonic() - self._begun
            Gauge("wavecoder_stage_seconds", "Time since a stage began", ("stage",)).set(seconds, tags)
