"""Tests that are data pass byte by byte, and everything else is left to a process of the tests."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psutil
import pytest

from eval.sandbox import oracle
from eval.sandbox.attack_suite import load_attacks
from eval.sandbox.data_tests import Held, data_tests
from eval.sandbox.fork_server import fork_server
from eval.sandbox.oracle import judge

PROGRAM = """

METADATA = {
    'author': 'us', 'n': 1,
}


def check(candidate):

    # Simple cases
    assert candidate("a (b)", [1, 2.5]) == ['x', "it's"], "This: " + str(candidate("a"))
    assert True, "fine"
    assert candidate((1, (2,), ()), None) == (3,)  # a tuple
    assert candidate('True') is True
    assert not candidate(-1), 'no'
    assert candidate({"k": [(1)]})

check(f)
"""


def test_a_program_of_rows_is_data():
    tests = data_tests(PROGRAM, "f")
    assert tests is not None
    assert tests.answers == b'[["x","it\'s"]],["ok",[0],[],[["t",[3]]]],true,false,true,'


def test_imports_of_the_question_are_no_matter():
    assert data_tests("from typing import List, Tuple\nimport math\n\n" + PROGRAM, "f") == data_tests(PROGRAM, "f")
    assert data_tests("from mine import thing\n" + PROGRAM, "f") is None
    assert data_tests("from math import f, pi\n" + PROGRAM, "f") is None


@pytest.mark.parametrize(
    "text",
    [
        "assert f(1) == 2\nprint(3)",
        "assert f(x) == 2",
        "import os\nassert f(1) == 2",
        "def check(candidate):\n    assert candidate(1) == 2\n",
        "def check(candidate):\n    assert candidate(1) == 2\ncheck(g)",
        "def check(candidate):\n    assert candidate(1) == 2\ncheck(f)\ncheck(f)",
        "def check(candidate):\n    assert f(1) == 2\ncheck(f)",
        "def check(candidate):\n    assert candidate(1) == 2\nassert f(2) == 2",
        "assert candidate(1) == 2",
        "METADATA = {'a': print(1)}\nassert f(1) == 2",
        "if 0:\n    assert f(1) == 2",
        "assert f(1) == 2 or 3",
        "assert f({1, 2}) == 2",
        "assert f(1) == 1e999 - 1e999",
        "",
    ],
)
def test_what_may_do_more_is_none(text):
    assert data_tests(text, "f") is None


def test_without_an_entry_point_nothing_is_data():
    assert data_tests("assert f(1) == 2", None) is None


def judged(candidate, tests, monkeypatch, **allowed):
    """The outcome, and whether a process of the tests was needed."""
    asked = []
    monkeypatch.setattr(oracle, "_judge_orders", partial(_noted, asked, oracle._judge_orders))
    options = {"language": "python", "entry_point": "f", "timeout": 5.0, "memory_mb": 512} | allowed
    return judge(candidate, tests, **options), bool(asked)


def _noted(asked, function, *args, **options):
    asked.append(args)
    return function(*args, **options)


@pytest.mark.parametrize(
    ("candidate", "tests", "outcome", "programs"),
    [
        ("def f(x): return x + 1", "assert f(1) == 2\nassert f(-1) == 0", "passed", False),
        ("def f(x): return x + 1.0", "assert f(1) == 2\nassert f(-1) == 0", "passed", True),
        ("def f(x): return x + 1", "assert f(1) == 2\nassert f(-1) == 1", "failed", True),
        ("def f(x): return 1 // x", "assert f(1) == 1\nassert f(0) == 1", "exception", True),
        ("def f(x): return (x, [x])", "assert f(1) == (1, [1])", "passed", False),
        ("def f(x): return {'b': x, 'a': 1}", "assert f(1) == {'a': 1, 'b': 1}", "passed", True),
        ("def f(x):\n    while True: pass", "assert f(1) == 1", "timeout", False),
        ("def g(x): return x", "assert f(1) == 1", "exception", True),
        ("def f(x) return x", "assert f(1) == 1", "syntax", True),
        ("import os\ndef f(x): os._exit(0)", "assert f(1) == 1", "crashed", True),
        ("def f(x): return 'é\\n' * x", "assert f(2) == 'é\\né\\n'", "passed", False),
    ],
)
def test_the_outcome_is_that_of_a_program(candidate, tests, outcome, programs, monkeypatch):
    done, asked = judged(candidate, tests, monkeypatch, timeout=1.0 if outcome == "timeout" else 20.0)
    assert (done.outcome, asked) == (outcome, programs), done
    assert done.oracle == "process"


def test_what_it_printed_is_kept(monkeypatch):
    done, asked = judged("def f(x):\n    print('seen', x)\n    return x", "assert f(7) == 7", monkeypatch)
    assert done.passed and not asked and done.stdout == "seen 7\n"


SPINNING = """
import threading
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()
def f(x): return x
"""


def test_what_still_runs_behind_its_answers_is_ended(monkeypatch):
    sandbox = psutil.Process(fork_server().process_id)
    before = len(sandbox.children(recursive=True))
    done, asked = judged(SPINNING, "assert f(7) == 7", monkeypatch, packages=())
    assert done.passed and not asked
    while len(sandbox.children(recursive=True)) > before:  # it is killed, but nobody waited for that
        time.sleep(0.01)


def test_no_cheat_passes():
    cheats = [attack for attack in load_attacks("python") if attack.kind == "cheating"]
    tests = "assert add(2, 3) == 5\nassert add(-7, 3) == -4\nassert add(10, 20) == 30\n"
    assert data_tests(tests, "add") is not None

    def passes(attack):
        return judge(attack.candidate, tests, language="python", entry_point="add", timeout=3.0, memory_mb=512).passed

    with ThreadPoolExecutor(2) as pool:
        assert not [attack.name for attack, passed in zip(cheats, pool.map(passes, cheats), strict=True) if passed]


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ([b"1,2,[[3]],"], True),
        ([b"1,2,[[3]],more"], False),
        ([b"1,2,[[3]],", b"more"], True),
        ([b"1,", b"2,[[3", b"]],"], True),
        ([b"1,2,[[3]]"], False),
        ([b"1,2,"], False),
        ([b"1,2,[[4]],"], False),
        ([b"1,12,[[3]],"], False),
        ([b"1, 2,[[3]],"], False),
        ([b""], False),
    ],
)
def test_only_the_right_bytes_pass(sent, passed):
    tests = data_tests("assert f(1) == 1\nassert f(2) == 2\nassert f(3) == [3]", "f")
    ours, theirs = socket.socketpair()
    held = Held(ours, tests.answers)
    for part in sent:
        theirs.sendall(part)
        if not held.read(ours.fileno()):
            break
    theirs.close()
    held.read(ours.fileno())
    assert held.passed is passed
    held.close()
