"""The program that checks Python code inside the sandbox: reads an order on stdin, prints one JSON line.

Never imported: its text is the program. The order is `{code, mutant, name, reference, examples, raw_examples, mark}`.
It runs the examples (doctest) against the code, with those of the raw code where the raw code itself, the reference,
passes them. With a mutant, it runs them against that too, and calls the named or the first function of both with the
same arguments from a small pool, to find a call that they answer differently.
"""

from __future__ import annotations

import contextlib
import copy
import doctest
import inspect
import io
import itertools
import json
import random
import re
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

PRELUDE = """
import bisect, collections, datetime, decimal, fractions, functools, heapq, itertools, json, math, operator, os
import random, re, string, struct, sys, textwrap, time
from collections import *
from itertools import *
from typing import *
"""
POOL = [
    0, 1, 2, 3, 5, -1, 10, 2.5, "", "a", "abc", "Hello World", "a, b;c", "12", [], [1], [1, 2, 3], [3, 1, 2, 2],
    ["b", "a"], [[1, 2], [3, 4]], [(1, 3), (2, 6)], (1, 2), {}, {"a": 1, "b": 2}, {1, 2}, True, False, None, b"ab",
]  # fmt: skip
CALLS, CALL_SECONDS, ALL_SECONDS = 400, 0.2, 4.0
"""Calls to try, and processor seconds of one call and of all: on a busy machine a call waits, which is no hang."""
WAITS_SECONDS, IDLE = 2.0, 0.01
"""A call that gave up the processor by itself and used less than this share of so many seconds of wall time sleeps, and
is ended; what it would have answered is not known. Any other has its processor seconds, however long a busy machine
makes them: one that is only kept from the processor never gave it up."""


class Hang(BaseException):
    """A call took too long."""


class Wait(BaseException):
    """A call did nothing for too long."""


def spent() -> tuple[float, int]:
    """Processor seconds so far, and how often this process gave up the processor by itself."""
    return time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


@contextlib.contextmanager
def limited(seconds: float, waits: float) -> Iterator[None]:
    """Raise `Hang` or `Wait` inside the block; the alarms are off when it is left, however that is."""
    last = spent()

    def hang(*_: object) -> None:
        raise Hang

    def wait(*_: object) -> None:
        nonlocal last
        before, last = last, spent()
        if last[0] - before[0] < IDLE * waits and last[1] > before[1]:
            raise Wait

    signal.signal(signal.SIGPROF, hang)
    signal.signal(signal.SIGALRM, wait)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, waits, waits)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def load(code: str) -> tuple[dict[str, Any], list[str]]:
    """What code defines, beside what was there before, and its names."""
    space: dict[str, Any] = {"__name__": "candidate"}
    exec(PRELUDE, space)  # noqa: S102 - this program runs in the sandbox
    known = set(space)
    exec(compile(code, "candidate.py", "exec"), space)  # noqa: S102
    return space, [name for name in space if name not in known]


def run_examples(code: str, examples: str) -> dict[str, int]:
    """How many examples there are and how many fail; a code that does not load fails them all."""
    parsed = doctest.DocTestParser().get_examples(examples)
    if not parsed:
        return {"tried": 0, "failed": 0}
    try:
        space, _ = load(code)
    except Exception:  # noqa: BLE001 - whatever code raises is its result
        return {"tried": len(parsed), "failed": len(parsed)}
    test = doctest.DocTest(parsed, space, "examples", None, 0, examples)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    try:
        with limited(ALL_SECONDS, 2 * ALL_SECONDS):
            result = doctest.DocTestRunner(verbose=False, optionflags=flags).run(test, out=io.StringIO().write)
    except (Hang, Wait):
        return {"tried": len(parsed), "failed": len(parsed)}
    return {"tried": result.attempted, "failed": result.failed}


def argument_lists(function: Callable[..., Any]) -> Iterator[list[Any]]:
    """Arguments for the positional parameters: all of one kind first, then draws from the pool."""
    parameters = [p for p in inspect.signature(function).parameters.values()
                  if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]  # fmt: skip
    needed = len([p for p in parameters if p.default is p.empty])
    dice = random.Random(0)
    for count in range(needed, len(parameters) + 1):
        if count == 0:
            yield []
            continue
        if count == 1:
            yield from ([value] for value in POOL)
            continue
        for kind in (int, str, list):
            values = [value for value in POOL if type(value) is kind]
            yield from (list(chosen) for chosen in itertools.islice(itertools.product(values, repeat=count), 40))
        for _ in range(CALLS // 2):
            yield [dice.choice(POOL) for _ in range(count)]


def outcome(function: Callable[..., Any], arguments: list[Any]) -> tuple[str, str, str]:
    """What a call gives: its value and what it did to its arguments, its error, or that it hangs or waits."""
    given = copy.deepcopy(arguments)
    random.seed(0)
    try:
        with limited(CALL_SECONDS, WAITS_SECONDS):
            value = function(*given)
            if inspect.isgenerator(value) or type(value).__name__ in ("map", "filter", "zip", "chain"):
                value = list(itertools.islice(value, 50))
            return "value", re.sub(r"0x[0-9a-f]+", "0x", repr(value)[:400]), repr(given)[:400]
    except Hang:
        return "hangs", "", ""
    except Wait:
        return "waits", "", ""
    except Exception as error:  # noqa: BLE001
        return "error", type(error).__name__, ""


def compare(code: str, mutant: str, named: str = "") -> dict[str, Any]:
    """A call that the code answers, or refuses with a ValueError, and the mutant otherwise.

    Args:
        code: right by definition.
        mutant: an edit of it.
        named: the function, where others stand before it.
    """
    answered, begun = 0, time.process_time()
    try:
        (space, names), (other, _) = load(code), load(mutant)
    except Exception:  # noqa: BLE001
        return {"answered": 0, "shown": ""}
    name = next((name for name in [named, *names] if inspect.isfunction(space.get(name))), None)
    if name is None or not inspect.isfunction(other.get(name)):
        return {"answered": 0, "shown": ""}
    for arguments in itertools.islice(argument_lists(space[name]), CALLS):
        if time.process_time() - begun > ALL_SECONDS:
            break
        expected = outcome(space[name], arguments)
        if expected[0] == "waits":
            break  # so will the others, and the sandbox has no time for that
        meant = expected[0] == "value" or expected[1] == "ValueError"
        if not meant or expected != outcome(space[name], arguments):
            continue  # another error shows nothing, and neither does a value that changes by itself
        answered += 1
        got = outcome(other[name], arguments)
        if got[0] == "waits":
            break
        if got != expected:
            call = f"{name}({', '.join(map(repr, arguments))})"
            changed = " (its arguments end otherwise)" if got[:2] == expected[:2] else ""
            return {"answered": answered, "shown": f"{call} gives {got[1][:120] or 'no answer'}, not "
                                                   f"{expected[1][:120]}{changed}"}  # fmt: skip
    return {"answered": answered, "shown": ""}


def main() -> None:
    """Do what the order says."""
    order = json.loads(sys.stdin.read())
    warnings.simplefilter("ignore")
    out = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        examples = order["examples"]
        if order["raw_examples"] and not run_examples(order["reference"], order["raw_examples"])["failed"]:
            examples += "\n\n" + order["raw_examples"]
        found: dict[str, Any] = {"examples": run_examples(order["code"], examples)}
        if order["mutant"]:
            found["mutant_examples"] = run_examples(order["mutant"], examples)
            found["compared"] = compare(order["code"], order["mutant"], order.get("name", ""))
    out.write("\n" + order["mark"] + json.dumps(found) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
