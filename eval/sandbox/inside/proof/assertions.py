"""Assertions that a model wrote, as expressions that can do nothing but call one function and compare.

The process that runs them is the one whose word is believed, so nothing of them may reach anything else: a closed list
of syntax, of builtin functions and of methods; no attribute that begins with an underscore; no statement.

An assertion that holds is evaluated once more with functions that answer otherwise: values of the same types, which
depend on the arguments. One that holds of all of them too, such as `f(3) == f(3)`, `(f(3) == 4, "message")`,
`isinstance(f(3), int)` or `all(f(x) for x in [])`, proves nothing.
"""

from __future__ import annotations

import ast
import builtins
import json
import zlib
from collections.abc import Callable
from types import CodeType
from typing import Any

_FUNCTIONS = (
    "abs all any bool dict enumerate float frozenset int isinstance len list max min range reversed round set sorted "
    "str sum tuple type zip"
)
_METHODS = (
    "count endswith get index isalpha isdigit islower issubset issuperset isupper items join keys lower lstrip rstrip "
    "split startswith strip upper values"
)
FUNCTIONS, METHODS = frozenset(_FUNCTIONS.split()), frozenset(_METHODS.split())
"""What an assertion may use besides the function that it is about."""

MAX_CHARS, MAX_POWER, MAX_FACTOR = 2_000, 64, 10**6
"""Length of an assertion; largest written exponent or shift; largest written number that multiplies or counts."""

_SYNTAX = (
    ast.Expression, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Subscript, ast.Slice, ast.Attribute, ast.keyword, ast.IfExp,
    ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.comprehension, ast.Store, ast.Starred,
    ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


class NotAllowed(ValueError):  # noqa: N818 - what it says of an assertion
    """The assertion is none, or asks for more than comparing what one function answers."""


def condition_of(text: str) -> ast.expr:
    """What an assertion asserts: the expression of `assert x`, `assert x, message` or `x`.

    Names may be given before it, and functions called: `v = [2, 1]; f(v); assert v == [1, 2]` is one expression too, as
    `any([v == [1, 2] for v in [[2, 1]] for _ in [f(v)]])`.

    Raises:
        NotAllowed: it is neither, or too long.
    """
    if len(text) > MAX_CHARS:
        raise NotAllowed("too long")
    try:
        body = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotAllowed("no Python") from None
    if not body or not isinstance(body[-1], ast.Assert | (ast.Expr if len(body) == 1 else ast.Assert)):
        raise NotAllowed("no assertion")
    condition = body[-1].test if isinstance(body[-1], ast.Assert) else body[-1].value
    steps = [_step(each) for each in body[:-1]]
    if not steps:
        return condition
    called = ast.Name("any", ast.Load())
    return ast.fix_missing_locations(ast.Call(called, [ast.ListComp(condition, steps)], []))


def _step(statement: ast.stmt) -> ast.comprehension:
    """A statement before an assertion as a part of a comprehension, which goes through one value."""
    unused: ast.expr = ast.Name("_", ast.Store())
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Tuple() as target], value=value):
            return ast.comprehension(target, ast.List([value], ast.Load()), [], 0)
        case ast.Expr(value=ast.Call() as value):
            return ast.comprehension(unused, ast.List([value], ast.Load()), [], 0)
        case ast.Assert(test=test):
            return ast.comprehension(unused, ast.List([ast.Constant(None)], ast.Load()), [test], 0)
        case _:
            raise NotAllowed(f"a statement {type(statement).__name__}")


def compiled(text: str, entry_point: str) -> CodeType:
    """An assertion as code that evaluates to whether it holds.

    Raises:
        NotAllowed: it uses what is not on the lists, or never calls the entry point.
    """
    condition, calls = condition_of(text), False
    bound = {node.id for node in ast.walk(condition) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(condition):
        if not isinstance(node, _SYNTAX):
            raise NotAllowed(type(node).__name__)
        if isinstance(node, ast.Name) and node.id not in FUNCTIONS | bound | {entry_point}:
            raise NotAllowed(f"name {node.id}")
        if isinstance(node, ast.Attribute) and node.attr not in METHODS:
            raise NotAllowed(f"attribute {node.attr}")
        if isinstance(node, ast.BinOp):
            _check_size(node)
        if _is_call_of(node, "range") and any(map(_is_large, ast.walk(node))):
            raise NotAllowed("a large range")
        calls = calls or _is_call_of(node, entry_point)
    if not calls or entry_point in bound:
        raise NotAllowed("never calls the solution")
    return compile(ast.Expression(condition), "assertion", "eval", dont_inherit=True)


def _check_size(node: ast.BinOp) -> None:
    """Refuse powers, shifts and repetitions whose result may be huge."""
    if isinstance(node.op, ast.Pow | ast.LShift):
        right = node.right
        if not (isinstance(right, ast.Constant) and isinstance(right.value, int) and right.value <= MAX_POWER):
            raise NotAllowed("a large power")
    if isinstance(node.op, ast.Mult):
        sides = (node.left, node.right)
        repeats = any(
            isinstance(side, ast.List | ast.Tuple | ast.Set | ast.ListComp) or _is_text(side) for side in sides
        )
        small = any(_number(side) is not None and not _is_large(side) for side in sides)
        large = any(map(_is_large, sides))
        if large or (repeats and not small):
            raise NotAllowed("a large product")


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def _number(node: ast.AST) -> int | None:
    """The integer that is written; None for anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return abs(value) if isinstance(value, int) else None


def _is_large(node: ast.AST) -> bool:
    return (_number(node) or 0) > MAX_FACTOR


def names_for(entry_point: str, function: Any) -> dict[str, Any]:
    """Global names of an assertion."""
    known = {name: getattr(builtins, name) for name in FUNCTIONS}
    return {"__builtins__": {}} | known | {entry_point: function}


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
        self.moved = False
        """Whether a call has changed an argument."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask the solution."""
        before = _shown(args)
        value = self._function(*args, **kwargs)
        self.moved = self.moved or before != _shown(args)
        self.seen.append(value)
        return value


def _shown(args: tuple[Any, ...]) -> str:
    """What arguments hold, as text; empty where something of the candidate's is in them."""
    try:
        return json.dumps([each for each in args if type(each) in (list, dict)])
    except (TypeError, ValueError, RecursionError):
        return ""


def gives_names(test: CodeType) -> bool:
    """Whether an assertion gives values names, and so may look at an argument after the call."""
    return any(isinstance(each, CodeType) for each in test.co_consts)


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
            if not eval(test, names_for(entry_point, _impostor(seen[0], way))):  # noqa: S307 - a closed list
                return False
            held += 1
        except Exception:  # noqa: BLE001, S112 - an answer that the assertion cannot look at says nothing
            continue
    return held > 0


def _impostor(value: Any, way: int) -> Callable[..., Any]:
    def answer(*args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]  # `f(3) == f(x=3)` says nothing
        return _changed(value, way, 1 + zlib.crc32(f"{way} {given!r}"[:2_000].encode("utf-8", "replace")) % 9973)

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
