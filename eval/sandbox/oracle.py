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

import re
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, Required, TypedDict, Unpack

from eval.sandbox.cpp.crossing import crossing
from eval.sandbox.cpp.probes import functions_in, probe_of_calls, probe_of_function, probe_of_object
from eval.sandbox.cpp.spelled import spelled
from eval.sandbox.data_tests import DataTests, Held, data_tests
from eval.sandbox.functions import Function
from eval.sandbox.machine_speed import slowness
from eval.sandbox.packages import DEFAULT, installed, shown_paths
from eval.sandbox.process_tree import SandboxError, Tree, WarmTree, watch
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
from eval.sandbox.rust.modules import flattened
from eval.sandbox.signatures import functions_of
from eval.sandbox.stubs import own_names, split, wanted_names
from eval.sandbox.toolchains import require_toolchain


class Allowed(TypedDict, total=False):
    """What a candidate may use."""

    timeout: Required[float]
    """Seconds for tests and candidate together; waiting for a busy processor is not counted."""
    memory_mb: Required[int]
    """For each of the two processes."""
    packages: tuple[str, ...]
    """Python packages that it may import (`eval/sandbox/packages.py`); numpy, where it is installed, if not given."""
    unsafe_no_sandbox: bool
    """Run without isolation."""


def judge(
    candidate: str, tests: str, *, language: str, entry_point: str | None = None, **allowed: Unpack[Allowed]
) -> Outcome:
    """Run tests against a candidate.

    Args:
        candidate: its complete source, with imports and declaration.
        tests: the benchmark's own code that follows it. Names that it defines itself are never the candidate's.
        language: of both.
        entry_point: the name that the candidate may give a new meaning even if Python or the standard library has it.
        allowed: `timeout` in seconds and `memory_mb`, and what else it may use.

    Returns:
        `passed` only if the tests ran to their end.

    Raises:
        ValueError: the language is not supported.
        PermissionError: this machine offers no isolation.
        FileNotFoundError: the language's toolchain is not here; the message names the packages.
        SandboxError: the sandbox failed, again and again; never a verdict.
    """
    require_toolchain(language)
    limits, unsafe = Limits(allowed["timeout"], allowed["memory_mb"]), allowed.get("unsafe_no_sandbox", False)
    if language != "python":
        named = _named_at_top(candidate, tests, language, entry_point)
        return _judge_compiled(*named, language=language, limits=limits, unsafe=unsafe)
    shown = shown_paths(allowed.get("packages", installed(DEFAULT)))
    orders = [python_order("tests", tests, limits, packages=shown, entry_point=entry_point),
              python_order("candidate", candidate, limits, packages=shown)]  # fmt: skip
    if (data := data_tests(tests, entry_point)) is not None and (
        passed := _judge_data(orders[1] | {"entry_point": entry_point}, data, limits, unsafe=unsafe)
    ) is not None:
        return passed
    return _judge_orders(orders, language, limits, unsafe=unsafe)


def _judge_compiled(
    candidate: str, tests: str, entry_point: str | None, *, language: str, limits: Limits, unsafe: bool
) -> Outcome:
    """As `judge`, in other languages than Python."""

    def judge_split(known: list[Function] | None = None, *, plain: bool = False) -> Outcome:
        files = split(candidate, tests, language, entry_point, known, plain=plain)
        orders = [compiled_order("tests", files[1], language, limits),
                  compiled_order("candidate", files[0], language, limits)]  # fmt: skip
        return _judge_orders(orders, language, limits, unsafe=unsafe)

    def types_of(names: Iterable[str]) -> list[Function]:
        found = [_compiled_types(candidate, tests, name, limits, unsafe=unsafe) for name in names]
        return [function for functions in found for function in functions]

    if language != "cpp":
        return judge_split() if not own_names(candidate, language) else _first_compiled(judge_split)
    own = crossing(candidate, tests, entry_point)
    told = {function.name for function in functions_of(candidate, language)} | own.names
    if entry_point in wanted_names(candidate, tests, language, entry_point) and entry_point not in told:
        return judge_split(types_of([str(entry_point)]) or None)  # its text does not tell the types: the compiler does
    outcome = judge_split()
    if outcome.outcome in {"signature", "syntax"} and not own.is_empty:  # what was read of its types may be wrong
        outcome = judge_split(plain=True)
    if outcome.outcome != "signature":
        return outcome
    known = types_of(wanted_names(candidate, tests, language, entry_point))
    return judge_split(known) if known else outcome


def _named_at_top(candidate: str, tests: str, language: str, entry_point: str | None) -> tuple[str, str, str | None]:
    """Candidate, tests and what these may ask for, where all that they ask for has a name at the top level."""
    if language == "cpp":
        return spelled(candidate, tests, entry_point)
    return (*(flattened(candidate, tests) if language == "rust" else (candidate, tests)), entry_point)


def _first_compiled(judge_split: Callable[..., Outcome]) -> Outcome:
    """With the candidate's types, or without, which tests may not need, where programs do not compile with them."""
    outcome = judge_split()
    if outcome.outcome not in {"signature", "syntax"}:
        return outcome
    plain = judge_split(plain=True)
    return outcome if plain.outcome in {"signature", "syntax"} else plain


def judge_beside(candidate: str, tests: str, **allowed: Unpack[Allowed]) -> Outcome:
    """Run Python tests beside a candidate, in one process: for tests that reach into it, by patches or files.

    Such a verdict can be forged: whoever looks for the nonce in the harness finds it. `oracle` of the outcome is
    `nonce`.

    Raises:
        as `judge`.
    """
    limits, unsafe = Limits(allowed["timeout"], allowed["memory_mb"]), allowed.get("unsafe_no_sandbox", False)
    shown = shown_paths(allowed.get("packages", installed(DEFAULT)))
    order = python_order("program", f"{candidate}\n\n{tests}", limits, packages=shown, module="__test__")

    def attempt() -> Outcome:
        begun = time.monotonic()
        tree = start_python(order, unsafe=unsafe)
        in_time = watch([tree], limits.wall_s, PREPARING_S * slowness())
        status = ending(tree, order, in_time=in_time)
        return outcome_of(status, [tree], time.monotonic() - begun, "nonce", unsafe=unsafe)

    return retried(attempt)


def _compiled_types(candidate: str, tests: str, name: str, limits: Limits, *, unsafe: bool) -> list[Function]:
    """The signatures of a C++ name, as the compiler in the sandbox tells them."""
    is_object = re.search(rf"\b{name}\s*=\s*\[", candidate)
    first = probe_of_object(candidate, name) if is_object else probe_of_function(candidate, name)
    for program in (first, probe_of_calls(candidate, tests, name)):
        order = compiled_order("program", {"probe.cpp": program}, "cpp", limits)
        order["compile"] = [[[*step[0], "-fsyntax-only"]] for step in order["compile"]]
        tree = start_compiled(order, "cpp", unsafe=unsafe)
        watch([tree], limits.wall_s, PREPARING_S * slowness())
        if found := functions_in(tree.streams.text("stderr"), name):
            return found
    return []


def _judge_data(order: dict[str, Any], tests: DataTests, limits: Limits, *, unsafe: bool) -> Outcome | None:
    """Hold a candidate's answers against data: the outcome if it passes or never ends, else None."""
    begun = time.monotonic()
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            tree = start_python(order | {"part": "rows", "calls": tests.calls.hex()}, peer=theirs, unsafe=unsafe)
        except BaseException:
            ours.close()
            raise
    held = Held(ours, tests.answers)
    if isinstance(tree, WarmTree):
        tree.awaited = False  # what it wrote is all that counts
    try:
        in_time = watch([held, tree], limits.wall_s, PREPARING_S * slowness())
    except SandboxError:  # is tried again with a process for the tests
        return None
    if in_time and not held.passed:
        return None
    return outcome_of(
        "passed" if held.passed else "timeout", [tree], time.monotonic() - begun, "process", unsafe=unsafe
    )


def _judge_orders(orders: list[dict[str, Any]], language: str, limits: Limits, *, unsafe: bool) -> Outcome:
    """Run the tests' order beside the candidate's."""
    start = _starter(language, unsafe=unsafe)

    def attempt() -> Outcome:
        begun = time.monotonic()
        trees = start_pair(orders, start)
        in_time = watch(trees, limits.wall_s, PREPARING_S * slowness())
        status = ending(trees[0], orders[0], in_time=in_time, language=language)
        if status == "gone":  # the tests could not go on without the candidate: what became of it?
            status = ending(trees[1], orders[1], in_time=True, language=language)
            status = "crashed" if status in {"passed", "gone"} else status
        return outcome_of(status, trees, time.monotonic() - begun, "process", unsafe=unsafe)

    return retried(attempt)


def _starter(language: str, *, unsafe: bool) -> Callable[[dict[str, Any], socket.socket], Tree]:
    """How a process of this language is started."""
    if language == "python":
        return lambda order, peer: start_python(order, peer=peer, unsafe=unsafe)
    return lambda order, peer: start_compiled(order, language, peer=peer, unsafe=unsafe)


def start_pair(orders: list[dict[str, Any]], start: Callable[[dict[str, Any], socket.socket], Tree]) -> list[Tree]:
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
