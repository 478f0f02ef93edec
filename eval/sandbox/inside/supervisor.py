"""The candidates' side of a proof: one process for each solution, one after the other, each for itself.

The supervisor runs no line of any solution. For each that the tests' process asks for it forks a child, which gets the
system call filter before the solution is read, and a socket of its own to the tests' process. The child before it is
dead by then and /tmp is empty again, so that no solution changes what another one does. The filter of a child also
refuses signals and limits of other processes: the supervisor shares its user.

Where the machine offers no namespaces there is no supervisor: the one process that is there serves one solution.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import shutil
import signal
import socket
import struct
import sys
import types
from collections.abc import Callable
from typing import Any

from eval.sandbox.inside import wire

COMMAND, REPLY = struct.Struct("<cid"), struct.Struct("<id")
"""(start or kill, number of the child, processor seconds of one source) and (wait status, processor seconds used)."""
START, KILL = b"s", b"k"

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

    def define(number: int) -> tuple[dict[str, Any], BaseException | None]:
        if seconds:
            signal.setitimer(signal.ITIMER_PROF, seconds)
        sys.modules["program"] = module = types.ModuleType("program")
        space = vars(module)
        space["__builtins__"] = builtins
        return space, execute(sources[number], space)[1]

    wire.Peer(socket.socket(fileno=peer), {}).serve(define)


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


def _empty_tmp() -> None:
    for entry in os.scandir("/tmp"):  # noqa: S108 - inside the sandbox
        with contextlib.suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 - a name that may be no path
