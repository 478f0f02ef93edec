"""What stands in the tests' process for a function, generator, iterator or coroutine of the candidate's."""

from __future__ import annotations

import contextlib
import types
from typing import Any

from eval.sandbox.inside import signatures
from eval.sandbox.inside.codec import Gone
from eval.sandbox.inside.mirrors import (
    SECRET,
    Lent,
    Secret,
    ask,
    attribute,
    method_for,
    named_alike,
    secret_of,
    space_of,
)

FUNCTIONS = {kind.__name__: kind for kind in (types.FunctionType, types.BuiltinFunctionType, types.MethodType)}


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    secret = secret_of(self)
    assert secret is not None
    return named_alike(self, secret.peer.ask("call", secret.of, "", args, kwargs))


def _signature(self: Any) -> Any:
    return signatures.signature_of_parts(ask(self, "signature", ""))


def _equal(self: Any, other: Any) -> Any:
    """Methods of one object are equal, though each look at it makes another."""
    is_method = space_of(self).get("_kind") != "function" and isinstance(other, Function)
    return method_for("__eq__")(self, other) if is_method else NotImplemented


def _hash(self: Any) -> int:
    if space_of(self).get("_kind") == "function":
        return object.__hash__(self)
    return int(method_for("__hash__")(self))


Function: Any = type("Function", (Lent,), {
    "__init__": lambda *_, **__: None,
    "__call__": _call,
    "__eq__": _equal,
    "__hash__": _hash,
    "__class__": property(lambda self: FUNCTIONS.get(space_of(self).get("_kind", ""), Function)),
    "__doc__": property(lambda self: attribute(self, "__doc__")),
    "__signature__": property(_signature),
    "__get__": lambda self, x, _=None: self if x is None else types.MethodType(self, x),
    "__repr__": lambda self: str(ask(self, "do", "__repr__")),
})  # fmt: skip
"""The class of functions of the other side's; made by hand, as a class statement may not say some of it."""


_KINDS: dict[str, Any] = {
    str(name): type(str(name), (Function,), {"__doc__": vars(Function)["__doc__"]})
    for name in (*FUNCTIONS, "method-wrapper", "wrapper_descriptor", "method_descriptor")
}
"""Errors name the type of what they are about."""


def make_function(kind: str, secret: Secret) -> Any:
    """What stands for a function."""
    made = _KINDS.get(kind, Function)()
    space_of(made).update({SECRET: secret, "_kind": kind})
    return made


def make_generator(secret: Secret) -> Any:
    """A generator that has one of the other side's do its work."""

    class Far:
        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            return self.send(None)

        def send(self, value: Any) -> Any:
            return secret.peer.ask(
                "method", secret.of, "__next__" if value is None else "send", () if value is None else (value,)
            )

        def throw(self, error: Any, *more: Any) -> Any:
            return secret.peer.ask("method", secret.of, "throw", (error, *more))

        def close(self) -> None:
            with contextlib.suppress(Gone):  # a generator is closed when it is forgotten, perhaps after all else
                secret.peer.ask("method", secret.of, "close")

    def generator() -> Any:
        return (yield from Far())

    return generator()


def make_iterator(name: str, stands_for: Any, secret: Secret) -> Any:
    """An iterator over one of the other side's.

    Args:
        name: of its type.
        stands_for: that type, if it has a name in Python.
        secret: whom to ask.
    """
    space: dict[str, Any] = {
        "__init__": lambda *_, **__: None,
        "__iter__": lambda self: self,
        "__next__": lambda _: secret.peer.ask("method", secret.of, "__next__"),
        "__repr__": lambda self: str(ask(self, "do", "__repr__")),
    }
    if isinstance(stands_for, type):
        space["__class__"] = property(lambda _: stands_for)
    made: Any = type(name, (Lent,), space)()
    space_of(made)[SECRET] = secret
    return made


def make_coroutine(secret: Secret) -> Any:
    """A coroutine that the other side runs to its end when it is awaited."""

    async def run() -> Any:
        return secret.peer.ask("await", secret.of)

    return run()


def make_async_generator(secret: Secret) -> Any:
    """An asynchronous generator, each step of which the other side runs to its end."""

    async def steps() -> Any:
        step: tuple[Any, ...] = ("__anext__",)
        while True:
            try:
                value = secret.peer.ask("await", secret.of, step[0], step[1:])
            except StopAsyncIteration:
                return
            try:
                got = yield value
            except GeneratorExit:
                with contextlib.suppress(Gone):
                    secret.peer.ask("await", secret.of, "aclose")
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the tests throw
                step = "athrow", error
            else:
                step = ("__anext__",) if got is None else ("asend", got)

    return steps()
