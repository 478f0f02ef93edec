"""Whether a value that a call gave is the one that a test expects, which is JSON. Only the standard library.

JSON has one kind of list, and names that are strings. So a tuple is the list of its items, a set its items in any
order, a generator what it yields, and a dictionary's keys are compared as strings where they are no strings. An object
of a dataclass is what its fields hold, a member of an enum its value, or its name where a text is expected and the
value is none or the same word. Everything else is compared as Python does, floats within 1e-9; but whole numbers
exactly, as far as a float tells them apart.
"""

from __future__ import annotations

import decimal
import fractions
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Set
from typing import Any

MAX_ITEMS, MAX_DEPTH = 100_000, 50
"""Of a value; one that is larger or deeper is equal to nothing."""

MAX_WHOLE = 2**53
"""Below it a float tells every whole number from the next."""

MAX_TEXT = 500
"""Letters of a value as JSON that is taken down."""


def plain(value: Any) -> Any:
    """A value as JSON, a tuple as a list.

    Raises:
        TypeError: JSON does not have it.
        ValueError: likewise, or it is too long or too deep.
    """
    text = json.dumps(_plain(value, 0), ensure_ascii=False, allow_nan=False)
    if len(text.encode()) > MAX_TEXT:  # half a surrogate pair is a ValueError too
        raise ValueError("too long")
    return json.loads(text)


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if depth > MAX_DEPTH or (kind is int and abs(value) >= MAX_WHOLE):  # which not every language tells from the next
        raise ValueError("too deep or too large")
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple):
        return [_plain(item, depth + 1) for item in value]
    if kind is dict and all(type(key) is str for key in value):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    raise TypeError(f"a {kind.__name__} is no JSON")


def same(value: Any, expected: Any, depth: int = 0) -> bool:
    """Whether a value is what JSON says.

    Args:
        value: of the candidate's, as the tests' process has it: plain data or a mirror.
        expected: of JSON.
        depth: of the comparison so far.
    """
    if depth > MAX_DEPTH:
        return False
    if not isinstance(value, _PLAIN):
        value = _as_plain(value, expected)
    if isinstance(expected, list):
        return _same_items(value, expected, depth)
    if isinstance(expected, dict):
        if not isinstance(value, Mapping) or len(value) != len(expected):
            return False
        named = {key if isinstance(key, str) else _key(key, expected): item for key, item in value.items()}
        return set(named) == set(expected) and all(same(named[key], expected[key], depth + 1) for key in expected)
    if expected is None or isinstance(expected, str):
        return type(value) is type(expected) and bool(value == expected)
    if not isinstance(value, bool | int | float):
        return False
    if isinstance(expected, float) or isinstance(value, float):
        return _near(value, expected)
    return value == expected


def _near(value: float, expected: float) -> bool:
    try:
        if float(value).is_integer() and float(expected).is_integer():
            exact = isinstance(value, int) or isinstance(expected, int) or abs(expected) < MAX_WHOLE
            if exact:  # 3000000001.0 is near 3000000000, and wrong
                return value == expected
        return value == expected or math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12)
    except OverflowError:  # an integer beyond any float
        return False


def _same_items(value: Any, expected: list[Any], depth: int) -> bool:
    if isinstance(value, str | bytes | Mapping):
        return False
    if isinstance(value, Set):
        return len(value) == len(expected) and _matches(list(value), expected, depth)
    if isinstance(value, list | tuple | range):
        items = list(value) if len(value) == len(expected) else None
    elif isinstance(value, Iterator):
        items = list(itertools.islice(value, min(len(expected) + 1, MAX_ITEMS)))
    else:
        items = None
    return items is not None and len(items) == len(expected) and all(
        same(mine, theirs, depth + 1) for mine, theirs in zip(items, expected, strict=True)
    )  # fmt: skip


def _matches(values: list[Any], expected: list[Any], depth: int) -> bool:
    """Whether each value is one of those expected, none of them twice."""
    left = list(expected)
    for value in values:
        place = next((n for n, one in enumerate(left) if same(value, one, depth + 1)), None)
        if place is None:
            return False
        del left[place]
    return True


def _key(key: Any, expected: Mapping[str, Any]) -> str:
    """A key as JSON writes it: `1`, `true`, `null`; of a tuple, which JSON has not, as it is expected."""
    try:
        text = json.dumps(key)
    except (TypeError, ValueError):
        return repr(key)
    if type(key) is tuple and text not in expected:
        written = (repr(key), repr(list(key)), ",".join(map(str, key)), ", ".join(map(str, key)))
        return next((one for one in written if one in expected), text)
    return text


_PLAIN = (str, int, float, list, tuple, dict, set, frozenset, type(None))


def _as_plain(value: Any, expected: Any) -> Any:
    """What JSON says of an object: a dataclass's fields, an enum's value or name, an exact fraction; else the object.

    What is read of an object of the candidate's comes as data, and is compared here.
    """
    kind = type(value)
    if kind is fractions.Fraction or (kind is decimal.Decimal and value.is_finite()):
        return int(value) if value == int(value) else float(value)
    if isinstance(expected, dict) and not isinstance(value, Mapping) and hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name, None) for name in kind.__dataclass_fields__}
    if isinstance(expected, str | int) and hasattr(kind, "__members__"):
        held = getattr(value, "value", None)
        name = getattr(value, "name", None) if isinstance(expected, str) else None
        if type(name) is not str or (isinstance(held, str) and held.casefold() != name.casefold()):
            return held  # two different texts would be two guesses
        return name if name == expected or not isinstance(held, str) else held
    return value
