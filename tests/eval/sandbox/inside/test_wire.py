"""Both ends of the socket in one process: what a candidate returns is to the tests what it was."""

import socket
import sys
import threading
import types

import pytest

from eval.sandbox.inside.ahead import send_ahead
from eval.sandbox.inside.bootstrap import Names
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
    far, near = socket.socketpair()
    with far, near:
        serving = threading.Thread(target=Peer(far, vars(module)).serve, daemon=True)
        serving.start()
        try:
            exec(send_ahead(tests, "f"), Names(Peer(near), "f"))
        finally:
            near.shutdown(socket.SHUT_RDWR)
            serving.join()
            del sys.modules["program"]
