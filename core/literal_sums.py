"""Literals with arithmetic between them, as `3 * 19` or `"ab" * 2`, and what they come to. Nothing is run."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

MAX_SIZE = 10_000
"""Letters or items of a repeated value, and bits of a power, that are worked out."""

_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Pow: operator.pow,
}  # fmt: skip


def literal_value(node: ast.expr) -> Any:
    """The value of a literal, or of arithmetic with literals, as Python has it.

    Args:
        node: of an expression.

    Raises:
        ValueError: it is neither, or too large.
        TypeError, ArithmeticError, RecursionError, MemoryError: as `ast.literal_eval` and arithmetic do.
    """
    match node:
        case ast.BinOp():
            left, right = literal_value(node.left), literal_value(node.right)
            if type(node.op) not in _OPERATIONS or _size(node.op, left, right) > MAX_SIZE:
                raise ValueError("no arithmetic, or too large")
            return _OPERATIONS[type(node.op)](left, right)
        case ast.UnaryOp(op=ast.USub()):
            return -literal_value(node.operand)
        case ast.List():
            return [literal_value(item) for item in node.elts]
        case ast.Tuple():
            return tuple(literal_value(item) for item in node.elts)
        case ast.Dict() if None not in node.keys:
            names = [literal_value(name) for name in node.keys if name is not None]
            return dict(zip(names, map(literal_value, node.values), strict=True))
    return ast.literal_eval(node)


def _size(operation: ast.operator, left: Any, right: Any) -> int:
    """Of what a power or a repetition comes to; 0 for what stays as large as its text."""
    if isinstance(operation, ast.Pow):
        return int(left).bit_length() * abs(right) if isinstance(left, int) and isinstance(right, int) else 0
    if not isinstance(operation, ast.Mult):
        return 0
    long = [len(value) for value in (left, right) if hasattr(value, "__len__")]
    times = [int(value) for value in (left, right) if isinstance(value, int)]
    return long[0] * times[0] if long and times else 0
