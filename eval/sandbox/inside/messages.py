"""Messages over the socket between tests and candidate: a length of eight bytes, then the message.

What the tests send is marshalled, which is quick. What the candidate sends is JSON: nobody can make marshal safe
against the author of its bytes.
"""

from __future__ import annotations

import json
import marshal
import struct
import sys
from typing import Any

from eval.sandbox.inside.codec import Gone

_HEAD = struct.Struct("<Q")
_decode = json.scanner.c_make_scanner(json.JSONDecoder())  # type: ignore[attr-defined]


def _refuse(x: Any) -> Any:
    raise TypeError(f"a {type(x).__name__} is no item")


_encode = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    None, _refuse, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)


class Messages:
    """One end of the socket.

    Args:
        connection: the socket, both ways.
        marshals: whether this is the side of the tests.
    """

    def __init__(self, connection: Any, *, marshals: bool) -> None:
        self._connection, self._marshals, self._received = connection, marshals, b""

    def send(self, message: list[Any]) -> None:
        """Send one; raises Gone where nobody is left."""
        self._send(marshal.dumps(message, 2) if self._marshals else as_text(message).encode())

    def send_text(self, text: str) -> None:
        """Send one that is text already."""
        self._send(text.encode())

    def _send(self, body: bytes) -> None:
        try:
            if len(body) < 2**16:
                self._connection.sendall(_HEAD.pack(len(body)) + body)
            else:
                self._connection.sendall(_HEAD.pack(len(body)))
                self._connection.sendall(body)
        except OSError:
            raise Gone from None

    def receive(self) -> list[Any]:
        """The next one; raises Gone where nobody is left, or it makes no sense."""
        (size,) = _HEAD.unpack(self._read(8))
        body = self._read(size)
        message = _of_text(body) if self._marshals else marshal.loads(body)  # noqa: S302 - the tests'
        if type(message) is not list or not message:
            raise Gone
        return message

    def _read(self, size: int) -> bytes | bytearray:
        """So many bytes: of what came already, then straight into their place."""
        while size < 2**16 and len(self._received) < size:
            self._received += self._received_now(2**16)
        start, self._received = self._received[:size], self._received[size:]
        if len(start) == size:
            return start
        try:
            whole = bytearray(size)
        except OverflowError:
            raise MemoryError from None
        whole[: len(start)] = start
        view, at = memoryview(whole), len(start)
        while at < size:
            try:
                count = self._connection.recv_into(view[at:])
            except OSError:
                count = 0
            if not count:
                raise Gone
            at += count
        return whole

    def _received_now(self, size: int) -> bytes:
        try:
            received: bytes = self._connection.recv(size)
        except OSError:
            received = b""
        if not received:
            raise Gone
        return received


def as_text(message: Any) -> str:
    """A message, or a part of one, as the candidate's side sends it."""
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return "".join(_encode(message, 0))
    finally:
        sys.set_int_max_str_digits(digits)


def _of_text(body: bytes | bytearray) -> Any:
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return _decode(body.decode("ascii", "replace"), 0)[0]
    except (ValueError, RecursionError, StopIteration):
        raise Gone from None
    finally:
        sys.set_int_max_str_digits(digits)
