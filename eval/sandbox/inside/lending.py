"""What is no data is lent: it stays where it is, and the other side holds a mirror of it and asks."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
import random
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from eval.sandbox.inside import (
    arrays,
    changes,
    library,
    mirror_classes,
    mirrors,
    signatures,
    standins,
    surroundings,
)
from eval.sandbox.inside.codec import Decoder, Encoder, Gone, Malformed
from eval.sandbox.inside.library import library_name
from eval.sandbox.inside.mirrors import Asking, Secret, secret_of

_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
              types.WrapperDescriptorType, types.MethodDescriptorType)  # fmt: skip
_STEPPED = (types.GeneratorType, types.CoroutineType)
_INNER = (types.FrameType, types.CodeType, types.TracebackType, types.ModuleType,
          types.AsyncGeneratorType)  # fmt: skip
_LENT = (Iterator, types.CoroutineType, random.Random, dataclasses.Field)
"""Types of the library's whose instances the tests lend."""
_STEP_NAMES = frozenset({"__next__", "send", "throw", "close"})
_TOLD = frozenset({"__name__", "__doc__", "__qualname__", "__module__"})
_TOLD_OF_CLASSES = frozenset({"__mro__", "__bases__", "__base__", "__dataclass_fields__", "__dataclass_params__",
                              "__match_args__", "_fields", "_field_defaults", "_asdict", "_replace", "_make",
                              "__members__"})  # fmt: skip
"""Attributes of the tests' classes, and of their instances, that the library's functions and everybody look at."""
_OF_MOCKS = frozenset({"configure_mock", "attach_mock", "mock_add_spec", "reset_mock"})
"""Methods that would let a candidate say what a mock has seen."""


def is_of_the_tests(x: Any) -> bool:
    """Whether it is an instance of a class that the tests define, such a class, an iterator, or a bare object."""
    kind = x if isinstance(x, type) else type(x)
    return (
        kind.__module__ == "__main__"
        or type(x) is object
        or (isinstance(x, _LENT) and not isinstance(x, type))
        or _is_mock(x)
    )


def _is_mock(x: Any) -> bool:
    """Whether it is an instance of one of the library's mocks."""
    library = sys.modules.get("unittest.mock")
    return library is not None and issubclass(x if isinstance(x, type) else type(x), library.NonCallableMock)


def _may_be_looked_at(x: Any, name: str) -> bool:
    if name in _TOLD_OF_CLASSES:
        return is_of_the_tests(x)
    if _is_mock(x) and name in _OF_MOCKS:
        return False
    return name in _TOLD or (name == "_field_type" and type(x) is dataclasses.Field)


def _may_be_set(x: Any, name: str) -> bool:
    """Whether the candidate may give it such an attribute: never one by which a mock says what became of it."""
    return not isinstance(x, type) and not (_is_mock(x) and hasattr(type(x), name))


def _has_own_init(x: Any) -> bool:
    """Whether it is an instance of a class whose `__init__` somebody wrote."""
    return is_of_the_tests(x) and isinstance(_raw(type(x), "__init__"), types.FunctionType)


def may_be_lent(x: Any) -> bool:
    """Whether the candidate may hold a mirror of something that the tests passed to it."""
    return not isinstance(x, _INNER) and (callable(x) or is_of_the_tests(x))


def check(op: str, x: Any, name: str) -> None:
    """Whether the candidate may ask this of something that the tests lent; neither frames nor globals can be reached.

    Raises:
        AttributeError: it may not.
        Gone: it asks for what a mirror never asks.
    """
    public = not name.startswith("_") and not isinstance(x, (*_STEPPED, *_FUNCTIONS))
    allowed = {
        "call": True,
        "get": (public and not (name in _OF_MOCKS and _is_mock(x))) or _may_be_looked_at(x, name)
               or (name == "__dict__" and is_of_the_tests(x) and not isinstance(x, type)),
        "set": public and _may_be_set(x, name),
        "del": public and _may_be_set(x, name),
        "await": (isinstance(x, types.CoroutineType) and not name) or None,
        "do": name in mirrors.ASKED and (name != "__init__" or _has_own_init(x)),
        "method": name in _STEP_NAMES,
        "signature": isinstance(x, _FUNCTIONS),
        "copy": is_of_the_tests(x) or isinstance(x, _FUNCTIONS),
        "deepcopy": is_of_the_tests(x) or isinstance(x, _FUNCTIONS),
        "data": True,
        "load": True,
    }.get(op)  # fmt: skip
    if allowed is None:
        raise Gone
    if not allowed:
        kind = types.FunctionType if isinstance(x, types.MethodType) and op == "get" else type(x)
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")


class Lending:
    """What one side has lent, and what it has borrowed.

    Args:
        peer: whom to ask about what is borrowed.
        space: the candidate's names, which the other side may ask for; None on the side that tests, where
            `check` says what may be lent and asked.
    """

    def __init__(self, peer: Asking, space: Callable[[], dict[str, Any] | None]) -> None:
        self._peer, self._space_now = peer, space
        self._tests = space() is None
        self._lent: dict[int, Any] = {}
        self._known: dict[int, Any] = {}
        self._told: set[int] = set()
        self._described: dict[int, _Described] = {}
        self._heirs: dict[int, type] = {}
        self._loop: Any = None

    def lent(self, of: int) -> Any:
        """What was lent under a number; raises KeyError if nothing was."""
        return self._lent[of]

    def carry_out(self, op: str, of: int, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Do what the other side asks for; raises what that raises."""
        if self._tests:
            check(op, self._lent.get(of), name)
        elif op in ("name", "around", "heir"):
            return self._prepare(op, name, args)
        x = self._lent[of]
        if op == "call":
            return x(*args, **kwargs)
        if op in ("get", "do") and (heir := self._heir_of(x, name)) is not None:
            return getattr(heir, name)(*args, **kwargs) if op == "do" else getattr(heir, name)
        if op in _ALONE:
            return _ALONE[op](x)
        if op == "get":
            found = getattr(x, name)
            return {k: v for k, v in found.items() if k[:1] != "_"} if self._tests and name == "__dict__" else found
        if op == "do":
            return _do(x, name, args, kwargs)
        if op == "method":
            return getattr(x, name)(*args, **kwargs)
        if op in ("set", "del"):
            return setattr(x, name, args[0]) if op == "set" else delattr(x, name)
        if op == "await":
            return self._wait_for(getattr(x, name)(*args) if name else x)
        return changes.load(x, args[0])

    def _prepare(self, op: str, name: str, args: list[Any]) -> Any:
        """What tests ask of the candidate's side before they call anything."""
        if op == "heir":
            return self._extend(name, *args)
        if op == "around":
            return surroundings.take_over(args[0])
        space = self._space_now() or {}
        if name not in space:
            raise NameError(f"name {name!r} is not defined")
        return space[name]

    def _extend(self, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> int:
        """Extend a class as the tests did: what they wrote stays with them, and is called."""
        made = types.new_class(name, bases, {}, lambda space: space.update(body))
        made.__module__ = "__main__"
        self._lent[id(made)] = made
        self._told.add(id(made))
        self._heirs[id(made)] = made
        return id(made)

    def take_heir(self, of: int, kind: type) -> None:
        """A class of this side's is what the other side made of it."""
        self._known[of] = kind

    def _heir_of(self, x: Any, name: str) -> Any:
        """Where an object of such a class has what the tests found beyond all that they wrote, by `super()` perhaps."""
        if not self._heirs or isinstance(x, type) or name in getattr(x, "__dict__", ()):
            return None
        last = next((kind for kind in reversed(type(x).__mro__) if id(kind) in self._heirs), None)
        return super(last, x) if last is not None and hasattr(super(last, x), name) else None

    def _wait_for(self, awaitable: Any) -> Any:
        import asyncio

        async def finish() -> Any:
            return await awaitable

        running = asyncio._get_running_loop()
        loop = self._loop = asyncio.new_event_loop() if running or not self._loop else self._loop
        asyncio._set_running_loop(None)
        try:
            return loop.run_until_complete(finish())
        finally:
            asyncio._set_running_loop(running)

    def lend(self, x: Any, encoder: Encoder) -> list[Any]:
        """The node of something that is no data."""
        if (secret := secret_of(x)) is not None and isinstance(x, mirrors.Lent | mirrors.Mirror):
            return ["y", secret.of]
        if x is mirrors.Mirror:
            return ["n", "builtins", "type"]
        if isinstance(x, _Described):
            return self._lend_class(x.kind, encoder, x.kind)
        if self._tests and not may_be_lent(x):
            self._told.difference_update(encoder.told)  # nobody is told by a message that is not sent
            raise TypeError(f"the tests pass a {type(x).__name__} to the candidate, which is no plain data")
        self._lent[id(x)] = x
        kind = type(x)
        if isinstance(x, _FUNCTIONS) or (self._tests and not is_of_the_tests(x)):
            return ["p", id(x), kind.__name__]
        for tag, tagged in _STEPS:
            if isinstance(x, tagged):
                return [tag, id(x)]
        if isinstance(x, Iterator) and kind.__module__ in ("builtins", "itertools"):
            return ["i", id(x), kind.__name__, encoder.item(kind if library_name(kind) else None)]
        if isinstance(x, type):
            return self._lend_class(x, encoder)
        node = ["o", id(x), encoder.item(self._as_class(kind)), encoder.item(changes.bare_data(x))]
        if isinstance(x, BaseException) and (state := library.chain_of(x)):
            node += [list(state), [encoder.item(y) for y in state.values()]]
        return node

    def _as_class(self, kind: type) -> Any:
        """A class as a class, even one of Python's own, whose instances are lent."""
        if library_name(kind) is None and not arrays.is_class(kind):
            return kind
        return self._described.setdefault(id(kind), _Described(kind))

    def _lend_class(self, kind: type, encoder: Encoder, stands_for: Any = None) -> list[Any]:
        if id(kind) in self._told:
            return ["k", id(kind)]
        self._told.add(id(kind))
        encoder.told.append(id(kind))
        self._lent[id(kind)] = kind
        base = next((base for base in changes.BASES if issubclass(kind, base)), object)
        asked = [name for name in mirrors.ASKED if _has(kind, name, base)]
        own = [name for name in vars(kind) if isinstance(name, str)]
        bases = [encoder.item(b) for b in kind.__bases__ if b is not object]
        return ["k", id(kind), kind.__name__, bases, asked, own, encoder.item(stands_for)]

    def borrow(self, node: list[Any], decoder: Decoder) -> Any:
        """What stands here for something that the other side lent."""
        kind, of = node[0], node[1]
        if kind == "y":
            return self._lent[of]
        if type(of) is not int:
            raise Malformed("no number")
        if of not in self._known or (kind == "k" and len(node) > 2):
            self._known[of] = self._mirror_of(node, decoder)
        return self._known[of]

    def _mirror_of(self, node: list[Any], decoder: Decoder) -> Any:
        kind, secret = node[0], Secret(self._peer, node[1], named=not self._tests)
        if kind == "k":
            _, _, name, bases, asked, own, stands_for = node
            found = [decoder.value(base) for base in bases]
            return mirror_classes.make_mirror(
                str(name), [b for b in found if isinstance(b, type)], asked, own, decoder.value(stands_for), secret
            )
        if kind == "o":
            mirror = decoder.value(node[2])
            if not isinstance(mirror, mirrors.Mirror):
                raise Malformed("an object of no class")
            return mirror_classes.make_object(mirror, decoder.filled(node[3]), secret)
        if kind == "p":
            return standins.make_function(str(node[2]), secret)
        if kind == "i":
            return standins.make_iterator(str(node[2]), decoder.value(node[3]), secret)
        makers = {"g": standins.make_generator, "w": standins.make_coroutine,
                  "a": standins.make_async_generator}  # fmt: skip
        if kind not in makers:
            raise Malformed(f"unknown kind {kind!r}")
        return makers[kind](secret)


_OF_CLASSES: dict[str, Any] = {
    "__iter__": iter, "__contains__": operator.contains, "__len__": len, "__getitem__": operator.getitem,
    "__instancecheck__": lambda kind, x: isinstance(x, kind),
}  # fmt: skip
"""What may be asked of a class itself; where it has no such method, Python's own error says so."""
_ALONE: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy, "deepcopy": copy.deepcopy, "signature": signatures.parts_of_signature, "data": changes.bare_data,
    "pickled": lambda x: pickle.dumps(x) and copy.deepcopy(x),
}  # fmt: skip
"""Questions that need nothing but the object."""
_STEPS = (("g", types.GeneratorType), ("w", types.CoroutineType), ("a", types.AsyncGeneratorType))


def _do(x: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call a special method of something."""
    if isinstance(x, type) and name in _OF_CLASSES:
        return _OF_CLASSES[name](x, *args)
    method = _raw(type(x), name)
    if method is None:
        return getattr(type(x), name)(x, *args, **kwargs)
    bound = method.__get__(x, type(x)) if hasattr(type(method), "__get__") else method  # as Python binds it
    return bound(*args, **kwargs)


class _Described:
    """A class of Python's own, to be described like one of the candidate's."""

    def __init__(self, kind: type) -> None:
        self.kind = kind


def _has(kind: type, name: str, base: type) -> bool:
    """Whether a class has a special method that its data type, or any object, has not."""
    if name in ("__instancecheck__", "__get__", "__dir__"):
        return False
    found = _raw(kind, name)
    if found is None:
        return False
    return (name in ("__repr__", "__str__") and base is object) or found is not _raw(base, name)


def _raw(kind: type, name: str) -> Any:
    """What a class itself has under a name, never what its metaclass has."""
    return next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)
