"""Macros that say nothing to a parser: attributes, specifiers, or nothing at all."""

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
