"""Tests that are data: rows of calls with literals, and what each must equal.

Such tests need no process of their own. The candidate's process gets the calls with its order, and what it writes is
held against the bytes that the right answers have. Nothing of it is decoded, so nothing of it can do any harm; equal
bytes are equal values. Whatever is not equal byte for byte (a tuple for a list, 1.0 for 1, an exception, a wrong
answer) is not judged here: then the tests run as programs, in a process of their own (`eval/sandbox/oracle.py`).
"""

from __future__ import annotations

import marshal
import os
import re
import socket
from dataclasses import dataclass

from eval.sandbox.inside.clocks import NO_TIMES
from eval.sandbox.inside.rows import LITERAL, NOTHING, Row, Rows, as_bytes, row_of
from eval.sandbox.process_tree import Streams

_METADATA = re.compile(r"^METADATA = \{([^{}]*)\}[ \t]*$", re.MULTILINE)
_MODULES = "typing|math|collections|itertools|functools|re|string|random|copy|heapq|bisect|operator|datetime|json"
_IMPORT = re.compile(rf"[ \t]*(?:from (?:{_MODULES}) import (?:\w+(?:, ?)?)+|import (?:{_MODULES}))[ \t]*")
"""Lines of a question that stand before its tests: no literal depends on them."""


@dataclass(frozen=True)
class DataTests:
    """Rows of calls of one function of the candidate's."""

    calls: bytes
    """The arguments of each, marshalled so that no two share an object."""
    answers: bytes
    """What right answers look like, a comma behind each."""


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
    return DataTests(marshal.dumps(table.calls, 2), b"".join(map(as_bytes, table.answers)))


def _rows(tests: str, entry_point: str) -> list[Row] | None:
    if (found := _METADATA.search(tests)) is not None and LITERAL.fullmatch(found[1]):
        tests = tests[: found.start()] + tests[found.end() :]
    names = {"candidate", "check", entry_point}
    rows: list[Row] = []
    inside = ended = False
    for number, line in enumerate(tests.split("\n")):
        if NOTHING.fullmatch(line) or (_IMPORT.fullmatch(line) and names.isdisjoint(re.findall(r"\w+", line))):
            continue
        if ended:
            return None
        if line.rstrip() == "def check(candidate):" and not rows and not inside:
            inside = True
        elif inside and line.rstrip() == f"check({entry_point})":
            ended = True
        elif (row := row_of(line, number, names, exact=True)) is None or row.head != (
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
    """What a candidate writes, held against the right answers; the part of a process tree that watches nothing else.

    Args:
        connection: our end of the socket; it is closed with this.
        answers: of `DataTests`.
    """

    def __init__(self, connection: socket.socket, answers: bytes) -> None:
        self._connection, self._left = connection, memoryview(answers)
        self._over = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.theirs, self.kept = [], {"stdout": b"", "stderr": b"", "report": b" ready"}
        self.streams: Streams = self
        self.passed = False
        self.status: int | None = None
        self.cpu_s, self.ran_out = 0.0, False
        connection.setblocking(False)

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
        right = bool(chunk) and self._left[: len(chunk)] == chunk
        self._left = self._left[len(chunk) :]
        self.passed = self.passed or (right and not self._left)
        if self.passed or not right:
            os.eventfd_write(self._over, 1)
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        if self._over >= 0:
            self._connection.close()
            os.close(self._over)
            self._over = -1
