"""Blocks of languages with braces, found without parsing: strings and comments are stepped over. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'|`[^`]*`|'(?:\\.|[^'\\\n]){2,}'|[{}]""",
    re.DOTALL,
)
_RUST_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|r\#*"[^"]*"\#*|"(?:\\.|[^"\\])*"|'(?:\\(?:u\{[^}]*\}|.)|[^'\\\n])'|[{}]""", re.DOTALL
)


_MARK, _RUST_MARK = (re.compile(rf"{each.pattern}|[()\[\]\n]", re.DOTALL) for each in (_TOKEN, _RUST_TOKEN))


def braces(code: str, language: str) -> Iterator[tuple[int, int]]:
    """(position, +1 or -1) of every brace that is code."""
    for token in (_RUST_TOKEN if language == "rust" else _TOKEN).finditer(code):
        if token.group() in "{}":
            yield token.start(), 1 if token.group() == "{" else -1


def marks(code: str, language: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """(position, character) of every bracket and line end outside of strings and comments, lazily."""
    for token in (_RUST_MARK if language == "rust" else _MARK).finditer(code, start):
        if len(token.group()) == 1 and token.group() in "()[]{}\n":
            yield token.start(), token.group()


def open_brackets(code: str, language: str) -> int:
    """How many brackets are opened and not closed; negative if more are closed."""
    return sum(1 if each in "([{" else -1 for _, each in marks(code, language) if each != "\n")


def without_comments(code: str, language: str) -> str:
    """Code whose strings and comments are blank, each character where it was, for looking names up in it."""
    pattern = _RUST_TOKEN if language == "rust" else _TOKEN
    return pattern.sub(
        lambda token: token.group() if token.group() in "{}" else re.sub(r"[^\n]", " ", token.group()), code
    )


def cut_at_close(text: str, language: str, depth: int = 1) -> str:
    """Text up to the brace that closes what was open before it; all of it when that is not closed.

    Args:
        text: the continuation of a declaration.
        language: its language.
        depth: braces that the declaration left open.
    """
    for position, change in braces(text, language):
        depth += change
        if depth == 0:
            return text[: position + 1]
    return text


def without_block(code: str, header: str, language: str) -> str:
    """Code without the first block whose head matches.

    Args:
        code: the program.
        header: regular expression of what stands before the block's brace; at the beginning of a line.
        language: its language.
    """
    match = re.search(rf"^[ \t]*{header}[^{{;]*(?={{)", code, re.MULTILINE)
    if match is None:
        return code
    block = cut_at_close(code[match.end() + 1 :], language)
    return code[: match.start()] + code[match.end() + 1 + len(block) :]
