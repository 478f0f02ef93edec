"""More inputs for a function: the edges of what it is known to be called with, and small changes of that. Pure.

Type-aware mutation of inputs (EvalPlus; Liu et al. 2023, arXiv 2305.01210, section 2.2). The types are those of the
values, so it needs no signature and is the same for all languages. Nothing is drawn: the same calls give the same
inputs.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

MOST = 16
"""Inputs that are made of the calls of one function."""


def more_inputs(calls: Sequence[Sequence[Any]], most: int = MOST) -> list[list[Any]]:
    """Arguments of further calls, each unlike another and unlike those known.

    Args:
        calls: arguments of known calls, JSON values.
        most: inputs wanted.
    """
    known, found = {_text(call) for call in calls}, list[list[Any]]()
    sources = [_changed(call, place) for call in calls for place in range(len(call))]
    for call in itertools.chain.from_iterable(itertools.zip_longest(*sources)):  # of each argument in turn
        if len(found) == most:
            break
        if call is not None and _text(call) not in known:
            known.add(_text(call))
            found.append(call)
    return found


def _changed(call: Sequence[Any], place: int) -> Iterator[list[Any]]:
    """A call with one of its arguments changed, in each of the ways that its type has."""
    for value in _edges(call[place]):
        yield [*call[:place], value, *call[place + 1 :]]


def _edges(value: Any) -> Iterator[Any]:
    """Values of the same type, the simplest first; strings stay within the letters that they have."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (0, 1, value + 1, value - 1, 2 * value, -value)
        case float():
            yield from (0.0, value + 0.5, -value, 2 * value)
        case str():
            yield from ("", value[:1], value[::-1], value + value, value[1:], value.swapcase(), f"{value} {value}")
        case list():
            yield from ([], value[:1], value[::-1], value + value, value[1:])
            yield from ([edge, *value[1:]] for edge in itertools.islice(_edges(value[0]) if value else (), 3))
        case dict():
            yield from ({}, dict(itertools.islice(value.items(), 1)))
            for name in itertools.islice(value, 2):
                yield from (value | {name: edge} for edge in itertools.islice(_edges(value[name]), 2))


def _text(call: Sequence[Any]) -> str:
    return json.dumps(call, sort_keys=True)
