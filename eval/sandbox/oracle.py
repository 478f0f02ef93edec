"""Whether a candidate passes a benchmark's tests, decided where the candidate cannot reach.

    the tests' process                     the candidate's process
    ------------------                     -----------------------
    runs the benchmark's tests   ──call──▶  runs the candidate's function
    compares, asserts            ◀─value──  answers with plain data (or an exception's name)
    says "passed" to the host

Two sandboxes, joined by one socket. The tests' process never executes a line of the candidate and never loads an object
of it: what arrives is numbers, strings and containers. So no exit, no atexit, no thread, no patched builtin, no frame,
no object that equals everything, no look into /proc can make the tests end well; the candidate can only answer
questions. Only the tests' process holds the pipe that the host believes.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from eval.sandbox.machine_speed import slowness
from eval.sandbox.process_tree import Tree, watch
from eval.sandbox.run import (
    PREPARING_S,
    Limits,
    Outcome,
    compiled_order,
    ending,
    outcome_of,
    python_order,
    retried,
    start_compiled,
    start_python,
)
from eval.sandbox.stubs import split
from eval.sandbox.toolchains import require_toolchain


def judge(
    candidate: str,
    tests: str,
    *,
    language: str,
    entry_point: str | None = None,
    timeout: float,
    memory_mb: int,
    unsafe_no_sandbox: bool = False,
) -> Outcome:
    """Run tests against a candidate.

    Args:
        candidate: its complete source, with imports and declaration.
        tests: the benchmark's own code that follows it. Names that it defines itself are never the candidate's.
        language: of both.
        entry_point: the name that the candidate may give a new meaning even if Python or the standard library has it.
        timeout: seconds for tests and candidate together; waiting for a busy processor is not counted.
        memory_mb: for each of the two processes.
        unsafe_no_sandbox: run them without isolation.

    Returns:
        `passed` only if the tests ran to their end.

    Raises:
        ValueError: the language is not supported.
        PermissionError: this machine offers no isolation.
        FileNotFoundError: the language's toolchain is not here; the message names the packages.
        SandboxError: the sandbox failed, again and again; never a verdict.
    """
    require_toolchain(language)
    limits, start = Limits(timeout, memory_mb), _starter(language, unsafe=unsafe_no_sandbox)
    if language == "python":
        orders = [python_order("tests", tests, limits, entry_point=entry_point),
                  python_order("candidate", candidate, limits)]  # fmt: skip
    else:
        files = split(candidate, tests, language, entry_point)
        orders = [compiled_order("tests", files[1], language, limits),
                  compiled_order("candidate", files[0], language, limits)]  # fmt: skip

    def attempt() -> Outcome:
        begun = time.monotonic()
        trees = _start_pair(orders, start)
        in_time = watch(trees, limits.wall_s, PREPARING_S * slowness())
        status = ending(trees[0], orders[0]["nonce"], in_time=in_time, language=language)
        if status == "gone":  # the tests could not go on without the candidate: what became of it?
            status = ending(trees[1], orders[1]["nonce"], in_time=True, language=language)
            status = "crashed" if status in {"passed", "gone"} else status
        return outcome_of(status, trees, time.monotonic() - begun, "process", unsafe=unsafe_no_sandbox)

    return retried(attempt)


def _starter(language: str, *, unsafe: bool) -> Callable[[dict[str, Any], socket.socket], Tree]:
    """How a process of this language is started."""
    if language == "python":
        return lambda order, peer: start_python(order, peer=peer, unsafe=unsafe)
    return lambda order, peer: start_compiled(order, language, peer=peer, unsafe=unsafe)


def _start_pair(orders: list[dict[str, Any]], start: Callable[[dict[str, Any], socket.socket], Tree]) -> list[Tree]:
    """Both processes, joined by a socket that nobody else holds."""
    trees: list[Tree] = []
    ends = socket.socketpair()
    try:
        for order, end in zip(orders, ends, strict=True):
            trees.append(start(order, end))
    except BaseException:
        for tree in trees:
            tree.close()
        raise
    finally:
        for end in ends:
            end.close()
    return trees
