"""Calls between the process that tests and the process of the candidate: plain data crosses, the rest is lent.

Loaded inside the sandbox by `bootstrap.py`, in two processes that share nothing but a socket. `codec.py` says what
plain data is. Whatever else a candidate makes (an instance, a generator, a function) stays where it is, and the tests
hold a mirror of it (`mirrors.py`), whose comparisons with the tests' own data are never the candidate's.

A request is `[op, of, name, args, kwargs, nodes]`, an answer `["ok" or "no", value, changed, nodes]`: what the call
changed in the objects that it was given is changed on this side too, before an exception as well. What the tests send
is marshalled, which is quick; what the candidate sends is JSON, as nobody can make marshal safe against its author.
"""

from __future__ import annotations

import contextlib
import copy
import operator
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from eval.sandbox.inside import arrays, changes, containers, errors, mirrors, signatures, standins
from eval.sandbox.inside.batches import Ahead, Answers, answer_of_row
from eval.sandbox.inside.codec import SCALARS, Decoder, Encoder, Gone, Malformed
from eval.sandbox.inside.library import library_name
from eval.sandbox.inside.messages import Messages
from eval.sandbox.inside.mirrors import Secret, secret_of


class Peer:
    """One end of the socket.

    Args:
        connection: the socket, both ways.
        space: the candidate's names, which the other side may ask for; None on the side that tests, which lends
            nothing but functions that it passed as arguments, and those only to be called.
    """

    def __init__(self, connection: Any, space: dict[str, Any] | None = None) -> None:
        self._messages, self._space = Messages(connection, marshals=space is None), space
        self._lent: dict[int, Any] = {}
        self._known: dict[int, Any] = {}
        self._told: set[int] = set()
        self._described: dict[int, _Described] = {}
        self._loop: Any = None
        self.ahead = Ahead(self)

    def look(self, name: str, *, named: bool = True) -> Any:
        """What a name of the candidate's stands for.

        Args:
            name: a global name.
            named: whether what the tests make of it, if it is a class, is of their own making.
        """
        found = self.ask("name", 0, name)
        if isinstance(found, mirrors.Mirror):
            vars(found)[mirrors.SECRET].named = named
        return found

    def ask(
        self, op: str, of: int, name: str = "", args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Have the other side do something; raises what it raises there."""
        self.ahead.wait()
        packed, given = self.pack(args, kwargs)
        self.send([op, of, name, *packed])
        while (message := self._messages.receive())[0] not in (
            "ok",
            "no",
        ):  # a function that we lent is called meanwhile
            self.send(self._answer(message))
        return self.result(message, given)

    def receive_many(self) -> list[Any]:
        """Some answers to calls that were sent ahead."""
        while (message := self._messages.receive())[0] != "many":
            self.send(self._answer(message))
        if type(message[-1]) is not list:
            raise Gone
        return message[-1]

    def pack(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> tuple[list[Any], list[Any]]:
        """`[args, kwargs, nodes]` of a request, and the objects that it gives."""
        if not kwargs and SCALARS.issuperset(map(type, args)):
            return [list(args), [], []], []
        encoder = Encoder(self._lend, packs=self._space is not None)
        items = [encoder.item(x) for x in args]
        named = [[key, encoder.item(x)] for key, x in kwargs.items()] if kwargs else []
        encoder.finish()
        return [items, named, encoder.nodes], encoder.objects

    def refresh(self, of: int) -> Any:
        """The data in an object of the other side's whose class extends a data type."""
        return self.ask("data", of)

    def announce(self, error: BaseException | None) -> None:
        """Tell the other side that the candidate is defined, or what it raised."""
        if error is None:
            self.send(["ok", None, [], []])
            return
        encoder = Encoder(self._lend, packs=self._space is not None)
        item = encoder.encode(error)
        self.send(["no", item, [], encoder.nodes])

    def wait_ready(self) -> None:
        """Wait until the candidate is defined; raises what it raised."""
        self.result(self._messages.receive(), [])

    def define(self, number: int) -> None:
        """Have the other side define one of its sources anew; raises what that raised."""
        self.ahead.wait()
        self.send(["define", number, "", [], [], []])
        self.wait_ready()

    def serve(self, define: Callable[[int], tuple[dict[str, Any], BaseException | None]] | None = None) -> None:
        """Answer until the other side ends.

        Args:
            define: the names that a source defines, by its number, and what it raised; None where there is one source.
        """
        while True:
            try:
                request = self._messages.receive()
            except Gone:
                return
            if request[0] == "define" and define is not None:
                self._space, error = define(request[1])
                self.announce(error)
            elif request[0] in ("calls", "rows") and self._space is not None:
                answer_all = self._answer_calls if request[0] == "calls" else self._answer_rows
                answer_all(request[1], request[3])
            else:
                self.send(self._answer(request))

    def _answer_calls(self, of: int, calls: list[Any]) -> None:
        answers = Answers(self._messages)
        for args, kwargs, nodes in calls:
            answers.add(self._answer(["call", of, "", args, kwargs, nodes]))
        answers.flush()

    def _answer_rows(self, of: int | str, rows: list[list[Any]]) -> None:
        """Call something, by its number or name, with literals, which nobody sees again."""
        assert self._space is not None
        function: Any = self._space.get(of) if isinstance(of, str) else self._lent[of]
        answers = Answers(self._messages)
        for args in rows:
            try:
                value = function(*args)
            except Gone:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the candidate raises
                answers.add(self._outcome_or_error("no", error, [], []))
            else:
                plain, answer = answer_of_row(value)
                answers.add(answer if plain else self._outcome_or_error("ok", value, [], []))
        answers.flush()

    def send(self, message: list[Any]) -> None:
        """Send a message of this side's."""
        if self._space is not None:  # what it printed goes out first: after the last answer this process is killed
            with contextlib.suppress(Exception):  # a stream of the candidate's own making
                sys.stdout.flush()
        self._messages.send(message)

    def result(self, message: list[Any], given: list[Any]) -> Any:
        """The value of an answer, or what it raises; what the call changed is changed here."""
        try:
            status, item, changed, nodes = message
            if status == "ok" and type(item) is not list and not changed:
                return item
            decoder = Decoder(nodes, self._borrow, given)
            for place, node in changed:
                old, new = given[place], decoder.objects[node]
                if type(old) is not type(new):
                    raise Gone
                changes.replace(old, new)
            value = decoder.value(item)
        except (Malformed, LookupError, ValueError, TypeError):
            raise Gone from None
        if status == "no":
            if not isinstance(value, BaseException):
                raise Gone
            raise value
        return value

    def _answer(self, request: list[Any]) -> list[Any]:
        """Carry a request out: the answer."""
        try:
            op, of, name, items, named, nodes = request
            objects, args, kwargs = [], items, {}
            if nodes or named:
                decoder = Decoder(nodes, self._borrow)
                objects = decoder.objects
                args, kwargs = [decoder.value(x) for x in items], {key: decoder.value(x) for key, x in named}
        except (Malformed, ValueError, TypeError):
            raise Gone from None
        before = changes.contents_of(objects)
        status, value = "ok", None
        try:
            value = self._carry_out(op, of, name, args, kwargs)
        except Gone:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the candidate raises
            status, value = "no", error
        if not before and type(value) in SCALARS:
            return [status, value, [], []]
        return self._outcome_or_error(status, value, objects, before)

    def _outcome_or_error(
        self, status: str, value: Any, given: list[Any], before: list[tuple[int, list[Any]]]
    ) -> list[Any]:
        try:
            return self._outcome(status, value, given, before)
        except Gone:
            raise
        except BaseException as error:  # noqa: BLE001 - a value that cannot be described
            return self._outcome("no", type(error)(*error.args), given, before)

    def _outcome(self, status: str, value: Any, given: list[Any], before: list[tuple[int, list[Any]]]) -> list[Any]:
        encoder = Encoder(self._lend, given, packs=self._space is not None)
        item = encoder.item(value)
        places = changes.changed(given, before)
        new = [encoder.describe(given[place]) for place in places]
        encoder.finish()
        first = len(encoder.nodes)
        return [status, item, [[p, first + n] for n, p in enumerate(places)], encoder.nodes + new]

    def _carry_out(self, op: str, of: int, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if op == "name" and self._space is not None:
            if name not in self._space:
                raise NameError(f"name {name!r} is not defined")
            return self._space[name]
        x = self._lent[of]
        if op == "call":
            return x(*args, **kwargs)
        if self._space is None:
            raise Gone
        if op in _ALONE:
            return _ALONE[op](x)
        if op == "get":
            return getattr(x, name)
        if op == "do":
            if isinstance(x, type) and name in _OF_CLASSES:
                return _OF_CLASSES[name](x, *args)
            return getattr(type(x), name)(x, *args, **kwargs)
        if op == "method":
            return getattr(x, name)(*args, **kwargs)
        if op in ("set", "del"):
            return setattr(x, name, args[0]) if op == "set" else delattr(x, name)
        if op in ("await", "await next"):
            return self._wait_for(x if op == "await" else anext(x))
        return containers.load(x, args[0])

    def _wait_for(self, awaitable: Any) -> Any:
        import asyncio

        async def finish() -> Any:
            return await awaitable

        self._loop = self._loop or asyncio.new_event_loop()
        return self._loop.run_until_complete(finish())

    def _lend(self, x: Any, encoder: Encoder) -> list[Any]:
        """The node of something that is no data."""
        if (secret := secret_of(x)) is not None and isinstance(x, mirrors.Lent | mirrors.Mirror):
            return ["y", secret.of]
        if self._space is None and not callable(x):
            raise TypeError(f"the tests pass a {type(x).__name__} to the candidate, which is no plain data")
        if isinstance(x, _Described):
            return self._lend_class(x.kind, encoder, x.kind)
        self._lent[id(x)] = x
        kind = type(x)
        if self._space is None or isinstance(x, _FUNCTIONS):
            return ["p", id(x), kind.__name__]
        for tag, tagged in _STEPS:
            if isinstance(x, tagged):
                return [tag, id(x)]
        if isinstance(x, Iterator) and kind.__module__ in ("builtins", "itertools"):
            return ["i", id(x), kind.__name__, encoder.item(kind if library_name(kind) else None)]
        if isinstance(x, type):
            return self._lend_class(x, encoder)
        node = ["o", id(x), encoder.item(self._as_class(kind)), encoder.item(changes.bare_data(x))]
        if isinstance(x, BaseException) and (state := errors.chain_of(x)):
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
        self._lent[id(kind)] = kind
        base = next((base for base in containers.BASES if issubclass(kind, base)), object)
        asked = [name for name in mirrors.ASKED if _has(kind, name, base)]
        own = [name for name in vars(kind) if isinstance(name, str)]
        bases = [encoder.item(b) for b in kind.__bases__ if b is not object]
        return ["k", id(kind), kind.__name__, bases, asked, own, encoder.item(stands_for)]

    def _borrow(self, node: list[Any], decoder: Decoder) -> Any:
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
        kind, secret = node[0], Secret(self, node[1])
        if kind == "k":
            _, _, name, bases, asked, own, stands_for = node
            found = [decoder.value(base) for base in bases]
            return mirrors.make_mirror(
                str(name), [b for b in found if isinstance(b, type)], asked, own, decoder.value(stands_for), secret
            )
        if kind == "o":
            mirror = decoder.value(node[2])
            if not isinstance(mirror, mirrors.Mirror):
                raise Malformed("an object of no class")
            return mirrors.make_object(mirror, decoder.filled(node[3]), secret)
        if kind == "p":
            return standins.make_function(str(node[2]), secret)
        if kind == "i":
            return standins.make_iterator(str(node[2]), decoder.value(node[3]), secret)
        makers = {"g": standins.make_generator, "w": standins.make_coroutine,
                  "a": standins.make_async_generator}  # fmt: skip
        if kind not in makers:
            raise Malformed(f"unknown kind {kind!r}")
        return makers[kind](secret)


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
              types.WrapperDescriptorType, types.MethodDescriptorType)  # fmt: skip
_OF_CLASSES: dict[str, Any] = {"__iter__": iter, "__len__": len, "__getitem__": operator.getitem}
"""What may be asked of a class itself; where it has no such method, Python's own error says so."""
_ALONE: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy, "deepcopy": copy.deepcopy, "signature": signatures.parts_of, "data": changes.bare_data,
}  # fmt: skip
"""Questions that need nothing but the object."""
_STEPS = (("g", types.GeneratorType), ("w", types.CoroutineType), ("a", types.AsyncGeneratorType))


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
