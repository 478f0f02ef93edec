"""Fenced blocks of a text, as models write them: in prose, in lists, in quotations, of unequal length. Pure.

CommonMark pairs fences by their length alone. Models do not count, and their docstrings hold fences; so the fence that
closes a block is the first behind which the code is not still inside a string, a comment or a bracket.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_FENCES = 60
"""More are not looked at: each may close each."""

_RUN = re.compile(r"`{3,}|~{3,}")
_QUOTES = re.compile(r"^(?:'{3,}|\"{3,})(?=[ \t]*[A-Za-z+#]*[ \t]*$)")
_CONTAINER = re.compile(r"^(?P<quote>[ \t]*(?:>!?[ \t]?)+)?(?P<indent>[ \t]*)(?P<marker>(?:\d+[.)]|[-*+])[ \t]+)?")


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    tag: str
    """First word behind the opening fence, in small letters."""
    info: str
    """All that stands behind the opening fence."""
    code: str
    before: str
    """The last line of prose before it."""
    behind: str = ""
    """The first line of prose behind it."""


@dataclass(frozen=True)
class _Fence:
    line: int
    before: str
    run: str
    after: str


def split_fences(text: str, is_open: Callable[[str], bool], *, quotes: bool = False) -> tuple[list[Block], list[str]]:
    """The blocks of a text in order, and its lines outside of them.

    Args:
        text: with line feeds as its line ends.
        is_open: whether code ends inside a string, a comment or a bracket.
        quotes: three single quotes are the fences, which in Python begin a string.
    """
    lines = text.split("\n")
    fences = _fences(lines, quotes=quotes)
    blocks: list[Block] = []
    outside: list[str] = []
    at = place = 0
    while place < len(fences):
        opening = fences[place]
        closing = _closing(lines, fences, place, is_open)
        outside += lines[at : opening.line]
        if opening.before.strip() and not _CONTAINER.fullmatch(opening.before):
            outside.append(opening.before)
        if closing is None:
            last, code = len(lines) - 1, _without_short_fence(lines[opening.line + 1 :])
        else:
            end = fences[closing]
            last, code = end.line, _until(lines, opening, end)
        words = opening.after.strip()
        tag = re.match(r"[\[{.]*([\w+#-]*)", words)
        said = next((line for line in reversed(outside[-4:]) if line.strip()), "")
        name = tag[1].lower() if tag else ""
        blocks.append(Block(name, words, _contained(code, opening.before), said, _behind(lines, last + 1)))
        at = last + 1
        place = len(fences) if closing is None else closing + 1
    return blocks, outside + lines[at:]


def _behind(lines: list[str], place: int) -> str:
    """The first line that is not empty, of the next three."""
    return next((line for line in lines[place : place + 3] if line.strip()), "")


def _without_short_fence(code: list[str]) -> list[str]:
    """Lines of a block that is not closed, without a last line of one or two ticks, which was to close it."""
    text = "\n".join(code).rstrip()
    before, _, last = text.rpartition("\n")
    return before.split("\n") if re.fullmatch(r"[ \t]*``?", last) and before.count("`") % 2 == 0 else code


def _fences(lines: list[str], *, quotes: bool) -> list[_Fence]:
    found: list[_Fence] = []
    if quotes:
        matches = [(number, match) for number, line in enumerate(lines) if (match := _QUOTES.match(line))]
        return [_Fence(number, "", match.group(), lines[number][match.end() :]) for number, match in matches][
            :MAX_FENCES
        ]
    for number, line in enumerate(lines):
        runs = list(_RUN.finditer(line))
        if len(runs) > 1:  # `code` on one line, or a word about fences
            continue
        match = runs[0] if runs else None
        if match is not None and not _is_quoted(line, match):
            found.append(_Fence(number, line[: match.start()], match.group(), line[match.end() :]))
    return found[:MAX_FENCES]


def _is_quoted(line: str, run: re.Match[str]) -> bool:
    """Whether it is a string of the code, or a word of the text: `MARK = '```'`."""
    quote = line[: run.start()][-1:]
    return quote in {"'", '"'} and line[run.end() :][:1] == quote


def _closing(lines: list[str], fences: list[_Fence], place: int, is_open: Callable[[str], bool]) -> int | None:
    """Which fence closes the one at a place."""
    opening = fences[place]
    later = [number for number in range(place + 1, len(fences)) if _may_close(fences[number])]
    strong = [number for number in later if fences[number].run.startswith(opening.run)]
    weak = [number for number in later if fences[number].run[0] == opening.run[0] and number not in strong]
    for number in strong + weak:
        if not is_open("\n".join(_contained(_until(lines, opening, fences[number]), opening.before).split("\n"))):
            return number
    return next(iter(strong + weak), None)


def _may_close(fence: _Fence) -> bool:
    return not re.match(r"[ \t]*(?:#|//|\*)", fence.before) and not re.fullmatch(r"[\w+#]+[ \t]*", fence.after)


def _until(lines: list[str], opening: _Fence, end: _Fence) -> list[str]:
    """Lines of code up to a closing fence, which may stand behind the last of them."""
    code = lines[opening.line + 1 : end.line]
    return [*code, end.before] if end.before.strip(" \t>") else code


def _contained(code: list[str], before: str) -> str:
    """Code without the marks of the quotation and the indentation of the list that it stands in."""
    match = _CONTAINER.match(before)
    assert match is not None
    if match["quote"]:
        code = [re.sub(r"^[ \t]*(?:>!?[ \t]?)+" if ">" in line else r"^", "", line, count=1) for line in code]
        indent = match["indent"]
    else:
        indent = match["indent"] + " " * len(match["marker"] or "") if match.end() == len(before) else ""
    return "\n".join(line.removeprefix(indent) if indent else line for line in code).strip("\n")
