"""Calls sent ahead: found where they are sure to be made, and never anything else for it."""

import pytest

from eval.sandbox.inside.ahead import BEGIN, TAKE, send_ahead
from eval.sandbox.oracle import judge

ROWS = "def check(candidate):\n    assert candidate(1, [2]) == 3\n    assert abs(candidate(-4.5, ')') - 1) < 1e-6\n    assert candidate() is None\ncheck(f)\n"
LOOP = "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    check_one(candidate(*inp), exp, 0)\n"


def test_rows_of_assertions_are_sent_ahead():
    made = send_ahead(ROWS, "f")
    assert made.count(BEGIN) == 1 and made.count(TAKE) == 3
    assert "[(1, [2],),(-4.5, ')',),(),]" in made
    assert len(made.split("\n")) == len(ROWS.split("\n"))


def test_a_loop_is_sent_ahead():
    made = send_ahead(LOOP, "candidate")
    assert made.count(BEGIN) == 1 and f"check_one({TAKE}(), exp, 0)" in made


@pytest.mark.parametrize("line", [
    "assert candidate(x) == 1", "assert candidate(g(1)) == 1", "assert candidate(1) == candidate(2)", "assert candidate(1) or 2",
    "assert x and candidate(1)", "assert 1 < candidate(1) < 3", "assert [candidate(1) for x in y]", "assert candidate(1) == open(1)",
    "assert candidate(1); x = 2", "assert candidate(1) == '''", "assert candidate(1) == 1 \\", "assert candidate((1) == 1", "if candidate(1) == 1: pass",
    "assert lambda: candidate(1)", "assert candidate(1) == (1,", "assert candidate(a=1) == 1", "assert candidate(1) == x.y", "assert 'candidate(1)' == str(2)",
])  # fmt: skip
def test_what_is_not_sure_stays_as_it_is(line):
    assert BEGIN not in send_ahead(f"{line}\n{line}\n", "candidate")


@pytest.mark.parametrize("loop", [
    "for x in xs:\n    if x: candidate(x)\n", "for x in xs:\n    candidate(x) if x else 0\n", "for x in xs:\n    x = 2\n    candidate(x)\n",
    "for x in xs:\n    candidate(y)\n", "for x in g():\n    candidate(x)\n", "for x in xs:\n    candidate(x)\n    candidate(x)\n",
    "for x in xs:\n    break\n    candidate(x)\n",
])  # fmt: skip
def test_loops_that_are_not_sure_stay_as_they_are(loop):
    assert BEGIN not in send_ahead(loop, "candidate")


SAME = {
    "in order": ("n = 0\ndef f(x):\n    global n\n    n += 1\n    return n", "assert f(1) == 1\nassert f(1) == 2\nassert f(1) == 3\nassert f([1]) == 4"),
    "an exception of a call in the middle": ("def f(x): return 1 // x", "def check(candidate):\n    assert candidate(1) == 1\n    assert candidate(0) == 0\ntry: check(f)\nexcept ZeroDivisionError: pass\nelse: assert 0\nassert f(2) == 0"),
    "left in the middle": ("def f(x): return x", "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(2) == 2\ntry: check(f)\nexcept AssertionError: pass\nelse: assert 0\nassert f(5) == 5\nassert f(6) == 6"),
    "objects": ("class A:\n    def __init__(s, x): s.x = x\n    def __len__(s): return s.x\ndef f(x): return A(x)", "assert len(f(3)) == 3\nassert len(f(4)) == 4"),
    "a function of the tests' own": ("def f(x): return 0", "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 9\ncheck(lambda x: x * x)"),
    "a loop that changes its rows": ("def f(x):\n    x.append(1)\n    return len(x)", "rows = [[1], [1, 2]]\ndef check(candidate):\n    for row in rows:\n        assert candidate(row) == len(row)\ncheck(f)\nassert rows == [[1, 1], [1, 2, 1]]"),
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
