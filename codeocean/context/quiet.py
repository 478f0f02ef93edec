"""C and C++ as a parser reads them better: without macros that say nothing to it, and with calls of operators named.

As long as the text was, so that every position stays true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_ROUNDS = 5
"""Macros in macros."""
MAX_ARGUMENTS = 600
"""Bytes of what stands in the parentheses of one."""
_QUIET = re.compile(
    r"\s*(?:__attribute(?:__)?\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)|__declspec\s*\([^()]*(?:\([^()]*\))?\)"
    r"|\[\[[^\[\]]*\]\]|\b(?:inline|__inline|__inline__|__forceinline|static|extern|constexpr|noexcept|explicit"
    r"|virtual|override|final|throw\s*\(\s*\))\b(?!\s*\()|throw\s*\(\s*\))"
)
_SCAN = rb"""^[ \t]*#(?:\\\n|[^\n\\]|\\.)*|//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.){1,8}'"""


_CALLED = re.compile(
    rb"(?:(?:\.|->)\s*|\b(?:return|else)\s+|[;{}(,=!|?]\s*)(?:\w+\s*(?:<[^<>;{}()]*>\s*)?::\s*)*(?:::\s*)?(?:template\s+)?"
    rb"(?P<call>operator\s*(?:\(\s*\)|\[\s*\]|(?:new|delete)\b(?:\s*\[\s*\])?|[-+*/%^&|~!=<>,]{1,3}))"
    rb"(?=\s*(?:<[\w:,\s*&]*>\s*)?\()"
)
"""`this->operator[](1)`, `return operator=<T>(b)`: a definition of one has its type before it."""


def without_operators(source: bytes) -> bytes:
    """The text with operators that are called by name called `operator__`."""
    return _CALLED.sub(_as_name, source) if b"operator" in source else source


def _as_name(match: re.Match[bytes]) -> bytes:
    call = match["call"]
    return match[0][: -len(call)] + b"operator_".ljust(len(call), b"_")[: len(call)]


def quiet_macros(bodies: Mapping[str, list[str]]) -> set[str]:
    """The macros all of whose definitions are quiet.

    Args:
        bodies: macro → what it was defined as.
    """
    found = set[str]()
    for _ in range(MAX_ROUNDS):
        more = {name for name, texts in bodies.items() if name not in found
                and all(_is_quiet(text, found) for text in texts)}  # fmt: skip
        if not more:
            break
        found |= more
    return found


def _is_quiet(body: str, quiet: set[str]) -> bool:
    rest = _QUIET.sub(" ", body)
    return all(word in quiet for word in rest.split())


def without_quiet(source: bytes, quiet: set[str]) -> bytes:
    """The text with such macros blank, as long as it was; directives, comments and strings stay."""
    if not quiet:
        return source
    names = b"|".join(name.encode() for name in sorted(quiet, key=len, reverse=True))
    scan = re.compile(_SCAN + rb"|\b(?P<name>" + names + rb")\b", re.MULTILINE | re.DOTALL)
    out = bytearray(source)
    for match in scan.finditer(source):
        if match["name"]:
            end = _behind_arguments(source, match.end())
            out[match.start() : end] = re.sub(rb"[^\n]", b" ", source[match.start() : end])
    return bytes(out)


def _behind_arguments(source: bytes, at: int) -> int:
    """The byte behind the parentheses that begin at a byte, or that byte."""
    opens = re.compile(rb"[ \t]*\(").match(source, at)
    if opens is None:
        return at
    depth, end = 1, opens.end()
    while depth and end < min(len(source), at + MAX_ARGUMENTS):
        depth += {0x28: 1, 0x29: -1}.get(source[end], 0)
        end += 1
    return at if depth else end
