"""What stands in the tests' process for an object of the candidate's that is no plain data.

Each class of the candidate's has a mirror here: of the same name and bases, so that `type`, `isinstance` and `except`
mean what they say. A mirror runs no line of the candidate: its methods ask the other process. A subclass of a data type
is that data type here, and is compared, ordered and added to as the type itself defines.

What may be asked decides what can be trusted. An answer that is compared here is as good as one that was returned. But
a candidate that is told what is expected could always say yes, so an object that some function returned

- is never asked whether it equals, contains or precedes the tests' own data: it does not, as of two unrelated types;
- may be added to them or multiplied by them, but what comes of it is no data and gives none (`abs(f(x) - 5) < 1e-6`);
- has no method of a data type's name that takes them (`f(x).startswith("ab")`).

All of this holds no longer for what the tests made themselves of a class that they name (`Money(5) == 5`) and that is
not the entry point: then the class is what they test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from eval.sandbox.inside import signatures
from eval.sandbox.inside.changes import BASES

COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
ARITHMETIC = tuple(f"__{side}{name}__" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow",
                   "lshift", "rshift", "and", "or", "xor", "matmul") for side in ("", "r", "i"))  # fmt: skip
LOOKS = ("__len__", "__bool__", "__iter__", "__next__", "__getitem__", "__reversed__", "__str__", "__repr__",
         "__format__", "__call__", "__missing__", "__enter__", "__exit__")  # fmt: skip
OTHERS = ("__int__", "__float__", "__complex__", "__index__", "__abs__", "__neg__", "__pos__", "__invert__",
          "__round__", "__trunc__", "__floor__", "__ceil__", "__hash__", "__bytes__", "__setitem__", "__delitem__",
          "__fspath__", "__length_hint__", "__contains__", "__await__", "__aiter__", "__anext__", "__aenter__",
          "__aexit__", "__dir__", "__instancecheck__", "__get__", "__init__")  # fmt: skip
ASKED = frozenset((*COMPARISONS, *ARITHMETIC, *LOOKS, *OTHERS))
"""Special methods that a mirror can have."""

QUESTIONS = frozenset(name for kind in (str, bytes, tuple, frozenset, int, float, complex) for name in dir(kind)
                      if not name.startswith("__"))  # fmt: skip
"""Methods that the tests may mean as those of a data type."""

OF_DATA = frozenset(name for kind in BASES for name in dir(kind))

SECRET = "_wavecoder"  # noqa: S105 - the key of an attribute


class Asking(Protocol):
    """What a mirror needs of the connection (`eval/sandbox/inside/wire.py`)."""

    lending: Any

    def ask(
        self, op: str, of: int, name: str = "", args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Have the other side do something with an object of its own."""

    def refresh(self, of: int) -> Any:
        """The data in an object of the other side's whose class extends a data type."""


class _Space:
    """What mirrors keep of their own; `__dict__` of a mirror is the other side's."""


_SPACE: Any = vars(_Space)["__dict__"]


def space_of(x: Any) -> dict[str, Any]:
    """What a mirror keeps of its own."""
    found: dict[str, Any] = _SPACE.__get__(x)
    return found


class Secret:
    """What a mirror's object knows: whom to ask, for which object, and how far it may be trusted."""

    __slots__ = ("heir", "named", "of", "peer", "told")

    def __init__(self, peer: Asking, of: int, *, named: bool = False, told: bool = False, heir: bool = False) -> None:
        self.peer, self.of, self.named, self.told, self.heir = peer, of, named, told, heir


def secret_of(x: Any) -> Secret | None:
    """The secret of an object that stands for one of the other side's; None of any other."""
    if _Space in _LINEAGE["__mro__"](type(x)):
        found = space_of(x).get(SECRET)
    elif isinstance(x, Mirror):
        found = vars(x).get(SECRET)
    else:
        return None
    return found if type(found) is Secret else None


def is_data_here(x: Any) -> bool:
    """Whether the tests' process could compare it by itself."""
    return secret_of(x) is None or isinstance(x, BASES)


def named_alike(x: Any, made: Any, *, told: bool = False) -> Any:
    """What came of an object of the tests' own making is of their making too."""
    mine, its = secret_of(x), secret_of(made)
    if mine is not None and its is not None:
        its.named = its.named or mine.named
        its.told = its.told or told or mine.told
    return made


def ask(x: Any, op: str, name: str, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
    """Have the other side do something with an object, unless it has been told what the tests expect."""
    secret = secret_of(x)
    assert secret is not None
    made = secret.peer.ask(op, secret.of, name, args, kwargs)
    if secret.told and is_data_here(made):
        raise TypeError(
            f"what came of a {type(x).__name__} and the tests' data is asked for {name}, which is the candidate's word"
        )
    return named_alike(x, made)


def _ask_freely(x: Any, op: str, name: str, args: tuple[Any, ...] = ()) -> Any:
    """For what nobody asks of a data type: whoever does so knows that it is an object of the candidate's."""
    secret = secret_of(x)
    assert secret is not None
    return named_alike(x, secret.peer.ask(op, secret.of, name, args))


def _comparison(name: str) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        mine, its = secret_of(self), secret_of(other)
        assert mine is not None
        if not mine.named and (is_data_here(other) or its is None or (mine.told and its.told)):
            return NotImplemented
        if mine.told and its is not None and not isinstance(other, BASES):
            return mine.peer.ask("do", mine.of, name, (other,))
        return ask(self, "do", name, (other,))

    return compare


def _arithmetic(name: str) -> Callable[..., Any]:
    def compute(self: Any, other: Any, *more: Any) -> Any:
        mine = secret_of(self)
        assert mine is not None
        told = not mine.named and is_data_here(other)
        made = mine.peer.ask("do", mine.of, name, (other, *more))
        if name == "__rdivmod__" and type(made) is tuple and not any(map(is_data_here, made)):
            return tuple(named_alike(self, each, told=told) for each in made)
        if (told or mine.told) and made is not NotImplemented and is_data_here(made):
            raise TypeError(
                f"{name} of a {type(self).__name__} and the tests' data gives data, which is the candidate's word"
            )
        return named_alike(self, made, told=told)

    return compute


def _contains(self: Any, item: Any) -> bool:
    mine = secret_of(self)
    assert mine is not None
    if mine.named or not is_data_here(item):
        return bool(ask(self, "do", "__contains__", (item,)))
    return any(item is each or item == each for each in self)


def _other(name: str) -> Callable[..., Any]:
    def do(self: Any, *args: Any, **kwargs: Any) -> Any:
        return ask(self, "do", name, args, kwargs)

    return do


def _exit(self: Any, kind: Any, error: Any, _: Any) -> Any:
    return ask(self, "do", "__exit__", (kind, error, None))  # a traceback stays where it is


def _exit_later(self: Any, kind: Any, error: Any, _: Any) -> Any:
    return ask(self, "do", "__aexit__", (kind, error, None))


def _awaited(self: Any) -> Any:
    return ask(self, "await", "")
    yield


def method_for(name: str) -> Callable[..., Any]:
    """The special method of a mirror."""
    if name in COMPARISONS:
        return _comparison(name)
    if name in ARITHMETIC:
        return _arithmetic(name)
    rare: dict[str, Callable[..., Any]] = {
        "__contains__": _contains, "__await__": _awaited, "__exit__": _exit, "__aexit__": _exit_later,
    }  # fmt: skip
    return rare.get(name) or _other(name)


_OF_A_STATEMENT = frozenset({"__module__", "__qualname__", "__classcell__", "__annotations__", "__slots__"})


class Mirror(type):
    """The class of mirrors: calling one has the other side make an object."""

    def __init__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> None:
        """A class statement that extends a mirror has the other side extend its class likewise."""
        super().__init__(name, bases, space)
        far = [secret for base in bases if (secret := vars(base).get(SECRET)) is not None]
        if "__qualname__" in space and far:  # written by somebody, not made for a class of the other side's
            body = {key: value for key, value in space.items() if key not in _OF_A_STATEMENT}
            if not all(isinstance(base, Mirror) or base.__module__ in ("abc", "typing", "builtins") for base in bases):
                return
            of = far[0].peer.ask("heir", far[0].of, name, (bases, body))
            far[0].peer.lending.take_heir(of, cls)
            type.__setattr__(cls, SECRET, Secret(far[0].peer, of, named=all(each.named for each in far), heir=True))

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Have the other side call its class."""
        if (secret := vars(cls).get(SECRET)) is None:
            raise TypeError(f"{cls.__name__} extends a class of the candidate's, which lives in another process")
        made = secret.peer.ask("call", secret.of, "", args, kwargs)
        if (its := secret_of(made)) is not None:
            its.named = its.named or secret.named
        return made

    def __getattr__(cls, name: str) -> Any:
        if name == "__signature__":
            return signatures.signature_of_parts(of_class(cls, "signature", ""))
        if name.startswith("__") and name not in _TOLD_OF_CLASSES:
            raise AttributeError(name)
        return of_class(cls, "get", name)

    def __instancecheck__(cls, x: Any) -> bool:
        """As its own metaclass says of an object of the same side's: a protocol, a registered class."""
        if type.__instancecheck__(cls, x):
            return True
        mine, its = vars(cls).get(SECRET), secret_of(x)
        return mine is not None and its is not None and bool(mine.peer.ask("do", mine.of, "__instancecheck__", (x,)))

    def __setattr__(cls, name: str, value: Any) -> None:
        secret = vars(cls).get(SECRET)
        if secret is None or secret.heir:  # while it is made; what the tests wrote is here, too
            type.__setattr__(cls, name, value)
        if secret is not None and not (secret.heir and name.startswith("__dataclass")):
            of_class(cls, "set", name, (value,))

    @property
    def __mro__(cls) -> Any:
        """As it is on the other side: the classes that stand for nothing of the candidate's are not in it."""
        return _lineage(cls, "__mro__")

    @property
    def __bases__(cls) -> Any:  # type: ignore[override]
        """Likewise."""
        return _lineage(cls, "__bases__")

    @property
    def __base__(cls) -> Any:
        """Likewise."""
        return _lineage(cls, "__base__")

    @property
    def __flags__(cls) -> Any:
        """Likewise."""
        return _lineage(cls, "__flags__")

    @property
    def __annotations__(cls) -> Any:  # type: ignore[override]
        """Those of the original."""
        return of_class(cls, "get", "__annotations__")

    def __subclasses__(cls) -> Any:
        return of_class(cls, "method", "__subclasses__")

    def __contains__(cls, x: Any) -> bool:
        if is_data_here(x) and not vars(cls)[SECRET].named:
            return any(x is each or x == each for each in cls)
        return bool(of_class(cls, "do", "__contains__", (x,)))

    def __iter__(cls) -> Any:
        return of_class(cls, "do", "__iter__")

    def __len__(cls) -> Any:
        return of_class(cls, "do", "__len__")

    def __bool__(cls) -> bool:
        return True

    def __getitem__(cls, key: Any) -> Any:
        return of_class(cls, "do", "__getitem__", (key,))


_TOLD_OF_CLASSES = frozenset({"__doc__", "__annotations__", "__members__", "__wrapped__", "__dataclass_fields__",
                              "__dataclass_params__", "__match_args__", "__slots__", "__abstractmethods__", "__total__",
                              "__required_keys__", "__optional_keys__", "__parameters__",
                              "__orig_bases__"})  # fmt: skip
_LINEAGE: dict[str, Any] = {
    name: vars(type)[name].__get__ for name in ("__mro__", "__bases__", "__base__", "__flags__")
}


def _lineage(cls: Any, name: str) -> Any:
    return _LINEAGE[name](cls) if vars(cls).get(SECRET) is None else of_class(cls, "get", name)


Mirror.__name__ = "type"  # as the tests would see it of a class


def of_class(cls: Any, op: str, name: str, args: tuple[Any, ...] = ()) -> Any:
    """Have the other side do something with a class of its own."""
    secret = vars(cls)[SECRET]
    made = secret.peer.ask(op, secret.of, name, args)
    if (its := secret_of(made)) is not None:
        its.named = its.named or secret.named
    return made


_OF_FUNCTIONS = frozenset({"__defaults__", "__kwdefaults__", "__name__", "__qualname__", "__doc__", "__wrapped__"})
"""Special attributes that tests may set."""


class Lent(_Space):
    """What all mirrors are: attributes are the other side's."""

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        """Those of the original."""
        return attribute(self, "__dict__")

    def __dir__(self) -> Any:
        return ask(self, "do", "__dir__")

    def __copy__(self) -> Any:
        return ask(self, "copy", "")

    def __deepcopy__(self, memo: Any) -> Any:
        return ask(self, "deepcopy", "")

    def __reduce_ex__(self, _: Any) -> Any:
        """Pickled over there: what it was then is loaded as often as the tests like."""
        PICKLED.append(ask(self, "pickled", ""))
        return unpickled, (len(PICKLED) - 1,)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__" and callable(self):
            return signatures.signature_of_parts(ask(self, "signature", ""))
        if name.startswith("__") and name.endswith("__") and name not in {
            "__name__", "__doc__", "__qualname__", "__code__", "__defaults__", "__kwdefaults__", "__annotations__",
            "__closure__", "__wrapped__", "__self__", "__func__", "__notes__", "__module__", "__dataclass_fields__",
            "__slots__", "__match_args__",
        }:  # fmt: skip
            raise AttributeError(name)
        return attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        secret = secret_of(self)
        if secret is None or (name.startswith("__") and name.endswith("__") and name not in _OF_FUNCTIONS):
            object.__setattr__(self, name, value)
        else:
            secret.peer.ask("set", secret.of, name, (value,))

    def __delattr__(self, name: str) -> None:
        ask(self, "del", name)


PICKLED: list[Any] = []
"""What pickles of the tests' refer to."""


def unpickled(number: int) -> Any:
    """A new object like the one that was pickled."""
    return ask(PICKLED[number], "pickled", "")


def attribute(x: Any, name: str) -> Any:
    """An attribute of an object of the other side's."""
    secret = secret_of(x)
    if secret is None:
        raise AttributeError(name)
    question = ask if name in OF_DATA else _ask_freely
    found = question(x, "get", name)
    if name in QUESTIONS and not secret.named and callable(found):

        def asked(*args: Any, **kwargs: Any) -> Any:
            if any(is_data_here(each) for each in (*args, *kwargs.values())):
                raise TypeError(
                    f"{name} of a {type(x).__name__} is told the tests' data: its answer is the candidate's word"
                )
            return found(*args, **kwargs)

        return asked
    return found
