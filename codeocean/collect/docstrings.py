"""Python's docstrings: a function's code without it, and its text."""

from __future__ import annotations

import inspect
import re
import textwrap
import warnings

from tree_sitter import Node

from codeocean.collect.source_tree import SourceTree, at_first_column
from codeocean.grammars import parse
from core.python_syntax import python_literal


def strip_docstring(code: str) -> str | None:
    """Python: a function without its docstring, None when it has none or is no function."""
    source = textwrap.dedent(code).strip().encode("utf-8", "replace")
    root = parse(source, "python")
    outer = next((child for child in root.children if child.type != "comment"), None)
    if outer is None:
        return None
    node = outer.child_by_field_name("definition") if outer.type == "decorated_definition" else outer
    if node is None or node.type != "function_definition":
        return None
    found = python_function(node, outer, SourceTree(source, root, "python"))
    return found[0] if found else None


def python_function(node: Node, outer: Node, tree: SourceTree) -> tuple[str, str] | None:
    """Code and docstring of a Python function that has one.

    Args:
        node: the function.
        outer: the same with its decorators.
        tree: the file's.
    """
    body = node.child_by_field_name("body")
    statements = [child for child in body.named_children if child.type != "comment"] if body else []
    docstring = _string_value(statements[0]) if statements else None
    if docstring is None:
        return None
    first = statements[0]
    behind = first.next_named_sibling  # the next statement, or a comment above it
    before = at_first_column(outer, tree, outer.start_byte, first.start_byte)
    if len(statements) == 1:
        behind, before = None, before + "pass"
    after = at_first_column(outer, tree, behind.start_byte, outer.end_byte) if behind else ""
    return before + after, inspect.cleandoc(docstring)


def _string_value(statement: Node) -> str | None:
    """Value of a statement that is a string literal, as Python's own parser reads it; None for any other."""
    if statement.type != "expression_statement":
        return None
    text = (statement.text or b"").decode("utf-8", "replace")
    if not re.match(r"\s*[('\"rRuU]", text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # \d and the like in a docstring are its author's affair
            value = python_literal(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, str) else None
