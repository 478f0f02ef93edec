"""The processes of solutions in a proof, one after the other, each for itself: who starts them, who has them started.

The supervisor runs no line of any solution. For each that the tests' process asks for it forks a child, which gets the
system call filter before the solution is read, and a socket of its own to the tests' process. The child before it is
dead by then and /tmp is empty again, so that no solution changes what another one does. The filter of a child also
refuses signals and limits of other processes: the supervisor shares its user.

Where the machine offers no namespaces there is no supervisor: the one process that is there serves one solution.

`Children` is the tests' side. Processor time decides when a process is late, and the kernel ends whoever has used up
its own. By the clock only a process is late that sleeps, so that how busy the machine is decides nothing.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import signal
import socket
import struct
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from typing import Any

from eval.sandbox.inside import wire
from eval.sandbox.inside.codec import Gone
from eval.sandbox.inside.proof import sought

COMMAND, REPLY = struct.Struct("<cid"), struct.Struct("<id")
"""(what to do, number of the child, processor seconds of one source) and (wait status, processor seconds used)."""
START, KILL, LOOK = b"s", b"k", b"l"

CPUCLOCK_SCHED = 2
"""The kernel's name for the clock of what a process has run; with its number it makes a clock that can be read."""

OUT_OF_TIME = {signal.SIGPROF, signal.SIGXCPU}

ENOUGH = 0.7
"""Share of its processor time within which a solution has to answer. One that needs nearly all of it would answer in
one run and be ended by the kernel in the next."""

AWAKE = 1 / 30
"""Share of the time that a process must have run not to count as sleeping: a busy machine gives it a share alone."""

Execute = Callable[[str, dict[str, Any]], tuple[str, BaseException | None]]


def supervise(
    order: dict[str, Any], peer: int, execute: Execute, install_filter: Callable[[bytes], None] | None
) -> None:
    """Start and kill children as the tests' process says, until it hangs up.

    Args:
        order: `children`: of each child the sources that it may define; `child_filter` in hexadecimal.
        peer: descriptor of the socket to the tests' process.
        execute: runs a source in a namespace.
        install_filter: None where this process has its filter already and may not fork: then it is the only child.
    """
    if install_filter is None:
        serve_sources(order["children"][0], peer, execute, 0.0)
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the first process of its namespace gets no signal that it lets be
    connection, child = socket.socket(fileno=peer), 0
    while command := _received(connection, COMMAND.size):
        what, number, seconds = COMMAND.unpack(command)
        if what == START:
            ours, theirs = socket.socketpair()
            if (child := os.fork()) == 0:
                _become_child(order, number, seconds, ours, peer, execute, install_filter)
            socket.send_fds(connection, [START], [theirs.fileno()])
            ours.close()
            theirs.close()
        elif what == LOOK:
            connection.sendall(REPLY.pack(0, _processor_s(child)))
        else:
            os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            _empty_tmp()
            connection.sendall(REPLY.pack(status, usage.ru_utime + usage.ru_stime))


def _become_child(
    order: dict[str, Any],
    number: int,
    seconds: float,
    ours: socket.socket,
    peer: int,
    execute: Execute,
    install_filter: Callable[[bytes], None],
) -> None:
    """Serve a child's sources; never returns."""
    try:
        os.dup2(ours.fileno(), peer)
        os.closerange(3, peer)
        os.closerange(peer + 1, 1024)
        install_filter(bytes.fromhex(order["child_filter"]))
        serve_sources(order["children"][number], peer, execute, seconds)
    finally:
        os._exit(0)


def serve_sources(sources: list[str], peer: int, execute: Execute, seconds: float) -> None:
    """Define the sources that the tests' process asks for, and answer its calls.

    Args:
        sources: of solutions or mutants.
        peer: descriptor of the socket to the tests' process.
        execute: runs a source in a namespace.
        seconds: processor time of each source, after which the kernel ends this process; 0 for no such limit.
    """
    missed = sought.watch()

    def define(number: int) -> tuple[dict[str, Any], BaseException | None]:
        if seconds:
            signal.setitimer(signal.ITIMER_PROF, seconds)
        sys.modules["program"] = module = types.ModuleType("program")
        space = vars(module)
        space["__builtins__"], space[sought.NAME] = builtins, missed
        return space, execute(sources[number], space)[1]

    wire.Peer(socket.socket(fileno=peer), {}).serve(define)


def _processor_s(process: int) -> float:
    """Processor seconds of a process that is not waited for yet, by the clock that the kernel keeps of it."""
    return time.clock_gettime(~process << 3 | CPUCLOCK_SCHED)


def _received(connection: socket.socket, size: int) -> bytes:
    """So many bytes; none where the other side has hung up."""
    found = b""
    while len(found) < size:
        try:
            part = connection.recv(size - len(found))
        except OSError:
            part = b""
        if not part:
            return b""
        found += part
    return found


def _empty_tmp(folder: str = "/tmp") -> None:  # noqa: S108 - inside the sandbox
    """Remove all that is in a folder, however deep it lies and whoever may look into it."""
    with contextlib.suppress(OSError):
        while names := os.listdir(folder):  # noqa: PTH208 - a name that may be no path
            for name in names:
                _remove(f"{folder}/{name}", folder)


def _remove(path: str, folder: str) -> None:
    """Remove a file or a folder, whose own folders come beside it first."""
    with contextlib.suppress(OSError):  # a folder is none of it
        os.unlink(path)  # noqa: PTH108 - likewise
        return
    os.chmod(path, 0o700)  # noqa: PTH101 - likewise
    for inner in os.listdir(path):  # noqa: PTH208 - likewise
        child = f"{path}/{inner}"
        try:
            os.unlink(child)  # noqa: PTH108 - likewise
        except OSError:
            os.chmod(child, 0o700)  # noqa: PTH101 - likewise
            os.rename(child, f"{folder}/{os.urandom(16).hex()}")  # noqa: PTH104 - likewise
    os.rmdir(path)  # noqa: PTH106 - likewise


class Lost(BaseException):
    """The supervisor is gone: a failure of the sandbox, and no outcome of any solution."""


class Patient:
    """A socket that waits for an answer for as long as whoever owes it still runs.

    Args:
        connection: the socket, with a time limit of its own.
        runs: whether the other side has run in that time.
    """

    def __init__(self, connection: socket.socket, runs: Callable[[], bool]) -> None:
        self._connection, self._runs = connection, runs

    def recv(self, size: int) -> bytes:
        """As a socket's."""
        return self._patiently(partial(self._connection.recv, size))

    def recv_into(self, view: memoryview) -> int:
        """As a socket's."""
        return self._patiently(partial(self._connection.recv_into, view))

    def sendall(self, data: bytes) -> None:
        """As a socket's."""
        left = memoryview(data)
        while left:
            left = left[self._patiently(partial(self._connection.send, left)) :]

    def _patiently(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except TimeoutError:
                if not self._runs():
                    raise


class Children:
    """The processes of solutions, one at a time.

    Args:
        descriptor: of the socket to the supervisor, or, where there is none, to the only solution's process.
        supervised: which of the two.
        wall_s: seconds that an answer of a process which sleeps may take.
    """

    def __init__(self, descriptor: int, *, supervised: bool, wall_s: float) -> None:
        self._connection, self._supervised, self._wall_s = socket.socket(fileno=descriptor), supervised, wall_s
        self._current: socket.socket | None = None
        self._late = False
        self._started = self._seconds = self._seen_s = 0.0
        self.cpu_s = 0.0
        """Processor seconds of the last that has ended, if there is a supervisor."""

    def start(self, number: int, seconds: float) -> wire.Peer:
        """Another process; the one before it is dead."""
        if not self._supervised:
            self._connection.settimeout(self._wall_s)
            return wire.Peer(self._connection)
        self.end()
        self._command(START, number, seconds)
        _, descriptors, _, _ = socket.recv_fds(self._connection, 1, 1)
        if not descriptors:
            raise Lost
        self._current = socket.socket(fileno=descriptors[0])
        self._current.settimeout(self._wall_s)
        self._late, self._started, self._seconds, self._seen_s = False, time.monotonic(), seconds, 0.0
        return wire.Peer(Patient(self._current, self._runs))

    def end(self) -> str:
        """End the process that is there; how it had ended before, as a letter."""
        if self._current is None:
            return "D"
        with self._current:
            self._command(KILL, 0, 0.0)
        self._current = None
        status, self.cpu_s = self._reply()
        return "T" if self._late or status & 0x7F in OUT_OF_TIME else "D"

    def check_time(self) -> None:
        """Raise Gone where the process has used more than `ENOUGH` of its processor time."""
        enough = ENOUGH * self._seconds
        if self._current is not None and time.monotonic() - self._started > enough and self._used_s() > enough:
            self._late = True
            raise Gone

    def _runs(self) -> bool:
        """Whether the process has run since the last look; if not, it is late."""
        before, self._seen_s = self._seen_s, self._used_s()
        self._late = self._seen_s - before < AWAKE * self._wall_s
        return not self._late

    def _used_s(self) -> float:
        self._command(LOOK, 0, 0.0)
        return self._reply()[1]

    def _reply(self) -> tuple[int, float]:
        found = b""
        while len(found) < REPLY.size:
            part = self._connection.recv(REPLY.size - len(found))
            if not part:
                raise Lost
            found += part
        status, seconds = REPLY.unpack(found)
        return int(status), float(seconds)

    def _command(self, what: bytes, number: int, seconds: float) -> None:
        try:
            self._connection.sendall(COMMAND.pack(what, number, seconds))
        except OSError:
            raise Lost from None
