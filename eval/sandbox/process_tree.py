"""A sandboxed process tree, seen from outside: its streams, its end, and time-outs that forgive a busy machine.

A limit counts the time in which a program ran or slept, not the time in which it was ready and others had the
processors (`eval/sandbox/inside/clocks.py`): a verdict does not depend on how busy the machine is.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from eval.sandbox.cgroups import Group
from eval.sandbox.inside.clocks import NO_TIMES, threads_of, times_of

MAX_OUTPUT_BYTES = 64 * 1024
"""Kept of each stream; the rest is read and forgotten."""

MAX_STRETCH = 30
"""So many times its limit may a program wait for a processor, before the machine counts as unable."""


LOOK_S = 0.05
"""How long a program that may be waiting for a processor is let alone before somebody looks again."""

LINGER_S = 2.0
"""How long a process may take to die of what killed it."""


class SandboxError(OSError):
    """The sandbox failed, not the program: never a verdict."""


class Streams:
    """The pipes from a tree: stdout, stderr and report."""

    def __init__(self) -> None:
        self.theirs: list[int] = []
        self._ours: dict[int, str] = {}
        self.kept: dict[str, bytes] = {}
        for name in ("stdout", "stderr", "report"):
            ours, theirs = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(ours, False)
            self._ours[ours] = name
            self.kept[name] = b""
            self.theirs.append(theirs)

    def handed_over(self) -> None:
        """Close their ends: the tree has them."""
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs = []

    def open_ends(self) -> list[int]:
        """The descriptors that may still bring something."""
        return list(self._ours)

    def read(self, descriptor: int) -> bool:
        """Read once; False at the end of the stream or when there is nothing now."""
        try:
            chunk = os.read(descriptor, 65536)
        except BlockingIOError:
            return False
        name = self._ours[descriptor]
        self.kept[name] += chunk[: MAX_OUTPUT_BYTES - len(self.kept[name])]
        if not chunk:
            os.close(descriptor)
            del self._ours[descriptor]
        return bool(chunk)

    def close(self) -> None:
        """Keep what is still in the pipes, then close them."""
        for descriptor in self.open_ends():
            for _ in range(64):  # a pipe holds no more; whoever still writes is dead or past the limit
                if not self.read(descriptor):
                    break
        for descriptor in self.open_ends():
            os.close(descriptor)
        self._ours = {}
        self.handed_over()

    def text(self, name: str) -> str:
        """What was kept of a stream."""
        return self.kept[name].decode("utf-8", "replace")


class Tree(Protocol):
    """A process tree; `status` is the wait status of its program once it has ended, None if nobody knows."""

    streams: Streams
    status: int | None
    cpu_s: float
    ran_out: bool
    """Whether the tree's own control group ran out of memory."""

    def fileno(self) -> int:
        """Readable when the tree has ended."""

    def times(self) -> dict[str, float]:
        """`waited, ran, busiest, ready`, as `eval.sandbox.inside.clocks` has them."""

    def close(self) -> None:
        """Kill what is left, and wait until nothing is."""


class ColdTree:
    """A tree with a start of its own: bubblewrap, or nothing around it; then its folder on the host goes with it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        streams: Streams,
        folder: str | None = None,
        group: Group | None = None,
    ) -> None:
        self._process, self.streams, self._folder, self._group = process, streams, folder, group
        self._pidfd = os.pidfd_open(process.pid)
        self.status: int | None = None
        self.cpu_s, self.ran_out = 0.0, False

    def fileno(self) -> int:
        """Readable when the tree has ended."""
        return self._pidfd

    def times(self) -> dict[str, float]:
        """Of all threads of the tree."""
        return times_of(threads_of(self._process.pid, Path("/proc")))

    def close(self) -> None:
        """Kill the group: bubblewrap dies, and with it, as their init, everything in the process namespace."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime
            code = self._process.returncode
            # As a wait status: bubblewrap answers 128 + n for a signal n.
            self.status = code - 128 if code > 128 else -code if code < 0 else code << 8
        os.close(self._pidfd)
        if self._group is not None:
            self.ran_out = self._group.ran_out()
            self._group.remove()
        self.streams.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class WarmTree:
    """A fork of the fork server; hanging up kills it."""

    def __init__(self, control: socket.socket, streams: Streams) -> None:
        self._control, self.streams = control, streams
        self.status: int | None = None
        self.cpu_s, self.ran_out = 0.0, False
        self.awaited = True
        """Whether `close` waits until it is dead, and knows how it ended."""

    def fileno(self) -> int:
        """Readable when the tree has ended."""
        return self._control.fileno()

    def times(self) -> dict[str, float]:
        """As the fork server sees it."""
        nothing = dict(NO_TIMES)
        try:
            self._control.send(b"wait")
            told = self._receive()
        except OSError:
            return nothing
        return told if "ready" in told else nothing

    def close(self) -> None:
        """Have the fork server kill it, and wait for its word, the last that it says of it."""
        try:
            if self.awaited and self.status is None:
                self._control.shutdown(socket.SHUT_WR)
                while self.status is None and self._receive():
                    pass
        except OSError:
            pass
        self._control.close()
        self.streams.close()

    def _receive(self) -> dict[str, float]:
        message = self._control.recv(4096)
        told = json.loads(message) if message else {}
        if "error" in told:
            raise SandboxError(f"the sandbox did not start: {told['error']}")
        if "status" in told:
            self.status, self.cpu_s = int(told["status"]), float(told["cpu"])
        return dict(told)


def watch(trees: Sequence[Tree], seconds: float, preparing_s: float) -> bool:
    """Read all streams until the first tree has ended, then close all; whether that came before the limit.

    Args:
        trees: the first one decides; the others end with it.
        seconds: limit, without the time in which the trees waited for a processor.
        preparing_s: limit of what comes before that, until all trees report `ready`: their start, and compiling.

    Raises:
        SandboxError: they waited for `MAX_STRETCH` times the limit.
    """
    limit = _Limit(trees, seconds, preparing_s)
    poller = select.poll()  # which needs no system calls of its own, and takes descriptors above 1,023
    first = trees[0].fileno()
    streams = {descriptor: tree.streams for tree in trees for descriptor in tree.streams.open_ends()}
    for descriptor in (first, *streams):
        poller.register(descriptor, select.POLLIN)
    try:
        over = False
        while True:
            for descriptor, _ in poller.poll(0 if over else math.ceil(1000 * limit.left_s())):
                if descriptor == first:
                    _linger(trees)
                    return True
                if not streams[descriptor].read(descriptor):
                    poller.unregister(descriptor)
            if over:  # and it has not ended while nobody looked: this process waits for a processor too
                break
            over = limit.is_over()
        return False
    finally:
        for tree in trees:
            tree.close()


def _linger(trees: Sequence[Tree]) -> None:
    """Where the first tree lost the others, let them end by themselves, so that their end tells why."""
    for descriptor in trees[0].streams.open_ends():
        trees[0].streams.read(descriptor)
    words = trees[0].streams.kept["report"].split(b"\n")[-2:]
    if any(word.endswith((b" gone", b" exit 90")) for word in words):
        for tree in trees[1:]:
            poller = select.poll()
            poller.register(tree, select.POLLIN)
            poller.poll(1000 * LINGER_S)


class _Limit:
    """The time that trees have left, first to get ready, then to run.

    A wait enters the scheduler's books when it is over, and time that a hypervisor takes is in no book. So a program is
    late by the books only if they are complete, as it sleeps, or if it has run for as long as the limit. One that
    sleeps and runs in turns has up to twice the limit.
    """

    def __init__(self, trees: Sequence[Tree], seconds: float, preparing_s: float) -> None:
        self._trees, self._seconds, self._ready = trees, seconds, False
        self._deadline, self._ran = 0.0, [-1.0] * len(trees)
        self._begin(preparing_s)

    def left_s(self) -> float:
        """Seconds until somebody must look again."""
        return max(0.0, self._deadline - time.monotonic())

    def is_over(self) -> bool:
        """Whether the time is up, the waiting for processors not counted."""
        if not self._ready and all(b" ready" in tree.streams.kept["report"] for tree in self._trees):
            self._ready = True
            self._begin(self._seconds)
        if (now := time.monotonic()) < self._deadline:
            return False
        if now > self._begun + MAX_STRETCH * self._allowed:
            raise SandboxError(f"a program waited {MAX_STRETCH} times its limit for a processor: a machine too busy")
        times = [tree.times() for tree in self._trees]
        left_s = self._begun + self._allowed + sum(each["waited"] for each in times) - now
        ran = [each["ran"] for each in times]
        # Who is ready and has not run since the last look may be waiting: how long is not known before it runs again.
        waits = any(each["ready"] and old == new for each, old, new in zip(times, self._ran, ran, strict=True))
        sleeps = not any(each["ready"] for each in times)
        busy = sum(each["busiest"] for each in times) >= self._allowed
        self._ran = ran
        ended = self._trees[0].status is not None  # of which its descriptor tells in a moment
        if left_s <= 0 and not ended and (sleeps or busy or (left_s <= -self._allowed and not waits)):
            return True
        self._deadline = now + max(left_s, LOOK_S)
        return False

    def _begin(self, allowed: float) -> None:
        self._begun, self._allowed = time.monotonic(), allowed
        self._deadline = self._begun + allowed
