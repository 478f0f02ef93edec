"""Python functions out of whose text the docstring can be cut without a parse: most of those in data sets of pairs.

Everything that could be read in two ways is left to the parser (`bare.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache

_QUIET = r"[^()\"'#\\]"
_STRING = r"\"[^\"\\\n]*\"|'[^'\\\n]*'"
_ARGUMENTS = rf"\((?:{_QUIET}|{_STRING}|\((?:{_QUIET}|{_STRING})*\))*\)"
_ESCAPED = r"\\[^NxuU\x00]"  # Python itself judges those that can be wrong
_LONG_STRING = (
    rf"\"\"\"(?!\")[^\"\\\x00]*(?:(?:\"(?!\"\")|{_ESCAPED})[^\"\\\x00]*)*\"\"\""
    rf"|'''(?!')[^'\\\x00]*(?:(?:'(?!'')|{_ESCAPED})[^'\\\x00]*)*'''"
)
_ONE_LINE = r"\"(?:[^\"\\\n\x00]|\\(?:[abfnrtv\\\"']|u[0-9a-f]{4}))*\""
_HEAD = re.compile(
    rf"((?:@[\w.]+(?:{_ARGUMENTS})?\n[ \t]*)*(?:async +)?def +\w+ *{_ARGUMENTS}(?: *-> *[\w.\[\], |]+)?:\n)([ \t]+)"
    rf"(?:[rRuU]?(?:{_LONG_STRING}|{_ONE_LINE})\n(?:[ \t]*\n)*([ \t]+)(?=\S)|(?![fFbBrRuU]{{0,3}}[\"']|[(#\\\s]))"
)
"""A header, and a docstring with the indentation of the next statement, or a statement that is none."""
_IMMOVABLE = re.compile(r"\"\"\"|'''|\\\n|\n[ \t]+\n")
"""What a text may hold whose lines cannot simply be moved: long strings, and lines of white space."""


def read_head(code: str) -> re.Match[str] | None:
    """What a function begins with; None where that is not certain. The third group is None where it has no docstring.

    The groups are its header, the indentation of its docstring or first statement, and that of the statement behind.
    """
    return _HEAD.match(code)


_DEEPER = re.compile(r":[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*([ \t]+)\S")
_TRIPLE = re.compile(r"(\"\"\"|''')[\s\S]*?\1")


def steps_of(code: str, head: re.Match[str] | None) -> list[str]:
    """The indentation of each line behind one that ends in a colon, in the order of the text.

    Args:
        code: a function.
        head: from `read_head`.
    """
    if head is not None and head[3] is not None and not _LONG.search(code, head.end()) and head[1].count("\n") == 1:
        return [head[2], *_DEEPER.findall(code, head.end())]
    return _DEEPER.findall(_TRIPLE.sub('""', code) if _LONG.search(code) else code)


_LONG = re.compile("\"\"\"|'''")


def without_docstring(code: str, own: str, head: re.Match[str] | None = None) -> str | None:
    """A function without its docstring, moved to the first column; None where its text leaves a doubt.

    All its lines are at least as far in as the docstring, so that they belong to the function as far as it parses.

    Args:
        code: the function, its first line at the first column.
        own: the indentation that its other lines have from its class.
        head: from `read_head`, if that was asked before.
    """
    head = head or read_head(code)
    if head is None or head[2] != head[3] or not head[2].startswith(own) or len(head[2]) == len(own):
        return None
    begin, last = head.end(), code.rfind("\n") + 1
    if _IMMOVABLE.search(code, begin) or _IMMOVABLE.search(head[1]) or _further_out(head[2]).search(code, begin):
        return None
    if "#" in code[last:] or code[-1] in ";\\":
        return None
    bare = head[1] + head[2] + code[begin:]
    return bare.replace("\n" + own, "\n") if own else bare


@lru_cache(maxsize=64)
def _further_out(indentation: str) -> re.Pattern[str]:
    return re.compile(rf"\n(?!{indentation}|\n)")
