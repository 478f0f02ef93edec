"""Objects of the candidate's and of the tests' are on the other side what they were."""

import pytest

from tests.eval.sandbox.python_pairs import verdict

CASES = {
    "property errors": (
        r"""
class A:
    def __init__(self): self._v = 1
    @property
    def v(self): "doc v"; return self._v
    @v.setter
    def v(self, x):
        if x < 0: raise ValueError('neg')
        self._v = x
    @v.deleter
    def v(self): self._v = None
    @property
    def ro(self): return 7
def f(): return A()
""",
        r"""
a = f()
a.v = 3
assert a.v == 3
try: a.v = -1
except ValueError as e: assert str(e) == 'neg'
else: assert 0
del a.v
assert a.v is None
try: a.ro = 2
except AttributeError as e: assert 'ro' in str(e)
else: assert 0
assert isinstance(A.v, property) and A.v.__doc__ == 'doc v' and A.ro.fset is None
""",
    ),
    "abc instantiation": (
        r"""
from abc import ABC, abstractmethod
class Shape(ABC):
    @abstractmethod
    def area(self): ...
class Sq(Shape):
    def __init__(self, s): self.s = s
    def area(self): return self.s ** 2
def f(s): return Sq(s)
""",
        r"""
assert f(3).area() == 9 and isinstance(f(1), Shape) and issubclass(Sq, Shape)
try: Shape()
except TypeError as e: assert "Can't instantiate abstract class Shape" in str(e)
else: assert False
import inspect
assert inspect.isabstract(Shape) and not inspect.isabstract(Sq) and Shape.__abstractmethods__ == frozenset({'area'})
""",
    ),
    "abc sequence": (
        r"""
from collections.abc import Sequence, MutableMapping, Set, MutableSequence
class S(Sequence):
    def __init__(self, *x): self.x = x
    def __getitem__(self, i): return self.x[i]
    def __len__(self): return len(self.x)
def f(*x): return S(*x)
""",
        r"""
from collections.abc import Sequence, Iterable, Sized, Hashable, Collection
s = f(1, 2, 3)
assert isinstance(s, Sequence) and isinstance(s, Iterable) and isinstance(s, Sized) and isinstance(s, Collection)
assert s.index(2) == 1 and s.count(3) == 1 and 2 in s and 9 not in s and list(reversed(s)) == [3, 2, 1] and s[-1] == 3 and s[0:2] == (1, 2)
try: s[7]
except IndexError as e: assert str(e) == 'tuple index out of range'
else: assert 0
try: s.index(9)
except ValueError: pass
else: assert 0
""",
    ),
    "abc set": (
        r"""
from collections.abc import Set
class Bits(Set):
    def __init__(self, xs=()): self.xs = sorted(set(xs))
    def __contains__(self, x): return x in self.xs
    def __iter__(self): return iter(self.xs)
    def __len__(self): return len(self.xs)
def f(xs): return Bits(xs)
""",
        r"""
a, b = f([1, 2]), f([2, 3])
assert list(a & b) == [2] and list(a | b) == [1, 2, 3] and list(a - b) == [1] and not a.isdisjoint(b) and a <= f([1, 2, 3]) and a == f([2, 1]) and a != b and type(a & b) is Bits
assert a == {1, 2}
""",
    ),
    "TypedDict": (
        r"""
from typing import TypedDict
class M(TypedDict, total=False):
    name: str
    year: int
def f(n) -> M: return M(name=n, year=3)
""",
        r"""
assert f('a') == {'name': 'a', 'year': 3} and type(f('a')) is dict and M.__annotations__ == {'name': str, 'year': int} and M.__total__ is False and f.__annotations__['return'] is M
""",
    ),
    "isinstance forms": (
        r"""
class A: pass
class B(A): pass
class C(A, dict): pass
def f(n): return [A, B, C][n]()
""",
        r"""
assert type(f(0)) is A and type(f(1)) is B and type(f(1)) is not A and isinstance(f(1), (int, A)) and issubclass(type(f(2)), dict) and issubclass(C, (A, str)) and not issubclass(A, B)
assert isinstance(f(2), dict) and isinstance(f(0), object) and type(f(0)).__name__ == 'A' and f(0).__class__ is A and f(0).__class__.__name__ == 'A' and B.__base__ is A and A.__qualname__ == 'A'
assert type(f(1)) == B and type(f(0)) in (A, B) and {A: 1}[type(f(0))] == 1
assert isinstance(f(1), A | int) and C.__mro__ == (C, A, dict, object)
""",
    ),
    "pickle in tests": (
        r"""
class A:
    def __init__(s, x): s.x = x
    def __eq__(s, o): return isinstance(o, A) and s.x == o.x
def f(x): return A(x)
""",
        r"""
import pickle
a = f([1])
b = pickle.loads(pickle.dumps(a))
assert b == a and b is not a and b.x == [1] and type(b) is A
""",
    ),
    "async generator": (
        r"""
import asyncio
async def f(n):
    try:
        for i in range(n):
            got = yield i
            if got: yield got * 10
    finally:
        seen.append('fin')
seen = []
""",
        r"""
import asyncio, inspect
async def main():
    g = f(3)
    assert inspect.isasyncgen(g)
    assert await g.__anext__() == 0
    assert await g.asend(4) == 40
    assert await anext(g) == 1
    await g.aclose()
    return [x async for x in f(2)]
assert asyncio.run(main()) == [0, 1] and seen == ['fin', 'fin'] and inspect.isasyncgenfunction(f)
""",
    ),
    "async callback of the tests": (
        r"""
async def f(g, xs):
    out = []
    for x in xs: out.append(await g(x))
    return out
""",
        r"""
import asyncio
async def g(x):
    await asyncio.sleep(0)
    return x + 1
assert asyncio.run(f(g, [1, 2])) == [2, 3]
""",
    ),
    "dataclass of the tests": (
        r"""
import dataclasses
def f(d): return dataclasses.asdict(d), dataclasses.replace(d, x=9), [x.name for x in dataclasses.fields(d)], dataclasses.is_dataclass(d), repr(d), d == d
""",
        r"""
from dataclasses import dataclass, field
@dataclass
class D:
    x: int
    y: list = field(default_factory=list)
a, r, n, i, s, e = f(D(1, [2]))
assert a == {'x': 1, 'y': [2]} and r == D(9, [2]) and n == ['x', 'y'] and i and s == 'D(x=1, y=[2])' and e
""",
    ),
    "namedtuple of the tests": (
        r"""
def f(p): return p.x + p.y, p._replace(x=5), p._asdict(), type(p).__name__, sorted([p, (0, 0)])
""",
        r"""
from collections import namedtuple
P = namedtuple('P', 'x y')
s, r, d, n, so = f(P(1, 2))
assert s == 3 and r == P(5, 2) and type(r) is P and r.x == 5 and d == {'x': 1, 'y': 2} and n == 'P' and so == [(0, 0), (1, 2)]
""",
    ),
    "datetime with tz": (
        r"""
import datetime as dt
class Z(dt.tzinfo):
    def utcoffset(s, d): return dt.timedelta(hours=2)
    def dst(s, d): return dt.timedelta(0)
    def tzname(s, d): return 'ZZ'
def f(): return dt.datetime(2024, 1, 1, 12, tzinfo=Z())
def g(d): return d.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30)))
""",
        r"""
import datetime as dt
d = f()
assert d.utcoffset() == dt.timedelta(hours=2) and d.tzname() == 'ZZ' and d == dt.datetime(2024, 1, 1, 10, tzinfo=dt.timezone.utc)
assert d.isoformat() == '2024-01-01T12:00:00+02:00' and g(dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)).hour == 5
assert d - dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc) == dt.timedelta(hours=10) and d.year == 2024 and f'{d:%Y-%m-%d}' == '2024-01-01' and isinstance(d, dt.datetime)
""",
    ),
    "date subclass": (
        r"""
import datetime as dt
class Day(dt.date):
    def weekend(s): return s.weekday() >= 5
def f(): return Day(2024, 1, 6)
""",
        r"""
import datetime as dt
d = f()
assert d.weekend() and isinstance(d, dt.date) and d.year == 2024 and d == dt.date(2024, 1, 6) and d - dt.timedelta(1) == dt.date(2024, 1, 5) and d.isoformat() == '2024-01-06' and str(d) == '2024-01-06' and d < dt.date(2024, 2, 1)
""",
    ),
    "Fraction subclass": (
        r"""
from fractions import Fraction
class R(Fraction):
    def half(s): return R(s / 2)
def f(): return R(1, 3)
""",
        r"""
from fractions import Fraction
r = f()
assert r.half() == Fraction(1, 6) and r == Fraction(1, 3) and r + 1 == Fraction(4, 3) and r.numerator == 1 and isinstance(r, Fraction) and float(r) == 1 / 3 and r < 1 and hash(r) == hash(Fraction(1, 3))
""",
    ),
    "decimal subclass": (
        r"""
from decimal import Decimal
class Money(Decimal):
    def show(s): return f'${s:.2f}'
def f(x): return Money(x)
""",
        r"""
from decimal import Decimal
m = f('1.5')
assert m.show() == '$1.50' and m == Decimal('1.5') and m + 1 == Decimal('2.5') and isinstance(m, Decimal) and str(m) == '1.5'
""",
    ),
    "match sequence of the candidate's class": (
        r"""
from collections.abc import Sequence, Mapping
class S(Sequence):
    def __getitem__(s, i): return (1, 2)[i]
    def __len__(s): return 2
class M(Mapping):
    def __getitem__(s, k): return {'a': 1}[k]
    def __iter__(s): return iter('a')
    def __len__(s): return 1
def f(): return S()
def g(): return M()
""",
        r"""
match f():
    case [a, b]: assert (a, b) == (1, 2)
    case _: assert 0
match g():
    case {'a': x}: assert x == 1
    case _: assert 0
""",
    ),
    "partial returned": (
        r"""
import functools, operator
def f(n): return functools.partial(operator.mul, n)
def g(): return operator.itemgetter(0, 1)
""",
        r"""
import functools, operator
p = f(3)
assert p(4) == 12 and p.func is operator.mul and p.args == (3,) and p.keywords == {} and isinstance(p, functools.partial) and g()('abc') == ('a', 'b')
""",
    ),
    "lru method and class attributes": (
        r"""
class Bank:
    count = 0
    def __init__(s): Bank.count += 1; s.id = Bank.count
    @classmethod
    def reset(cls): cls.count = 0
    @staticmethod
    def fee(x): return x * 0.1
def f(): return Bank()
""",
        r"""
f(); f()
assert Bank.count == 2 and f().id == 3
Bank.reset()
assert Bank.count == 0 and f().id == 1 and Bank.fee(10) == 1.0
Bank.count = 10
assert f().id == 11
Bank.fee = staticmethod(lambda x: 7)
assert Bank.fee(1) == 7 and f().fee(2) == 7
""",
    ),
    "defaults set by tests": (
        r"""
def f(x, y=1): return x + y
""",
        r"""
f.__defaults__ = (10,)
assert f(1) == 11
""",
    ),
    "threads of the tests": (
        r"""
def f(x): return x * 2
class C:
    def __init__(s): s.n = 0
    def inc(s): s.n += 1
""",
        r"""
import threading
out = []
ts = [threading.Thread(target=lambda i=i: out.append(f(i))) for i in range(5)]
[t.start() for t in ts]
[t.join() for t in ts]
assert sorted(out) == [0, 2, 4, 6, 8]
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as p: assert list(p.map(f, range(5))) == [0, 2, 4, 6, 8]
""",
    ),
    "names in class bodies": (
        r"""
def f(n): return lambda fn: lambda *a: [fn(*a)] * n
class Point: pass
LIMIT = 3
""",
        r"""
class T:
    point = Point
    @f(2)
    def m(self, most=LIMIT): return most
    def of(self, p: Point) -> Point: return p
assert T().m() == [3, 3] and T.point is Point and T.of.__annotations__["p"] is Point
""",
    ),
    "a division that both sides know": (
        r"""
class M:
    def __init__(self, n): self.n = n
    def __rdivmod__(self, other): return M(other // self.n), M(other % self.n)
def f(n): return M(n)
""",
        r"""
assert [x.n for x in divmod(7, f(2))] == [3, 1]
""",
    ),
    "what a class says of itself": (
        r"""
from typing import NamedTuple
class P(NamedTuple):
    'A point.'
    x: int
class Q(dict): 'words'
def f(): return Q(a=P(1))
class Caller:
    def __call__(self, q: int): return q
""",
        r"""
import inspect
assert P.__doc__ == 'A point.' and type(f()).__doc__ == 'words' and P.__annotations__ == {'x': int} and P.__bases__ == (tuple,)
assert Q.__mro__ == (Q, dict, object) and Q.__base__ is dict and str(inspect.signature(Caller())) == '(q: int)'
""",
    ),
}  # fmt: skip
"""Name → candidate, tests that hold in one process."""


@pytest.mark.parametrize("name", CASES)
def test_holds_as_in_one_process(name):
    candidate, tests = CASES[name]
    done = verdict(candidate, tests)
    assert done.passed, done
