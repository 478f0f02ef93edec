"""Programs that a model wrote, run where they can do no harm: namespaces, a seccomp filter, resource limits.

Each program gets processes of its own with no network, no view of the host's processes, a read-only view of the
toolchains and system libraries, a private /tmp, an empty environment, and no way to start another process.

`run_program` believes the program itself: for Python a nonce that only a normal end writes, otherwise exit code 0.
A verdict that a program must not be able to forge is `eval.oracle.judge`'s.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eval.calibration import slowness
from eval.isolation import INSIDE, UNSAFE_HINT, Isolation, interpreter, isolation, namespaces, seccomp_filter
from eval.tree import MAX_OUTPUT_BYTES, ColdTree, SandboxError, Streams, Tree, watch
from eval.warm import fork_server

__all__ = ["MAX_OUTPUT_BYTES", "Outcome", "SandboxError", "isolation", "run_program"]

ATTEMPTS = 3
"""Tries of a sandbox that fails for its own reasons, before that is raised."""

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    passed: bool
    outcome: str
    """passed, failed (an assertion), exception, timeout, memory, syntax (or it does not compile), crashed (a fault, or
    an end before the tests'), killed (by a signal from outside, such as a limit's)."""
    seconds: float
    stdout: str
    stderr: str
    oracle: str = "program"
    """Who decided: program (nobody else), process (tests in a process of their own), nonce (tests beside it)."""
    isolation: str = "none"
    """namespaces, landlock, or none."""


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    timeout: float
    memory_mb: int

    @property
    def wall_s(self) -> float:
        """Time on this machine: `timeout` is that of the machine that `eval.calibration` compares with."""
        return self.timeout * slowness()

    def rlimits(self) -> dict[str, int]:
        """Resource limits of a Python process."""
        return {
            "RLIMIT_AS": self.memory_mb * 2**20,
            "RLIMIT_CPU": math.ceil(self.wall_s) + 1,
            "RLIMIT_FSIZE": 64 * 2**20,
            "RLIMIT_NOFILE": 64,
            "RLIMIT_CORE": 0,
        }


def run_program(
    source: str,
    *,
    language: str,
    timeout: float,
    memory_mb: int,
    stdin: str = "",
    unsafe_no_sandbox: bool = False,
) -> Outcome:
    """Run a program to its end or its limit.

    Args:
        source: the whole program.
        language: "python".
        timeout: seconds that it may take; waiting for a busy processor is not counted.
        memory_mb: address space in MB.
        stdin: what it can read.
        unsafe_no_sandbox: run it without isolation.

    Raises:
        ValueError: the language is not supported.
        PermissionError: this machine offers no isolation.
        OSError: the sandbox could not start; never the program's fault, and never its score.
    """
    if language != "python":
        raise ValueError(f"language is {language!r}; the sandbox runs python")
    limits = Limits(timeout, memory_mb)

    def attempt() -> Outcome:
        begun = time.monotonic()
        order = python_order("program", source, limits)
        tree = start_python(order, stdin=stdin, unsafe=unsafe_no_sandbox)
        in_time = watch([tree], limits.wall_s)
        status = ending(tree, order["nonce"], in_time=in_time)
        return outcome_of(status, [tree], time.monotonic() - begun, "program", unsafe=unsafe_no_sandbox)

    return retried(attempt)


def retried(attempt: Callable[[], T]) -> T:
    """Try again after a failure of the sandbox; the last one is raised."""
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except SandboxError:
            if number + 1 == ATTEMPTS:
                raise
            time.sleep(0.2 * 2**number)
    raise AssertionError


def outcome_of(status: str, trees: Sequence[Tree], seconds: float, oracle: str, *, unsafe: bool) -> Outcome:
    """The outcome, with what the trees wrote, the deciding one last."""
    stdout, stderr = ("".join(tree.streams.text(name) for tree in reversed(trees)) for name in ("stdout", "stderr"))
    kind = "none" if unsafe else isolation().name
    return Outcome(status == "passed", status, seconds, stdout, stderr, oracle, kind)


def python_order(part: str, source: str, limits: Limits, **more: Any) -> dict[str, Any]:
    """What `eval/bootstrap.py` is to do."""
    order = {"part": part, "source": source, "nonce": secrets.token_hex(16), "limits": limits.rlimits()}
    return order | more


def start_python(
    order: dict[str, Any], *, stdin: str = "", peer: socket.socket | None = None, unsafe: bool = False
) -> Tree:
    """Start a Python process of the sandbox: a fork of the fork server where there is one, else a new interpreter.

    Args:
        order: as `python_order` makes it.
        stdin: what it can read.
        peer: its end of a socket to another one.
        unsafe: without isolation.
    """
    offered = Isolation("none") if unsafe else isolation()
    descriptors = [_file(b"")]
    try:
        descriptors.append(_file(stdin.encode()))
        given = None if peer is None else peer.fileno()
        if offered.forks:
            limits = order["limits"] | {"tmp_bytes": 64 * 2**20}
            _rewrite(descriptors[0], order | {"limits": limits, "filter": seccomp_filter().hex()})
            return fork_server().spawn(descriptors[0], descriptors[1], given)
        _rewrite(descriptors[0], order)
        script = str(Path(__file__).with_name("bootstrap.py"))
        prefix = [] if unsafe else namespaces()
        inside = script if unsafe else "/wavecoder/eval/bootstrap.py"
        peers = [] if given is None else [given]
        return start_cold(prefix, [*interpreter(), inside], (descriptors[0],), stdin=descriptors[1], peers=peers)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def start_cold(
    prefix: list[str], command: list[str], files: tuple[int, ...], *, stdin: int, peers: list[int]
) -> ColdTree:
    """Start a process tree: `prefix… command… files… report peers…`, the last three as descriptors."""
    streams = Streams()
    stdout, stderr, report = streams.theirs
    filter_file = _file(seccomp_filter(processes="launcher" in command[-1]))
    handed = [*files, report, *peers]
    seccomp = ["--seccomp", str(filter_file)] if prefix and seccomp_filter() else []
    try:
        process = subprocess.Popen(
            [*prefix, *seccomp, *command, *map(str, handed)],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=(*handed, filter_file),
            start_new_session=True,
            env={},
        )
    except OSError as error:
        streams.close()
        raise SandboxError(f"the sandbox did not start: {error}") from None
    finally:
        os.close(filter_file)
    streams.handed_over()
    return ColdTree(process, streams)


def ending(tree: Tree, nonce: str, *, in_time: bool) -> str:
    """The word of a process that has ended, if it is the one that knows the nonce; else what its end looks like.

    Raises:
        SandboxError: the sandbox did not start.
    """
    stderr, status = tree.streams.text("stderr"), tree.status
    told, _, word = tree.streams.text("report").partition(" ")
    if not in_time:
        return "timeout"
    if told == nonce:
        return word
    if stderr.startswith(("bwrap:", "sandbox:")) or status is None:
        raise SandboxError(f"the sandbox did not start: {stderr[:300]}")
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGXCPU:
        return "timeout"
    return "killed" if number in {signal.SIGKILL, signal.SIGTERM, signal.SIGSYS, signal.SIGXFSZ} else "crashed"


def _file(content: bytes) -> int:
    descriptor = os.memfd_create("wavecoder")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _rewrite(descriptor: int, order: dict[str, Any]) -> None:
    with open(descriptor, "wb", closefd=False) as stream:  # noqa: PTH123 - a descriptor
        stream.write(json.dumps(order).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
