"""The types that type parameters stand for in a call, read from its values. Pure.

`T max_of(List<T> xs, T other)` called with `[[3, 9], 0]` takes integers. A whole number beside one with a fraction is
such a one, too; a parameter of which no value tells anything stands for integers. Values of which one type is not known
to hold all (a text beside a number) make no call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.literals import Unwritable

_NAMES = {
    "cpp": ("bool", "int", "long long", "double", "string", "vector<{}>"),
    "go": ("bool", "int", "int64", "float64", "string", "[]{}"),
    "java": ("Boolean", "Integer", "Long", "Double", "String", "List<{}>"),
    "rust": ("bool", "i32", "i64", "f64", "&str", "Vec<{}>"),
}
"""A boolean, a small and a large integer, another number, a text and a list."""


def with_types(function: Function, names: Iterable[str], values: Sequence[tuple[Any, str]], language: str) -> Function:
    """The function with types in place of its type parameters.

    Args:
        function: whose types name them.
        names: of the parameters.
        values: of the call and its result, each with the type that the function gives it.
        language: of it.

    Raises:
        Unwritable: the values of one parameter have no type in common.
    """
    wanted = set(names)
    if not wanted:
        return function
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    for value, kind in values:
        _look(value, kind, found)
    bound = {name: _common(each, language) for name, each in found.items()}

    def filled(kind: str) -> str:
        return re.sub(r"[A-Za-z_]\w*", lambda word: bound.get(word[0], word[0]), kind)

    parameters = tuple((name, filled(kind)) for name, kind in function.parameters)
    return replace(function, returns=filled(function.returns), parameters=parameters)


def _look(value: Any, kind: str, found: dict[str, list[Any]]) -> None:
    """Note the values that stand where a type is a parameter."""
    kind = re.sub(r"&\s*('\w+\s*)?(mut\b)?|\b(const|final|std)\b(::)?|\? (extends|super) ", " ", kind).strip()
    if kind in found:
        found[kind].append(value)
        return
    listed = re.fullmatch(r"\[\d*\](.+)|(.+)\[\]|\[(.+?)(?:; ?\w+)?\]", kind)
    mapped = re.fullmatch(r"map\[([^\]]+)\](.+)", kind)
    inside = re.fullmatch(r"[\w:.]+\s*<(.+)>|\((.+)\)", kind, re.DOTALL)
    if mapped is not None:
        kinds = [mapped[1], mapped[2]]
    elif listed is not None:
        kinds = [listed[1] or listed[2] or listed[3]]
    else:
        kinds = split_at_commas(inside[1] or inside[2]) if inside is not None else []
    if isinstance(value, dict) and len(kinds) == 2:
        for key, item in value.items():
            _look(key, kinds[0], found)
            _look(item, kinds[1], found)
    elif isinstance(value, list) and len(kinds) == 1:
        for item in value:
            _look(item, kinds[0], found)
    elif isinstance(value, list) and len(kinds) == len(value):
        for item, each in zip(value, kinds, strict=True):
            _look(item, each, found)
    elif value is not None and len(kinds) == 1:  # an optional value
        _look(value, kinds[0], found)


def _common(values: Sequence[Any], language: str) -> str:
    boolean, small, large, real, text, items = _NAMES[language]
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return small
    if kinds == {bool}:
        return boolean
    if kinds == {str}:
        return text
    if kinds == {list}:
        return items.format(_common([item for value in values or () for item in value or ()], language))
    if kinds == {int}:
        return small if all(value is None or -(2**31) <= value < 2**31 for value in values) else large
    if kinds <= {int, float}:
        return real
    raise Unwritable("values of no one type")
