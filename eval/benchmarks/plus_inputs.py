"""The inputs of MbppPlus.jsonl as Python values: JSON knows no tuple, set or complex number.

Which problem wants which types is published nowhere but in its authors' harness (EvalPlus 0.3.1, `evalplus.data.mbpp`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Arguments = list[Any]


def _each(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [convert(value) for value in values]


def _all_tuples(value: Any) -> Any:
    return tuple(map(_all_tuples, value)) if isinstance(value, list) else value


_SHAPES: tuple[tuple[str, Callable[[Arguments], Any]], ...] = (
    ("2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809", _each(tuple)),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", _each(_each(tuple))),
    ("75 413 444 753", lambda given: [[tuple(item) for item in given[0]], given[1]]),
    ("106 750", lambda given: [given[0], tuple(given[1])]),
    ("115", lambda given: [[set(item) if isinstance(item, list) and item else {} for item in given[0]]]),
    ("124", lambda given: [float(given[0]), complex(given[1])]),
    ("250 405 446 617 720 763 808", lambda given: [tuple(given[0]), given[1]]),
    ("252", lambda given: [complex(given[0])]),
    ("259 401 445", _each(lambda value: tuple(tuple(item) for item in value))),
    ("278", lambda given: [tuple(tuple(item) if isinstance(item, list) else item for item in given[0])]),
    ("307", lambda given: [tuple(given[0]), *given[1:]]),
    ("580 615 791", _each(_all_tuples)),
    ("722", lambda given: [{key: tuple(value) for key, value in given[0].items()}, *given[1:]]),
)
"""Numbers of problems → what makes their arguments of JSON's."""

_BY_NUMBER = {int(number): convert for numbers, convert in _SHAPES for number in numbers.split()}


def typed_inputs(number: int, inputs: list[Arguments]) -> list[Arguments]:
    """The argument lists of one problem of MBPP+, with their types."""
    convert = _BY_NUMBER.get(number)
    return inputs if convert is None else [convert(given) for given in inputs]
