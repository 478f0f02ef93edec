"""SIGTERM ends a command as Ctrl-C does: one line, with what is finished kept. Imports neither Ray nor a stage."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def obey_sigterm() -> None:
    """Take SIGTERM for Ctrl-C from now on; Ray's own handlers would print a trace of C++ and abort."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_: int, frame: FrameType | None) -> None:
    by_ctrl_c = signal.getsignal(signal.SIGINT)
    if callable(by_ctrl_c):
        by_ctrl_c(signal.SIGINT, frame)
    else:  # a shell lets what it starts in the background ignore Ctrl-C
        raise KeyboardInterrupt
