"""C and C++ whose macros are blanked, so that the parser sees the declarations behind them.

A parser without a preprocessor takes `class EXPORT Stack {` for a function and loses all that is in it. Two steps:
patterns that can only be macros are blanked in every text; then words in capitals beside what did not parse, as long
as less fails to parse without them. A blank is as long as the macro, so that every position stays true.

Conditional compilation that splits a statement is read by its first branch (`branches.py`).

Not covered: a macro that makes up the function's own name or parameters (`FUNCTION(int, name, (int a)) {`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tree_sitter import Node, Query, QueryCursor

from codeocean.branches import first_branches

TRIES = 6
"""Texts with further macros blanked that are parsed at most."""
MAX_ERRORS = 400
"""Errors of one text that are looked at."""

_ARGUMENTS = rb"(?:[ \t]*\((?:[^()\n]|\([^()\n]*\)){0,200}\))?"
_MACRO = rb"[A-Z_][A-Z0-9_]+\b" + _ARGUMENTS
_STACKED = rb"(?:[ \t]*" + _MACRO + rb"[ \t]*\n){0,5}"
_NOT_A_NAME = rb"(?!(?:final|sealed|abstract|class|struct|alignas)\b)"

_TYPE_MACRO = re.compile(
    rb"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:alignas[ \t]*\([^()\n]*\)\s+|\[\[[^]\n]*\]\]\s*)*"
    rb"((?:" + _NOT_A_NAME + rb"[A-Za-z_]\w*\b" + _ARGUMENTS + rb"\s+){1,4})"
    + _NOT_A_NAME + rb"[A-Za-z_][\w:]*\s*(?:<[^<>;{}()]{0,200}>\s*)?(?:final\s*)?(?:\{|:(?!:))"
)  # fmt: skip
"""`struct PACKED header {`, `class API(2) Stack : public Base {`."""

_DECLARATION = (
    rb"(?:class|struct|union|enum|template|typedef|namespace|extern|static|inline|const|constexpr|virtual|explicit"
    rb"|unsigned|signed|void|int|char|long|short|float|double|bool|size_t|u?int\d+_t)\b"
)
_LINE_MACRO = re.compile(
    rb"^[ \t]*(" + _MACRO + rb")[ \t]*\n(?=" + _STACKED + rb"(?:[ \t]*\n)*[ \t]*" + _DECLARATION + rb")", re.MULTILINE
)
"""A macro alone on the line before a declaration."""
_REQUIREMENT = re.compile(
    rb">[ \t]*\n\s*(__[A-Za-z]\w*[ \t]*\((?:[^();{}]|\((?:[^();{}]|\([^();{}]*\))*\))*\))[ \t]*\n(?=[ \t]*[A-Za-z_])"
)
"""`__LIB_requires(copyable<T>)` on the line below `template <typename T>`."""
_LONE_MACRO = re.compile(rb"^[ \t]*(" + _MACRO + rb")[ \t]*\n(?=" + _STACKED + rb"[ \t]*(?:\n|//|/\*))", re.MULTILINE)
"""A macro alone on its line, with an empty line or a comment below."""
_BEFORE_A_STATEMENT = re.compile(
    rb"(?:\A|[;{}:/]|^[ \t]*(?:#[^\n]*|//[^\n]*|" + _MACRO + rb"[ \t]*))\s*\Z", re.MULTILINE
)
_EXPORT_MACRO = re.compile(
    rb"^[ \t]*((?:[A-Z][A-Z0-9_]*_)?(?:API|EXPORT|INLINE|FORCEINLINE|NOINLINE|EXTERN|STATIC|DECL|PUBLIC|PRIVATE|FUNC"
    rb"|INTERNAL|LOCAL|DLL[A-Z]*|DEF|NODISCARD|CONSTEXPR)\b" + _ARGUMENTS + rb")[ \t]+(?=" + _DECLARATION + rb")",
    re.MULTILINE,
)
"""`LIB_API int f(…) {`."""
_ANY_LINE = re.compile(rb"^[ \t]*(" + _MACRO + rb")[ \t]*;?[ \t]*$", re.MULTILINE)
_CALL = re.compile(rb"\b[A-Z_][A-Z0-9_]{2,}[ \t]*\(")
_SPECIFIER = re.compile(
    rb"[ \t]*(?:(?:constexpr|inline|static|explicit|virtual|friend|extern)[ \t]+)*("
    + _MACRO
    + rb")[ \t]+(?=[A-Za-z_~])"
)
_WORD = re.compile(rb"\b[A-Za-z_]\w*\b" + _ARGUMENTS)
_LONG_DEFINITION = re.compile(
    rb"^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\(?!\r?\n))*(?:\\\r?\n(?:[^\n\\]|\\(?!\r?\n))*)+", re.MULTILINE
)
"""A macro over several lines."""
_COMMENT = re.compile(rb"/\*.*?\*/|//.*?(?=\\?\r?\n|\Z)", re.DOTALL)
_EMPTY_DEFINITION = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+\w+(?:\([^()\n]*\))?([ \t]+(?:\\(?=\r?\n[ \t]*\r?\n))?\r?)(?=\n)", re.MULTILINE
)
"""tree-sitter takes the line behind `#define API ` for its body."""
_QUESTION = re.compile(
    rb"""^[ \t]*#[ \t]*(?:if|elif)\b[^\n]*?\b(\w+[ \t]*\([ \t]*(?:<[^>\n]*>|"[^"\n]*")[ \t]*\))""", re.MULTILINE
)
"""`#if __has_include(<version>)`."""
_CAPITALS = re.compile(rb"(" + _MACRO + rb")\s*$")


def parse_declarations(source: bytes, parse: Callable[[bytes], Node], errors: Query) -> Node:
    """Root of the syntax tree of C or C++ with macros blanked as far as that helps.

    Args:
        source: the text.
        parse: gives the root of a text.
        errors: captures ERROR and MISSING nodes.
    """
    text = _readable_directives(source) if b"#" in source else source
    text = _TYPE_MACRO.sub(_blanked_in_code, text)
    for pattern in (_REQUIREMENT, _LINE_MACRO, _EXPORT_MACRO):
        text = pattern.sub(_blanked, text)
    text = _LONE_MACRO.sub(_blanked_statement, text)
    root = parse(text)
    damage, spots = _damage(root, errors) if root.has_error else (0, [])
    if damage and (candidate := first_branches(text)) != text:
        other = parse(candidate)
        less, rest = _damage(other, errors)
        if less < damage:
            text, root, damage, spots = candidate, other, less, rest
    tries, pending = 0, [spots]
    while damage and pending and tries < TRIES:
        part = pending.pop()
        candidate = _without_macros(text, part)
        if candidate == text:
            continue
        other, tries = parse(candidate), tries + 1
        less, rest = _damage(other, errors)
        if less < damage:
            text, root, damage, pending = candidate, other, less, [rest]
        elif len(part) > 1:  # one of them makes it worse
            pending += [part[len(part) // 2 :], part[: len(part) // 2]]
    return root


def error_bytes(root: Node, errors: Query) -> int:
    """How much of a text did not parse: the bytes of its errors, and one for each that is missing."""
    return _damage(root, errors)[0] if root.has_error else 0


def _damage(root: Node, errors: Query) -> tuple[int, list[tuple[int, int]]]:
    found = QueryCursor(errors).captures(root)
    spots = sorted((node.start_byte, node.end_byte) for nodes in found.values() for node in nodes)
    return sum(end - begin + 1 for begin, end in spots), spots


def _blanked(match: re.Match[bytes]) -> bytes:
    """The match with its first group blank; its line feeds stay."""
    whole, begin = match[0], match.start(1) - match.start()
    end = match.end(1) - match.start()
    return whole[:begin] + re.sub(rb"[^\n]", b" ", whole[begin:end]) + whole[end:]


def _readable_directives(text: bytes) -> bytes:
    """The text without what tree-sitter reads wrongly in directives."""
    text = _LONG_DEFINITION.sub(_without_comments, text)
    text = _EMPTY_DEFINITION.sub(_ended, text)
    return _QUESTION.sub(_answered, text)


def _ended(match: re.Match[bytes]) -> bytes:
    """An empty definition with a comment, or where there is no room for one a carriage return, behind its name."""
    blank = len(match[1])
    return match[0][:-blank] + (b"//".ljust(blank) if blank > 1 else b"\r")


def _without_comments(match: re.Match[bytes]) -> bytes:
    """A macro's definition with its comments blank: its body would end at the first."""
    return _COMMENT.sub(lambda comment: re.sub(rb"[^\n\\]", b" ", comment[0]), match[0])


def _answered(match: re.Match[bytes]) -> bytes:
    """The match with 1 in place of its first group."""
    begin, end = match.start(1) - match.start(), match.end(1) - match.start()
    return match[0][:begin] + b"1".ljust(end - begin) + match[0][end:]


def _blanked_in_code(match: re.Match[bytes]) -> bytes:
    """As `_blanked`, but for a match that begins in a comment: `// from the base class` above `explicit Box(…) : …`."""
    line = match.string.rfind(b"\n", 0, match.start()) + 1
    return match[0] if b"//" in match.string[line : match.start()] else _blanked(match)


def _blanked_statement(match: re.Match[bytes]) -> bytes:
    """As `_blanked`, where a statement may begin: the last line of an argument list is no statement."""
    before = match.string[max(match.start() - 300, 0) : match.start()]
    return _blanked(match) if _BEFORE_A_STATEMENT.search(before) else match[0]


def _without_macros(text: bytes, spots: list[tuple[int, int]]) -> bytes:
    """The text with the macros beside its errors blanked."""
    out = bytearray(text)
    for begin, end in spots[:MAX_ERRORS]:
        before = text[max(begin - 300, 0) : begin]
        if span := _call_around(text, begin):  # `template <class T, ENABLE_IF(!a)>`
            _blank(out, *span)
            if text[max(span[0] - 300, 0) : span[0]].rstrip()[-1:] != b")":
                out[span[0] : span[0] + 3] = b"int"
        elif macro := _CAPITALS.search(before):  # `INLINE int f() {`: what does not parse is `int`
            _blank(out, begin - len(before) + macro.start(1), begin - len(before) + macro.end(1))
        elif (word := _WORD.match(text, begin, max(end, begin + 1))) and end - begin < 100:
            _blank(out, word.start(), min(word.end(), end))  # `int CALL f() {`: it is the word itself
        line = text.rfind(b"\n", 0, begin) + 1
        if (macro := _SPECIFIER.match(text, line)) and macro.end() <= begin:
            _blank(out, macro.start(1), macro.end(1))
        first = text.rfind(b"\n", 0, max(text.rfind(b"\n", 0, begin), 0)) + 1
        last = text.find(b"\n", end)
        for lone in _ANY_LINE.finditer(text, first, last if last >= 0 else len(text)):
            _blank(out, lone.start(1), lone.end(1))
    return bytes(out)


def _call_around(text: bytes, at: int) -> tuple[int, int] | None:
    """The macro call in whose arguments a byte lies."""
    begin = max(at - 300, 0)
    for call in reversed(list(_CALL.finditer(text, begin, at))):
        depth, end = 1, call.end()
        while depth and end < min(at + 600, len(text)):
            depth += {0x28: 1, 0x29: -1}.get(text[end], 0)
            if end == at - 1 and depth == 0:
                break
            end += 1
        if depth == 0 and end > at:
            return call.start(), end
    return None


def _blank(out: bytearray, begin: int, end: int) -> None:
    out[begin:end] = re.sub(rb"[^\n]", b" ", bytes(out[begin:end]))
