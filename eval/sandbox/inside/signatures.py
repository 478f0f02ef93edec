"""Signatures of the candidate's functions and classes, and types as annotations write them, as plain data and back."""

from __future__ import annotations

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable
from typing import Any


def _named(name: str) -> Any:
    if name not in typing.__all__:
        raise ValueError(name)
    return getattr(typing, name)


def _name_of(form: Any) -> Any:
    return getattr(form.__origin__, "_name", None) or form._name


def _of(name: str, args: tuple[Any, ...]) -> Any:
    if name == "Callable" and len(args) > 1 and args[0] is not ...:
        args = (list(args[:-1]), args[-1])
    return _named(name)[args if len(args) != 1 else args[0]]


_BARE = ("Union", "List", "Callable", "Tuple")
_FILLED = (("List", int), ("Union", (int, str)), ("Callable", ([int], str)), ("Literal", 1))
_OF = frozenset(type(getattr(typing, name)[args]) for name, args in _FILLED)

FORMS: dict[Any, tuple[str, Callable[[Any], Any], Callable[..., Any]]] = {
    types.GenericAlias: ("GenericAlias", lambda x: (x.__origin__, x.__args__), types.GenericAlias),
    types.UnionType: ("UnionType", lambda x: x.__args__, lambda *kinds: functools.reduce(operator.or_, kinds)),
} | {
    type(getattr(typing, name)): ("typing", lambda x: (x._name,), _named)
    for name in _BARE if type(getattr(typing, name)) is not type
} | {
    kind: ("typing of", lambda x: (_name_of(x), x.__args__), _of) for kind in _OF - {types.UnionType}
}  # fmt: skip
"""Rows as in `eval/sandbox/inside/codec.py`: type → its name, its state, and what makes it of the state again."""


MEMBERS: dict[Any, tuple[str, Callable[[Any], Any], Callable[..., Any]]] = {
    staticmethod: ("staticmethod", lambda x: (x.__func__,), staticmethod),
    classmethod: ("classmethod", lambda x: (x.__func__,), classmethod),
    property: ("property", lambda x: (x.fget, x.fset, x.fdel, x.__doc__), property),
}
"""Likewise, for what a class has of functions."""


def is_whole(form: Any) -> bool:
    """Whether a form is Python's own, and not that of a class that someone defined."""
    return type(form) not in _OF or _name_of(form) in typing.__all__


_EMPTY = inspect.Parameter.empty


def parts_of_signature(x: Any) -> Any:
    """The parts of a callable's signature."""
    signature = inspect.signature(x)
    parts = [
        (p.name, int(p.kind), p.default is not _EMPTY, None if p.default is _EMPTY else p.default,
         p.annotation is not _EMPTY, None if p.annotation is _EMPTY else p.annotation)
        for p in signature.parameters.values()
    ]  # fmt: skip
    returns = signature.return_annotation
    return parts, returns is not _EMPTY, None if returns is _EMPTY else returns


def signature_of_parts(parts: Any) -> inspect.Signature:
    """The signature of such parts."""
    rows, told, returns = parts
    parameters = [
        inspect.Parameter(name, inspect._ParameterKind(kind), default=value if given else _EMPTY,
                          annotation=annotation if annotated else _EMPTY)
        for name, kind, given, value, annotated, annotation in rows
    ]  # fmt: skip
    return inspect.Signature(parameters, return_annotation=returns if told else _EMPTY)
