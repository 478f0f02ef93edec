"""Assertions in a row as data: `assert f(1, [2]) == 3`, of literals only, without a syntax tree for each.

The reader of JSON makes values of most literals thirty times faster than Python's own compiler. It reads only what
means the same in both, and refuses the rest, which the compiler gets.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Container, Iterator
from typing import Any

from eval.sandbox.inside.codec import SCALARS, Encoder, Gone, is_tree
from eval.sandbox.inside.messages import as_text

STRING = r"""(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
LITERAL = re.compile(rf"""(?:{STRING}|[\d.][\d._]*(?:[eE][-+]?\d+)?|True|False|None|[\s,+\-\[\](){{}}:])*""")
_ROW = re.compile(r"([ \t]*)assert[ \t]+(\w+)\((.*)\)[ \t]*(==|is)[ \t]*(\S.*?)[ \t]*(?:#[^\"'\n]*)?")
_BARE = re.compile(rf"([ \t]*)assert[ \t]+(not[ \t]+)?(\w+)\((.*)\)[ \t]*(?:,[ \t]*{STRING}[ \t]*)?(?:#[^\"'\n]*)?")
_MESSAGE = re.compile(rf""",[ \t]*({STRING})([ \t]*\+[ \t]*str\(.*\))?""")
NOTHING = re.compile(r"""[ \t]*(?:#.*|assert True(?:,[ \t]*(?:"[^"\\]*"|'[^'\\]*'))?[ \t]*)?""")
"""Lines that nothing depends on."""
_WORDS = {"True": True, "False": False, "None": None}
_CONSTANTS = re.compile(r"\b(True|False|None)\b")
_IN_JSON = {"True": "true", "False": "false", "None": "null"}
_SPLIT = re.compile(f"({STRING})")
_ESCAPED_ALIKE = re.compile(r"(?:[^\\]|\\[nrtbf\"\\])*")
_TUPLE = "\ue000"
_OPEN, _CLOSE, _CLOSE_AFTER_COMMA = f'{{"{_TUPLE}":[', "]}", '],"":0}'
_LAST_COMMA = re.compile(r",\s*\)")
TAKE = "__wavecoder_take__"
FLUSH_S = 0.002
"""How long answers may wait for more."""


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


def row_of(line: str, number: int, names: Container[str], *, exact: bool = False) -> Row | None:
    """The row of a line; None if it is not surely one.

    Args:
        line: of the tests.
        number: of the line, the first is 0.
        names: what the function is called.
        exact: the answer that is expected will be asked for byte by byte, and nothing else follows from a row. Then
            more are rows: `assert f(1)`, `assert f(1) is None`, messages that are put together. Python reads none.
    """
    found = _ROW.fullmatch(line)
    if found is None:
        return _bare_row(line, number, names) if exact else None
    if found[2] not in names or (found[4] == "is" and (not exact or found[5] not in _WORDS)):
        return None
    for expected in _before_message(found[5], exact=exact):
        if (values := _values(found[3], expected, reads=not exact)) is not None:
            text = f"{found[1]}assert {TAKE}() == {line[found.start(5) :]}"
            return Row(found[1] + found[2], *values, text, number)
    return None


def _bare_row(line: str, number: int, names: Container[str]) -> Row | None:
    found = _BARE.fullmatch(line)
    if found is None or found[3] not in names:
        return None
    values = _values(found[4], str(found[2] is None), reads=False)
    return None if values is None else Row(found[1] + found[3], *values, "", number)


def _before_message(text: str, *, exact: bool) -> Iterator[str]:
    """What may be the expected value, before each comma that may begin the message of the assertion."""
    yield text
    for comma in re.finditer(r",[ \t]*[\"']", text):
        message = _MESSAGE.fullmatch(text, comma.start())
        if message is not None and (exact or message[2] is None):
            yield text[: comma.start()]


def _values(arguments: str, expected: str, *, reads: bool) -> tuple[list[Any], Any] | None:
    """The values of two texts of literals; None where they are something else.

    Args:
        arguments: between the brackets of a call.
        expected: one value.
        reads: whether Python reads what JSON's reader does not.
    """
    first, second = _as_json(arguments), _as_json(expected)
    if first is not None and second is not None:
        text = f"[[{first}],{second}]"
        try:
            made, end = _scan(text, 0)
        except (ValueError, StopIteration, RecursionError):
            made, end = None, 0
        if end == len(text) and len(made) == 2 and type(made[0]) is list:
            return made[0], made[1]
    expected = expected.strip()
    if not reads or LITERAL.fullmatch(arguments) is None or LITERAL.fullmatch(expected) is None or expected[-1:] == ",":
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
    if _TUPLE in text:
        return None
    parts = _SPLIT.split(text) if "'" in text or '"' in text else [text]
    for at, part in enumerate(parts):
        if at % 2:
            body = part[1:-1]
            if "\\" in body and (_ESCAPED_ALIKE.fullmatch(body) is None or (part[0] == "'" and '"' in body)):
                return None
            if part[0] == "'":
                parts[at] = '"' + body.replace('"', '\\"') + '"'
        elif part and not part.isspace():
            if "'" in part or '"' in part or "\\" in part:
                return None
            if "(" in part or ")" in part:
                part = _LAST_COMMA.sub(_CLOSE_AFTER_COMMA, part).replace("(", _OPEN).replace(")", _CLOSE)  # noqa: PLW2901
            parts[at] = _CONSTANTS.sub(lambda word: _IN_JSON[word[1]], part) if _CONSTANTS.search(part) else part
    return "".join(parts)


def _made_of(pairs: list[tuple[str, Any]]) -> Any:
    """A dict; or what stood in brackets: a tuple, or a value alone."""
    if not pairs or pairs[0][0] != _TUPLE:
        return dict(pairs)
    values = pairs[0][1]
    return values[0] if len(values) == 1 and len(pairs) == 1 else tuple(values)


_scan = json.scanner.c_make_scanner(json.JSONDecoder(object_pairs_hook=_made_of))  # type: ignore[attr-defined]


def as_bytes(answer: Any) -> bytes:
    """An answer as a candidate's process writes it."""
    return f"{as_text(answer)},".encode()


def write_answers(descriptor: int, function: Any, calls: list[list[Any]]) -> None:
    """Make calls of a candidate's function, and write an answer to each, in bytes that the right values have alone.

    Args:
        descriptor: where to.
        function: the candidate's.
        calls: the arguments of each.
    """
    written, sent = b"", time.monotonic()
    for args in calls:
        written += as_bytes(_answer_that_is(function(*args)))
        if (now := time.monotonic()) - sent > FLUSH_S:
            written, sent = _flushed(descriptor, written), now
    _flushed(descriptor, written)


def _flushed(descriptor: int, written: bytes) -> bytes:
    """Write bytes, what the candidate printed before them; what is left: nothing."""
    with contextlib.suppress(Exception):  # a stream of the candidate's own making
        sys.stdout.flush()
    while written:
        written = written[os.write(descriptor, written) :]
    return written


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
