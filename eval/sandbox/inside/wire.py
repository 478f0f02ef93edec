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
import marshal
import sys
import threading
from collections.abc import Callable
from typing import Any

from eval.sandbox.inside import changes, library, mirrors
from eval.sandbox.inside.batches import Ahead, Answers, answer_of_row, marked, stays
from eval.sandbox.inside.codec import SCALARS, Decoder, Encoder, Gone, Malformed
from eval.sandbox.inside.kept import Kept
from eval.sandbox.inside.lending import Lending
from eval.sandbox.inside.messages import Messages
from eval.sandbox.inside.surroundings import Surroundings


class Nothing:
    """What a name stands for that the candidate does not define.

    Args:
        name: of it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_: Any) -> None:
        """Raise as the name would."""
        raise NameError(f"name {self._name!r} is not defined", name=self._name)


class Peer:
    """One end of the socket.

    Args:
        connection: the socket, both ways.
        space: the candidate's names, which the other side may ask for; None on the side that tests, which lends
            nothing but functions that it passed as arguments, and those only to be called.
    """

    def __init__(self, connection: Any, space: dict[str, Any] | None = None) -> None:
        self._messages, self._space = Messages(connection, marshals=space is None), space
        self.lending = Lending(self, lambda: self._space)
        self.kept = Kept(of_tests=space is None)
        self._turn = threading.RLock()
        self._around: Surroundings | None = None
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
        with self._turn:
            self.ahead.wait()
            self.tell_surroundings()
            packed, given = self.pack(args, kwargs, news=True)
            self.send([op, of, name, *packed])
            while (message := self._messages.receive())[0] not in (
                "ok",
                "no",
            ):  # a function that we lent is called meanwhile
                self.send(self._answer(message))
            return self.result(message, given)

    def watch(self, source: str) -> None:
        """Let what a program of tests sets around its calls hold for the other side too."""
        self._around = Surroundings(source, lambda news: self.ask("around", 0, "", (news,)))

    def tell_surroundings(self) -> None:
        """Tell the other side what has changed around it."""
        if self._around is not None:
            self._around.tell()

    def receive_many(self) -> list[Any]:
        """Some answers to calls that were sent ahead."""
        while (message := self._messages.receive())[0] != "many":
            self.send(self._answer(message))
        if type(message[-1]) is not list:
            raise Gone
        return message[-1]

    def pack(
        self, args: tuple[Any, ...], kwargs: dict[str, Any] | None, *, news: bool = False
    ) -> tuple[list[Any], list[Any]]:
        """`[args, kwargs, nodes]` of a request and what became of kept containers, and the objects that it gives."""
        self.let_go()
        if not kwargs and not self.kept and SCALARS.issuperset(map(type, args)):
            dropped = self.kept.dropped() if news else []
            return [list(args), [], [], [], dropped] if dropped else [list(args), [], []], []
        encoder = self._encoder()
        items = [encoder.item(x) for x in args]
        named = [[key, encoder.item(x)] for key, x in kwargs.items()] if kwargs else []
        encoder.finish()
        packed = [items, named, encoder.nodes]
        if news and (self.kept or self.kept.has_dropped):
            packed += [self._news(encoder), self.kept.dropped()]
        return packed, encoder.objects

    def _encoder(self, given: list[Any] | None = None) -> Encoder:
        return Encoder(self.lending.lend, given, packs=self._space is not None, known=self.kept.items)

    def let_go(self) -> None:
        """Forget the kept containers that the tests have let go of."""
        if self._space is None and self.kept:
            self.kept.let_go()

    def _news(self, encoder: Encoder) -> list[list[int]]:
        """What kept containers hold now: numbers and nodes."""
        changed = self.kept.changed()
        nodes = [encoder.describe(self.kept.object(number)) for number in changed]
        encoder.finish()
        first = len(encoder.nodes)
        encoder.nodes += nodes
        encoder.objects += [None] * len(nodes)
        for number in changed:
            self.kept.note(number)
        return [[number, first + at] for at, number in enumerate(changed)]

    def _take_news(self, news: list[Any], decoder: Decoder) -> None:
        for number, node in news:
            self._replace(self.kept.object(number), decoder.objects[node])
            self.kept.note(number)

    @staticmethod
    def _replace(old: Any, new: Any) -> None:
        if type(old) is not type(new):
            raise Gone
        changes.replace(old, new)

    def refresh(self, of: int) -> Any:
        """The data in an object of the other side's whose class extends a data type."""
        return self.ask("data", of)

    def announce(self, error: BaseException | None) -> None:
        """Tell the other side that the candidate is defined, or what it raised."""
        if error is None:
            self.send(["ok", None, [], []])
            return
        encoder = self._encoder()
        item = encoder.encode(error)
        self.send(["no", item, [], encoder.nodes])

    def wait_ready(self) -> None:
        """Wait until the candidate is defined; raises what it raised."""
        self.result(self._messages.receive(), [])

    def begin_define(self, number: int) -> None:
        """Have the other side define one of its sources anew; `wait_ready` raises what that raises."""
        self.ahead.wait()
        self.kept = Kept(of_tests=True)
        self.send(["define", number, "", [], [], []])

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
                self.kept = Kept(of_tests=False)
                self._space, error = define(request[1])
                self.announce(error)
            elif request[0] in ("calls", "rows") and self._space is not None:
                for number in request[7:8] and request[7]:
                    self.kept.drop(number)
                if request[0] == "calls":
                    self._answer_calls(request[1], request[3])
                else:
                    self._answer_rows(request[1], request[3], singly=bool(request[8:9] and request[8]))
            else:
                self.send(self._answer(request))

    def _answer_calls(self, of: int, calls: list[Any]) -> None:
        answers = Answers(self._messages)
        for args, kwargs, nodes in calls:
            answers.add(self._answer(["call", of, "", args, kwargs, nodes], keeps=False))
        answers.flush()

    def _answer_rows(self, of: int | str, rows: list[list[Any]], *, singly: bool) -> None:
        """Call something, by its number or name, with literals, which nobody sees again."""
        assert self._space is not None
        function: Any = self._space.get(of, Nothing(of)) if isinstance(of, str) else self.lending.lent(of)
        answers = Answers(self._messages, singly=singly)
        for args in rows:
            before = b"" if not singly or SCALARS.issuperset(map(type, args)) else marshal.dumps(args, 0)
            try:
                value = function(*args)
            except Gone:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the candidate raises
                answers.add(self._outcome_or_error("no", [library.without_frames(error)], [], []))
            else:
                plain, answer = answer_of_row(value)
                answer = answer if plain else self._outcome_or_error("ok", [value], [], [])
                answers.add(marked(answer) if before and not stays(before, args) else answer)
        answers.flush()

    def send(self, message: list[Any]) -> None:
        """Send a message of this side's."""
        if self._space is not None:  # what it printed goes out first: after the last answer this process is killed
            with contextlib.suppress(Exception):  # a stream of the candidate's own making
                sys.stdout.flush()
                sys.stderr.flush()
        self._messages.send(message)

    def result(self, message: list[Any], given: list[Any]) -> Any:
        """The value of an answer, or what it raises; what the call changed is changed here."""
        try:
            status, item, changed, nodes, *more = message
            if status == "ok" and type(item) is not list and not changed and not more:
                return item
            decoder = Decoder(nodes, self.lending.borrow, given, self.kept)
            for place, node in changed:
                self._replace(given[place], decoder.objects[node])
            value = decoder.value(item)
            if more:
                news, added = more
                self._take_news(news, decoder)
                for number, each in added:
                    self.kept.add(number, decoder.value(each))
        except (Malformed, LookupError, ValueError, TypeError):
            raise Gone from None
        if status == "no":
            if not isinstance(value, BaseException):
                raise Gone
            raise value
        return value

    def _answer(self, request: list[Any], *, keeps: bool = True) -> list[Any]:
        """Carry a request out: the answer.

        Args:
            request: of the other side.
            keeps: whether containers that outlive the call stay known to both sides.
        """
        try:
            op, of, name, items, named, nodes, *more = request
            objects, args, kwargs = [], items, {}
            if nodes or named or more or self.kept:
                decoder = Decoder(nodes, self.lending.borrow, None, self.kept)
                objects = decoder.objects
                args, kwargs = [decoder.value(x) for x in items], {key: decoder.value(x) for key, x in named}
            if more:
                self._take_news(more[0], decoder)
                for number in more[1]:
                    self.kept.drop(number)
                del decoder
        except (Malformed, LookupError, ValueError, TypeError):
            raise Gone from None
        before = changes.contents_of(objects)
        status, result = "ok", []
        try:
            result.append(self.lending.carry_out(op, of, name, args, kwargs))
        except Gone:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the candidate raises
            status, result = "no", [library.without_frames(error)]
        if not before and not self.kept and type(result[0]) in SCALARS:
            return [status, result[0], [], []]
        args, kwargs = [], {}
        return self._outcome_or_error(status, result, objects, before, nodes if keeps else None)

    def _outcome_or_error(
        self, status: str, result: list[Any], given: list[Any], before: list[Any], nodes: list[Any] | None = None
    ) -> list[Any]:
        try:
            return self._outcome(status, result, given, before, nodes)
        except Gone:
            raise
        except BaseException as error:  # noqa: BLE001 - a value that cannot be described
            return self._outcome("no", [type(error)(*error.args)], given, before, None)

    def _outcome(
        self, status: str, result: list[Any], given: list[Any], before: list[Any], nodes: list[Any] | None
    ) -> list[Any]:
        """An answer.

        Args:
            status: "ok", or "no" for an exception.
            result: a list of the value alone; it is emptied.
            given: objects of the request.
            before: what they held.
            nodes: those of the request, if what outlives the call stays known.
        """
        encoder = self._encoder(given)
        item = encoder.item(result[0])
        places = changes.changed(given, before)
        new = [encoder.describe(given[place]) for place in places]
        encoder.finish()
        count = len(encoder.nodes)
        encoder.nodes += new
        encoder.objects += [None] * len(new)
        answer = [status, item, [[p, count + n] for n, p in enumerate(places)], encoder.nodes]
        if self.kept:
            answer += [self._news(encoder), []]
        if nodes is not None:
            result.clear()
            before.clear()
            objects, first = given + encoder.objects[:count], len(given)
            given.clear()
            encoder.objects.clear()
            added = []
            for at in self.kept.held(objects, nodes + encoder.nodes[:count]):
                self.kept.add(number := self.kept.new_number(), objects[at])
                added.append([number, [-1 - at] if at < first else [at - first]])
            if added:
                answer[4:] = [answer[4] if len(answer) > 4 else [], added]
        return answer
