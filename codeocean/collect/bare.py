"""A function as data sets of pairs give it → the same text that `folders.py` takes out of the function's file.

CodeSearchNet cuts a method out of its file where it begins: the first line stands at the first column, the others keep
the indentation of the class, and Python's docstring is still inside.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codeocean.collect.docstrings import strip_docstring
from codeocean.collect.functions import extract_documented
from codeocean.collect.plain_python import read_head, steps_of, without_docstring
from codeocean.grammars import GRAMMARS, parse

_CLOSED = re.compile(r"^([ \t]+)(?:[})\]]|end\b)", re.MULTILINE)
_HEADER = re.compile(r"^([ \t]*)(?:async\s+)?def\b", re.MULTILINE)
_STRING = re.compile("string|heredoc|nowdoc|template")


def with_line_feeds(text: str) -> str:
    """Text whose lines end in a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def bare_function(code: str, language: str, name: str = "") -> str:
    """Code from its first column on, with line feeds, and in Python without the docstring.

    Args:
        code: the function as a data set gives it.
        language: its language.
        name: its name; with a dot it is a method. Empty where it is unknown.
    """
    code = with_line_feeds(code).strip("\n").rstrip()
    head = read_head(code) if language == "python" else None
    own = _own_indentation(code, language, name, head)
    if language == "python" and (head is None or head[3] is not None):
        found = without_docstring(code, own, head) or _parsed_without_docstring(code, own)
        if found is not None:
            return found
    if not own:
        return code
    known = language in GRAMMARS and re.search(GRAMMARS[language].long_strings or _STRINGS, code)
    kept = rows_in_strings(parse(code.encode("utf-8", "replace"), language)) if known else set()
    lines = code.split("\n")
    return "\n".join(line if row in kept else line.removeprefix(own) for row, line in enumerate(lines))


_STRINGS = "[\"'`]|<<|%[qQwW(]"
"""Without one of these there is no string that several lines could be in, where any literal may be one."""


def _own_indentation(code: str, language: str, name: str, head: re.Match[str] | None) -> str:
    """The indentation that the function has in its file."""
    first = code[: len(code) - len(code.lstrip(" \t"))]
    if first or "\n" not in code:
        return first
    if language == "python":
        return _indentation_of_def(code, name, head)
    last = code.rfind("\n") + 1
    closed = _CLOSED.match(code, last)
    return closed[1] if closed else ""


def _indentation_of_def(code: str, name: str, head: re.Match[str] | None) -> str:
    """Python shows no end: the body is one step further in than its `def`, and steps of the body are as wide."""
    if code.startswith("@") and (header := _HEADER.search(code)):
        return header[1]
    steps = steps_of(code, head)
    if not steps:
        return ""
    body = steps[0]
    deeper = [len(step) - len(body) for step in steps[1:] if step.startswith(body) and len(step) > len(body)]
    if deeper:
        return body[min(deeper) :]
    if name:  # nothing shows how wide a step is
        return body[len(body) // 2 :] if "." in name else ""
    return body[1 if body[0] == "\t" else 4 :]


def _parsed_without_docstring(code: str, own: str) -> str | None:
    if not own:
        return strip_docstring(code)
    # In a class again it is read as `folders.py` reads it.
    source = f"class _:\n{'' if code.startswith(own) else own}{code}\n"
    found = next(extract_documented(source.encode("utf-8", "replace"), "python"), None)
    itself = found is not None and found.code.startswith(code.lstrip().partition("\n")[0])  # or a function inside it
    return found.code if found is not None and itself and found.name.count(".") == 1 else None


def rows_in_strings(root: Node) -> set[int]:
    """Rows that begin inside a string: their indentation is data."""
    rows, pending = set[int](), [root]
    while pending:
        node = pending.pop()
        start, end = node.start_point.row, node.end_point.row
        if start == end:
            continue
        if node.is_named and node.type != "concatenated_string" and _STRING.search(node.type):
            rows.update(range(start + 1, end + 1))
        else:
            pending.extend(node.children)
    return rows
