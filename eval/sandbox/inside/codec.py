"""Values as nodes: what crosses between the tests' process and the candidate's, and nothing else.

A value is an item: a scalar as it is, or `[n]`, the n-th node of its message; `[-1 - n]` is the n-th object of the
request that the message answers. A node is a list that begins with its kind. So what is one object on one side is one
object on the other, whatever holds itself ends, and no depth is too deep. Lists of scalars, told by one look at their
types, go out and come in at the speed of C.

Decoding executes nothing: JSON gives plain data, and only the types of `TABLE` are made of it. What is not in it is
lent (`eval/sandbox/inside/wire.py`): it stays where it is.
"""

from __future__ import annotations

import array
import base64
import collections
import datetime
import decimal
import fractions
import functools
import importlib
import itertools
import pathlib
import re
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from eval.sandbox.inside import arrays, library
from eval.sandbox.inside.kept import FIRST, Kept
from eval.sandbox.inside.library import library_name, library_object
from eval.sandbox.inside.signatures import FORMS, MEMBERS, is_whole

PACKED = 64
"""So many numbers or more cross as an array."""
MOST_DEEP = 30
"""Lists in lists that cross as they are: one that holds itself has no end."""
SCALARS = frozenset({type(None), bool, int, float, str})
_DATES = (datetime.datetime, datetime.date, datetime.time)
_ADDRESSES = ("IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network", "IPv4Interface", "IPv6Interface")


class Gone(BaseException):
    """The other side has ended, or speaks nonsense; not an Exception, so that no test can swallow it."""


class Malformed(Exception):  # noqa: N818 - a message, not an error of ours
    """What the other side sent is no message."""


def _made_with(kind: type, **attributes: Any) -> Any:
    made: Any = object.__new__(kind)
    made.__dict__.update(attributes)
    return made


def _view(name: str) -> Callable[..., Any]:
    def make(values: list[Any]) -> Any:
        pairs = values if name == "items" else [(v, v) for v in values] if name == "keys" else enumerate(values)
        return getattr(dict(pairs), name)()

    return make


def _ordered(keys: list[Any], values: list[Any]) -> Any:
    return collections.OrderedDict(zip(keys, values, strict=True))


def _zone(offset: datetime.timedelta, name: str | None) -> datetime.timezone:
    plain = datetime.timezone(offset)
    return plain if name in (None, str(plain)) else datetime.timezone(offset, name)


def _datetime(*values: Any) -> datetime.datetime:
    return datetime.datetime(*values[:8], fold=values[8])  # noqa: DTZ001 - its zone is the eighth


def _struct_time(values: list[Any], zone: str | None, offset: int | None) -> time.struct_time:
    return time.struct_time(values, {"tm_zone": zone, "tm_gmtoff": offset})


TABLE: dict[Any, tuple[str, Callable[[Any], Any], Callable[..., Any]]] = {
    complex: ("complex", lambda x: (x.real, x.imag), complex),
    bytes: ("bytes", lambda x: (base64.b64encode(x).decode(),), base64.b64decode),
    bytearray: ("bytearray", lambda x: (base64.b64encode(x).decode(),), lambda x: bytearray(base64.b64decode(x))),
    memoryview: ("memoryview", arrays.state_of_view, arrays.make_view),
    range: ("range", lambda x: (x.start, x.stop, x.step), range),
    slice: ("slice", lambda x: (x.start, x.stop, x.step), slice),
    type(...): ("Ellipsis", lambda _: (), lambda: ...),
    type(NotImplemented): ("NotImplemented", lambda _: (), lambda: NotImplemented),
    array.array: ("array", lambda x: (x.typecode, x.tobytes()), array.array),
    collections.OrderedDict: ("OrderedDict", lambda x: (list(x), list(x.values())), _ordered),
    collections.Counter: ("Counter", lambda x: (dict(x),), collections.Counter),
    collections.defaultdict: ("defaultdict", lambda x: (x.default_factory, dict(x)), collections.defaultdict),
    collections.ChainMap: ("ChainMap", lambda x: tuple(x.maps), collections.ChainMap),
    collections.UserList: ("UserList", lambda x: (x.data,), lambda x: _made_with(collections.UserList, data=x)),
    collections.UserDict: ("UserDict", lambda x: (x.data,), lambda x: _made_with(collections.UserDict, data=x)),
    collections.UserString: ("UserString", lambda x: (x.data,), collections.UserString),
    datetime.timedelta: ("timedelta", lambda x: (x.days, x.seconds, x.microseconds), datetime.timedelta),
    datetime.timezone: ("timezone", lambda x: (x.utcoffset(None), x.tzname(None)), _zone),
    decimal.Decimal: ("Decimal", lambda x: (str(x),), decimal.Decimal),
    fractions.Fraction: ("Fraction", lambda x: (x.numerator, x.denominator), fractions.Fraction),
    pathlib.PosixPath: ("PosixPath", lambda x: (str(x),), pathlib.PosixPath),
    pathlib.PurePosixPath: ("PurePosixPath", lambda x: (str(x),), pathlib.PurePosixPath),
    re.Pattern: ("Pattern", lambda x: (x.pattern, int(x.flags & ~re.DEBUG)), re.compile),
    types.SimpleNamespace: ("SimpleNamespace", lambda x: (vars(x),), lambda x: types.SimpleNamespace(**x)),
    types.MappingProxyType: ("MappingProxyType", lambda x: (dict(x),), types.MappingProxyType),
    pathlib.PureWindowsPath: ("PureWindowsPath", lambda x: (str(x),), pathlib.PureWindowsPath),
    time.struct_time: ("struct_time", lambda x: (list(x), x.tm_zone, x.tm_gmtoff), _struct_time),
    datetime.date: ("date", lambda x: (x.year, x.month, x.day), datetime.date),
    datetime.time: ("time", lambda x: (x.hour, x.minute, x.second, x.microsecond, x.tzinfo, x.fold),
                    lambda *v: datetime.time(*v[:5], fold=v[5])),
    datetime.datetime: ("datetime", lambda x: (x.year, x.month, x.day, x.hour, x.minute, x.second, x.microsecond,
                                               x.tzinfo, x.fold), _datetime),
    type({}.keys()): ("dict_keys", lambda x: (list(x),), _view("keys")),
    type({}.values()): ("dict_values", lambda x: (list(x),), _view("values")),
    type({}.items()): ("dict_items", lambda x: (list(x),), _view("items")),
}  # fmt: skip
"""Type → its name, its state, and what makes it of the state again."""
TABLE.update(FORMS | MEMBERS)

_LATER: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "UUID": ("uuid", lambda x: (x.hex,)),
    "ZoneInfo": ("zoneinfo", lambda x: (x.key,)),
} | dict.fromkeys(_ADDRESSES, ("ipaddress", lambda x: (str(x),)))
"""Name of a type → its module, its state. Who uses these modules imports them: each fork copies what is there."""


def _row(kind: type) -> tuple[str, Callable[[Any], Any], Callable[..., Any]] | None:
    """The row of a type in `TABLE`, or of one whose module somebody has imported meanwhile."""
    if kind not in TABLE:
        for name, (module, state) in _LATER.items():
            if getattr(sys.modules.get(module), name, None) is kind:
                TABLE[kind] = name, state, kind
    return TABLE.get(kind)


def _is_zone_info(kind: type) -> bool:
    row = _row(kind)
    return row is not None and row[0] == "ZoneInfo"


def _make_later(module: str, name: str, *state: Any) -> Any:
    return getattr(importlib.import_module(module), name)(*state)


_MAKERS = {name: make for name, _, make in TABLE.values()} | {
    name: functools.partial(_make_later, module, name) for name, (module, _) in _LATER.items()
}
_KIND_OF_NODE = {"l": list, "L": list, "t": tuple, "T": tuple, "s": set, "S": set, "f": frozenset, "F": frozenset}
_DICTS: dict[str, Any] = {kind.__name__: kind for kind in (collections.OrderedDict, collections.Counter,
                                                           collections.defaultdict)}  # fmt: skip
_FILLED_LATER = frozenset({list, dict, set, collections.deque, *_DICTS.values()})
"""Kinds that may hold themselves."""
_CODES = {"q": "q", "r": "d"}
_SIMPLE: dict[Any, str] = {list: "l", tuple: "t", set: "s", frozenset: "f"}


def is_tree(x: list[Any]) -> bool:
    """Whether a list holds lists and scalars alone, each of exactly these types, none of them twice, none deep."""
    level = [x]
    for _ in range(MOST_DEEP):
        kinds = set(map(type, itertools.chain.from_iterable(level))) - SCALARS
        if not kinds:
            return True
        if kinds != {list}:
            return False
        level = [y for each in level for y in each if type(y) is list]
        if len(set(map(id, level))) < len(level):
            return False
    return False


class Encoder:
    """The nodes of one message.

    Args:
        lend: what to do with something that is no data: a node for it.
        given: objects of the request that this message answers, by their place.
        known: id → item of objects that the other side has.
        packs: whether long lists of numbers go as arrays, for a message that is text.
    """

    def __init__(
        self,
        lend: Callable[[Any, Encoder], list[Any]],
        given: list[Any] | None = None,
        *,
        packs: bool = False,
        known: dict[int, list[int]] | None = None,
    ) -> None:
        self._lend, self._packs = lend, packs
        self._memo = {id(x): [-1 - place] for place, x in enumerate(given or []) if type(x) not in SCALARS}
        if known:
            self._memo |= known
        self.nodes: list[Any] = []
        self.objects: list[Any] = []
        self.told: list[int] = []  # classes that the message describes

    def item(self, x: Any) -> Any:
        """The item of a value; its nodes are described by the time `encode` returns."""
        if type(x) in SCALARS:
            return x
        known = self._memo.get(id(x))
        if known is None:
            known = self._memo[id(x)] = [len(self.objects)]
            self.objects.append(x)  # which keeps it, and its id, alive
        return known

    def encode(self, x: Any) -> Any:
        """The item of a value, and all its nodes."""
        item = self.item(x)
        self.finish()
        return item

    def finish(self) -> None:
        """Describe what was named since the last time."""
        while len(self.nodes) < len(self.objects):
            self.nodes.append(self.describe(self.objects[len(self.nodes)]))

    def describe(self, x: Any) -> list[Any]:
        """The node of one object."""
        kind = type(x)
        if kind in _SIMPLE:
            if SCALARS.issuperset(kinds := set(map(type, x))):
                if (
                    self._packs
                    and len(kinds) == 1
                    and kind is list
                    and len(x) >= PACKED
                    and (packed := _packed(x, kinds)) is not None
                ):
                    return packed
                return [_SIMPLE[kind], list(x)]
            return [_SIMPLE[kind].upper(), [self.item(y) for y in x]]
        if kind is dict:
            keys, values = list(x), list(x.values())
            if SCALARS.issuperset(map(type, keys)) and SCALARS.issuperset(map(type, values)):
                return ["d", keys, values]
            return ["D", [self.item(y) for y in keys], [self.item(y) for y in values]]
        if kind in _DICTS.values():
            factory = [self.item(x.default_factory)] if kind is collections.defaultdict else []
            return ["D", [self.item(y) for y in x], [self.item(y) for y in x.values()], kind.__name__, *factory]
        if kind is collections.deque:
            return ["Q", [self.item(y) for y in x], x.maxlen]
        if (row := _row(kind)) is not None and _is_whole(x, kind):
            return ["x", row[0], [self.item(y) for y in row[1](x)]]
        if (node := arrays.describe(x, self.item)) is not None:
            return node
        if (name := library_name(x)) is not None:
            return ["n", *name]
        if isinstance(x, BaseException) and (name := library_name(kind)) is not None:
            state = library.beside(x)
            return ["e", *name, [self.item(y) for y in x.args], list(state), [self.item(y) for y in state.values()]]
        return self._lend(x, self)


def _packed(x: list[Any], kinds: set[type]) -> list[Any] | None:
    """The node of a long list of machine numbers; None if one of them is none."""
    code = "q" if kinds == {int} else "r" if kinds == {float} else ""
    try:
        return [code, base64.b64encode(array.array(_CODES[code], x).tobytes()).decode()] if code else None
    except OverflowError:
        return None


def _is_whole(x: Any, kind: type) -> bool:
    """Whether the table holds all that there is to a value."""
    if kind in _DATES:
        zone = type(getattr(x, "tzinfo", None))
        return zone in (type(None), datetime.timezone) or _is_zone_info(zone)
    if kind in FORMS:
        return is_whole(x)
    if _is_zone_info(kind):
        return x.key is not None
    return kind is not memoryview or arrays.is_whole_view(x)


class Decoder:
    """The objects of one message.

    Args:
        nodes: as an `Encoder` made them, perhaps.
        borrow: what stands for a node of a lent object.
        given: objects of the request that the message answers.
        kept: objects that both sides have.

    Raises:
        Malformed: the message is not what an `Encoder` makes.
    """

    def __init__(
        self, nodes: Any, borrow: Callable[[list[Any], Decoder], Any], given: list[Any] | None, kept: Kept
    ) -> None:
        self._nodes, self._borrow, self._given, self._kept = nodes, borrow, given or [], kept
        self._open: set[int] = set()
        self.objects: list[Any] = [None] * len(nodes)
        self._made = bytearray(len(nodes))
        waiting = []
        try:
            for at, node in enumerate(nodes):
                if node[0] in _CODES:
                    self.objects[at] = array.array(_CODES[node[0]], base64.b64decode(node[1])).tolist()
                    self._made[at] = 1
                elif node[0] in ("Q", "v"):
                    self.objects[at] = collections.deque(maxlen=node[2]) if node[0] == "Q" else arrays.make(node)
                    self._made[at] = 1
                    waiting.append(at)
                elif node[0] in ("e", "o"):
                    waiting.append(at)
                elif node[0] in ("l", "L", "d", "D", "s", "S"):
                    made: Any = {"l": list, "d": dict, "s": set}[node[0].lower()]
                    self.objects[at] = (_DICTS[node[3]] if len(node) > 3 else made)()
                    self._made[at] = 1
                    if node[0] == "l":
                        self.objects[at], node[1] = node[1], None
                    else:
                        waiting.append(at)
            for at in range(len(nodes) - 1, -1, -1):
                self._resolve(at)
            for at in reversed(waiting):
                self._fill(self.objects[at], nodes[at])
        except Malformed:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError, ImportError) as error:
            raise Malformed(str(error)) from None

    def value(self, item: Any) -> Any:
        """The value of an item."""
        if type(item) is not list:
            return item
        try:
            (at,) = item
            return self._given[-1 - at] if at < 0 else self._kept.value(at) if at >= FIRST else self._resolve(at)
        except (LookupError, TypeError, ValueError) as error:
            raise Malformed(str(error)) from None

    def _resolve(self, at: int) -> Any:
        if self._made[at]:
            return self.objects[at]
        if at in self._open:
            raise Malformed("a value that cannot hold itself holds itself")
        self._open.add(at)
        made = self._make(self._nodes[at])
        self._open.discard(at)
        self.objects[at] = made
        self._made[at] = 1
        return made

    def _make(self, node: list[Any]) -> Any:
        kind = node[0]
        if kind in ("t", "f"):
            return _KIND_OF_NODE[kind](node[1])
        if kind in ("T", "F"):
            return _KIND_OF_NODE[kind]([self.value(y) for y in node[1]])
        if kind == "x":
            return _MAKERS[node[1]](*[self.filled(y) for y in node[2]])
        if kind == "n":
            if (found := library_object(str(node[1]), str(node[2]))) is None:
                raise Malformed(f"{node[1:]} is nothing of Python's own")
            return found
        if kind == "e":
            error = library_object(str(node[1]), str(node[2]))
            if not (isinstance(error, type) and issubclass(error, BaseException)):
                raise Malformed(f"{node[1:3]} is no exception")
            return library.make_error(error, [self.filled(y) for y in node[3]])
        return self._borrow(node, self)

    def filled(self, item: Any) -> Any:
        """A value that is looked into at once."""
        value = self.value(item)
        if type(item) is list and 0 <= item[0] < FIRST and not value and type(value) in _FILLED_LATER:
            self._fill(value, self._nodes[item[0]])
        return value

    def _fill(self, made: Any, node: list[Any]) -> None:
        kind = node[0]
        if (kind == "v" and node[1] != arrays.OBJECTS) or (kind == "o" and len(node) == 4):
            return
        if kind == "v":
            arrays.fill(made, node, self.value)
        elif kind in ("e", "o"):
            library.put_beside(made, node[-2], [self.value(y) for y in node[-1]])
        elif made or kind == "l":
            return
        elif kind in ("L", "Q"):
            made.extend([self._filled_key(y) for y in node[1]])
        elif kind in ("s", "S"):
            made.update([self.value(y) for y in node[1]])
        else:
            if len(node) == 5:
                made.default_factory = self.value(node[4])
            items = zip([self.value(y) for y in node[1]], [self.value(y) for y in node[2]], strict=True)
            dict.update(made, items) if type(made) is collections.Counter else made.update(items)

    def _filled_key(self, item: Any) -> Any:
        return item if type(item) is not list else self.value(item)
