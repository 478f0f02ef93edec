"""Containers that one side keeps when a call ends: on both sides they stay one object, from call to call.

An argument in a global list, in an attribute or in a generator's frame, a default argument that is returned, what an
instance of the tests' holds: what one side does to it later, the other side sees with the next message. The side that
was asked finds them: something refers to them that is no part of the message. The tests' side says when it has let go
of one.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from eval.sandbox.inside import changes

MOST_ITEMS, MOST = 10_000, 1_000
"""Longer containers, and more of them, are copied as before: each message looks at all that are kept."""
FIRST = 2**40
"""Item of the first of them: `[FIRST + number]`."""
_FLAT = frozenset("ltsfdqr")
"""Kinds of nodes that hold nothing but scalars (`eval/sandbox/inside/codec.py`)."""
_ONCE: int = next(map(sys.getrefcount, [[]]))
_SAMPLE: dict[int, Any] = {0: []}
_IN_DICT = sys.getrefcount(_SAMPLE[0])
"""What `getrefcount` tells of something that only that list, or dictionary, refers to."""


class Kept:
    """The containers that both sides know, by number."""

    def __init__(self, *, of_tests: bool) -> None:
        """Args: of_tests: whether this is the tests' side, whose numbers are others than the candidate's."""
        self._objects: dict[int, Any] = {}
        self._contents: dict[int, list[Any]] = {}
        self._next = FIRST if of_tests else 0
        self._dropped: list[int] = []
        self.items: dict[int, list[int]] = {}
        """id → item, for an `Encoder`."""

    def __len__(self) -> int:
        return len(self._objects)

    def value(self, place: int) -> Any:
        """That of an item `[place]`; raises KeyError where there is none."""
        return self._objects[place - FIRST]

    def new_number(self) -> int:
        """A number for the next."""
        self._next += 1
        return self._next

    def add(self, number: int, x: Any) -> None:
        """From now on this is one of them."""
        if id(x) not in self.items and changes.is_container(x):
            self._objects[number] = x
            self.items[id(x)] = [FIRST + number]
            self.note(number)

    def drop(self, number: int) -> None:
        """This one is no more, if it is one."""
        x = self._objects.pop(number, None)
        if x is not None:
            del self._contents[number], self.items[id(x)]

    def let_go(self) -> None:
        """Drop those that nothing but this object refers to, unless there is news of them; `dropped` tells."""
        for number, old in list(self._contents.items()):
            if sys.getrefcount(self._objects[number]) <= _IN_DICT and not changes.differs(self._objects[number], old):
                self.drop(number)
                self._dropped.append(number)

    @property
    def has_dropped(self) -> bool:
        """Whether the other side is still to be told of some."""
        return bool(self._dropped)

    def dropped(self) -> list[int]:
        """Numbers of those that were let go since the last time."""
        found, self._dropped = self._dropped, []
        return found

    def changed(self) -> list[int]:
        """Numbers of those that hold something else than both sides know."""
        return [number for number, old in self._contents.items() if changes.differs(self._objects[number], old)]

    def note(self, number: int) -> None:
        """Both sides know what it holds now."""
        self._contents[number] = changes.contents(self._objects[number]) or []

    def object(self, number: int) -> Any:
        """One of them."""
        return self._objects[number]

    def held(self, objects: list[Any], nodes: list[Any]) -> list[int]:
        """Places of the containers that something outside of a message refers to, and of those in them.

        Args:
            objects: of the message; only this list and each other refer to those that nobody keeps.
            nodes: their nodes.
        """
        counts = map(sys.getrefcount, objects)
        more = {key: count - _ONCE for key, count in zip(map(id, objects), counts, strict=True)}
        if not any(more.values()):
            return []
        for inner in gc.get_referents(*[x for x, node in zip(objects, nodes, strict=True) if node[0] not in _FLAT]):
            if id(inner) in more:
                more[id(inner)] -= 1
        places = {id(x): at for at, x in enumerate(objects)}
        open_ones, found = [at for at, x in enumerate(objects) if more[id(x)] > 0], dict[int, None]()
        while open_ones:
            at = open_ones.pop()
            if at not in found:
                found[at] = None
                open_ones += [places[id(y)] for y in gc.get_referents(objects[at]) if id(y) in places]
        return [at for at in found if self._fits(objects[at])][: max(MOST - len(self), 0)]

    def _fits(self, x: Any) -> bool:
        return changes.is_container(x) and id(x) not in self.items and len(changes.contents(x) or ()) <= MOST_ITEMS
