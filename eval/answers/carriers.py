"""Code that an answer carries inside another format: JSON, a Python string, YAML, HTML, LaTeX, a table. Pure."""

from __future__ import annotations

import ast
import csv
import html
import io
import itertools
import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from core.python_syntax import python_literal, python_tree

MAX_VALUES = 40
"""Beginnings of JSON values that are tried in one answer."""
MAX_TEXTS = 4
MAX_DEPTH = 8
"""Lists and objects in one another."""

_BEGINS = re.compile(r"[\[{](?=\s*[\[{\"'\]}])")
_FIELD = re.compile(r"[\"']?\b(\w+)[\"']?\s*:\s*\"((?:[^\"\\]|\\.)*)(?:\"|\Z)", re.DOTALL)
_QUOTED = re.compile(r"([\"'])\1\1(.*?)\1{3}", re.DOTALL)
_BLOCK_SCALAR = re.compile(
    r"^([ \t]*)[\w\"' -]+:[ \t]*[|>][-+]?[ \t]*\n((?:\1[ \t]+\S.*(?:\n|\Z)|[ \t]*\n)+)", re.MULTILINE
)
_STREAM = re.compile(r"\s*(?:(?:(?:data:[ \t]*)?(?:\{.*\}|\[DONE\])|event:.*|:.*|)[ \t]*(?:\n|\Z)){2,}")
"""Events or objects, one on each line."""
_SET_IN = re.compile(r"^[ \t]*\n((?:(?: {4}|\t).*(?:\n|\Z)|[ \t]*\n)+)", re.MULTILINE)
_DIRECTIVE = re.compile(
    r"^\.\.[ \t]+(?:code-block|code|sourcecode)::.*\n(?:[ \t]+:.*\n)*((?:[ \t]+\S.*\n|[ \t]*\n)+)", re.MULTILINE
)
_LINE_BREAK = re.compile(r"<(?:br[ \t]*/?|/p|/div|/li)>(?:[ \t]*\n)?", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"</?(?:span|b|i|em|strong|font|p|div|li|ol|ul|a|mark|u|pre|code|html|body|head)(?:\s[^<>]*)?>", re.IGNORECASE
)
_SPACE_ENTITY = re.compile(r"&(?:nbsp|ensp|emsp|#160|#xa0);", re.IGNORECASE)
_TABLE_ROW = re.compile(r"^[ \t]*\|(.*)\|[ \t]*$", re.MULTILINE)
_BARS = "|│┃║"
_EDGE = re.compile(r"[ \t]*[┌└├╭╰╔╚+][─━═+┐┘┤╮╯╗╝-]+[ \t]*")
_CODE_FENCE = re.compile(r"^(?:```|~~~)[^\n]*\n(\s*[\[{].*?)\n(?:```|~~~)", re.MULTILINE | re.DOTALL)
_OLD = re.compile(r"(?:old|search|original|before|find)(?:_(?:str|string|text|code))?\Z")
_NEW = re.compile(r"(?:new|replace|replacement|fixed|after)(?:_(?:str|string|text|code))?\Z")
"""Names of the fields in which tools for editing take what is there, and what is to be there."""


def data_strings(text: str) -> list[str]:
    """The texts in the JSON of an answer, or in what was to be JSON, the longest first; lists of lines count as one."""
    found = (value for _, value in _named_texts(text))
    return sorted(dict.fromkeys(found), key=len, reverse=True)[:MAX_TEXTS]


def data_blocks(text: str) -> str:
    """The texts in the JSON of an answer, in their order, each in a fence behind its name; empty if there is one."""
    found = dict.fromkeys((name, value) for name, value in _named_texts(text) if re.search(r"[\n(=]", value))
    parts = [f"{name.replace('_', ' ')}:\n{_in_fence(value)}" for name, value in found]
    return "\n\n".join(parts) if len(parts) > 1 else ""


def data_lines(text: str) -> str:
    """Lines that each stand in an object of their own, or pieces of a stream, put together; empty if they do not."""
    groups = defaultdict[str, list[str]](list)
    for name, value in _named_texts(text):
        groups[name].append(value)
    streamed = [pieces for pieces in groups.values() if len(pieces) > 1 and any("\n" in piece for piece in pieces)]
    if streamed and _STREAM.fullmatch(text):
        return max(map("".join, streamed), key=len)
    for lines in groups.values():
        if len(lines) > 2 and not any("\n" in line.strip("\n") for line in lines):
            return ("" if any(line.endswith("\n") for line in lines) else "\n").join(lines)
    return ""


def data_pairs(text: str) -> list[tuple[str, str]]:
    """What a tool for editing is told to replace, and by what."""
    pairs = itertools.pairwise(_named_texts(text))
    return [(old, new) for (one, old), (other, new) in pairs if _OLD.match(one) and _NEW.match(other)]


def _in_fence(value: str) -> str:
    return value if re.search(r"^(?:```|~~~)", value, re.MULTILINE) else f"```\n{value.strip(chr(10))}\n```"


def _named_texts(text: str) -> list[tuple[str, str]]:
    """The texts in data, with the names of their fields."""
    found: list[tuple[str, str]] = []
    at = 0
    for begin in [match.start() for match in _BEGINS.finditer(text)][:MAX_VALUES]:
        if begin >= at:
            value, at = _value_at(text, begin)
            found += _strings(value, 0)
    if not found:
        found = [(name, _unescaped(value)) for name, value in _FIELD.findall(text)]
    return found or [("", cell) for cell in _cells(text)]


def _cells(text: str) -> Iterator[str]:
    """Cells of many lines in a table whose values are apart by commas."""
    if re.search(r"^\"|,\"", text, re.MULTILINE):
        try:
            yield from (cell for row in csv.reader(io.StringIO(text)) for cell in row if "\n" in cell)
        except csv.Error:
            return


def _value_at(text: str, begin: int) -> tuple[Any, int]:
    """The value that begins at a place, and where it ends; None, and the place, if it is no JSON and no literal."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, begin)
    except (ValueError, RecursionError):
        pass
    end = text.rfind("}" if text[begin] == "{" else "]") + 1
    try:
        return python_literal(text[begin:end]), end
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None, begin


def _strings(value: Any, depth: int, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
        inner = _CODE_FENCE.search(value)
        if inner or value[:1] in {"{", "["}:
            yield from _strings(_value_at(inner[1].strip() if inner else value, 0)[0], depth + 1, name)
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        for key, one in value.items():
            yield from _strings(one, depth + 1, str(key))
    elif isinstance(value, list | tuple) and depth < MAX_DEPTH:
        if isinstance(value, list) and len(value) > 1 and all(isinstance(line, str) for line in value):
            yield name, "\n".join(line.removesuffix("\n") for line in value)
        else:
            for one in value:
                yield from _strings(one, depth + 1, name)


def _unescaped(text: str) -> str:
    if "\\" not in text and '"' not in text:
        return text
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


def texts_in_calls(text: str) -> str:
    """Strings of many lines that calls are given, as agents call their tools: `write(path="a.py", code="…")`."""
    try:
        tree = python_tree(text.strip()) if "(" in text and "\\n" in text else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    given = [each for call in calls for each in (*call.args, *(keyword.value for keyword in call.keywords))]
    held = [each.value for each in given if isinstance(each, ast.Constant)]
    return "\n\n".join(each for each in held if isinstance(each, str) and "\n" in each)


def set_in_blocks(text: str) -> str:
    """The code blocks of Markdown and reStructuredText, which are set in."""
    if found := _DIRECTIVE.findall(f"{text}\n"):
        return "\n".join(textwrap.dedent(match) for match in found)
    return "\n".join(textwrap.dedent(match) for match in _SET_IN.findall(f"\n{text}"))


def from_html(text: str) -> str:
    """A text without HTML's tags and entities; as it is where it has none."""
    return html.unescape(_SPACE_ENTITY.sub(" ", _HTML_TAG.sub("", _LINE_BREAK.sub("\n", text))))


def from_latex(text: str) -> str:
    r"""What stands in the box of a final answer: `\\boxed{…}`."""
    match = re.search(r"\\boxed\{(.*)\}", text, re.DOTALL)
    return match[1] if match else ""


def from_tables(text: str) -> str:
    """The cells of a table's rows, each on lines of its own; empty if there is no table."""
    rows = _TABLE_ROW.findall(text)
    cells = [cell.strip().strip("`") for row in rows for cell in re.split(r"(?<!\\)\|", row)]
    return "\n\n".join(from_html(cell.replace("\\|", "|")) for cell in cells)


def from_boxes(text: str) -> str:
    """A text without the bars that stand before its lines, or around them."""
    lines = [line for line in text.split("\n") if not _EDGE.fullmatch(line)]
    return "\n".join(_without_bars(line) for line in lines)


def _without_bars(line: str) -> str:
    bare = line.strip()
    return bare[1:].removeprefix(" ").rstrip(f" {_BARS}") if bare[:1] and bare[0] in _BARS else line
