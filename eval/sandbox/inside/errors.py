"""What an exception holds besides its arguments: attributes, notes, and what it came from."""

from __future__ import annotations

from typing import Any

_CHAIN = ("__cause__", "__context__", "__suppress_context__")
_SLOTS = ((AttributeError, ("name",)), (NameError, ("name",)), (ImportError, ("msg", "name", "path")),
          (OSError, ("filename", "filename2")))  # fmt: skip
"""Attributes that Python's own exceptions keep elsewhere than in their arguments or names."""


def beside(error: BaseException) -> dict[str, Any]:
    """The names of an exception's state and their values, without the arguments and the traceback."""
    names = [*_CHAIN, *(name for kind, slots in _SLOTS if isinstance(error, kind) for name in slots)]
    found = {name: value for name in names if (value := getattr(error, name, None)) not in (None, False)}
    return found | {name: value for name, value in vars(error).items() if isinstance(name, str)}


def chain_of(error: BaseException) -> dict[str, Any]:
    """Of that state, what is no attribute of the class's own making."""
    return {name: value for name, value in beside(error).items() if name in (*_CHAIN, "__notes__")}


def put_beside(error: Any, names: list[Any], values: list[Any]) -> None:
    """Give an exception that state."""
    for name, value in zip(names, values, strict=True):
        if not name.startswith("__") or name in (*_CHAIN, "__notes__"):
            BaseException.__setattr__(error, name, value)


def make(kind: type[BaseException], args: list[Any]) -> BaseException:
    """An exception of Python's own; one whose constructor wants more than it keeps gets its arguments as they were."""
    if kind.__module__ == "builtins":
        try:
            return kind(*args)
        except TypeError:
            pass
    made = kind.__new__(kind)
    made.args = tuple(args)
    return made


def without_frames(error: BaseException) -> BaseException:
    """An exception whose chain refers to no frame any more."""
    seen: set[int] = set()
    open_ones: list[BaseException | None] = [error]
    while open_ones:
        each = open_ones.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            open_ones += [each.__cause__, each.__context__]
    return error
