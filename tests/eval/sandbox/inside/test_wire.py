"""Both ends of the socket in one process: what a candidate returns is to the tests what it was."""

import socket
import sys
import threading
import traceback
import types

import pytest

from eval.sandbox.inside import lending
from eval.sandbox.inside.ahead import send_ahead
from eval.sandbox.inside.bootstrap import Names
from eval.sandbox.inside.codec import Gone
from eval.sandbox.inside.wire import Peer

DATA = "from dataclasses import *\n@dataclass(order=True)\nclass D:\n    a: int\n    b: list = field(default_factory=list)\n"
CASES = {
    "what an exception came from": (
        "def f():\n    try: {}['k']\n    except KeyError as error: raise ValueError('v') from error",
        "try: f()\nexcept ValueError as e: assert e.__cause__.args == ('k',) and type(e.__context__) is KeyError"),
    "notes and attributes": (
        "def f():\n    e = ValueError(1)\n    e.add_note('n')\n    e.code = [7]\n    raise e\nclass E(Exception): pass\ndef g():\n    e = E(2)\n    e.add_note('m')\n    raise e from e",
        "try: f()\nexcept ValueError as e: assert e.__notes__ == ['n'] and e.code == [7]\ntry: g()\nexcept E as e: assert e.__notes__ == ['m'] and e.__cause__ is e"),
    "names of what is missing": (
        "def f(): open('/nowhere')\ndef g(x): return x.nope",
        "try: f()\nexcept OSError as e: assert e.filename == '/nowhere' and e.errno == 2\ntry: g(3)\nexcept AttributeError as e: assert e.name == 'nope'"),
    "errors of the library": (
        "import csv, json, queue, re, statistics, struct, zlib\ndef f(n): [lambda: json.loads('['), lambda: re.compile('('), lambda: queue.Queue().get_nowait(), lambda: struct.unpack('i', b''), lambda: zlib.decompress(b'x'), lambda: statistics.mean([])][n]()",
        "import json, queue, re, statistics, struct, zlib\nfor n, kind in enumerate([json.JSONDecodeError, re.error, queue.Empty, struct.error, zlib.error, statistics.StatisticsError]):\n    try: f(n)\n    except kind as e: assert n or (e.pos, e.doc) == (1, '[')\n    else: assert False"),
    "an exception group": (
        "def f(): raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
        "caught = []\ntry: f()\nexcept* ValueError as g: caught += g.exceptions\nexcept* TypeError as g: caught += g.exceptions\nassert [type(e) for e in caught] == [ValueError, TypeError]"),
    "dataclasses": (
        DATA + "def f(n): return D(n)",
        "import dataclasses\nd = f(1)\nassert dataclasses.is_dataclass(d) and dataclasses.asdict(d) == {'a': 1, 'b': []} and [x.name for x in dataclasses.fields(d)] == ['a', 'b'] and dataclasses.replace(d, a=5) == f(5)\nmatch d:\n    case D(1, b): assert b == []\n    case _: assert False"),
    "attributes in a dictionary": (
        "class A:\n    def __init__(self): self.x, self._y = 1, [2]\ndef f(): return A()",
        "a = f()\nassert vars(a) == a.__dict__ == {'x': 1, '_y': [2]} and 'x' in dir(a) and vars(f).get('q') is None"),
    "copies": (
        "class A:\n    def __init__(self, v): self.v = v\n    def __eq__(self, o): return self.v == o.v\ndef f(): return A([1])",
        "import copy\na = f()\nassert copy.copy(a) == copy.deepcopy(a) == a and copy.copy(a) is not a"),
    "signatures of classes": (
        "class A:\n    def __init__(self, a, *, b=2): pass\n    def m(self, x: int): pass\n    @staticmethod\n    def s(y): pass",
        "import inspect\nassert [str(inspect.signature(x)) for x in (A, A.m, A(1).m, A.s)] == ['(a, *, b=2)', '(self, x: int)', '(x: int)', '(y)']"),
    "types of annotations": (
        "import typing\nfrom typing import *\ndef f(a: List[int], b: Optional[str], c: Callable[[int], 'str'], d: list[dict[str, int]], e: int | None, g: Literal['x']) -> Any: pass\ndef h(): return [List, Dict[str, List[int]], Union[int, str], tuple[int, ...]]",
        "import typing\nfrom typing import *\nassert h() == [List, Dict[str, List[int]], Union[int, str], tuple[int, ...]] and f.__annotations__['a'] == List[int] and f.__annotations__['g'] == Literal['x']\nassert f.__annotations__['e'] == (int | None) and f.__annotations__['d'] == list[dict[str, int]] and f.__annotations__['b'] == Optional[str]"),
    "values of the library": (
        "import datetime, pathlib, time, zoneinfo\ndef f(): return pathlib.PureWindowsPath('c:/x'), time.gmtime(0), datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('UTC'))",
        "import datetime, pathlib, time\np, t, d = f()\nassert p == pathlib.PureWindowsPath('C:\\\\X') and (t.tm_zone, t.tm_gmtoff) == (time.gmtime(0).tm_zone, 0) and d == datetime.datetime(2024, 7, 1, tzinfo=datetime.timezone.utc) and str(d.tzinfo) == 'UTC'"),
    "types of iterators": (
        "import itertools\ndef f(x): return [zip(x), enumerate(x), iter(x), reversed(x), itertools.permutations(x), itertools.count(3)]",
        "import itertools\nz, e, i, r, p, c = f([5, 6])\nassert isinstance(z, zip) and isinstance(e, enumerate) and isinstance(c, itertools.count) and type(z).__name__ == 'zip'\nassert (list(z), list(e), list(i), list(r), list(p), next(c), next(c)) == ([(5,), (6,)], [(0, 5), (1, 6)], [5, 6], [6, 5], [(5, 6), (6, 5)], 3, 4) and list(z) == []"),
    "rows of calls that return one list": (
        "def f(x, seen=[]):\n    seen.append(x)\n    return seen",
        "assert f(1) == [1]\nassert f(2) == [1, 2]\nassert f(3) == [1, 2, 3]"),
    "a loop over rows that share a list": (
        "def f(x):\n    x.append(1)\n    return len(x)",
        "row = []\ndef check(candidate):\n    for n, (x, y) in enumerate(zip([row, row], [1, 2])):\n        assert candidate(x) == y\ncheck(f)\nassert row == [1, 1]"),
    "a container that the candidate keeps": (
        "log = []\ndef f(x, seen=[]):\n    log.append(x)\n    seen.append(x)\n    return seen\ndef g(): return log",
        "a, b = [1], {2: 3}\nassert f(a) is f(b) and len(f(a)) == 3\nr = g()\nassert r[0] is a and r[1] is b\na.append(5)\nb['k'] = a\nassert g() == [[1, 5], {2: 3, 'k': [1, 5]}, [1, 5]] and g()[1]['k'] is a"),
    "containers in attributes": (
        "class A:\n    shared = []\n    def __init__(self): self.items, self.table = [], {}\n    def size(self): return len(self.items) + sum(map(len, self.table.values())) + len(A.shared)\ndef f(): return A()",
        "a = f()\na.items.append(1)\na.table.setdefault('k', []).append(2)\na.table['k'].append(3)\na.shared.append(4)\nassert a.size() == 4 and f().size() == 1 and a.items == [1] and a.table == {'k': [2, 3]} and A.shared is a.shared"),
    "what a generator goes through": (
        "def f(xs):\n    for x in xs: yield x\ndef g(xs):\n    while xs: yield xs.pop()",
        "xs = [1]\ng1 = f(xs)\nassert next(g1) == 1\nxs.append(2)\nassert next(g1) == 2\nys = [1, 2]\nassert list(g(ys)) == [2, 1] and ys == []"),
    "kept and let go": (
        "store = {}\ndef f(k): return store.setdefault(k, [k])\ndef g(): return sum(map(sum, store.values()))",
        "for n in range(30): f(n).append(n)\nassert g() == 2 * sum(range(30))\nx = f(3)\nx.clear()\nassert f(3) == [] and f(3) is x and g() == 2 * (sum(range(30)) - 3)"),
    "iterators of the tests": (
        "def f(it): return [next(it), next(it)]\ndef g(it):\n    next(it)\n    return it.send('x')",
        "import io\nit = iter([1, 2, 3])\nassert f(it) == [1, 2] and next(it) == 3 and f(x * x for x in (2, 3)) == [4, 9] and f(zip('ab', 'cd')) == [('a', 'c'), ('b', 'd')] and f(io.StringIO('p\\nq')) == ['p\\n', 'q']\ndef steps():\n    got = yield 1\n    yield got * 2\nassert g(steps()) == 'xx'"),
    "instances of the tests' classes": (
        "def f(t): return 0 if t is None else 1 + max(f(t.left), f(t.right))\ndef g(t):\n    t.left, t.right = t.right, t.left\n    return t\ndef h(e): raise e\ndef k(p): return p.x + p[1] + len(p)",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\nclass T:\n    def __init__(self, left=None, right=None): self.left, self.right = left, right\nclass E(Exception): pass\na, b = T(), T(T())\nt = T(a, b)\nassert f(t) == 3 and g(t) is t and t.left is b and k(P(3, 4)) == 9\no, e = object(), E('q')\nassert h.__name__ == 'h'\ntry: h(e)\nexcept E as caught: assert caught is e\nelse: assert False"),
    "a decorator on a function of the tests": (
        "import functools\ndef f(fn):\n    @functools.wraps(fn)\n    def wrapper(*args): return fn(*args) * 2\n    return wrapper",
        "@f\ndef g(x):\n    'words'\n    return x + 1\nassert (g(1), g.__name__, g.__doc__, g.__wrapped__(1)) == (4, 'g', 'words', 2)"),
    "what a candidate does with objects of the tests": (
        "import copy\ndef f(a, b): a.__init__(b); a.z = 5; return vars(a)\ndef g(x): return copy.deepcopy(x), copy.copy(x)\ndef h(x): return x + 1",
        ("class Box:\n    def __init__(self, x, y=1): self.x, self.y = x, y\n    def go(self): return self.x\n"
        "b = Box(1)\nassert f(b, 2) == {'x': 2, 'y': 1, 'z': 5} and b.x == 2\ndef made(x): return x\n"
        "assert g(made) == (made, made) and g(b.go)[0]() == 2 and g(len)[0]('abc') == 3\n"
        "try: h(made)\nexcept TypeError as e: assert str(e) == \"unsupported operand type(s) for +: 'function' and 'int'\"\nelse: assert 0")),
    "containers that an instance of the tests holds": (
        "def f(a):\n    a.x.append(1)\n    return a.x\ndef g(key): return key(1)\ndef h(a): return a[0]",
        ("class Box:\n    def __init__(self, x): self.x = x\n    def __getitem__(self, at): return self.x\nb = Box([5])\nx = b.x\n"
        "assert f(b) is x and x == [5, 1] and f(b) is f(b) and x == [5, 1, 1, 1] and h(b) is x\nseen = []\n"
        "assert g(lambda x: seen) is seen and g(lambda x: [x]) == [1]\nx.append(7)\nassert h(b)[-1] == 7")),
    "the type of a class of the tests": ("def f(a): return type(a)", "class Box: pass\nassert f(Box) is type and f(f) is not Box and f(Box()) is Box"),
    "methods of one object are equal": (
        "class Bag:\n    def __len__(self): return 3\n    def go(self): return self\nbag = Bag()\ndef f(): return bag.go\ndef g(): return bag.__len__",
        "import copy\nassert f() == f() and hash(f()) == hash(f()) and f() != g() and g() == g() and copy.copy(g()) == g() and f() != 5 and len({f, f(), f()}) == 2"),
    "data types extended, by objects that the tests make": (
        "from collections import OrderedDict\nclass Vec(list):\n    def __add__(self, o): return Vec(a + b for a, b in zip(self, o))\nclass Word(str):\n    def __eq__(self, o): return self.lower() == o.lower()\n    def __hash__(self): return hash(self.lower())\nclass Stock(dict):\n    def __setitem__(self, k, v):\n        if v < 0: raise ValueError(v)\n        super().__setitem__(k, v)\n    def get(self, k): return super().get(k, 0)\nclass Recent(OrderedDict):\n    def get(self, k):\n        self.move_to_end(k)\n        return self[k]\ndef f(*x): return Vec(x)",
        "assert Vec([1, 2]) + [3, 4] == [4, 6] == f(1, 2) + f(3, 4) and Word('A') == 'a' and {Word('A'): 1}[Word('a')] == 1\ns = Stock()\ns['a'] = 1\ntry: s['b'] = -1\nexcept ValueError: pass\nelse: assert False\nassert s == {'a': 1} and s.get('z') == 0\nr = Recent(a=1, b=2)\nassert r.get('a') == 1 and list(r) == ['b', 'a']\nassert [r[k] for k in r.keys()] == [2, 1] and [k for k, v in r.items() if v == r[k]] == ['b', 'a']"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_is_what_it_was(name):
    candidate, tests = CASES[name]
    exec(candidate + "\n" + tests, {"__name__": "__main__"})
    run_both(candidate, tests)


def run_both(candidate: str, tests: str) -> None:
    """Run tests whose names are a candidate's at the other end of a socket."""
    module = types.ModuleType("program")
    sys.modules["program"] = module
    exec(candidate, vars(module))
    wrong = None
    far, near = socket.socketpair()
    with far, near:
        serving = threading.Thread(target=Peer(far, vars(module)).serve, daemon=True)
        serving.start()
        try:
            names = Names(Peer(near), "f")
            text, names.rows = send_ahead(tests, "f")
            exec(text, names)
        except BaseException:  # as text: pytest looks for names in frames, and would ask the candidate for them
            wrong = traceback.format_exc()
        finally:
            near.shutdown(socket.SHUT_RDWR)
            serving.join()
            del sys.modules["program"]
    assert wrong is None, wrong


class Own:
    def half(self):
        return 2


class WithInit:
    __module__ = "__main__"  # where the tests are in their own process

    def __init__(self, x=0):
        self.x = x


def test_a_written_init_may_be_called_again():
    lending.check("do", WithInit(), "__init__")


REFUSED = [("do", WithInit, "__init__"), ("get", run_both, "__globals__"), ("get", (x for x in ()), "gi_frame"), ("get", Own(), "__class__"),
           ("get", Own().half, "im_self"), ("do", Own(), "__init__"), ("do", Own(), "__getattribute__"),
           ("set", Own, "half"), ("set", run_both, "half"), ("set", Own(), "__class__"), ("method", Own(), "half"),
           ("signature", Own(), "")]  # fmt: skip


@pytest.mark.parametrize(("op", "x", "name"), REFUSED)
def test_nothing_else_of_the_tests_can_be_reached(op, x, name):
    lending.check("get", Own(), "half")
    with pytest.raises(AttributeError):
        lending.check(op, x, name)


@pytest.mark.parametrize("op", ["name", "around", "heir", "pickled", "await", "anything"])
def test_what_no_mirror_asks_ends_the_talk(op):
    with pytest.raises(Gone):
        lending.check(op, Own(), "half")


def test_a_coroutine_of_the_tests_is_awaited_whole_and_by_no_method():
    async def work():
        return 5

    made = work()
    lending.check("await", made, "")
    for name in ("__getattribute__", "__setattr__", "throw"):
        with pytest.raises(Gone):
            lending.check("await", made, name)
    made.close()


@pytest.mark.parametrize("x", [sys, sys._getframe(), run_both.__code__, threading.Lock()])
def test_inner_parts_are_never_lent(x):
    assert not lending.may_be_lent(x)
