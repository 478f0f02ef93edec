"""Python functions out of whose text the docstring can be cut without a parse: most of those in data sets of pairs.

Everything that could be read in two ways is left to the parser (`bare.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache

_QUIET = r"[^()\"'#\\]"
_STRING = r"\"[^\"\\\n]*\"|'[^'\\\n]*'"
_ARGUMENTS = rf"\((?:{_QUIET}|{_STRING}|\((?:{_QUIET}|{_STRING})*\))*\)"
_LONG_STRING = r"\"\"\"(?!\")[^\"\\\x00]*\"\"\"|'''(?!')[^'\\\x00]*'''"
_ONE_LINE = r"\"(?:[^\"\\\n\x00]|\\(?:[abfnrtv\\\"']|u[0-9a-f]{4}))*\""
_HEAD = re.compile(
    rf"((?:@[\w.]+(?:{_ARGUMENTS})?\n[ \t]*)*(?:async +)?def +\w+ *{_ARGUMENTS}(?: *-> *[\w.\[\], |]+)?:\n)"
    rf"([ \t]+)[rRuU]?(?:{_LONG_STRING}|{_ONE_LINE})\n(?:[ \t]*\n)*([ \t]+)(?=\S)"
)
"""A header, a docstring, and the indentation of the next statement."""
_IMMOVABLE = re.compile(r"\"\"\"|'''|\\\n|\n[ \t]+\n")
"""What a text may hold whose lines cannot simply be moved: long strings, and lines of white space."""


def without_docstring(code: str, own: str) -> str | None:
    """A function without its docstring, moved to the first column; None where its text leaves a doubt.

    All its lines are at least as far in as the docstring, so that they belong to the function as far as it parses.

    Args:
        code: the function, its first line at the first column.
        own: the indentation that its other lines have from its class.
    """
    head = _HEAD.match(code)
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
