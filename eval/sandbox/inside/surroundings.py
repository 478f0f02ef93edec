"""What the tests set around a call, which holds for the candidate too: streams, seeds, patches, limits, variables.

The tests' side looks, before it asks, whether something of it has changed, and tells the candidate's side. What tests
never name is never looked at. Streams and patches are lent, as arguments are; nothing that the candidate sets around
itself is ever taken over by the tests.
"""

from __future__ import annotations

import builtins
import contextlib
import decimal
import importlib
import os
import random
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

_STREAMS = ("stdout", "stderr", "stdin")
_WORDS = {"std": ("redirect_std", "sys.std", "import sys", "patch"), "random": ("seed(", "setstate("),
          "environ": ("environ", "putenv"), "limit": ("setrecursionlimit",), "decimal": ("context(", "getcontext"),
          "warnings": ("warn", "Warn"), "builtins": ("builtins", "patch"), "patches": ("patch",)}  # fmt: skip
"""What may change → words of a program of which it takes one to change it."""
_OURS = frozenset({"json", "gc", "struct", "marshal", "socket", "base64", "operator", "itertools", "collections",
                   "functools", "threading", "array", "types", "typing", "importlib", "inspect", "copy", "pickle",
                   "contextlib", "sys"})  # fmt: skip
"""Modules that this connection itself needs as they are."""
MOST_TEXT = 2**16


class Surroundings:
    """The tests' side.

    Args:
        source: of the tests.
        ask: tells the other side: a list of what is set, and its values.
    """

    def __init__(self, source: str, ask: Callable[[list[Any]], Any]) -> None:
        self._ask, self._busy = ask, False
        self._watched = [kind for kind, words in _WORDS.items() if any(word in source for word in words)]
        self._seeded, self._patched = False, dict[tuple[str, str], Any]()
        self._filters = list(warnings.filters)
        self._looks: dict[str, Callable[[], dict[str, Any]]] = {
            "std": lambda: {name: getattr(sys, name) for name in _STREAMS},
            "environ": lambda: {"environ": dict(os.environ)},
            "limit": lambda: {"limit": sys.getrecursionlimit()},
            "decimal": lambda: {"decimal": (decimal.getcontext().prec, decimal.getcontext().rounding)},
            "warnings": lambda: {"warnings": None if list(warnings.filters) == self._filters else _hear},
            "builtins": lambda: {f"builtins.{name}": getattr(builtins, name) for name in ("input", "print", "open")},
        }
        if "random" in self._watched and hasattr(random, "seed"):
            random.seed, random.setstate = self._noting(random.seed), self._noting(random.setstate)
        if "patches" in self._watched:
            self._follow_patches()
        self._first = self._now()
        self._told = dict(self._first)

    def _noting(self, function: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            self._seeded = True
            return function(*args, **kwargs)

        return noted

    def _follow_patches(self) -> None:
        from unittest import mock

        patch: Any = mock._patch
        enter, leave = patch.__enter__, patch.__exit__

        def entered(patcher: Any) -> Any:
            made = enter(patcher)
            if isinstance(patcher.target, types.ModuleType) and _is_followed(patcher.target.__name__):
                self._patched[patcher.target.__name__, patcher.attribute] = getattr(patcher.target, patcher.attribute)
            return made

        def left(patcher: Any, *error: Any) -> Any:
            self._patched.pop((getattr(patcher.target, "__name__", ""), patcher.attribute), None)
            return leave(patcher, *error)

        patch.__enter__, patch.__exit__ = entered, left

    def _now(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for kind in self._watched:
            if kind in self._looks:
                found |= self._looks[kind]()
        return found | {f"{module}.{name}": value for (module, name), value in self._patched.items()}

    def tell(self) -> None:
        """Tell what has changed since the last time."""
        if self._busy or not self._watched:
            return
        now = self._now()
        names = [name for name in {**now, **self._told} if not _same(now.get(name), self._told.get(name))]
        if not names and not self._seeded:
            return
        news: list[Any] = []
        for name in names:
            is_first = name not in now or _same(now[name], self._first.get(name))
            news.append((name, is_first and name not in ("environ", "limit", "decimal"), now.get(name)))
        news = [(name, back, None if back else value) for name, back, value in news]
        if self._seeded:
            news.append(("random", False, random.getstate()))
        self._told, self._seeded, self._busy = now, False, True
        try:
            self._ask(news)
        finally:
            self._busy = False


def _same(x: Any, y: Any) -> bool:
    return x is y or (type(x) is type(y) and type(x) in (int, tuple, dict) and x == y)


def _is_followed(module: str) -> bool:
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names and top not in _OURS


def _hear(message: Any, category: Any, line: int) -> None:
    warnings.warn_explicit(message, category, "program.py", line)


class Stream:
    """The candidate's end of a stream of the tests': what is written goes there before the next message does."""

    def __init__(self, far: Any) -> None:
        self._far, self._parts, self._size = far, list[str](), 0

    def write(self, text: Any) -> int:
        """Keep it for a while."""
        if not isinstance(text, str):
            raise TypeError(f"string argument expected, got {type(text).__name__!r}")
        self._parts.append(text)
        self._size += len(text)
        if self._size > MOST_TEXT:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Write it."""
        if self._parts:
            text, self._parts, self._size = "".join(self._parts), [], 0
            self._far.write(text)

    def __getattr__(self, name: str) -> Any:
        self.flush()
        return getattr(self._far, name)


_ORIGINALS: dict[str, Any] = {}


def take_over(news: list[Any]) -> None:
    """The candidate's side: what the tests have set holds here too.

    Args:
        news: name, whether it is as it was at first, and else what it is.
    """
    for name, back, value in news:
        if name in _STREAMS:
            made = value if name == "stdin" else Stream(value)
            _put(sys, name, back, made)
        elif name == "environ":
            os.environ.clear()
            os.environ.update(value)
        elif name == "limit":
            sys.setrecursionlimit(value)
        elif name == "decimal":
            decimal.getcontext().prec, decimal.getcontext().rounding = value
        elif name == "random":
            random.setstate(value)
        elif name == "warnings":
            _put(warnings, "warn", back, _warner(value))
        else:
            module, _, attribute = name.rpartition(".")
            with contextlib.suppress(ImportError):
                _put(importlib.import_module(module), attribute, back, value)


def _put(module: Any, name: str, back: bool, value: Any) -> None:  # noqa: FBT001 - of one row
    key = f"{module.__name__}.{name}"
    if back:
        if key in _ORIGINALS:
            setattr(module, name, _ORIGINALS.pop(key))
        return
    _ORIGINALS.setdefault(key, getattr(module, name, None))
    setattr(module, name, value)


def _warner(hear: Any) -> Callable[..., None]:
    def warn(message: Any, category: Any = None, stacklevel: int = 1, *_: Any, **__: Any) -> None:
        kind = type(message) if isinstance(message, Warning) else category or UserWarning
        hear(message, kind, sys._getframe(max(stacklevel, 1)).f_lineno)

    return warn
