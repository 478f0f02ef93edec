"""Calls sent ahead: found where they are sure to be made, and never anything else for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.sandbox.inside.ahead import BEGIN, CHECK, PREPARE, send_ahead
from eval.sandbox.inside.rows import TAKE
from eval.sandbox.oracle import judge

ROWS = "def check(candidate):\n    assert abs(candidate(1, [2])) == 3\n    assert abs(candidate(-4.5, ')') - 1) < 1e-6\n    assert candidate() is None\ncheck(f)\n"
LOOP = "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    check_one(candidate(*inp), exp, 0)\n"


def test_rows_of_assertions_are_sent_ahead():
    made, _ = send_ahead(ROWS, "f")
    assert made.count(BEGIN) == 1 and made.count(TAKE) == 3
    assert "[(1, [2],),(-4.5, ')',),(),]" in made
    assert len(made.split("\n")) == len(ROWS.split("\n"))


def test_rows_of_literals_become_data_and_their_lines_stay_in_place():
    text = (
        "def check(candidate):\n    # one\n    assert candidate('a', [1.5, True]) == {'b': (1,)}, 'why'\n\n"
        "    assert True\n    assert candidate('\"', -1) == None  # two\n    x = 1\n"
    )
    made, (rows,) = send_ahead(text, "f")
    lines = made.split("\n")
    assert lines[2] == f"    {CHECK}(candidate, 0)" and lines[5] == "    pass" and lines[6] == "    x = 1"
    assert rows.calls == [["a", [1.5, True]], ['"', -1]] and rows.answers[1] is None


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(st.lists(LITERALS, max_size=3), LITERALS), min_size=2, max_size=5))
def test_rows_mean_what_python_reads(rows):
    lines = [f"assert f({', '.join(map(repr, args))}) == {expected!r}" for args, expected in rows]
    _, tables = send_ahead("\n".join(lines), "f")
    found = [args for table in tables for args in table.calls]
    assert repr(found) == repr([args for args, _ in rows])


@pytest.mark.parametrize(
    "line",
    ["assert f(1], [2) == 3", "assert f([1, 2) == 3]", "assert f(1) == 2, 3", "assert f(1) == ", "assert f('a') == 'b) == c", "assert f(01) == 1"],
)  # fmt: skip
def test_lines_that_are_no_rows_are_left_alone(line):
    assert not send_ahead(f"{line}\n{line}", "f")[1]


def test_a_loop_is_sent_ahead():
    made, _ = send_ahead(LOOP, "candidate")
    assert made.count(BEGIN) == 1 and f"check_one({TAKE}(), exp, 0)" in made


@pytest.mark.parametrize("line", [
    "assert candidate(x) == 1", "assert candidate(g(1)) == 1", "assert candidate(1) == candidate(2)", "assert candidate(1) or 2",
    "assert x and candidate(1)", "assert 1 < candidate(1) < 3", "assert [candidate(1) for x in y]", "assert candidate(1) == open(1)",
    "assert candidate(1); x = 2", "assert candidate(1) == '''", "assert candidate(1) == 1 \\", "assert candidate((1) == 1", "if candidate(1) == 1: pass",
    "assert lambda: candidate(1)", "assert candidate(1) == (1,", "assert candidate(a=1) == 1", "assert candidate(1) == x.y", "assert 'candidate(1)' == str(2)",
])  # fmt: skip
def test_what_is_not_sure_stays_as_it_is(line):
    made, rows = send_ahead(f"{line}\n{line}\n", "candidate")
    assert BEGIN not in made and not rows


@pytest.mark.parametrize("loop", [
    "for x in xs:\n    if x: candidate(x)\n", "for x in xs:\n    candidate(x) if x else 0\n", "for x in xs:\n    x = 2\n    candidate(x)\n",
    "for x in xs:\n    candidate(y)\n", "for x in g():\n    candidate(x)\n", "for x in xs:\n    candidate(x)\n    candidate(x)\n",
    "for x in xs:\n    break\n    candidate(x)\n",
])  # fmt: skip
def test_loops_that_are_not_sure_stay_as_they_are(loop):
    assert BEGIN not in send_ahead(loop, "candidate")[0]


MADE = "def ask(candidate):\n    seen, log = [], 0\n    for i in range(9):\n        {}\n"


@pytest.mark.parametrize("body", [
    "x = draw(i)\n        assert candidate(x) == x * 2", "x = [i, 1]\n        if i: x.append(3)\n        assert candidate(copy.deepcopy(x)) == sum(x)",
    "x = draw(i)\n        y = candidate(x)\n        assert abs(y - twice(x)) < 1",
])  # fmt: skip
def test_a_loop_that_makes_its_arguments_is_sent_ahead(body):
    assert PREPARE in send_ahead("def twice(x):\n    return 2 * x\n\n" + MADE.format(body), "f")[0]


@pytest.mark.parametrize("body", [
    "x = draw(i)\n        assert candidate(x) == later(x)", "seen.append(i)\n        x = draw(i)\n        assert candidate(x) == len(seen)",
    "x = draw(log)\n        log = candidate(x)", "x = draw(i)\n        assert candidate(x) == x\n        seen.append(x)",
    "x = draw(i)\n        assert candidate(seen) == x", "x = draw(i)\n        if x: break\n        assert candidate(x) == x",
    "x = draw(i)\n        assert candidate(x) == seen[0]\n        seen[0] = x", "x = draw(i)\n        assert candidate(x) == x and print(x)",
])  # fmt: skip
def test_a_loop_that_may_depend_on_an_answer_stays_as_it_is(body):
    assert PREPARE not in send_ahead(MADE.format(body) + "\ndef later(x):\n    return len(seen)\n", "f")[0]


SAME = {
    "arguments made at random": ("def f(x): return x * 2", "import random\ndef check(candidate):\n    for _ in range(3000):\n        x, y = random.random(), 0\n        assert candidate(x) == x * 2\n    assert y == 0 and candidate(x) == x + x\ncheck(f)"),
    "lists made in a loop": ("def f(x):\n    x.append(5)\n    return sum(x)", "import copy\ndef check(candidate):\n    for n in range(5):\n        x = []\n        for m in range(n): x.append(m)\n        r = candidate(copy.deepcopy(x))\n        assert r == sum(x) + 5\n    assert x == [0, 1, 2, 3]\ncheck(f)"),
    "a list made in a loop and changed by the call": ("def f(x):\n    x.append(5)\n    return len(x)", "def check(candidate):\n    for n in range(5):\n        x = [n]\n        assert candidate(x) == len(x) == 2\ncheck(f)"),
    "one list behind all turns": ("def f(x):\n    x.append(5)\n    return len(x)", "rows = []\ndef one(): return rows\ndef check(candidate):\n    for n in range(5):\n        x = one()\n        y = len(x)\n        assert candidate(x) == y + 1\ncheck(f)\nassert rows == [5] * 5"),
    "another function of the candidate's between": ("n = 0\ndef more(): global n; n += 1; return n\ndef f(x): return x * 10 + n", "def check(candidate):\n    for i in range(5):\n        x = more()\n        assert candidate(x) == x * 10 + x\ncheck(f)"),
    "a turn whose arguments fail": ("def f(x): return 1 // (x - 2)", "def made(x): return 1 // (3 - x)\ndef check(candidate):\n    for i in range(5):\n        x = made(i) * 0 + i\n        assert candidate(x) == 1 // (x - 2)\ntry: check(f)\nexcept ZeroDivisionError: pass\nassert f(3) == 1"),
    "a loop at the top": ("def f(x): return -x", "import random\nfor i in range(4):\n    a = random.randint(1, 5)\n    assert f(a) == -a\nassert f(a) == -a and i == 3"),
    "a loop in a method": ("def f(x): return -x", "class T:\n    def go(self, candidate):\n        for i in range(4):\n            a = i * i\n            b = candidate(a)\n            assert b == -a\n        return a, b\nassert T().go(f) == (9, -9)"),
    "in order": ("n = 0\ndef f(x):\n    global n\n    n += 1\n    return n", "assert f(1) == 1\nassert f(1) == 2\nassert f(1) == 3\nassert f([1]) == 4"),
    "an exception of a call in the middle": ("def f(x): return 1 // x", "def check(candidate):\n    assert candidate(1) == 1\n    assert candidate(0) == 0\ntry: check(f)\nexcept ZeroDivisionError: pass\nelse: assert 0\nassert f(2) == 0"),
    "left in the middle": ("def f(x): return x", "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(2) == 2\ntry: check(f)\nexcept AssertionError: pass\nelse: assert 0\nassert f(5) == 5\nassert f(6) == 6"),
    "objects": ("class A:\n    def __init__(s, x): s.x = x\n    def __len__(s): return s.x\ndef f(x): return A(x)", "assert len(f(3)) == 3\nassert len(f(4)) == 4"),
    "a function of the tests' own": ("def f(x): return 0", "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 9\ncheck(lambda x: x * x)"),
    "a loop that changes its rows": ("def f(x):\n    x.append(1)\n    return len(x)", "rows = [[1], [1, 2]]\ndef check(candidate):\n    for row in rows:\n        assert candidate(row) == len(row)\ncheck(f)\nassert rows == [[1, 1], [1, 2, 1]]"),
    "a row that fails": ("def f(x): return x", "def check(candidate):\n    assert candidate(1) == 1\n    assert candidate(2) == 3, 'why'\ntry: check(f)\nexcept AssertionError as e: assert str(e) == 'why'\nelse: assert 0"),
    "one list for all answers": ("many = []\ndef f(x):\n    many.append(x)\n    return many", "assert f(1) == [1]\nassert f(2) == [1, 2]\nassert f('a') == [1, 2, 'a']"),
    "a list in place": ("def f(x):\n    x.sort()\n    return x", "assert f([2, 1]) == [1, 2]\nassert f(['b', 'a']) == ['a', 'b']"),
    "tuples, sets and dicts": ("def f(x): return x", "assert f((1, 2)) == (1, 2)\nassert f({1, 2}) == {2, 1}\nassert f({1: [2]}) == {1: [2]}\nassert f(1.0) == 1\nassert f(True) == 1"),
    "equal to no list": ("def f(x): return tuple(x)", "for _ in range(2):\n    try:\n        assert f([1]) == [1]\n        assert f([2]) == [2]\n    except AssertionError: pass\n    else: assert 0"),
    "rows twice": ("def f(x): return x + 1", "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(2) == 3\ncheck(f)\ncheck(f)"),
    "a method of the tests' own": ("def f(x): return x", "class A:\n    def g(self, x):\n        x.append(1)\n        return x\ndef check(candidate):\n    assert candidate([0]) == [0, 1]\n    assert candidate([]) == [1]\ncheck(A().g)\ncheck(A().g)"),
    "an object among data": ("class A:\n    def __init__(s): s.x = 1\ndef f(x): return A() if x else 2", "assert f(0) == 2\nassert f(0) == 2\nassert (f(1) == 2) is False"),
    "prints": ("def f(x):\n    print(x)\n    return x", "assert f(1) == 1\nassert f(2) == 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_verdict_is_the_same(name):
    candidate, tests = SAME[name]
    done = judge(candidate, tests, language="python", entry_point="f", timeout=10.0, memory_mb=512)
    assert done.passed, done


def test_a_call_that_never_ends_is_a_timeout():
    tests = "assert f(1) == 1\nassert f(2) == 2\nassert f(3) == 3"
    done = judge(
        "def f(x):\n    while x == 2: pass\n    return x",
        tests,
        language="python",
        entry_point="f",
        timeout=1.0,
        memory_mb=512,
    )
    assert done.outcome == "timeout"
