"""Answers in the form of a patch: its new side alone, or put into the code that the question shows. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eval.answers.carriers import data_pairs

MAX_HUNKS = 60
"""More are not put in."""

_FENCED_PATCH = re.compile(r"^```(?:diff|patch)[^\n]*\n(.*?)\n```", re.MULTILINE | re.DOTALL)
_PATCH = re.compile(r"^(?:@@|\*\*\* Begin Patch|--- \S+\n\+\+\+ )", re.MULTILINE)
_HEAD = re.compile(r"-\Z|--- |\+\+\+ |@@|diff |index |\*\*\* |\\ No newline")
_REPLACED = re.compile(
    r"^<{4,}[^\n]*\n(?P<old>.*?)^={4,}[^\n]*\n(?P<new>.*?)^>{4,}", re.MULTILINE | re.DOTALL
)  # fmt: skip


class Hunk(NamedTuple):
    """Lines, and what stands in their place."""

    old: tuple[str, ...]
    new: tuple[str, ...]


def patched(text: str) -> str:
    """The new side of a patch, fenced or not; empty if there is none."""
    if _FENCED_PATCH.search(text):
        return _FENCED_PATCH.sub(lambda block: f"```\n{_new_side(block[1])}\n```", text)
    return _new_side(text) if _PATCH.search(text) else ""


def _new_side(patch: str) -> str:
    lines = [line for line in patch.split("\n") if not (_HEAD.match(line) or line.startswith("-"))]
    return "\n".join(line[1:] if line[:1] in ("+", " ") else line for line in lines)


def applied(answer: str, shown: str) -> str:
    """The code that a question shows, with an answer's patch in it; empty where there is none, or it does not fit.

    Args:
        answer: with a patch in diff's form, blocks of SEARCH and REPLACE, or a tool's old and new text.
        shown: the question's text, code and prose.
    """
    hunks = list(_hunks(answer))[:MAX_HUNKS]
    lines = shown.split("\n")
    for hunk in hunks:
        found = _put(lines, hunk)
        if found is None:
            return ""
        lines = found
    return "\n".join(lines) if hunks else ""


def _hunks(answer: str) -> Iterator[Hunk]:
    if answer.count("<<<<") <= MAX_HUNKS and (blocks := list(_REPLACED.finditer(answer))):
        yield from (_hunk(match["old"], match["new"]) for match in blocks)
        return
    patches = _FENCED_PATCH.findall(answer) or ([answer[found.start() :]] if (found := _PATCH.search(answer)) else [])
    for patch in patches:
        yield from _hunks_of(patch)
    if not patches:
        yield from (_hunk(old, new) for old, new in data_pairs(answer))


def _hunk(old: str, new: str) -> Hunk:
    return Hunk(tuple(old.strip("\n").split("\n")), tuple(new.strip("\n").split("\n") if new.strip() else ()))


def _hunks_of(patch: str) -> Iterator[Hunk]:
    """The parts of a patch that change something, each between two heads."""
    sides: tuple[list[str], list[str]] = ([], [])
    changes = False
    for line in [*patch.split("\n"), "@@"]:
        if _HEAD.match(line):
            if changes and sides[0]:
                yield Hunk(tuple(sides[0]), tuple(sides[1]))
            sides, changes = ([], []), False
            continue
        for side, mark in zip(sides, "-+", strict=True):
            if line[:1] not in {"-", "+"} or line[0] == mark:
                side.append(line[1:] if line[:1] in {"-", "+", " "} else line)
        changes |= line[:1] in {"-", "+"}


def _put(lines: list[str], hunk: Hunk) -> list[str] | None:
    """Lines with a hunk's new side in place of its old one: as it stands, or set in otherwise; None if it is not there.

    Empty lines at the ends of a hunk are no part of it.
    """
    old, new = list(hunk.old), list(hunk.new)
    for place in (0, -1):
        while old and new and not old[place].strip() and not new[place].strip():
            old.pop(place)
            new.pop(place)
    if not any(line.strip() for line in old):
        return None
    wanted = [line.rstrip() for line in old]
    for bare in (str.rstrip, str.strip):
        seen = [bare(line) for line in lines]
        sought = [bare(line) for line in wanted]
        for place in range(len(seen) - len(sought) + 1):
            if seen[place : place + len(sought)] == sought:
                there = lines[place : place + len(sought)]
                return [*lines[:place], *_set_as(new, old, there), *lines[place + len(sought) :]]
    return None


def _set_as(new: list[str], old: Sequence[str], there: Sequence[str]) -> list[str]:
    """New lines, set in as the lines that they replace are."""
    if [line.rstrip() for line in old] == [line.rstrip() for line in there]:
        return new
    kept = {line.strip(): line for line in there}
    first = next((n for n, line in enumerate(old) if line.strip()), 0)
    wide = len(there[first]) - len(there[first].lstrip()) - len(old[first]) + len(old[first].lstrip())
    moved = [textwrap.indent(line, " " * wide) if wide > 0 else line[-wide:] for line in new]
    return [kept.get(line.strip(), line) for line in moved]
