"""Verdicts of two processes against those of one: random arguments, returned objects and forms of tests.

`python -m bench.fidelity [--cases N] [--seed S]` prints one JSON object with the number of cases and those that differ.
hypothesis draws each case: what a function returns or does to its arguments, and what the tests ask of it. A case runs
in one plain process (with `exec`, here: the parts are this file's own) and through `eval.sandbox.oracle.judge`,
twenty-five cases a program. They must agree on what each test sees, and on the class of the exception where one is
raised.

`EXCLUDED` names what may differ; docs/sandbox.md says why.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bench.machine import describe_machine
from eval.sandbox.oracle import judge

EXCLUDED = {
    "word of the candidate": "an object's own methods compare it with the tests' data, or contain or order them",
    "data subclass": "a subclass of a data type, not made by the tests, compares or adds by methods of its own",
    "long kept container": "candidate and tests keep a container of more than 10,000 items, and one changes it",
    "heirs": "classes of the tests that extend both the candidate's and their own",
    "kinds of callables and iterators": "a method shows itself as a function; an iterator is of a type of that name",
    "order of a set": "what depends on the order in which a set is iterated",
    "functions of the tests'": "a candidate sets attributes of a function or class that the tests pass",
    "vars": "`vars` of an instance that the tests pass is a copy, without private names",
    "wording": "where Python itself says `does not` or `doesn't` of two kinds of types",
    "identity of constants": "whether two equal numbers, strings, bytes or tuples are one object",
}
A_PROGRAM = 25

IMPORTS = """
import array, collections, copy, dataclasses, datetime, decimal, enum, fractions, functools, ipaddress, pathlib, re
import uuid, zlib
from collections.abc import Iterator
from typing import List
inf, nan = float("inf"), float("nan")
"""
PRELUDE = """
SCALARS = (int, float, str, bytes, complex, bool)
def defaultdict_of_lists(): return collections.defaultdict(list, a=[1])
@dataclasses.dataclass(order=True)
class Point:
    x: object
    y: object = 0
    def moved(self, by): return Point(self.x, by)
Pair = collections.namedtuple("Pair", "a b")
class Number(int):
    def twice(self): return Number(self * 2)
class Word(str):
    def loud(self): return Word(self.upper())
class Row(list):
    def push(self, x): self.append(x); return self
class Bag:
    def __init__(self, *items): self.items = list(items)
    def __len__(self): return len(self.items)
    def __iter__(self): return iter(self.items)
    def __getitem__(self, at): return self.items[at]
    def __bool__(self): return len(self.items) > 1
    def __add__(self, other): return Bag(*self.items, *other.items)
    def __eq__(self, other): return isinstance(other, Bag) and self.items == other.items
    def __hash__(self): return len(self.items)
LOG = []
def LAST(x, kept=[]): kept.append(x); return kept
class Color(enum.Enum):
    RED = 1
    BLUE = "b"
class Odd(ValueError):
    def __init__(self, code): super().__init__(f"code {code!r}"); self.code = code
def counting(*items):
    for item in items:
        got = yield item
        if got is not None: yield got
"""

VALUES = r"""
set() | frozenset([1]) | {7} | range(1, 9, 3) | slice(1, None) | ... | bytearray(b'ab') |
array.array('d', [1.5]) | decimal.Decimal('1.10') | fractions.Fraction(2, 6) | datetime.date(2020, 2, 29) |
datetime.timedelta(1, 2, 3) | datetime.datetime(2021, 1, 1, tzinfo=datetime.timezone.utc) |
pathlib.Path('a/b') | uuid.UUID(int=7) | int | ValueError | ipaddress.ip_address('10.0.0.1') |
collections.Counter('abca') | collections.UserString('us') | re.compile('a+') |
collections.ChainMap({1: 2}, {3: 4}) | memoryview(b'mv') | {'a': 1}.keys() | len | NotImplemented
"""
OBJECTS = r"""
Color.RED | Color('b') | Point | Color | Odd(3) | KeyError('k', 1) | lambda x: x | Point(1).moved |
iter([1, 2]) | map(str, [1]) | counting(1, [2], 3) | defaultdict_of_lists() | Bag().__len__
"""
GIVEN = "iter([1, 2]) | (y for y in 'abc') | Box | Box(3).go | zip([1], 'a') | counted() | lambda *x: x"
ACTIONS = r"""
return a | return [a, a] | return (a, b) | return type(a) not in SCALARS and a is b |
return {'k': a} | return type(a) | return a == b |
a.append(b) | a.append(b); return a | a.reverse() | a.clear(); raise KeyError('gone') | a.update(b) |
a[0] = b | a[b] = a | a += a; return a | a.sort() | a.pop(); return b | a.extend(a) |
a.insert(0, a); return a | raise Odd(a) | raise ZeroDivisionError(a, b) | return repr(a)[:5] | yield a; yield b |
return a[0] | return sorted(a) | return len(a) | return list(a) | a.rotate(1); return a[0] |
return hash(a) == hash(a) | return a + b | assert a == b | return [x for x in a] | a.__init__(b) |
return a(b) | LOG.append(a); return LOG | LOG.append(b); return a | return LAST(a) | return LOG[-1:] + [a] |
return zip(a, a) | return Bag(a, b).items | a.moved(b); return a | return a.x | raise a | return a.send(b) |
return [next(a), b] | a.x, a.y = a.y, a.x; return a | try: a()NEWLINE     except Exception as e: raise Odd(b) from e |
return copy.deepcopy(a) | return copy.copy(a) | return isinstance(a, (list, dict, Iterator)) | return List[int] |
return dict(a=b) | return functools.partial(f0, b) | a.z = b; return sorted(vars(a)) | del a[0]; return a | return a % b
"""
QUESTIONS = r"""
r == {x} | r != {x} | one(r, a) | r == r | r == f(a, b) | named(r) | isinstance(r, (list, int, tuple, str)) |
len(r) | list(r) | bool(r) | r[0] | one(r[0], a) | one(r[0], r[1]) | str(r) | hash(r) == hash(r) | sorted(r) |
r + r | r.x | r.a | r.code | r.args | r.items | r.twice() | r.loud() | r.push(1) | r.moved(2).y | r.name |
r.value | a | b | a == b | one(a, b) | (a, b) | r in [r] | [r] == [{x}] | r < r | next(r) | r.send(None) |
callable(r) | r(1) | isinstance(r, Exception) | dict(r) | tuple(r) | max(r) | r * 2 | -r | r.upper() |
r.keys() | r['k'] | f'{{r}}' | r.real | named(r) | r.zzz | {{r: 1}}[r] | [x for x in r] | r == {x} or r |
r.most_common() | r.tzinfo | r.year | abs(r) | r is None | not r | r.append({x}) | r.items.append({x}) |
r.setdefault({x}, []).append(1) | one(f(a, b), r) | f(b, a) == r | a.append(1) or r | r.__cause__ | r[2] |
named(r.x) | vars(r) | copy.copy(r) == r | copy.deepcopy(r) == r | f(r, b) | f(b, r) | one(f(r, r), r) | r.y |
r.pop() | r.extend(r) | r.clear() | sorted(r, key=repr) | f(a, b) | next(r, {x}) | one(r.args[0], a) | r.sort()
"""
"""What a function does with its arguments a and b, and what is asked of its result r; {x} is a value of the tests'."""


def among(text: str) -> st.SearchStrategy[str]:
    """One of the parts of a text."""
    return st.sampled_from([part.strip() for part in text.replace("\n", " | ").split("|") if part.strip()])


def _row(items: list[str]) -> str:
    return "".join(f"{item}, " for item in items)


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return _row([f"({key}, {value})" for key, value in pairs])


def _named(name: str) -> Callable[[tuple[str, ...]], str]:
    return lambda given: f"{name}({', '.join(given)})"


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.binary(max_size=4),
    st.complex_numbers(allow_nan=False, max_magnitude=1e6),
).map(repr)
hashables = st.recursive(scalars, lambda x: st.lists(x, max_size=3).map(_row).map("({})".format), max_leaves=4)


def _containers(x: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    listed, pairs = st.lists(x, max_size=4).map(_row), st.lists(st.tuples(hashables, x), max_size=3).map(_pairs)
    forms = ("[{}]", "({})", "collections.deque([{}], 5)", "collections.UserList([{}])")
    return st.one_of(
        *(listed.map(form.format) for form in forms),
        *(pairs.map(form.format) for form in ("dict([{}])", "collections.OrderedDict([{}])")),
    )


data = st.recursive(st.one_of(scalars, among(VALUES)), _containers, max_leaves=8)
objects = st.one_of(
    data,
    st.tuples(data, data).map(_named("Point")),
    st.tuples(data, data).map(_named("Pair")),
    st.tuples(st.integers().map(repr)).map(_named("Number")),
    st.tuples(st.text(max_size=4).map(repr)).map(_named("Word")),
    st.lists(data, max_size=3).map(_row).map("Row([{}])".format),
    st.lists(data, max_size=3).map(tuple).map(_named("Bag")),
    among(OBJECTS),
)
given_values = st.one_of(data, data, data.map("Box({})".format), among(GIVEN))


def is_excluded(case: Any) -> bool:
    """Whether a case is of `EXCLUDED` by what it does: all else that is there is drawn by no part."""
    action, a, _, _, _ = case
    if action == "return type(a)" and ("iter(" in a or "zip(" in a or "counted" in a or " for y" in a):
        return True
    return "a." in action and (a == "Box" or ("lambda" in a and " = " in action))


cases = st.tuples(
    st.one_of(among(ACTIONS), objects.map("return {}".format)),
    given_values,
    st.one_of(st.just("a"), given_values),
    st.lists(among(QUESTIONS), min_size=1, max_size=4),
    data,
).filter(lambda case: not is_excluded(case))

HELPERS = """
def short(found):
    # The sandbox keeps 64 kB of what is printed, and a list in itself is told in more.
    text = str(found)
    return text if len(text) < 2000 else f"{text[:500]} {len(text)} {zlib.crc32(text.encode('utf-8', 'replace'))}"
FUNCTIONS = {"method", "builtin_function_or_method", "method-wrapper", "Function", "function"}
ITERATORS = {"map", "list_iterator", "generator", "tuple_iterator", "dict_keyiterator", "_collections._deque_iterator"}
class Box:
    def __init__(self, x=0, y=1): self.x, self.y = x, y
    def go(self, *more): self.x = more; return self
    def __len__(self): return 3
    def __repr__(self): return 'Box'
    def __eq__(self, other): return isinstance(other, Box) and self.x == other.x
    def __getitem__(self, at): return [self.x, self.y][at]
def one(x, y): return type(x) is type(y) if isinstance(x, (int, float, str, bytes, complex, tuple)) else x is y
def counted():
    got = yield 1
    yield got
def named(x):
    name = "type" if isinstance(x, type) else type(x).__name__
    return "function" if name in FUNCTIONS else "iterator" if name in ITERATORS or name.endswith("iterator") else name
def shown(x, depth=0):
    kind = named(x)
    if isinstance(x, str): x = re.sub("0x[0-9a-f]+|at [0-9a-f]+|<.*>", "", str(x)).replace("does not", "doesn't")
    if depth > 6: return kind
    if isinstance(x, (set, frozenset)): return kind + repr(sorted(map(repr, x)))
    if isinstance(x, dict): return kind + repr([(shown(k, depth + 1), shown(v, depth + 1)) for k, v in x.items()])
    if isinstance(x, (list, tuple)): return kind + repr([shown(y, depth + 1) for y in x])
    if isinstance(x, (int, float, str, bytes, complex, type(None))): return kind + repr(x)
    return kind
def told(ask):
    try: return shown(ask())
    except RecursionError: return "RecursionError"
    except Exception as e: return "raises " + type(e).__name__
def tried(call):
    try: return call()
    except Exception as e: return "raised", type(e).__name__, shown(e.args)
"""


def programs(batch: list[Any]) -> tuple[str, str]:
    """A candidate of many functions, and tests that print what each is found to be."""
    functions, tests = [IMPORTS, PRELUDE], [IMPORTS, HELPERS]
    for number, (action, a, b, asked, x) in enumerate(batch):
        functions.append(f"def f{number}(a, b):\n    {action.replace('NEWLINE ', chr(10))}\n")
        lines = [f"a = {a}", f"b = {b}", "out = []", "r = tried(lambda: f(a, b))"]
        lines += [f"out.append(told(lambda: {question.format(x=x)}))" for question in [*asked, "(a, b)"]]
        body = "".join(f"    {line}\n" for line in [*lines, "return out"])
        tests.append(f"def t{number}(f):\n{body}print({number}, short(t{number}(f{number})))\n")
    return "".join(functions), "".join(tests)


def plain(candidate: str, tests: str) -> list[str]:
    """What the tests print in one process."""
    printed = io.StringIO()
    sys.modules["program"] = module = types.ModuleType("program")
    with contextlib.redirect_stdout(printed):
        exec(candidate + tests, vars(module))  # noqa: S102 - made of the parts above
    return printed.getvalue().splitlines()


def differences(batch: list[Any]) -> Iterator[dict[str, Any]]:
    """The cases of a batch on which the two do not agree."""
    candidate, tests = programs(batch)
    expected = plain(candidate, tests)
    done = judge(candidate, tests, language="python", timeout=60.0, memory_mb=1024)
    found = done.stdout.splitlines()
    for number, case in enumerate(batch):
        ours = found[number] if number < len(found) else f"no answer: {done.outcome} {done.stderr[-200:]}"
        if ours != expected[number]:
            yield {"case": case, "plain": expected[number], "ours": ours}
            if number >= len(found):
                return


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun, drawn = time.monotonic(), []

    @seed(options.seed)
    @settings(max_examples=options.cases, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def draw(case: Any) -> None:
        drawn.append(case)

    draw()
    batches = [drawn[at : at + A_PROGRAM] for at in range(0, len(drawn), A_PROGRAM)]
    found = [difference for batch in batches for difference in differences(batch)]
    told = {"cases": len(drawn), "seconds": round(time.monotonic() - begun, 1), "differences": len(found)}
    head = {"bench": "fidelity", "machine": describe_machine()}
    print(json.dumps(head | told | {"first": found[:20], "excluded": EXCLUDED}))


if __name__ == "__main__":
    main()
