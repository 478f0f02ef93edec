"""What tests set around a call holds for the candidate too, and no cheat passes by what crosses."""

import pytest

from tests.eval.sandbox.python_pairs import verdict

CASES = {
    "stdout captured": (
        r"""
def f(x):
    print('hello', x)
    print('a', 'b', sep='-', end='!')
""",
        r"""
import io, contextlib
buf = io.StringIO()
with contextlib.redirect_stdout(buf): f(3)
assert buf.getvalue() == 'hello 3\na-b!'
""",
    ),
    "sys stdout replaced": (
        r"""
def f(): print('x')
""",
        r"""
import io, sys
old, sys.stdout = sys.stdout, io.StringIO()
f()
got, sys.stdout = sys.stdout.getvalue(), old
assert got == 'x\n'
""",
    ),
    "stdin replaced": (
        r"""
def f(): return int(input()) + int(input())
""",
        r"""
import io, sys
sys.stdin = io.StringIO('3\n4\n')
assert f() == 7
""",
    ),
    "stderr captured": (
        r"""
import sys
def f(): print('oops', file=sys.stderr)
""",
        r"""
import io, contextlib
buf = io.StringIO()
with contextlib.redirect_stderr(buf): f()
assert buf.getvalue() == 'oops\n'
""",
    ),
    "mock patch of a module function": (
        r"""
import time
def f(): return time.time()
""",
        r"""
from unittest import mock
with mock.patch('time.time', return_value=42): assert f() == 42
assert f() != 42
""",
    ),
    "mock patch builtins input": (
        r"""
def f(): return input('? ') + '!'
""",
        r"""
from unittest import mock
with mock.patch('builtins.input', return_value='hi'): assert f() == 'hi!'
""",
    ),
    "mock patch print": (
        r"""
def f(x): print('got', x)
""",
        r"""
from unittest import mock
with mock.patch('builtins.print') as p:
    f(3)
    p.assert_called_once_with('got', 3)
""",
    ),
    "mock object passed": (
        r"""
def f(m, x):
    m.start()
    r = m.send(x, k=1)
    return r
""",
        r"""
from unittest.mock import Mock, MagicMock, call
m = Mock()
m.send.return_value = 9
assert f(m, 4) == 9
m.start.assert_called_once_with()
m.send.assert_called_once_with(4, k=1)
assert m.mock_calls == [call.start(), call.send(4, k=1)]
m.send.side_effect = ValueError('no')
try: f(m, 1)
except ValueError as e: assert str(e) == 'no'
else: assert 0
""",
    ),
    "magicmock passed": (
        r"""
def f(m):
    with m as h: h.write('x')
    return len(m), m[3], list(m)
""",
        r"""
from unittest.mock import MagicMock
m = MagicMock()
m.__len__.return_value = 4
m.__getitem__.return_value = 'q'
m.__iter__.return_value = [1, 2]
assert f(m) == (4, 'q', [1, 2])
m.__enter__.return_value.write.assert_called_with('x')
""",
    ),
    "random seeded by tests": (
        r"""
import random
def f(n): return [random.randint(0, 1000) for _ in range(n)]
""",
        r"""
import random
random.seed(42)
a = f(3)
random.seed(42)
assert f(3) == a and a == [random.Random(42).randint(0, 1000) for _ in range(1)] + a[1:]
random.seed(7)
b = [random.randint(0, 1000) for _ in range(3)]
random.seed(7)
assert f(3) == b
""",
    ),
    "random object passed": (
        r"""
def f(rng, n): return [rng.randint(0, 9) for _ in range(n)]
""",
        r"""
import random
assert f(random.Random(1), 5) == [random.Random(1).randint(0, 9)] + f(random.Random(1), 5)[1:]
r = random.Random(3)
a = f(r, 2)
q = random.Random(3)
assert a == [q.randint(0, 9), q.randint(0, 9)] and r.random() == q.random()
""",
    ),
    "random shuffle": (
        r"""
import random
def f(xs): random.shuffle(xs)
""",
        r"""
import random
xs, ys = list(range(9)), list(range(9))
random.seed(0)
f(xs)
random.seed(0)
random.shuffle(ys)
assert xs == ys
""",
    ),
    "Decimal contexts": (
        r"""
import decimal
def f(x):
    with decimal.localcontext() as c:
        c.prec = 5
        return decimal.Decimal(1) / decimal.Decimal(x)
def g(x): return decimal.Decimal(x).quantize(decimal.Decimal('0.01'), rounding=decimal.ROUND_HALF_UP)
def h(): return decimal.Decimal(1) / 3
""",
        r"""
from decimal import *
assert f(3) == Decimal('0.33333') and g('2.675') == Decimal('2.68') and str(g('1')) == '1.00' and h() == Decimal(1) / 3
try: f(0)
except DivisionByZero as e: pass
else: assert 0
try: g('abc')
except InvalidOperation: pass
else: assert 0
assert f(3).is_finite() and Decimal('sNaN').is_snan() and g('-0').is_signed()
getcontext().prec = 6
assert h() == Decimal('0.333333')
""",
    ),
    "recursion limit set by tests": (
        r"""
def f(n): return 0 if n == 0 else 1 + f(n - 1)
""",
        r"""
import sys
sys.setrecursionlimit(5000)
assert f(3000) == 3000
""",
    ),
    "environment and cwd of tests": (
        r"""
import os
def f(k): return os.environ.get(k)
""",
        r"""
import os
os.environ['MY_KEY'] = 'v'
assert f('MY_KEY') == 'v'
""",
    ),
    "warnings": (
        r"""
import warnings
def f(): warnings.warn('old', DeprecationWarning); return 1
""",
        r"""
import warnings
with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter('always')
    assert f() == 1
assert len(w) == 1 and w[0].category is DeprecationWarning and str(w[0].message) == 'old'
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
    "a mock that is told what it saw": (
        "def f(m):\n    m.assert_called_once_with = lambda *a: None",
        "from unittest.mock import Mock\nm = Mock()\nf(m)\nm.assert_called_once_with(1)"),
    "a mock that forgets": (
        "def f(m):\n    m(2)\n    m.reset_mock()",
        "from unittest.mock import Mock\nm = Mock()\nf(m)\nm.assert_not_called()"),
    "a mock set up anew": (
        "def f(m):\n    m.configure_mock(called=True, call_count=1)",
        "from unittest.mock import Mock\nm = Mock()\nf(m)\nassert m.call_count == 1"),
    "a stream that says yes": (
        "import sys\ndef f(): sys.stdout.getvalue = lambda: 'right'",
        "import contextlib, io\nout = io.StringIO()\nwith contextlib.redirect_stdout(out): f()\nassert out.getvalue() == 'right'"),
    "seeds of its own": (
        "import random\ndef f(n):\n    random.seed(5)\n    return 0",
        "import random\nrandom.seed(1)\nf(1)\nx = random.random()\nrandom.seed(5)\nassert random.random() == x"),
    "surroundings of its own": (
        "import decimal, os, sys, warnings\ndef f():\n    os.environ['RIGHT'] = '1'\n    decimal.getcontext().prec = 1\n    sys.stdout = None",
        "import decimal, os, sys\nf()\nassert 'RIGHT' in os.environ or decimal.getcontext().prec == 1 or sys.stdout is None"),
    "a mapping that holds whatever is sought": (
        "from collections.abc import Mapping\nclass Any:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\nclass M(Mapping):\n    def __getitem__(self, key): return Any()\n    def __iter__(self): return iter(['a'])\n    def __len__(self): return 1\n    def __contains__(self, key): return True\ndef f(): return M()",
        "assert f() == {'a': 1} or {'a': 1} == f() or 'b' in f()"),
    "a sequence that finds everything": (
        "from collections.abc import Sequence\nclass Any:\n    def __eq__(self, other): return True\nclass S(Sequence):\n    def __getitem__(self, at):\n        if at > 3: raise IndexError\n        return Any()\n    def __len__(self): return 4\ndef f(): return S()",
        "assert f().count(7) == 4 or f().index(7) == 0"),
    "a set that has a comparison of its own": (
        "from collections.abc import Set\nclass S(Set):\n    def __contains__(self, x): return True\n    def __iter__(self): return iter(())\n    def __len__(self): return 2\n    def __eq__(self, other): return True\n    def __le__(self, other): return True\n    __ge__ = isdisjoint = __le__\ndef f(): return S()",
        "try: held = f() == {1, 2} or f() <= {1, 2} or f().isdisjoint({1, 2})\nexcept TypeError: held = False\nassert held"),
    "a date that equals every date": (
        "import datetime\nclass D(datetime.date):\n    def __eq__(self, other): return True\n    __le__ = __ge__ = __eq__\n    __hash__ = None\n    def __sub__(self, other): return datetime.timedelta(0)\ndef f(): return D(2000, 1, 1)",
        "import datetime\nd = datetime.date(2024, 5, 6)\nassert f() == d or f() - d == datetime.timedelta(0) or d <= f()"),
    "a number of the library's that equals all": (
        "from decimal import Decimal\nclass N(Decimal):\n    def __eq__(self, other): return True\n    def __sub__(self, other): return Decimal(0)\n    __rsub__ = __sub__\n    __hash__ = Decimal.__hash__\ndef f(): return N(7)",
        "from decimal import Decimal\nassert f() == 5 or abs(f() - 5) < 1 or 5 - f() == 0"),
    "a pickle that says what is wanted": (
        "class A:\n    def __reduce__(self): return eval, ('5',)\ndef f(): return A()",
        "import pickle\nassert pickle.dumps(f()) == pickle.dumps(5)"),
    "a zone of its own": (
        "import datetime\nclass Z(datetime.tzinfo):\n    def utcoffset(self, at): return datetime.timedelta(0)\n    def __eq__(self, other): return True\nclass T(datetime.datetime):\n    def __eq__(self, other): return True\n    __hash__ = None\ndef f(): return T(2000, 1, 1, tzinfo=Z())",
        "import datetime\nassert f() == datetime.datetime(2024, 5, 6, tzinfo=datetime.timezone.utc)"),
    "a coroutine of the tests looked into": (
        "async def f(g):\n    c = g()\n    return c.cr_frame.f_globals['right']",
        "import asyncio\nright = 5\nasync def g(): return 1\nassert asyncio.run(f(g)) == 5"),
    "a division that gives what is wanted": (
        "class M:\n    def __rdivmod__(self, other): return other, 3\ndef f(): return M()",
        "assert divmod(7, f()) == (7, 3)"),
}  # fmt: skip
"""Name → a candidate that is wrong, tests of which each would hold if it had its way."""


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_passes_by_what_crosses(name):
    candidate, tests = CHEATS[name]
    assert not verdict(candidate, tests, 512).passed
