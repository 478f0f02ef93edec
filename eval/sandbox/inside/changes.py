"""What a call changed in the objects that it was given: seen on one side, done on the other."""

from __future__ import annotations

import array
import collections
import operator
import types
from collections.abc import Callable, Iterable
from typing import Any

from eval.sandbox.inside import arrays
from eval.sandbox.inside.containers import BASES, bare


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
    elif isinstance(old, memoryview) and not old.readonly:
        old[:] = new


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
    memoryview: lambda x: [x.tobytes()],
}


def contents_of(objects: list[Any]) -> list[tuple[int, list[Any]]]:
    """What the changeable ones of some objects hold: their places and contents, to be compared later."""
    return [(at, look(x)) for at, x in enumerate(objects) if (look := _look_at(x)) is not None]


def are_shared(requests: Iterable[list[Any]]) -> bool:
    """Whether something that may change is given to two calls."""
    places = [id(x) for given in requests for x in given if _look_at(x) is not None]
    return len(places) != len(set(places))


def _look_at(x: Any) -> Callable[[Any], list[Any]] | None:
    return arrays.contents if arrays.is_array(x) else _CONTENTS.get(type(x))


def changed(objects: list[Any], before: list[tuple[int, list[Any]]]) -> list[int]:
    """The places of those objects that hold something else now."""
    found = []
    for at, old in before:
        look = _look_at(objects[at])
        assert look is not None
        new = look(objects[at])
        if len(old) != len(new) or not (all(map(operator.is_, old, new)) or _alike(old, new)):
            found.append(at)
    return found


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
            if base in (int, float, complex):
                return base.__add__(x, base(0))
            if base is str:
                return str.__str__(x)
            return (
                bytes.__getitem__(x, slice(None))
                if base is bytes
                else bare(x, dict if issubclass(base, dict) else base)
            )
    return list(x.args) if isinstance(x, BaseException) else None
