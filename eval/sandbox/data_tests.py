"""Tests that are data: rows of calls with literals, and what each must equal.

Such tests need no process of their own. The calls go to the candidate's process in one message, and what it sends back
is held against the bytes that the right answers have. Nothing of it is decoded, so nothing of it can do any harm; equal
bytes are equal values. Whatever is not equal byte for byte (a tuple for a list, 1.0 for 1, an exception, a wrong
answer) is not judged here: then the tests run as programs, in a process of their own (`eval/sandbox/oracle.py`).
"""

from __future__ import annotations

import marshal
import os
import re
import socket
import struct
from dataclasses import dataclass

from eval.sandbox.inside.clocks import NO_TIMES
from eval.sandbox.inside.messages import as_text
from eval.sandbox.inside.rows import LITERAL, NOTHING, Row, Rows, row_of
from eval.sandbox.process_tree import Streams

_HEAD = struct.Struct("<Q")
_METADATA = re.compile(r"^METADATA = \{([^{}]*)\}[ \t]*$", re.MULTILINE)
_MODULES = "typing|math|collections|itertools|functools|re|string|random|copy|heapq|bisect|operator|datetime|json"
_IMPORT = re.compile(rf"[ \t]*(?:from (?:{_MODULES}) import (?:\w+(?:, ?)?)+|import (?:{_MODULES}))[ \t]*")
"""Lines of a question that stand before its tests: no literal depends on them."""
AT_MOST = 2**16
"""Bytes of the calls: what a socket takes without waiting for its reader."""


@dataclass(frozen=True)
class DataTests:
    """Rows of calls of one function of the candidate's."""

    message: bytes
    """The calls, as the tests' process would send them."""
    answers: bytes
    """What right answers look like, between commas."""


def data_tests(tests: str, entry_point: str | None) -> DataTests | None:
    """A program of tests as data; None if it is not surely nothing else.

    Args:
        tests: assertions that call the entry point, or a function `check(candidate)` of them that is called with it.
        entry_point: the name of the candidate's function.
    """
    if entry_point is None or (rows := _rows(tests, entry_point)) is None:
        return None
    table = Rows(rows)
    if ... in table.answers:
        return None
    body = marshal.dumps(["rows", entry_point, "", table.calls, [], []], 2)
    if len(body) > AT_MOST:
        return None
    return DataTests(_HEAD.pack(len(body)) + body, ",".join(map(as_text, table.answers)).encode())


def _rows(tests: str, entry_point: str) -> list[Row] | None:
    if (found := _METADATA.search(tests)) is not None and LITERAL.fullmatch(found[1]):
        tests = tests[: found.start()] + tests[found.end() :]
    called = re.compile(rf"\b(candidate|{re.escape(entry_point)})\(")
    named = re.compile(rf"\b(?:candidate|check|{re.escape(entry_point)})\b")
    rows: list[Row] = []
    inside = ended = False
    for number, line in enumerate(tests.split("\n")):
        if NOTHING.fullmatch(line) or (_IMPORT.fullmatch(line) and not named.search(line)):
            continue
        if ended:
            return None
        if line.rstrip() == "def check(candidate):" and not rows and not inside:
            inside = True
        elif inside and line.rstrip() == f"check({entry_point})":
            ended = True
        elif (row := row_of(line, number, called, exact=True)) is None or row.head != (
            rows[0].head if rows else row.head
        ):
            return None
        else:
            rows.append(row)
    head = rows[0].head if rows else ""
    if not rows or inside != ended or head.lstrip() != ("candidate" if inside else entry_point):
        return None
    return rows if inside == (head != head.lstrip()) else None


class Held(Streams):
    """What a candidate sends, held against the right answers; the part of a process tree that watches nothing else.

    Args:
        connection: our end of the socket; it is closed with this.
        tests: which are sent at once.
    """

    def __init__(self, connection: socket.socket, tests: DataTests) -> None:
        self._connection, self._tests = connection, tests
        self._received, self._at, self._announced = b"", 0, False
        self._over = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.theirs, self.kept = [], {"stdout": b"", "stderr": b"", "report": b" ready"}
        self.streams: Streams = self
        self.passed = self._ended = False
        self.status: int | None = None
        self.cpu_s, self.ran_out = 0.0, False
        connection.setblocking(False)
        try:
            whole = connection.send(tests.message) == len(tests.message)
        except OSError:
            whole = False
        if not whole:
            self._end(passed=False)

    def fileno(self) -> int:
        """Readable when all is known."""
        return self._over

    def open_ends(self) -> list[int]:
        """The socket."""
        return [self._connection.fileno()]

    def times(self) -> dict[str, float]:
        """It takes none."""
        return dict(NO_TIMES)

    def read(self, descriptor: int) -> bool:
        """Read once; False where there is nothing more to come."""
        assert descriptor == self._connection.fileno()
        try:
            chunk = self._connection.recv(2**16)
        except BlockingIOError:
            return True
        except OSError:
            chunk = b""
        self._received += chunk
        while (message := self._next()) is not None:
            if not self._holds(message):
                self._end(passed=False)
                return False
        if not chunk:
            self._end(passed=False)
        return bool(chunk)

    def close(self) -> None:
        """Let go of the socket."""
        if self._over >= 0:
            self._connection.close()
            os.close(self._over)
            self._over = -1

    def _next(self) -> bytes | None:
        if len(self._received) < _HEAD.size:
            return None
        (size,) = _HEAD.unpack_from(self._received)
        if size > len(self._tests.answers) + AT_MOST:
            return b""  # which is no answer
        if len(self._received) < (end := _HEAD.size + size):
            return None
        message, self._received = self._received[_HEAD.size : end], self._received[end:]
        return message

    def _holds(self, message: bytes) -> bool:
        """Whether a message is what a right candidate sends next."""
        if not self._announced:
            self._announced = True
            return message == _ANNOUNCED
        answers = self._tests.answers
        some = message[len(_MANY) : -len(_CLOSED)]
        end = self._at + len(some)
        if message != _MANY + some + _CLOSED or not some or answers[self._at : end] != some:
            return False
        if end == len(answers):
            self._end(passed=True)
        elif answers[end : end + 1] != b",":
            return False
        self._at = end + 1
        return True

    def _end(self, *, passed: bool) -> None:
        if not self._ended:
            self._ended, self.passed = True, passed
        os.eventfd_write(self._over, 1)


_ANNOUNCED, _MANY, _CLOSED = b'["ok",null,[],[]]', b'["many",[', b"]]"
