"""Calls between the process that tests and the process of the candidate: only plain data crosses.

Loaded inside the sandbox by `eval/sandbox/inside/bootstrap.py`, in two processes that share nothing but a socket.
Numbers, strings, containers and a few types of the standard library cross as values; whatever else a candidate makes
(an instance, a generator, a function) stays where it is, and the tests hold a `Remote`, whose comparisons, length and
arithmetic are never the candidate's. So an object that equals everything equals nothing here.

Not covered: tests that add, index or order instances of a candidate's class; the identity of shared values.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import datetime
import decimal
import fractions
import json
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

MAX_MESSAGE_BYTES = 64 * 2**20
_VIEWS: dict[str, Any] = {"keys": type({}.keys()), "values": type({}.values()), "items": type({}.items())}
_TEXT_TYPES: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "fraction": (fractions.Fraction, str, fractions.Fraction),
    "datetime": (datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    "date": (datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "time": (datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
}


class Gone(BaseException):
    """The other side has ended, or speaks nonsense; not an Exception, so that no test can swallow it."""


class CandidateError(Exception):
    """An exception of a type that only the candidate knows."""


class Remote:
    """Something of the other side that is no plain data: it can be called and its attributes used, nothing else."""

    __slots__ = ("_id", "_peer")

    def __init__(self, peer: Peer, identity: int) -> None:
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_id", identity)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        return self._peer.call(self._id, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in {"__name__", "__doc__"}:
            raise AttributeError(name)
        return self._peer.ask(op="get", of=self._id, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask(op="set", of=self._id, name=name, value=self._peer.encode(value))


class Peer:
    """One end of the socket.

    Args:
        connection: the socket's file, unbuffered, both ways.
        space: the candidate's names, which the other side may ask for; None on the side that tests, which lends
            nothing but functions that it passed as arguments, and those only to be called.
    """

    def __init__(self, connection: Any, space: dict[str, Any] | None = None) -> None:
        self._connection, self._space = connection, space
        self._lent: dict[int, Any] = {}
        self._known: dict[int, Remote] = {}

    def call(self, of: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the other side's function; what it changed in its arguments is changed here too."""
        sent_args, sent_kwargs = [self.encode(x) for x in args], {k: self.encode(x) for k, x in kwargs.items()}
        answer = self._exchange(op="call", of=of, args=sent_args, kwargs=sent_kwargs)
        for position, changed in answer.get("changed", {}).items():
            _replace(args[int(position)], self.decode(changed))
        return self.decode(answer.get("value"))

    def ask(self, **request: Any) -> Any:
        """The value that the other side answers; raises what it raises."""
        return self.decode(self._exchange(**request).get("value"))

    def announce(self, error: BaseException | None) -> None:
        """Tell the other side that the candidate is defined, or what it raised."""
        self._send({"value": None} if error is None else _raised(error))

    def wait_ready(self) -> None:
        """Wait until the candidate is defined; raises what it raised."""
        self._result(self._receive())

    def serve(self) -> None:
        """Answer until the other side ends.

        What a function printed goes out before its answer: after the last one this process is killed.
        """
        while True:
            try:
                request = self._receive()
            except Gone:
                return
            answer = self._answer(request)
            with contextlib.suppress(Exception):  # a stream of the candidate's own making
                sys.stdout.flush()
            self._send(answer)

    def _exchange(self, **request: Any) -> dict[str, Any]:
        self._send(request)
        while "op" in (message := self._receive()):  # a function that we lent is called meanwhile
            self._send(self._answer(message))
        return self._result(message)

    @staticmethod
    def _result(answer: dict[str, Any]) -> dict[str, Any]:
        if "raised" in answer:
            name, text = answer["raised"]
            kind = getattr(builtins, str(name), None)
            known = isinstance(kind, type) and issubclass(kind, Exception)
            try:
                error = kind(text) if known else CandidateError(f"{name}: {text}")  # type: ignore[misc]
            except TypeError:  # UnicodeDecodeError and its like want more
                error = CandidateError(f"{name}: {text}")
            raise error
        return answer

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            if request["op"] == "call":
                return self._answer_call(request)
            if self._space is None:
                raise Gone
            return {"value": self.encode(self._look(request))}
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever the candidate raises
            return _raised(error)

    def _answer_call(self, request: dict[str, Any]) -> dict[str, Any]:
        args = [self.decode(x) for x in request["args"]]
        value = self._lent[request["of"]](*args, **{k: self.decode(x) for k, x in request["kwargs"].items()})
        after = {n: self.encode(x) for n, x in enumerate(args) if isinstance(x, list | dict | set | bytearray)}
        changed = {n: x for n, x in after.items() if x != request["args"][n]}
        return {"value": self.encode(value)} | ({"changed": changed} if changed else {})

    def _look(self, request: dict[str, Any]) -> Any:
        assert self._space is not None
        if request["op"] == "name":
            return self._space[request["name"]]
        lent = self._lent[request["of"]]
        if request["op"] == "get":
            return getattr(lent, request["name"])
        if request["op"] == "set":
            return setattr(lent, request["name"], self.decode(request["value"]))
        return [next(lent)]

    def encode(self, x: Any) -> Any:
        """JSON of a value: scalars and lists as they are, the rest as `{type: content}`."""
        kind = type(x)
        if x is None or kind in (bool, str, float):
            return x
        if isinstance(x, int):
            return int(x) if -(2**512) < x < 2**512 else {"int": hex(x)}
        if isinstance(x, list):
            return [self.encode(y) for y in x]
        if isinstance(x, dict):
            return {"dict": [[self.encode(k), self.encode(v)] for k, v in x.items()]}
        for name, sequence in (("tuple", tuple), ("set", set), ("frozenset", frozenset), ("deque", collections.deque)):
            if isinstance(x, sequence):
                return {name: [self.encode(y) for y in x]}
        if isinstance(x, str | float):
            return str.__str__(x) if isinstance(x, str) else float(x)
        return self._encode_rare(x)

    def _encode_rare(self, x: Any) -> Any:
        if isinstance(x, bytes | bytearray):
            return {"bytearray" if isinstance(x, bytearray) else "bytes": bytes(x).hex()}
        if isinstance(x, complex):
            return {"complex": [x.real, x.imag]}
        if isinstance(x, range):
            return {"range": [x.start, x.stop, x.step]}
        if isinstance(x, datetime.timedelta):
            return {"timedelta": [x.days, x.seconds, x.microseconds]}
        for name, (kind, write, _) in _TEXT_TYPES.items():
            if isinstance(x, kind):
                return {name: write(x)}
        for name, kind in _VIEWS.items():
            if isinstance(x, kind):
                return {name: [self.encode(y) for y in x]}
        if (known := _builtin_type(x)) is not None:
            return {"type": known}
        if isinstance(x, Remote):
            return {"yours": x._id}
        if self._space is None and not callable(x):
            raise TypeError(f"the tests pass a {type(x).__name__} to the candidate, which is no plain data")
        self._lent[id(x)] = x
        return {"iterator" if isinstance(x, Iterator) else "remote": id(x)}

    def decode(self, x: Any) -> Any:
        """The value of `encode`'s JSON."""
        if isinstance(x, list):
            return [self.decode(y) for y in x]
        if not isinstance(x, dict):
            return x
        ((name, content),) = x.items()
        if name in {"tuple", "set", "frozenset", "deque"}:
            kinds = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": collections.deque}
            return kinds[name](self.decode(y) for y in content)
        if name == "dict":
            return {self.decode(k): self.decode(v) for k, v in content}
        return self._decode_rare(name, content)

    def _decode_rare(self, name: str, content: Any) -> Any:
        if name in _TEXT_TYPES:
            return _TEXT_TYPES[name][2](content)
        if name in _VIEWS:
            values = [self.decode(y) for y in content]
            made = (
                dict(values)
                if name == "items"
                else dict.fromkeys(values)
                if name == "keys"
                else dict(enumerate(values))
            )
            return getattr(made, name)()
        if name == "iterator":
            return self._iterate(content)
        if name == "remote":
            return self._known.setdefault(content, Remote(self, content))
        if name == "yours":
            return self._lent[content]
        if name == "type":
            kind = getattr(builtins, content)
            assert isinstance(kind, type)
            return kind
        simple: dict[str, Callable[[Any], Any]] = {
            "int": lambda text: int(text, 16),
            "bytes": bytes.fromhex,
            "bytearray": bytearray.fromhex,
            "complex": lambda parts: complex(*parts),
            "range": lambda parts: range(*parts),
            "timedelta": lambda parts: datetime.timedelta(*parts),
        }
        return simple[name](content)

    def _iterate(self, of: int) -> Iterator[Any]:
        while True:
            try:
                (value,) = self.ask(op="next", of=of)
            except StopIteration:
                return
            yield value

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        try:
            self._connection.sendall(struct.pack("<I", len(body)) + body)
        except OSError:
            raise Gone from None

    def _receive(self) -> dict[str, Any]:
        size = struct.unpack("<I", self._read(4))[0]
        if size > MAX_MESSAGE_BYTES:
            raise Gone
        try:
            message = json.loads(self._read(size))
        except (ValueError, RecursionError):
            raise Gone from None
        if not isinstance(message, dict):
            raise Gone
        return message

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = self._connection.recv(min(size, 2**20))
            except OSError:
                part = b""
            if not part:
                raise Gone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _builtin_type(x: Any) -> str | None:
    """The name of a type that Python itself has."""
    return next((name for name, kind in vars(builtins).items() if kind is x and isinstance(x, type)), None)


def _raised(error: BaseException) -> dict[str, Any]:
    """The exception as its nearest builtin type and its text."""
    named = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the candidate's own __str__
        text = ""
    return {"raised": [named[0], text]}


def _replace(old: Any, new: Any) -> None:
    """Make a container equal to its changed copy, in place."""
    if isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif isinstance(old, list | bytearray):
        old[:] = new
