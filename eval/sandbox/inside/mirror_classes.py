"""Mirrors of classes, and of objects of classes that extend a data type."""

from __future__ import annotations

import abc
import collections
from collections.abc import Callable, Iterable
from typing import Any

from eval.sandbox.inside.changes import BASES, CHANGEABLE, VALUES, bare, load
from eval.sandbox.inside.mirrors import (
    ARITHMETIC,
    ASKED,
    COMPARISONS,
    LOOKS,
    QUESTIONS,
    SECRET,
    Lent,
    Mirror,
    Secret,
    ask,
    attribute,
    is_data_here,
    method_for,
    named_alike,
    of_class,
    secret_of,
    space_of,
)


class Own:
    """An attribute that a candidate's class has and the data type that it extends has not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, x: Any, cls: Any = None) -> Any:
        return of_class(cls, "get", self._name) if x is None else attribute(x, self._name)

    def __set__(self, x: Any, value: Any) -> None:
        secret = secret_of(x)
        assert secret is not None
        secret.peer.ask("set", secret.of, self._name, (value,))


class Overridden(Own):
    """A method that a candidate's class has in place of its data type's: that of objects of the tests' making."""

    def __init__(self, name: str, plain: Any) -> None:
        super().__init__(name)
        self._plain = plain

    def __get__(self, x: Any, cls: Any = None) -> Any:
        secret = secret_of(x)
        if x is None or (secret is not None and (secret.named or self._name not in QUESTIONS)):
            return super().__get__(x, cls)
        return self._plain.__get__(x, cls)


def _either(name: str, plain: Any) -> Callable[..., Any]:
    """A comparison or computation of a class that extends a data type: its own one only where it cannot judge itself.

    That is where the tests made the object, as then the class is what is tested, and where all of it is the
    candidate's.
    """

    def compute(self: Any, *args: Any) -> Any:
        secret = secret_of(self)
        if secret is not None:
            others = [secret_of(each) for each in args]
            if secret.named or (name in ARITHMETIC and None not in others):
                return named_alike(self, secret.peer.ask("do", secret.of, name, args))
        return NotImplemented if plain is None else plain(self, *args)

    return compute


class _AbstractMirror(Mirror, abc.ABCMeta):
    """The class of mirrors that extend a number of the library's."""


_AbstractMirror.__name__ = "type"


def make_mirror(
    name: str, bases: list[type], asked: list[str], own: list[str], stands_for: Any, secret: Secret
) -> type:
    """The mirror of a class.

    Args:
        name: its name.
        bases: mirrors, and types of Python's own.
        asked: special methods that it has.
        own: other attributes that it has itself.
        stands_for: the type of Python's own that it is; None if it is the candidate's.
        secret: of the class itself.
    """
    kept = [kept for base in bases if (kept := _kept(base)) is not None]
    if stands_for in VALUES:
        kept.insert(0, stands_for)
    data = next((base for base in BASES if any(issubclass(b, base) for b in kept)), None)
    space: dict[str, Any] = {"__module__": "__main__", "__doc__": Own("__doc__"), "__dict__": vars(Lent)["__dict__"]}
    allowed = ASKED if data is None else frozenset((*LOOKS, "__setitem__", "__delitem__"))
    space |= {each: method_for(each) for each in asked if each in allowed}
    if data is not None:
        space |= {each: _either(each, getattr(data, each, None)) for each in asked if each in _OF_THE_CLASS}
        space.setdefault("__hash__", data.__hash__)
    elif "__eq__" in space:
        space.setdefault("__hash__", method_for("__hash__") if "__hash__" in asked else None)
    if data is not None and issubclass(data, CHANGEABLE):
        space |= {each: _live(data, each) for each in dir(data) if _is_method(data, each) and each not in space}
        space |= {each: Overridden(each, space[each]) for each in own if each in space and not each.startswith("__")}
    space |= {each: Own(each) for each in own if each.isidentifier() and not each.startswith("__")
              and (data is None or not hasattr(data, each))}  # fmt: skip
    if isinstance(stands_for, type) and issubclass(stands_for, BaseException):
        kept.insert(0, stands_for)
    elif stands_for is not None:
        space["__class__"] = property(lambda _: stands_for)
    if not any(isinstance(base, Mirror) for base in kept):
        kept.insert(0, Lent)
    space |= _of_the_library(bases, {*asked, *QUESTIONS}.difference(own))
    kind = _AbstractMirror if any(issubclass(type(base), abc.ABCMeta) for base in kept) else Mirror
    try:
        made = kind(name, tuple(dict.fromkeys(kept)), space)
    except TypeError:  # bases that go together over there and not here
        made = Mirror(name, (Lent,), space)
    for base in bases:
        if isinstance(base, abc.ABCMeta) and data is None and base.__module__ != "typing":
            base.register(made)  # type: ignore[arg-type]
    type.__setattr__(made, SECRET, secret)  # only now may it ask: the message that tells of it is being read
    return made


def _of_the_library(bases: list[type], names: Iterable[str]) -> dict[str, Any]:
    """Comparisons and searches that a class has of the library's mappings, sets and sequences: they are done here.

    They ask for items, keys and values alone, so that no candidate is told what it is compared with.
    """
    found = {name: _raw(bases, name) for name in names if name in _DONE_HERE}
    of_users = {name: _of_users(name, each) for name, each in found.items() if _module(each) == "collections"}
    return of_users | {
        name: each
        for name, each in found.items()
        if _module(each) == __name__ or (_module(each) == "collections.abc" and name not in ARITHMETIC)
    }


def _module(x: Any) -> str:
    return str(getattr(x, "__module__", ""))


def _of_users(name: str, plain: Any) -> Callable[..., Any]:
    """A method of `UserList`, `UserDict` or `UserString`: asked about the tests' data, it is done here with `data`."""
    kind = getattr(collections, plain.__qualname__.partition(".")[0])

    def do(self: Any, *args: Any, **kwargs: Any) -> Any:
        secret = secret_of(self)
        if secret is None or secret.named or not any(map(is_data_here, (*args, *kwargs.values()))):
            return method_for(name)(self, *args) if name.startswith("__") else attribute(self, name)(*args, **kwargs)
        if name in ARITHMETIC and name.startswith("__i"):
            return plain(self, *args)
        held = kind.__new__(kind)
        held.data = ask(self, "get", "data")
        return getattr(held, name)(*args, **kwargs)

    return do


def _raw(bases: list[type], name: str) -> Any:
    lines = (vars(type)["__mro__"].__get__(base) for base in bases)
    return next((vars(each)[name] for line in lines for each in line if name in vars(each)), None)


def _kept(base: type) -> type | None:
    """What a mirror can extend of a base: a mirror, an exception, or the data type in it."""
    if isinstance(base, Mirror) or issubclass(base, BaseException):
        return base
    return next((data for data in BASES if issubclass(base, data)), None)


_DONE_HERE = QUESTIONS | {*COMPARISONS, *ARITHMETIC, "__contains__"}
_OF_THE_CLASS = frozenset((*COMPARISONS, *ARITHMETIC, "__contains__", "__hash__"))
_CHANGING = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "add", "discard",
                       "update", "popitem", "setdefault", "appendleft", "popleft", "extendleft", "rotate"})  # fmt: skip
_UNTOUCHED = frozenset({"__class__", "__new__", "__init__", "__init_subclass__", "__subclasshook__", "__getattribute__",
                        "__setattr__", "__delattr__", "__dir__", "__sizeof__", "__reduce__", "__reduce_ex__",
                        "__getstate__", "__class_getitem__", "__hash__", "__alloc__", "__doc__"})  # fmt: skip


_ITERATES, _VIEWS = frozenset({"__iter__", "__reversed__"}), frozenset({"items", "keys", "values"})
_STRICT = (collections.deque, collections.OrderedDict)
"""Their iterators end when what is asked meanwhile loads their data anew."""


def _apart(made: Any, x: Any, name: str) -> Any:
    """What a method gave; of one whose iterators are strict, apart from its data."""
    if isinstance(x, _STRICT) and name in _ITERATES:
        return iter(list(made))
    if isinstance(x, collections.OrderedDict) and name in _VIEWS:
        return getattr(dict(collections.OrderedDict.items(x)), name)()
    return made


def _is_method(data: type, name: str) -> bool:
    return name not in _UNTOUCHED and callable(getattr(data, name))


def _live(data: type, name: str) -> Callable[..., Any]:
    """A method of a data type that first looks what became of the object, and then tells what it did to it."""
    plain = getattr(data, name)

    def look(self: Any, *args: Any, **kwargs: Any) -> Any:
        secret = secret_of(self)
        if secret is None:
            return plain(self, *args, **kwargs)
        load(self, secret.peer.refresh(secret.of))
        try:
            return _apart(plain(self, *args, **kwargs), self, name)
        finally:
            if name in _CHANGING or name.startswith("__i") or name in ("__setitem__", "__delitem__"):
                base = next(base for base in CHANGEABLE if isinstance(self, base))
                secret.peer.ask("load", secret.of, "", (base(bare(self, base)),))

    return look


def make_object(mirror: Any, data: Any, secret: Secret) -> Any:
    """An object of a mirror, with the data that it holds if its class extends a data type."""
    base: Any = next((base for base in BASES if issubclass(mirror, base)), None)
    if base is None:
        made = mirror.__new__(mirror)
        if isinstance(made, BaseException):
            made.args = tuple(data or ())
    elif base in CHANGEABLE or issubclass(base, CHANGEABLE):
        made = base.__new__(mirror)
        if base is collections.deque:
            base.__init__(made, (), data.maxlen)
        load(made, data)
    else:
        made = base.__new__(mirror, *(VALUES[base](data) if base in VALUES else (data,)))
    space_of(made)[SECRET] = secret
    return made
