"""Views of memory: they cross with what they look into, so that both sides' views of one array see its changes."""

from __future__ import annotations

import array
import struct
from typing import Any

_CHANGEABLE = (bytearray, array.array)


def is_whole(x: memoryview) -> bool:
    """Whether a view can be made again of what it looks into."""
    plain = x.ndim > 0 and len(x.format) == 1 and (x.ndim == 1 or (x.c_contiguous and 0 not in x.shape))
    return plain and (x.readonly or (type(x.obj) in _CHANGEABLE and x.strides[0] % x.itemsize == 0))


def state(x: memoryview) -> tuple[Any, ...]:
    """What it looks into, from which byte, as what, how many of them, how far apart, and whether it is read only."""
    if x.readonly:
        size = x.itemsize if x.ndim == 1 else x.strides[0]
        return x.tobytes(), 0, x.format, list(x.shape), size, True
    first = _address(x) - _address(memoryview(x.obj)) if x.nbytes else 0
    return x.obj, first, x.format, list(x.shape), x.strides[0], False


def make(whole: Any, first: int, form: str, shape: list[int], stride: int, fixed: bool) -> memoryview:  # noqa: FBT001
    """A view of that state."""
    view, size = memoryview(whole).cast("B"), struct.calcsize(form)
    if len(shape) > 1:
        count = size
        for length in shape:
            count *= length
        made: memoryview = view[first : first + count].cast(form, shape)  # type: ignore[call-overload]
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
