"""Conditional compilation that splits a statement, read by its first branch.

A parser without a preprocessor sees `template <class T>` of both branches of an `#if`, or an opening brace twice, and
loses what follows. Such groups are blanked to their first branch; a blank is as long as what it covers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain

DEPTH = 50
"""Groups one inside the other; a text with more stays as it is."""

_LINE = re.compile(rb"(?:[^\n\\]|\\.|\\\n)*\n?", re.DOTALL)
_DIRECTIVE = re.compile(rb"[ \t]*#[ \t]*(\w+)")
_QUIET = re.compile(rb"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.){1,8}'", re.DOTALL)
_ENDS = (b";", b"}", b":", b">")
_HEADS = re.compile(rb"\b(?:template|requires)\b")


@dataclass
class _Group:
    """An `#if` up to its `#endif`: the lines of each branch, and those of its directives."""

    directives: list[int] = field(default_factory=list)
    branches: list[list[int]] = field(default_factory=lambda: [[]])


def first_branches(text: bytes) -> bytes:
    """C or C++ with each `#if` that splits a statement reduced to its first branch that holds something."""
    lines = [line for line in _LINE.findall(text) if line]
    open_groups, blank = list[_Group](), set[int]()
    for number, line in enumerate(lines):
        directive = _DIRECTIVE.match(line)
        word = directive[1] if directive else b""
        if word in {b"if", b"ifdef", b"ifndef"}:
            open_groups.append(_Group([number]))
            if len(open_groups) > DEPTH:
                return text
        elif word in {b"else", b"elif"} and open_groups:
            open_groups[-1].directives.append(number)
            open_groups[-1].branches.append([])
        elif word == b"endif" and open_groups:
            group = open_groups.pop()
            group.directives.append(number)
            blank |= _blanked(group, lines, blank)
            if open_groups:
                open_groups[-1].branches[-1] += chain(group.directives, *group.branches)
        elif open_groups:
            open_groups[-1].branches[-1].append(number)
    return b"".join(re.sub(rb"[^\n]", b" ", line) if number in blank else line for number, line in enumerate(lines))


def _blanked(group: _Group, lines: list[bytes], blank: set[int]) -> set[int]:
    """The lines of a group that go; none where each branch is whole."""
    texts = [_code(sorted(branch), lines, blank) for branch in group.branches]
    if not any(texts):  # between `template <…>` and its function even that is too much
        return set() if any(branch for branch in group.branches) else set(group.directives)
    if not any(_is_split(text) for text in texts):
        return set()
    kept = next(number for number, text in enumerate(texts) if text)
    return {*group.directives, *(line for number, branch in enumerate(group.branches) if number != kept
                                 for line in branch)}  # fmt: skip


def _code(numbers: list[int], lines: list[bytes], blank: set[int]) -> bytes:
    shown = (lines[number] for number in numbers if number not in blank and not _DIRECTIVE.match(lines[number]))
    return _QUIET.sub(b" ", b"".join(shown)).strip()


def _is_split(text: bytes) -> bool:
    """Whether a branch ends within a statement, or in other braces than it began."""
    if not text:
        return False
    if text.count(b"{") != text.count(b"}") or text.count(b"(") != text.count(b")"):
        return True
    return not text.endswith(_ENDS) or (text.endswith(b">") and _HEADS.search(text) is not None)
