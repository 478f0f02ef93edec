"""Classes of the tests that extend the candidate's: made on both sides, what the tests wrote runs with the tests."""

import pytest

from tests.eval.sandbox.python_pairs import verdict

CASES = {
    "heir with super and attributes": (
        r"""
class Animal:
    kinds = []
    def __init_subclass__(cls, **k): Animal.kinds.append(cls.__name__)
    def __init__(s, name): s.name = name
    def speak(s): return '...'
    def intro(s): return f'{s.name} says {s.speak()}'
    @property
    def size(s): return 1
    def __repr__(s): return f'{type(s).__name__}({s.name!r})'
def f(xs): return [x.intro() for x in xs]
""",
        r"""
class Dog(Animal):
    legs = 4
    def __init__(self, name, age=1):
        super().__init__(name)
        self.age = age
    def speak(self): return super().speak() + 'woof'
    @property
    def size(self): return super().size + 5
    @staticmethod
    def twice(x): return 2 * x
    @classmethod
    def make(cls): return cls('made')
class Puppy(Dog):
    def speak(self): return super().speak() + '!'
d, p = Dog('rex', 3), Puppy('bo')
assert f([d, p]) == ['rex says ...woof', 'bo says ...woof!'] and d.age == 3 and p.age == 1 and d.size == 6
assert isinstance(p, Dog) and isinstance(p, Animal) and type(p) is Puppy and Animal.kinds == ['Dog', 'Puppy'] and repr(p) == "Puppy('bo')"
assert Dog.legs == 4 and Dog.twice(4) == 8 and Dog.make().name == 'made' and issubclass(Puppy, Animal)
""",
    ),
    "heir of a list class": (
        r"""
class Stack(list):
    def push(s, x): s.append(x)
def f(s): s.push(3); return len(s)
""",
        r"""
class Big(Stack):
    def push(self, x):
        super().push(x * 2)
b = Big()
assert f(b) == 1 and b == [6] and isinstance(b, list)
""",
    ),
    "heir of an abstract class that is a visitor": (
        r"""
from abc import ABC, abstractmethod
class Visitor(ABC):
    @abstractmethod
    def num(self, n): ...
    @abstractmethod
    def add(self, a, b): ...
def f(tree, v):
    return v.num(tree) if isinstance(tree, int) else v.add(f(tree[0], v), f(tree[1], v))
""",
        r"""
class Eval(Visitor):
    def num(self, n): return n
    def add(self, a, b): return a + b
class Show(Visitor):
    def num(self, n): return str(n)
    def add(self, a, b): return f'({a}+{b})'
assert f((1, (2, 3)), Eval()) == 6 and f((1, (2, 3)), Show()) == '(1+(2+3))'
""",
    ),
    "heir compared": (
        r"""
class P:
    def __init__(s, x): s.x = x
    def __eq__(s, o): return type(s) is type(o) and s.x == o.x
    def __lt__(s, o): return s.x < o.x
    def __hash__(s): return hash(s.x)
def f(xs): return sorted(xs)
""",
        r"""
class Q(P):
    def __lt__(self, other): return self.x > other.x
a, b = Q(1), Q(2)
assert f([a, b]) == [b, a] and Q(1) == Q(1) and Q(1) != P(1) and len({Q(1), Q(1)}) == 1
""",
    ),
    "heir of an exception with init": (
        r"""
class AppError(Exception):
    def __init__(s, msg, code=0):
        super().__init__(msg)
        s.code = code
def f(kind): raise kind('bad')
""",
        r"""
class NotFound(AppError):
    def __init__(self, msg): super().__init__(msg, code=404)
try: f(NotFound)
except NotFound as e: assert e.code == 404 and str(e) == 'bad'
else: assert 0
try: f(NotFound)
except AppError as e: assert type(e) is NotFound
else: assert 0
""",
    ),
    "tests subclass the candidate's class": (
        r"""
class Base:
    def __init__(s, n): s.n = n
    def area(s): raise NotImplementedError
    def show(s): return f'{type(s).__name__}:{s.area()}'
def f(x): return x.show()
""",
        r"""
class Sq(Base):
    def area(s): return s.n ** 2
s = Sq(3)
assert s.show() == 'Sq:9' and f(s) == 'Sq:9' and isinstance(s, Base) and issubclass(Sq, Base)
""",
    ),
    "tests subclass an abc of the candidate": (
        r"""
from abc import ABC, abstractmethod
class Plugin(ABC):
    @abstractmethod
    def run(s, x): ...
    def twice(s, x): return s.run(s.run(x))
def f(p, x): return p.twice(x) if isinstance(p, Plugin) else None
""",
        r"""
class Inc(Plugin):
    def run(s, x): return x + 1
assert f(Inc(), 3) == 5
class Bad(Plugin): pass
try: Bad()
except TypeError: pass
else: assert 0
""",
    ),
    "tests subclass an exception": (
        r"""
class AppError(Exception):
    code = 1
def f(e): raise e
""",
        r"""
class Mine(AppError):
    code = 2
try: f(Mine('x'))
except AppError as e: assert e.code == 2 and str(e) == 'x' and type(e) is Mine
else: assert 0
""",
    ),
    "heir that is a dataclass": (
        r"""
class Base:
    def show(s): return f'<{s!r}>'
def f(x): return x.show()
""",
        r"""
from dataclasses import dataclass
@dataclass
class D(Base):
    x: int
    y: int = 2
assert f(D(1)) == '<D(x=1, y=2)>' and D(1) == D(1, 2) and D(1) != D(2) and repr(D(3)) == 'D(x=3, y=2)'
D.z = 5
assert D.z == 5 and D(1).z == 5
""",
    ),
}  # fmt: skip
"""Name → candidate, tests that hold in one process."""


@pytest.mark.parametrize("name", CASES)
def test_holds_as_in_one_process(name):
    candidate, tests = CASES[name]
    done = verdict(candidate, tests)
    assert done.passed, done


CHEATS = {
    "a class that changes its heirs": (
        "class Base:\n    def __init_subclass__(cls): cls.check = lambda self, x: True\ndef f(): return 0",
        "class T(Base):\n    def check(self, x): return x == 5\nassert T().check(f())"),
    "a class that makes something else": (
        "class Any:\n    def check(self, x): return True\nclass Base:\n    def __new__(cls): return Any()\ndef f(): return 0",
        "class T(Base):\n    def check(self, x): return x == 5\nassert type(T()) is T and T().check(f())"),
    "the names of the tests, by a method of theirs": (
        "FOUND = []\nclass Base:\n    def __init_subclass__(cls): FOUND.append(cls.check.__globals__['right'])\ndef f(): return FOUND[0]",
        "right = 5\nclass T(Base):\n    def check(self, x): return x == right\nassert T().check(f())"),
    "a base that equals everything": (
        "class f:\n    def __eq__(self, other): return True\n    __hash__ = None",
        "class T(f): pass\nassert T() == 5"),
}  # fmt: skip
"""Name → a candidate that is wrong, tests that would hold if it had its way."""


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_passes_by_an_heir(name):
    candidate, tests = CHEATS[name]
    assert not verdict(candidate, tests, 512).passed
