"""Containers, alone or extended by a class: what they hold, and what a call changed in them, here and there."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import operator
import types
from collections.abc import Callable, Iterable
from typing import Any

from eval.sandbox.inside import arrays


def _parts_of_datetime(x: Any) -> tuple[Any, ...]:
    offset, zone = x.utcoffset(), x.tzinfo
    if offset is not None and type(zone) is not datetime.timezone:  # a zone of somebody's own, as it is at that time
        zone = datetime.timezone(offset, x.tzname() or "")
    return x.year, x.month, x.day, x.hour, x.minute, x.second, x.microsecond, zone


VALUES: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    datetime.datetime: _parts_of_datetime,
    datetime.date: lambda x: (x.year, x.month, x.day),
    datetime.timedelta: lambda x: (x.days, x.seconds, x.microseconds),
    decimal.Decimal: lambda x: (decimal.Decimal(x),),
    fractions.Fraction: lambda x: (x.numerator, x.denominator),
}
"""Values of the library that a class may extend → what makes them."""

BASES = (int, str, float, complex, bytes, bytearray, list, tuple, collections.OrderedDict, collections.Counter, dict,
         set, frozenset, collections.deque, collections.defaultdict, *VALUES)  # fmt: skip
"""Data types that a candidate's class may extend; what is in them crosses. The first that fits says how."""

CHANGEABLE = (bytearray, list, dict, set, collections.deque)


def bare(x: Any, base: type) -> Any:
    """The data in an object whose class extends a container, as that container."""
    if isinstance(x, collections.OrderedDict):
        return dict(collections.OrderedDict.items(x))
    if isinstance(x, collections.deque):
        return collections.deque(collections.deque.__iter__(x), x.maxlen)
    container: Any = base
    return dict(dict.items(x)) if issubclass(base, dict) else container(container.__iter__(x))


def load(x: Any, data: Any) -> None:
    """Make the data in an object those."""
    if isinstance(x, collections.OrderedDict):
        collections.OrderedDict.clear(x)
        for key, value in dict.items(data):
            collections.OrderedDict.__setitem__(x, key, value)
    elif isinstance(x, dict):
        dict.clear(x)
        dict.update(x, data)
    elif isinstance(x, set):
        set.clear(x)
        set.update(x, data)
    elif isinstance(x, collections.deque):
        collections.deque.clear(x)
        collections.deque.extend(x, data)
    elif isinstance(x, list):
        list.__setitem__(x, slice(None), data)
    else:
        bytearray.__setitem__(x, slice(None), data)


def replace(old: Any, new: Any) -> None:
    """Make a container equal to its changed copy, in place."""
    if arrays.is_array(old):
        arrays.replace(old, new)
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
        if isinstance(old, collections.defaultdict):
            old.default_factory = new.default_factory
    elif isinstance(old, collections.deque):
        old.clear()
        old.extend(new)
    elif isinstance(old, list | bytearray | array.array):
        old[:] = new
    elif isinstance(old, collections.UserList | collections.UserDict):
        old.data = new.data
    elif isinstance(old, types.SimpleNamespace):
        vars(old).clear()
        vars(old).update(vars(new))


_CONTENTS: dict[type, Callable[[Any], list[Any]]] = {
    list: list.copy,
    dict: lambda x: [*x, *x.values()],
    set: list,
    bytearray: lambda x: [bytes(x)],
    array.array: lambda x: [x.tobytes()],
    collections.deque: list,
    collections.OrderedDict: lambda x: [*x, *x.values()],
    collections.Counter: lambda x: [*x, *x.values()],
    collections.defaultdict: lambda x: [x.default_factory, *x, *x.values()],
    collections.UserList: lambda x: [x.data],
    collections.UserDict: lambda x: [x.data],
    types.SimpleNamespace: lambda x: [*vars(x), *vars(x).values()],
}


def contents_of(objects: list[Any]) -> list[tuple[int, list[Any]]]:
    """What the changeable ones of some objects hold: their places and contents, to be compared later."""
    return [(at, look(x)) for at, x in enumerate(objects) if (look := _look_at(x)) is not None]


def are_shared(requests: Iterable[list[Any]]) -> bool:
    """Whether something that may change is given to two calls."""
    places = [id(x) for given in requests for x in given if _look_at(x) is not None]
    return len(places) != len(set(places))


def is_container(x: Any) -> bool:
    """Whether it is one of Python's own changes."""
    return type(x) in _CONTENTS


def contents(x: Any) -> list[Any] | None:
    """What something changeable holds; None of anything else."""
    look = _look_at(x)
    return None if look is None else look(x)


def differs(x: Any, old: list[Any]) -> bool:
    """Whether something changeable holds something else than it did."""
    new = contents(x)
    assert new is not None
    return len(old) != len(new) or not (all(map(operator.is_, old, new)) or _alike(old, new))


def _look_at(x: Any) -> Callable[[Any], list[Any]] | None:
    return arrays.contents if arrays.is_array(x) else _CONTENTS.get(type(x))


def changed(objects: list[Any], before: list[tuple[int, list[Any]]]) -> list[int]:
    """The places of those objects that hold something else now."""
    return [at for at, old in before if differs(objects[at], old)]


def _alike(old: list[Any], new: list[Any]) -> bool:
    return all(
        x is y or (type(x) is type(y) and type(x) in (bytes, str, int) and x == y)
        for x, y in zip(old, new, strict=True)
    )


def bare_data(x: Any) -> Any:
    """The data in an object whose class extends a data type; None if it extends none."""
    base: Any
    for base in BASES:
        if isinstance(x, base):
            if base in VALUES:
                return base(*VALUES[base](x))
            if base in (int, float, complex):
                return base.__add__(x, base(0))
            if base is str:
                return str.__str__(x)
            return bytes.__getitem__(x, slice(None)) if base is bytes else bare(x, base)
    return list(x.args) if isinstance(x, BaseException) else None
