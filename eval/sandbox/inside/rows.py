"""Assertions in a row as data: `assert f(1, [2]) == 3`, of literals only, without a syntax tree for each.

The reader of JSON makes values of most literals thirty times faster than Python's own compiler. It reads only what
means the same in both, and refuses the rest, which the compiler gets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from eval.sandbox.inside.codec import SCALARS, Encoder, Gone, is_tree

STRING = r"""(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
LITERAL = re.compile(rf"""(?:{STRING}|[\d.][\d._]*(?:[eE][-+]?\d+)?|True|False|None|[\s,+\-\[\](){{}}:])*""")
_ROW = re.compile(
    r"""([ \t]*)assert (\w+)\((.*)\) == (.*?)((?:,[ \t]*(?:"[^"\\{}]*"|'[^'\\{}]*'))?[ \t]*(?:#[^"'\n]*)?)"""
)
_WORDS = {"True": True, "False": False, "None": None}
_CONSTANTS = re.compile(r"\b(True|False|None)\b")
_IN_JSON = {"True": "true", "False": "false", "None": "null"}
_scan = json.scanner.c_make_scanner(json.JSONDecoder())  # type: ignore[attr-defined]
TAKE = "__wavecoder_take__"


class Row:
    """One assertion: its call, and what that must equal."""

    __slots__ = ("args", "expected", "head", "line", "number")

    def __init__(self, head: str, args: list[Any], expected: Any, line: str, number: int) -> None:
        self.head, self.args, self.expected, self.line, self.number = head, args, expected, line, number


class Rows:
    """Assertions of one function that follow each other."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self.calls = [row.args for row in rows]
        """The arguments of each."""
        self.answers = [_answer_that_is(row.expected) for row in rows]
        """What each is answered if it holds: equal answers mean equal values, not the other way round."""

    def judge(self, at: int, take: Callable[[], Any]) -> None:
        """Run a line as it stands, with the answer to its call."""
        row = self._rows[at]
        text = "\n" * row.number + row.line.lstrip()
        exec(compile(text, "program.py", "exec", dont_inherit=True), {TAKE: take})  # noqa: S102 - the tests' own line


def row_of(line: str, number: int, called: re.Pattern[str]) -> Row | None:
    """The row of a line; None if it is not surely one.

    Args:
        line: of the tests.
        number: of the line, the first is 0.
        called: what the function's name and opening bracket match.
    """
    found = _ROW.fullmatch(line)
    if found is None or called.fullmatch(f"{found[2]}(") is None:
        return None
    values = _values(found[3], found[4])
    if values is None:
        return None
    rest = line[found.start(4) :]
    return Row(found[1] + found[2], *values, f"{found[1]}assert {TAKE}() == {rest}", number)


def _values(arguments: str, expected: str) -> tuple[list[Any], Any] | None:
    """The values of two texts of literals; None where they are something else."""
    named = expected in _WORDS
    first, second = _as_json(arguments), "0" if named else _as_json(expected)
    if first is not None and second is not None:
        text = f"[[{first}],{second}]"
        try:
            made, end = _scan(text, 0)
        except (ValueError, StopIteration, RecursionError):
            made, end = None, 0
        if end == len(text) and len(made) == 2 and type(made[0]) is list:
            return made[0], _WORDS[expected] if named else made[1]
    expected = expected.strip()
    if LITERAL.fullmatch(arguments) is None or LITERAL.fullmatch(expected) is None or expected.endswith(","):
        return None
    try:  # literals, and the tests' own
        compile(expected, "", "eval")
        return list(eval(f"f({arguments})", {"f": _all})), eval(f"f({expected})", {"f": _one})  # noqa: S307
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return None


def _all(*args: Any) -> tuple[Any, ...]:
    return args


def _one(arg: Any) -> Any:
    return arg


def _as_json(text: str) -> str | None:
    """A text of literals in JSON's spelling; None where that might mean something else."""
    if "\\" in text or "(" in text:
        return None
    single, double = "'" in text, '"' in text
    if single and double:
        return None
    if "True" in text or "False" in text or "None" in text:
        if single or double:
            return None
        return _CONSTANTS.sub(lambda word: _IN_JSON[word[1]], text)
    return text.replace("'", '"') if single else text


def _answer_that_is(expected: Any) -> Any:
    kind = type(expected)
    if kind in SCALARS:
        return expected
    if kind is list and is_tree(expected):
        return [expected]
    encoder = Encoder(_refuse)
    try:
        return ["ok", encoder.encode(expected), [], encoder.nodes]
    except Gone:
        return ...  # which no answer is


def _refuse(_: Any, __: Encoder) -> list[Any]:
    raise Gone
