"""Calls that are sent ahead, many in one message: asked for by the tests' side, made by the candidate's.

Calls of arguments that the tests keep (`begin`, `take`) carry nodes, as single calls do. Rows of literals (`rows.py`)
cross as they are: nobody holds them after the call, so it need not be told what a call changed in them. An answer to a
row is a scalar, `[tree]` of lists and scalars, or a whole answer with its nodes. As long as answers equal what the
rows expect they are compared as one list, and never decoded.
"""

from __future__ import annotations

import contextlib
import itertools
import marshal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from eval.sandbox.inside import changes, codec
from eval.sandbox.inside.codec import SCALARS, Gone
from eval.sandbox.inside.messages import Messages, as_text
from eval.sandbox.inside.mirrors import Lent, secret_of
from eval.sandbox.inside.rows import Rows

FLUSH_S, FLUSH_ANSWERS = 0.002, 256
"""When answers to calls that were sent ahead go out."""
MOST_TURNS = 2_000
"""Of a loop, in one message."""


class Ahead:
    """The tests' side of calls that were sent ahead.

    Args:
        peer: the connection, a `wire.Peer`.
    """

    def __init__(self, peer: Any) -> None:
        self._peer = peer
        self._function: Any = None
        self._prepared: list[tuple[Any, ...]] = []  # calls that go out together
        self._planned: deque[Any] = deque()  # calls that could not be sent ahead
        self._given: deque[list[Any]] = deque()  # of each call that was sent ahead, what it was given
        self._answers: deque[Any] = deque()  # to the first of them

    def begin(self, function: Any, calls: list[tuple[Any, ...]]) -> None:
        """Send calls of a function of the other side's ahead of their time."""
        if (of := self._start(function)) is None:
            self._planned.extend(calls)
            return
        if all(map(_are_unheld, calls)):
            self._send_rows(of, calls)
            return
        packed = [self._peer.pack(args, None) for args in calls]
        if changes.are_shared(given for _, given in packed):  # what one call does to it the next one sees
            self._planned.extend(calls)
            return
        requests = [request for request, _ in packed]
        self._peer.send(["calls", of, "", requests, [], [], [], self._peer.kept.dropped()])
        self._given.extend(given for _, given in packed)

    def prepare(self, function: Any, turns: Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> Iterator[Any]:
        """Send the calls of a loop ahead, some turns at a time; yields what else belongs to each turn.

        The last of those turns is the first whose arguments or names somebody else may see changed.

        Args:
            function: that is called.
            turns: makes the arguments of each turn's call, and values that are looked at after it.
        """
        error: BaseException | None = None
        ended = False
        while not ended:
            is_far, rest = self._start(function) is not None, list[Any]()
            ended = True
            try:
                for args, names in itertools.islice(turns, MOST_TURNS):
                    rest.append(names)
                    ahead = is_far and not self._peer.kept and _are_unheld(args)
                    (self._prepared if ahead else self._planned).append(args)
                    if not ahead or not _are_unheld(names, 1) or len(rest) == MOST_TURNS:
                        ended = False
                        break
            except BaseException as raised:  # noqa: BLE001 - after the turns before it, as ever
                error = raised
            self.flush()
            yield from rest
        if error is not None:
            raise error

    def flush(self) -> None:
        """Send the calls that are prepared: before anything else that is asked."""
        if self._prepared:
            calls, self._prepared = self._prepared, []
            secret = secret_of(self._function)
            assert secret is not None
            self._send_rows(secret.of, calls)

    def ask(self, name: str, calls: list[list[Any]]) -> None:
        """Send calls of literals ahead, whose answers come one by one: `answered` tells of each.

        Args:
            name: of the function, a global one of the candidate's.
            calls: arguments of each.
        """
        self._peer.send(["rows", name, "", calls, [], [], [], [], True])
        self._given, self._answers, self._planned = deque([] for _ in calls), deque(), deque()

    def answered(self) -> Any:
        """The next answer to calls that `ask` has sent, as it came, for `value_of`; raises Gone where none comes."""
        if not self._answers:
            self._receive()
        self._given.popleft()
        return self._answers.popleft()

    def value_of(self, answer: Any) -> Any:
        """The value of such an answer; raises what the call raised."""
        if type(answer) is not list:
            return answer
        return answer[0] if len(answer) == 1 else self._peer.result(answer, [])

    def take(self) -> Any:
        """What the next of these calls has answered."""
        if not self._given:
            return self._function(*self._planned.popleft())
        while not self._answers:
            self._receive()
        answer, given = self._answers.popleft(), self._given.popleft()
        if type(answer) is not list:
            return answer
        return answer[0] if len(answer) == 1 else self._peer.result(answer, given)

    def check(self, function: Any, rows: Rows) -> None:
        """Hold the answers of a function against rows; raises as the first line that does not hold."""
        if (of := self._start(function)) is None:
            self._planned.extend(marshal.loads(marshal.dumps(rows.calls)))  # noqa: S302 - whoever is called may change them
        else:
            self._send_rows(of, rows.calls)
        at = 0
        while at < len(rows.calls):
            if self._given and not self._answers:
                self._receive()
            count = len(self._answers)
            if count and list(self._answers) == rows.answers[at : at + count]:
                self._answers.clear()
                for _ in range(count):
                    self._given.popleft()
                at += count
            else:
                end = at + max(1, count)
                for place in range(at, end):
                    self._check_one(rows, place)
                at = end

    def _check_one(self, rows: Rows, at: int) -> None:
        """Pass over an answer that is the one expected; all else is judged by the line itself."""
        if self._answers and self._answers[0] == rows.answers[at]:
            self._answers.popleft()
            self._given.popleft()
        else:
            rows.judge(at, self.take)

    def wait(self) -> None:
        """Have all answers here, before anything else is asked."""
        self.flush()
        while len(self._answers) < len(self._given):
            self._receive()

    def _send_rows(self, of: int, calls: Sequence[Sequence[Any]]) -> None:
        self._peer.send(["rows", of, "", calls, [], [], [], self._peer.kept.dropped()])
        self._given.extend([] for _ in calls)

    def _start(self, function: Any) -> int | None:
        """Forget what was left of earlier calls; the number of a function of the other side's.

        None if calls may not be sent ahead: also while both sides keep containers, which any call may change.
        """
        self.wait()
        self._peer.tell_surroundings()
        self._peer.let_go()
        self._given, self._answers, self._planned = deque(), deque(), deque()
        self._function = function
        secret = secret_of(function)
        is_far = secret is not None and isinstance(function, Lent) and not self._peer.kept
        return secret.of if secret is not None and is_far else None

    def _receive(self) -> None:
        self._answers.extend(self._peer.receive_many())
        if len(self._answers) > len(self._given):
            raise Gone


def _are_unheld(values: tuple[Any, ...], names: int = 0) -> bool:
    """Whether nobody else sees a change of these: they are scalars, or only that tuple and so many names have them."""
    return SCALARS.issuperset(map(type, values)) or all(
        type(x) in SCALARS
        or (type(x) is list and sys.getrefcount(x) <= _ONCE + names and SCALARS.issuperset(map(type, x)))
        for x in values
    )


_SAMPLE: tuple[list[Any], ...] = ([],)
_ONCE = next(sys.getrefcount(x) for x in _SAMPLE)
"""What `getrefcount` tells there of a list that only the tuple refers to."""


class Answers:
    """The candidate's side: answers as text from the start, so that later calls change nothing in them."""

    def __init__(self, messages: Messages, *, singly: bool = False) -> None:
        """Args: messages: to send; singly: each at once, so that it is known at which call a process ends."""
        self._messages, self._singly = messages, singly
        self._texts: list[str] = []
        self._sent = time.monotonic()

    def add(self, answer: Any) -> None:
        """One more; they go out together, but not late."""
        self._texts.append(as_text(answer))
        if (now := time.monotonic()) - self._sent > FLUSH_S or len(self._texts) >= FLUSH_ANSWERS or self._singly:
            self.flush()
            self._sent = now

    def flush(self) -> None:
        """Send what is there; what the candidate printed goes out first."""
        if self._texts:
            with contextlib.suppress(Exception):  # a stream of the candidate's own making
                sys.stdout.flush()
            self._messages.send_text(f'["many",[{",".join(self._texts)}]]')
            self._texts = []


def marked(answer: Any) -> dict[str, Any]:
    """An answer to a call that has changed what it was given."""
    return {"moved": answer}


def without_mark(answer: Any) -> tuple[bool, Any]:
    """Whether an answer to a call tells that an argument was changed, and the answer."""
    return (True, answer.get("moved")) if type(answer) is dict else (False, answer)


def stays(before: bytes, args: list[Any]) -> bool:
    """Whether arguments hold what they did.

    Args:
        before: they, marshalled in version 0, in which equal values are equal bytes.
        args: they, after the call.
    """
    try:
        return marshal.dumps(args, 0) == before or bool(args == marshal.loads(before))  # noqa: S302 - our own bytes
    except Exception:  # noqa: BLE001 - something of the candidate's is in them
        return False


def answer_of_row(value: Any) -> tuple[bool, Any]:
    """Whether a value crosses as it is, and the answer that it then is."""
    kind = type(value)
    if kind in SCALARS:
        return True, value
    return kind is list and codec.is_tree(value), [value]
