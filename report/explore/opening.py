"""A run opened in two steps: its first rows in a second, all rows when they are indexed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from report.explore.index import index_path, run_files, takes_time
from report.explore.rows import PAGE_ROWS, Explorer

Shown = tuple[Explorer, Explorer | None]
"""A run, and the one beside it."""


class Opening:
    """The explorers of a run and perhaps of another beside it. `finish` is for a thread of its own."""

    def __init__(self, root: Path, beside: Path | None = None) -> None:
        """Open all rows where that takes no time, else the first page of them, with nothing beside.

        Raises:
            ValueError: a directory is no run, or a file of it cannot be read.
        """
        self._root, self._beside = root, beside
        self._stopped = threading.Event()
        other = run_files(beside) if beside else None
        self.late = takes_time(run_files(root), index_path(other) if other else None)
        self.late = self.late or (other is not None and takes_time(other))
        self.shown: Shown = (Explorer(root, first=PAGE_ROWS), None) if self.late else self._all()

    def _all(self) -> Shown:
        other = Explorer(self._beside, go_on=self._goes_on) if self._beside else None
        return Explorer(self._root, other, go_on=self._goes_on), other

    def _goes_on(self) -> bool:
        return not self._stopped.is_set()

    def finish(self, show: Callable[[Explorer, Explorer | None], None]) -> None:
        """Open all rows where that is not done, and begin to index texts.

        Raises:
            ValueError: a file cannot be read.
            CancelledError: it was stopped.
            OSError: the disk is full, say.
        """
        if self.late:
            self.shown = self._all()
            show(*self.shown)
        self.shown[0].index_texts()

    def stop(self) -> None:
        """Let `finish` end early."""
        self._stopped.set()

    def close(self) -> None:
        """Wait for what works in the background; call it when `finish` has ended."""
        self.shown[0].close()
