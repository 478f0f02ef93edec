"""numpy's arrays and scalars as nodes: their type, shape and bytes. Nothing here imports numpy before a program has.

Views of memory cross with what they look into, so that both sides' views of one array see its changes.

Only machine types cross (numbers, booleans, dates, text of a fixed width). An array of objects crosses as its items. A
subclass, a structured type or a mask is lent like any other object (`eval/sandbox/inside/wire.py`).
"""

from __future__ import annotations

import array
import base64
import math
import re
import struct
import sys
from collections.abc import Callable
from typing import Any

ARRAY, SCALAR, OBJECTS, TYPE, CLASS, ERROR = "array", "scalar", "objects", "dtype", "class", "error"
_CHANGEABLE = (bytearray, array.array)
_ERRORS = ("numpy.linalg", "numpy.exceptions")
_DTYPE = re.compile(r"[<>|=]?[?biufcSUMm]\d{0,7}(?:\[\d{0,6}\w{1,2}\])?")


def loaded() -> Any:
    """numpy, if it is imported here; else None."""
    found = sys.modules.get("numpy")
    return found if hasattr(found, "ndarray") else None


def is_array(x: Any) -> bool:
    """Whether a value is exactly an array."""
    np = loaded()
    return np is not None and type(x) is np.ndarray


def is_class(kind: type) -> bool:
    """Whether a class is one of numpy's that cross by their names."""
    return _class(kind.__name__) is kind


def describe(x: Any, item: Callable[[Any], Any]) -> list[Any] | None:
    """The node of an array, a scalar or a type of numpy's; None of anything else.

    Args:
        x: the value.
        item: makes an item of a value in it.
    """
    np = loaded()
    if np is None:
        return None
    if isinstance(x, type):
        return ["v", CLASS, x.__name__] if is_class(x) else None
    if isinstance(x, BaseException):
        kind = type(x)
        if _error(kind.__module__, kind.__name__) is not kind:
            return None
        return ["v", ERROR, kind.__module__, kind.__name__, [str(y) for y in x.args]]
    if isinstance(x, np.dtype):
        return ["v", TYPE, x.str] if _DTYPE.fullmatch(x.str) else None
    if type(x) is np.ndarray and x.dtype == object:
        return ["v", OBJECTS, list(x.shape), [item(y) for y in x.flat]]
    if type(x) is np.ndarray or (isinstance(x, np.generic) and type(x).__module__ == "numpy"):
        if not _DTYPE.fullmatch(x.dtype.str):
            return None
        content = base64.b64encode(np.ascontiguousarray(x).tobytes()).decode()
        order = "F" if type(x) is np.ndarray and x.flags.fnc and not x.flags.c_contiguous else "C"
        return ["v", ARRAY if type(x) is np.ndarray else SCALAR, x.dtype.str, list(x.shape), content, order]
    return None


def make(node: list[Any]) -> Any:
    """What a node describes; the items of an array of objects come later, by `fill`.

    Raises:
        ValueError, TypeError, ImportError: it is no node of `describe`.
    """
    import numpy as np
    import numpy.exceptions
    import numpy.linalg

    _, kind, *rest = node
    if kind == OBJECTS:
        return np.empty(_shape(rest[0]), dtype=object)
    if kind in (CLASS, ERROR):
        found = _class(*rest) if kind == CLASS else _error(*rest[:2])
        if found is None:
            raise ValueError(f"{rest} is nothing of numpy's")
        return found if kind == CLASS else found(*map(str, rest[2]))
    if not _DTYPE.fullmatch(rest[0]):
        raise ValueError("no machine type")
    dtype = np.dtype(rest[0])
    if kind == TYPE:
        return dtype
    shape = _shape(rest[1])
    made = np.frombuffer(base64.b64decode(rest[2]), dtype=dtype) if dtype.itemsize else np.zeros(shape, dtype)
    made = made.reshape(shape).copy(order="F" if rest[3] == "F" else "C")
    return made[()] if kind == SCALAR else made


def _class(name: str) -> Any:
    """A class of numpy's arrays or scalars; None if it is none."""
    np = loaded()
    found = vars(np).get(name) if np is not None else None
    return found if isinstance(found, type) and (found is np.ndarray or issubclass(found, np.generic)) else None


def _error(module: str, name: str) -> Any:
    """An exception of numpy's; None if it is none."""
    space = sys.modules.get(module) if module in _ERRORS else None
    found = vars(space).get(name) if space is not None else None
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def fill(made: Any, node: list[Any], value: Callable[[Any], Any]) -> None:
    """Put the items into an array of objects."""
    for place, each in enumerate(node[3]):
        made.flat[place] = value(each)


def _shape(sizes: Any) -> tuple[int, ...]:
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError("no shape")
    return tuple(sizes)


def contents(x: Any) -> list[Any]:
    """What an array holds, to be compared later."""
    return list(x.flat) if x.dtype == object else [x.tobytes(), str(x.shape)]


def replace(old: Any, new: Any) -> None:
    """Make an array equal to its changed copy, in place."""
    if old.shape != new.shape:
        old.resize(new.shape, refcheck=False)
    old[...] = new


def is_whole_view(x: memoryview) -> bool:
    """Whether a view can be made again of what it looks into."""
    shape, strides = x.shape or (), x.strides or ()
    plain = x.ndim > 0 and len(x.format) == 1 and (x.ndim == 1 or (x.c_contiguous and 0 not in shape))
    return plain and (x.readonly or (type(x.obj) in _CHANGEABLE and strides[0] % x.itemsize == 0))


def state_of_view(x: memoryview) -> tuple[Any, ...]:
    """What it looks into, from which byte, as what, how many of them, how far apart, and whether it is read only."""
    shape, strides = list(x.shape or ()), x.strides or ()
    if x.readonly:
        size = x.itemsize if x.ndim == 1 else strides[0]
        return x.tobytes(), 0, x.format, shape, size, True
    first = _address(x) - _address(memoryview(x.obj)) if x.nbytes else 0
    return x.obj, first, x.format, shape, strides[0], False


def make_view(whole: Any, first: int, form: str, shape: list[int], stride: int, fixed: bool) -> memoryview:  # noqa: FBT001
    """A view of that state."""
    view, size = memoryview(whole).cast("B"), struct.calcsize(form)
    if len(shape) > 1:
        made: memoryview = view[first : first + size * math.prod(shape)].cast(form, shape)  # type: ignore[call-overload]
    elif not shape[0]:
        made = view[:0].cast(form)  # type: ignore[call-overload]
    else:
        ends = sorted((first, first + stride * (shape[0] - 1)))
        made = view[ends[0] : ends[1] + size].cast(form)[:: stride // size]  # type: ignore[call-overload]
    return made.toreadonly() if fixed else made


def _address(x: memoryview) -> int:
    """Of the first byte; it is free again when this returns."""
    import ctypes  # rarely needed

    first = x[:1] if x.ndim == 1 else x
    return ctypes.addressof(ctypes.c_char.from_buffer(first.cast("B")))
