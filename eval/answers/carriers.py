"""Code that an answer carries inside another format: JSON, a Python string, YAML, HTML, LaTeX, a patch. Pure."""

from __future__ import annotations

import ast
import html
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

MAX_VALUES = 40
"""Beginnings of JSON values that are tried in one answer."""
MAX_TEXTS = 4

_BEGINS = re.compile(r"[\[{](?=\s*[\[{\"'\]}])")
_FIELD = re.compile(r"[\"']\w+[\"']\s*:\s*\"((?:[^\"\\]|\\.)*)(?:\"|\Z)", re.DOTALL)
_QUOTED = re.compile(r"([\"'])\1\1(.*?)\1{3}", re.DOTALL)
_BLOCK_SCALAR = re.compile(
    r"^([ \t]*)[\w\"' -]+:[ \t]*[|>][-+]?[ \t]*\n((?:\1[ \t]+\S.*(?:\n|\Z)|[ \t]*\n)+)", re.MULTILINE
)
_SET_IN = re.compile(r"^[ \t]*\n((?:(?: {4}|\t).*(?:\n|\Z)|[ \t]*\n)+)", re.MULTILINE)
_LINE_BREAK = re.compile(r"<(?:br[ \t]*/?|/p|/div|/li)>[ \t]*\n?", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"</?(?:span|b|i|em|strong|font|p|div|li|ol|ul|a|mark|u|pre|code|html|body|head)(?:\s[^<>]*)?>", re.IGNORECASE
)
_SPACE_ENTITY = re.compile(r"&(?:nbsp|ensp|emsp|#160|#xa0);", re.IGNORECASE)
_FENCED_PATCH = re.compile(r"^```(?:diff|patch)[^\n]*\n(.*?)\n```", re.MULTILINE | re.DOTALL)
_PATCH = re.compile(r"^(?:@@|\*\*\* Begin Patch|--- \S+\n\+\+\+ )", re.MULTILINE)
_PATCH_HEAD = re.compile(r"-|\+\+\+ |@@|diff |index |\*\*\* ")


def data_strings(text: str) -> list[str]:
    """The texts in the JSON of an answer, or in what was to be JSON, the longest first; lists of lines count as one."""
    found: list[str] = []
    at = 0
    for begin in [match.start() for match in _BEGINS.finditer(text)][:MAX_VALUES]:
        if begin >= at:
            value, at = _value_at(text, begin)
            found += _strings(value, 0)
    if not found:
        found = [_unescaped(match) for match in _FIELD.findall(text)]
    return sorted(dict.fromkeys(found), key=len, reverse=True)[:MAX_TEXTS]


def _value_at(text: str, begin: int) -> tuple[Any, int]:
    """The value that begins at a place, and where it ends; None, and the place, if it is no JSON and no literal."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, begin)
    except (ValueError, RecursionError):
        pass
    end = text.rfind("}" if text[begin] == "{" else "]") + 1
    try:
        return ast.literal_eval(text[begin:end]), end
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None, begin


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value[:1] in {"{", "["}:
            yield from _strings(_value_at(value, 0)[0], depth + 1)
    elif isinstance(value, dict | list | tuple) and depth < 4:
        each = list(value.values()) if isinstance(value, dict) else list(value)
        if isinstance(value, list) and len(each) > 1 and all(isinstance(line, str) for line in each):
            yield "\n".join(line.removesuffix("\n") for line in each)
        else:
            for one in each:
                yield from _strings(one, depth + 1)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def quoted_texts(text: str) -> str:
    """What stands in strings of three quotes."""
    return "\n\n".join(textwrap.dedent(match[1]) for match in _QUOTED.findall(text))


def block_scalars(text: str) -> str:
    """The longest text of YAML: `code: |`."""
    return max((textwrap.dedent(match[1]) for match in _BLOCK_SCALAR.findall(text)), key=len, default="")


def set_in_blocks(text: str) -> str:
    """The code blocks of Markdown that are set in by four spaces or a tab."""
    return "\n".join(textwrap.dedent(match) for match in _SET_IN.findall(f"\n{text}"))


def from_html(text: str) -> str:
    """A text without HTML's tags and entities; as it is where it has none."""
    return html.unescape(_SPACE_ENTITY.sub(" ", _HTML_TAG.sub("", _LINE_BREAK.sub("\n", text))))


def from_latex(text: str) -> str:
    r"""What stands in the box of a final answer: `\\boxed{…}`."""
    match = re.search(r"\\boxed\{(.*)\}", text, re.DOTALL)
    return match[1] if match else ""


def patched(text: str) -> str:
    """The new side of a patch, fenced or not; empty if there is none."""
    if _FENCED_PATCH.search(text):
        return _FENCED_PATCH.sub(lambda block: f"```\n{_new_side(block[1])}\n```", text)
    return _new_side(text) if _PATCH.search(text) else ""


def _new_side(patch: str) -> str:
    lines = [line for line in patch.split("\n") if not _PATCH_HEAD.match(line)]
    return "\n".join(line[1:] if line[:1] in ("+", " ") else line for line in lines)
