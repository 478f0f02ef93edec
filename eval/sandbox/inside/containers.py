"""Data types that a class may extend, and the data in its objects."""

from __future__ import annotations

import collections
from typing import Any

BASES = (int, str, float, complex, bytes, bytearray, list, tuple, dict, set, frozenset, collections.deque,
         collections.OrderedDict, collections.Counter, collections.defaultdict)  # fmt: skip
"""Data types that a candidate's class may extend; what is in them crosses."""

CHANGEABLE = (bytearray, list, dict, set, collections.deque)


def bare(x: Any, base: type) -> Any:
    """The data in an object whose class extends a container, as that container."""
    return dict(dict.items(x)) if base is dict else base(base.__iter__(x))  # type: ignore[attr-defined]


def load(x: Any, data: Any) -> None:
    """Make the data in an object those."""
    if isinstance(x, dict):
        dict.clear(x)
        dict.update(x, data)
    elif isinstance(x, set):
        set.clear(x)
        set.update(x, data)
    elif isinstance(x, collections.deque):
        collections.deque.clear(x)
        collections.deque.extend(x, data)
    elif isinstance(x, list):
        list.__setitem__(x, slice(None), data)
    else:
        bytearray.__setitem__(x, slice(None), data)
