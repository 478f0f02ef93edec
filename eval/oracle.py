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

from eval.sandbox import Limits, Outcome, ending, outcome_of, python_order, retried, start_python
from eval.tree import watch


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
        SandboxError: the sandbox failed, again and again; never a verdict.
    """
    if language != "python":
        raise ValueError(f"language is {language!r}; python is supported")
    limits = Limits(timeout, memory_mb)
    return retried(lambda: _judge_python(candidate, tests, entry_point, limits, unsafe=unsafe_no_sandbox))


def _judge_python(candidate: str, tests: str, entry_point: str | None, limits: Limits, *, unsafe: bool) -> Outcome:
    begun = time.monotonic()
    orders = (
        python_order("tests", tests, limits, entry_point=entry_point),
        python_order("candidate", candidate, limits),
    )
    trees = []
    ends = socket.socketpair()
    try:
        for order, end in zip(orders, ends, strict=True):
            trees.append(start_python(order, peer=end, unsafe=unsafe))
            end.close()
    except BaseException:
        for tree in trees:
            tree.close()
        raise
    finally:
        for end in ends:
            end.close()
    in_time = watch(trees, limits.wall_s)
    status = ending(trees[0], orders[0]["nonce"], in_time=in_time)
    if status in {"gone", "syntax"}:  # the tests could not go on without the candidate: what became of it?
        status = ending(trees[1], orders[1]["nonce"], in_time=True)
        status = "crashed" if status == "passed" else status
    return outcome_of(status, trees, time.monotonic() - begun, "process", unsafe=unsafe)
