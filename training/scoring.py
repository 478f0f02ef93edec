"""Snapshots of the model → scores, beside the training that goes on; a callable knows the benchmark. No Ray here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from core.object_store import open_url

log = logging.getLogger("wavecoder.training")

Score = Callable[[str, int], dict[str, float]]
"""Hugging Face folder, a path or URL, and the number of steps behind it → figures by name."""


class Scorer:
    """Scores snapshots in a thread, one after the other in their order; each is deleted when it has its scores.

    A snapshot that cannot be scored is told of in the log and ends nothing.
    """

    def __init__(self, score: Score | None) -> None:
        """Set up; without `score` there must be no snapshots."""
        self._score = score
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._done: SimpleQueue[tuple[int, dict[str, float]]] = SimpleQueue()
        self._taken: set[int] = set()

    def take(self, folder: str, step: int) -> None:
        """Score a snapshot, and delete it; one of a step that was taken already is only deleted."""
        self._pool.submit(self._work, folder, step, scores=step not in self._taken)
        self._taken.add(step)

    def finished(self) -> list[tuple[int, dict[str, float]]]:
        """Steps and figures that came in since the last call."""
        found = []
        while True:
            try:
                found.append(self._done.get_nowait())
            except Empty:
                return found

    def close(self) -> None:
        """Wait for what is being scored."""
        self._pool.shutdown(wait=True)

    def _work(self, folder: str, step: int, *, scores: bool) -> None:
        try:
            if scores:
                assert self._score is not None
                self._done.put((step, self._score(folder, step)))
        except Exception as error:  # noqa: BLE001 - whatever a benchmark raises, training is worth more
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            log.warning("train: the model after step %d could not be scored: %s", step, reason)
        try:
            filesystem, path = open_url(folder)
            filesystem.delete_dir(path)
        except OSError as error:  # nobody waits for this thread's result: it would go unseen
            log.warning("train: the scored snapshot %s could not be deleted: %s", folder, error)
