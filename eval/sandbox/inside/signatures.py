"""Signatures of the candidate's functions and classes, as plain data and back."""

from __future__ import annotations

import inspect
from typing import Any

_EMPTY = inspect.Parameter.empty


def parts_of(x: Any) -> Any:
    """The parts of a callable's signature."""
    signature = inspect.signature(x)
    parts = [
        (p.name, int(p.kind), p.default is not _EMPTY, None if p.default is _EMPTY else p.default,
         p.annotation is not _EMPTY, None if p.annotation is _EMPTY else p.annotation)
        for p in signature.parameters.values()
    ]  # fmt: skip
    returns = signature.return_annotation
    return parts, returns is not _EMPTY, None if returns is _EMPTY else returns


def of_parts(parts: Any) -> inspect.Signature:
    """The signature of such parts."""
    rows, told, returns = parts
    parameters = [
        inspect.Parameter(name, inspect._ParameterKind(kind), default=value if given else _EMPTY,
                          annotation=annotation if annotated else _EMPTY)
        for name, kind, given, value, annotated, annotation in rows
    ]  # fmt: skip
    return inspect.Signature(parameters, return_annotation=returns if told else _EMPTY)
