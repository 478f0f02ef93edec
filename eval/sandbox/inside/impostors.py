"""Whether an assertion that holds says anything of the values that it asks for. Only the standard library.

It is evaluated once more with functions that answer otherwise: values of the same types, which depend on the arguments.
An assertion that holds of all of them too, such as `f(3) == f(3)`, `(f(3) == 4, "message")`, `isinstance(f(3), int)` or
`all(f(x) for x in [])`, proves nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from types import CodeType
from typing import Any

from eval.sandbox.inside import assertions

IMPOSTORS = 4
"""Functions that answer otherwise, each in another way."""


class Recorder:
    """A function whose answers are kept; only the first of them are plain data that is compared.

    Args:
        function: of the solution.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.seen: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask the solution."""
        value = self._function(*args, **kwargs)
        self.seen.append(value)
        return value


def says_nothing(test: CodeType, entry_point: str, seen: list[Any]) -> bool:
    """Whether an assertion holds of other values too.

    Args:
        test: that has held.
        entry_point: the function's name in it.
        seen: what the function answered meanwhile.
    """
    if not seen:  # it never called it
        return True
    if any(_changed(value, 0, 1) is value for value in seen):  # no plain data: nothing of that type is known
        return False
    held = 0
    for way in range(IMPOSTORS):
        try:
            if not eval(test, assertions.names_for(entry_point, _impostor(seen[0], way))):  # noqa: S307 - a closed list
                return False
            held += 1
        except Exception:  # noqa: BLE001, S112 - an answer that the assertion cannot look at says nothing
            continue
    return held > 0


def _impostor(value: Any, way: int) -> Callable[..., Any]:
    def answer(*args: Any, **kwargs: Any) -> Any:
        return _changed(
            value, way, 1 + zlib.crc32(f"{way} {args!r} {kwargs!r}"[:2_000].encode("utf-8", "replace")) % 9973
        )

    return answer


def _changed(value: Any, way: int, number: int) -> Any:
    """Another value of the same type; the value itself where its type is no plain data.

    Args:
        value: an answer.
        way: of changing it.
        number: that the change depends on, 1 or more.
    """
    kind = type(value)
    if value is None:
        return (number, f"{number}", [number], False)[way]
    if kind is bool:
        return not value if way < 2 else number % 2 == way % 2
    if kind in (int, float):
        return kind((value + number, -value - number, kind(0), value * 2 + 1)[way])
    if kind in (str, bytes):
        more = str(number) if kind is str else str(number).encode()
        return (value + more, kind(), more + value[::-1], value[:-1] + more)[way]
    if kind in (list, tuple):
        items = list(value)
        return kind(([*items, number], [], [number, *items[::-1]], [*items[:-1], number])[way])
    if kind in (set, frozenset):
        return kind((value | {number}, kind(), {number}, value ^ {number})[way])
    if kind is dict:
        return ({**value, number: number}, {}, dict.fromkeys(value, number), {number: number})[way]
    return value
