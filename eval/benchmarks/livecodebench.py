"""LiveCodeBench (Jain et al. 2024): problems of programming contests, each with the day on which it was published.

Two forms: a method of `class Solution` that tests call (LeetCode), and a program that reads its standard input
(AtCoder, Codeforces). Fields and comparisons as in its authors' harness; compressed tests are read as data.
"""

from __future__ import annotations

import base64
import binascii
import json
import pickletools
import zlib
from typing import Any

from eval.answers.programs import RUN_PROGRAM
from eval.problems import Benchmark, Problem

_MODULES = ("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics",
            "itertools", "functools", "operator", "io", "sys", "json")  # fmt: skip
PRELUDE = (
    "".join(f"from {name} import *\n" for name in (*_MODULES, "builtins", "typing"))
    + "".join(f"import {name}\n" for name in _MODULES)
    + "sys.setrecursionlimit(50000)\n"
)
"""What the authors' harness grants every program."""

_FUNCTIONAL = """
def _run():
    import json

    for given, expected in {cases!r}:
        found = {name}(*[json.loads(line) for line in given.split("\\n")])
        found = list(found) if isinstance(found, tuple) else found
        assert found == json.loads(expected), (given[:300], str(found)[:300], expected[:300])


_run()
"""

_STANDARD_INPUT = """
def _lines(text):
    return [line.strip() for line in text.strip().split("\\n")]


def _numbers(line):
    from decimal import Decimal, InvalidOperation

    try:
        return [Decimal(word) for word in line.split()]
    except InvalidOperation:
        return None


def _alike(found, expected):
    if found == expected:
        return True
    numbers = _numbers(found)
    return numbers is not None and numbers == _numbers(expected)


def _run():
    for given, expected in {cases!r}:
        found = str({name}(given))
        lines, wanted = _lines(found), _lines(expected)
        same = len(lines) == len(wanted) and all(map(_alike, lines, wanted))
        assert same, (given[:300], found[:300], expected[:300])


_run()
"""


def read_problem(row: dict[str, Any]) -> Problem:
    """One row of `code_generation` or `code_generation_lite`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    cases = [
        (case["input"], case["output"]) for case in _cases(row["public_test_cases"]) + _cases(row["private_test_cases"])
    ]
    name = _json(row["metadata"]).get("func_name")
    question, starter = row["question_content"].strip(), row["starter_code"].rstrip()
    if name:
        how = "Write the solution in Python, beginning with this code, in one code block:"
        shown = f"\n```python\n{starter}\n```"
    else:
        how = (
            "Write a Python program that reads its standard input and writes the answer to its standard output, in one "
        )
        shown = "code block. Do not test it on the examples."
    return Problem(
        task_id=str(row["question_id"]),
        language="python",
        kind="function" if name else "program",
        entry_point=name or RUN_PROGRAM,
        instruction=f"{question}\n\n{how}{shown}",
        plain=f'"""\n{question}\n"""\n{starter}\n' if starter else f'"""\n{question}\n"""\n',
        prelude=PRELUDE,
        reference="",
        tests=contest_tests(cases, name),
        stop=("\n```",),
        date=str(row["contest_date"])[:10],
    )


def contest_tests(cases: list[tuple[str, str]], name: str | None) -> str:
    """The tests of a problem's cases.

    Args:
        cases: input and output of each; for a function, a JSON value a line of its arguments, and that of its answer.
        name: the function that is called; None or empty for a program that reads its standard input.
    """
    return (_FUNCTIONAL if name else _STANDARD_INPUT).format(cases=cases, name=name or RUN_PROGRAM)


def _json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def _cases(field: Any) -> list[dict[str, str]]:
    """The cases of a field: JSON, or base64 of zlib of a pickled string of JSON."""
    if not isinstance(field, str):
        return list(field)
    try:
        return list(json.loads(field))
    except ValueError:
        pass
    try:
        packed = zlib.decompress(base64.b64decode(field, validate=True))
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"test cases are neither JSON nor compressed ({error})") from None
    return list(json.loads(pickled_string(packed)))


def pickled_string(packed: bytes) -> str:
    """The string in a pickle that holds nothing else. Its opcodes are looked at; none is executed.

    Raises:
        ValueError: it holds anything else.
    """
    strings: list[str] = []
    for opcode, value, _ in pickletools.genops(packed):
        if opcode.name in {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}:
            strings.append(str(value))
        elif opcode.name not in {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"}:
            raise ValueError(f"test cases are pickled as more than a string ({opcode.name})")
    if len(strings) != 1:
        raise ValueError(f"test cases are pickled as {len(strings)} strings")
    return strings[0]


BENCHMARKS = {
    "livecodebench": Benchmark(
        read=lambda rows, _: [read_problem(row) for row in rows],
        dataset="livecodebench",
        source="livecodebench/code_generation_lite",
        hub_file="test*.jsonl",
        many_files=True,
    ),
}
