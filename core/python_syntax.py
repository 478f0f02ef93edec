"""Python's own parser, one thread at a time.

CPython counts how deep a tree is in a place that all threads share. Where it collects garbage on the way, a finalizer
lets another thread in: "AST constructor recursion depth mismatch", a SystemError of code that is right. Seen with 3.11
(findings/ast_parse_in_threads.sh).
"""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = threading.RLock()


def python_tree(text: str, *, flags: int = 0) -> ast.Module:
    """A module's tree.

    Args:
        text: its source.
        flags: further ones of `compile`.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError, OverflowError: as `ast.parse`.
    """
    with _ONE_AT_A_TIME:
        tree = compile(text, "<unknown>", "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def python_literal(text: str) -> object:
    """The value of a literal, as `ast.literal_eval`; raises as it does."""
    with _ONE_AT_A_TIME:
        expression = ast.parse(text.lstrip(" \t"), mode="eval")
    return ast.literal_eval(expression)
