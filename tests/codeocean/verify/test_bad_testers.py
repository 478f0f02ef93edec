"""A tester as attacker: answers that are no tests, and tests that anything passes. None is fatal, none proves anything."""

import json

import pytest

from codeocean.generate.jobs import SandboxJob
from codeocean.generate.tester import ParsedTests, parse_tests
from codeocean.verify.proof import columns_of_proof, refused_tests, run_proof
from eval.sandbox.proof import prove

RIGHT = "def last(items, default=None):\n    if len(items) > 0:\n        return items[-1]\n    return default\n"
OTHER = "def last(items, default=None):\n    return items[-1] if items else default\n"
NONE, UNTAKEN, ANY = "no test", "not run by the sandbox", "holds of any value"

ANSWERS = {
    "": "not JSON",
    "I would test it with a few lists.": "not JSON",
    "null": "not JSON",
    "[[]]": "not JSON",
    '{"tests": "assert last([1]) == 1"}': "wrong fields",
    '{"tests": {"assertion": "assert last([1]) == 1"}}': "wrong fields",
    '{"tests": ' + "[" * 3_000 + "]" * 3_000 + "}": "not JSON",
}
"""An answer → why it is none."""


@pytest.mark.parametrize("answer", ANSWERS, ids=[text[:30] for text in ANSWERS])
def test_an_answer_without_tests_is_told_by_name(answer):
    found = parse_tests(answer, "stop", "last", "python", 8)
    assert found == ANSWERS[answer] or (isinstance(found, ParsedTests) and not found.kept and found.refused)


BAD = [
    # no tests
    (7, NONE), ([{"arguments": [[1]], "expected": 1}], NONE), ({"arguments": [[1]]}, NONE),
    ({"arguments": {"items": [1]}, "expected": 1}, NONE), ({"assertion": ""}, NONE), ({"assertion": ["last"]}, NONE),
    ({"arguments": [["\ud800"]], "expected": "\ud800"}, NONE), ({"arguments": [[float("nan")]], "expected": 1}, NONE),
    ({"assertion": "assert first([1]) == 1"}, "never calls the function"),
    ({"arguments": [[1] * 5_000], "expected": 1}, "too large"),
    ({"assertion": "assert last([1]) == 1" + " or 1" * 900}, "too large"),
    # tests that print, exit, catch everything, go on for ever, or reach for something else
    ({"assertion": "print(last([1]))"}, UNTAKEN), ({"assertion": "exit(last([1]))"}, UNTAKEN),
    ({"assertion": "__import__('os')._exit(last([0]))"}, UNTAKEN), ({"assertion": "last.__globals__.clear() or last([1])"}, UNTAKEN),
    ({"assertion": "try:\n    assert last([1]) == 2\nexcept BaseException: pass"}, UNTAKEN),
    ({"assertion": "while True: last([1])"}, UNTAKEN), ({"assertion": "(lambda f: f(f))(lambda f: f(f)) or last([1])"}, UNTAKEN),
    ({"assertion": "assert [0] * 10 ** 12 or last([1])"}, UNTAKEN), ({"assertion": "assert 'last([1]) == 1'"}, UNTAKEN),
    ({"assertion": "assert (last := max) and last([1]) == 1"}, UNTAKEN),
    ({"assertion": "def last(items): return 1\nassert last([1]) == 1"}, UNTAKEN),
    # tests that anything passes
    ({"assertion": "assert last([1]) == last([1])"}, ANY), ({"assertion": "assert True or last([1]) == 2"}, ANY),
    ({"assertion": "assert last([1]) == 1 or True"}, ANY), ({"assertion": "assert (last([1]) == 2, 'it is')"}, ANY),
    ({"assertion": "assert [last([3, 1])]"}, ANY), ({"assertion": "assert isinstance(last([1]), int)"}, ANY),
    ({"assertion": "assert type(last(['a'])) is str"}, ANY), ({"assertion": "assert all(last([x]) == 9 for x in [])"}, ANY),
    ({"assertion": "assert last([2]) != 1 or last([2]) == 1"}, ANY), ({"assertion": "assert last([2]) - last([2]) == 0"}, ANY),
    ({"assertion": "assert last([5]) in [last([5]), None]"}, ANY), ({"assertion": "assert str(last([1])) or 1"}, ANY),
    ({"assertion": "assert not isinstance(last([1]), str) and last is not None"}, ANY),
    ({"assertion": "assert len([last([1]), last([2])]) == 2"}, ANY),
]  # fmt: skip


def _proved(listed: list) -> tuple[dict, str, dict]:
    tests = parse_tests(json.dumps({"tests": listed}), "stop", "last", "python", 60)
    assert isinstance(tests, ParsedTests)
    job = SandboxJob("python", "last", tests.kept, [RIGHT, OTHER], mutants=6, seed=1)
    found = run_proof(job, lambda *given, **more: prove(*given, timeout=2.0, memory_mb=512, **more))
    row = {"tests": json.dumps(tests.kept), "refused": json.dumps(tests.refused), "error": "", "solutions": 2,
           "found": json.dumps(found)}  # fmt: skip
    return *columns_of_proof(row), refused_tests(row)


@pytest.mark.parametrize(("test", "reason"), BAD, ids=[json.dumps(test)[:60] for test, _ in BAD])
def test_a_bad_test_is_counted_by_name_and_proves_nothing(test, reason):
    columns, word, refused = _proved([test])
    assert (columns["proof"], refused) == ("none", {reason: 1})
    assert word != "passed"


def test_good_tests_count_beside_bad_ones_and_those_alone():
    good = [{"arguments": [[1, 2]], "expected": 2}, {"assertion": "assert last([3, 1]) < last([1, 3])"},
            {"assertion": "assert last([], 5) in (5, 6)"}, {"assertion": "assert last(['a', 'b']).startswith('b')"}]  # fmt: skip
    columns, word, _ = _proved([*(test for test, _ in BAD), *good])
    assert (columns["proof"], columns["pass_rate"], word) == ("tests", 1, "passed")
    assert json.loads(columns["tests"]) == good


SORTS = "def srt(v):\n    {}\n    return sorted(v)\n"
LOTS = [
    "import random\n" + SORTS.format("if random.random() < 0.5: return random.sample(v, len(v))"),
    "import time\n" + SORTS.format("if time.perf_counter_ns() % 2: return [9]"),
    "import random\n" + SORTS.format("if random.random() < 0.2: raise ValueError('unlucky')"),
]


@pytest.mark.parametrize("lots", LOTS)
def test_a_solution_that_draws_lots_never_passes_and_a_steady_one_beside_it_does(lots):
    tests = [{"arguments": [[3, 1, 2]], "expected": [1, 2, 3]}, {"arguments": [[]], "expected": []}]
    steady = "import random\n" + SORTS.format("v = random.sample(v, len(v))")
    for solutions in ([lots], [lots, steady]):
        found = run_proof(SandboxJob("python", "srt", tests, solutions, mutants=6, seed=1), _prove)
        row = {"tests": json.dumps(tests), "refused": "{}", "error": "", "solutions": 2, "found": json.dumps(found)}
        columns, word = columns_of_proof(row)
        if len(solutions) == 1:
            assert (columns["proof"], columns["pass_rate"], word) == ("none", 0.0, "no solution answers alike twice")
        else:
            assert (found["outcomes"], found["chosen"]) == (["VV", "PP"], [1])
            assert (columns["proof"], columns["difficulty"]) == ("tests", 0.5)


def _prove(*given, **more):
    return prove(*given, timeout=2.0, memory_mb=512, **more)
