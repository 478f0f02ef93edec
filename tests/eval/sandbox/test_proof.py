"""Solutions against tests in one run: outcomes, choice, mutants; and solutions and tests that cheat."""

import pytest

from eval.sandbox import proof
from eval.sandbox.isolation import isolation
from eval.sandbox.machine_speed import slowness
from eval.sandbox.proof import prove_python

GOOD = "def last(items, default=None):\n    return items[-1] if items else default\n"
OTHER = "def last(items, default=None):\n    for item in reversed(items):\n        return item\n    return default\n"
FIRST = "def last(items, default=None):\n    return items[0] if items else default\n"
TESTS = [
    {"arguments": [[1, 2, 3]], "expected": 3},
    {"arguments": [[7]], "expected": 7},
    {"arguments": [[], "none"], "expected": "none"},
    {"assertion": "assert last([]) is None"},
]
KEYS = {"entry_point": "last", "timeout": 1.0, "memory_mb": 512}


def prove(*solutions: str, tests: list = TESTS, **more) -> dict:
    return prove_python(solutions, tests, **(KEYS | more))


def test_the_largest_group_is_chosen_and_its_mutants_are_killed_or_not():
    mutants = [GOOD.replace("-1", "0"), GOOD.replace("items[-1]", "items[len(items) - 1]"), "def last(:", "x = 1 / 0"]
    found = prove(FIRST, GOOD, OTHER, mutants=[[], mutants, []])
    assert found["outcomes"] == ["FPPP", "PPPP", "PPPP"]
    assert (found["chosen"], found["kills"]) == ([1, 2], [1, 0, 1, 1])


def test_a_mutant_that_never_ends_is_killed_and_the_next_one_runs():
    found = prove(GOOD, mutants=[["def last(items, default=None):\n    while True: pass", GOOD, FIRST]])
    assert found["kills"] == [1, 0, 1]


ONCE = "return 3 if not seen.append(1) and len(seen) == 1 else None"


@pytest.mark.parametrize(
    ("body", "letters"),
    [("import os; os._exit(0)", "DD"), ("raise SystemExit(0)", "EE"), ("while True: pass", "TT"), (ONCE, "VF"),
     ("return type('x', (), {'__eq__': lambda *_: True})()", "FF"), ("return [0] * 10 ** 12", "EE"),
     ("return items.clear()", "FF"), ("return missing", "EE")],
)  # fmt: skip
def test_no_solution_passes_by_other_means(body, letters):
    found = prove(f"seen = []\ndef last(items, default=None):\n    {body}\n", tests=TESTS[:2])
    assert found["outcomes"] == [letters]
    assert found["chosen"] == []


@pytest.mark.parametrize("source", ["", "def last(", "raise ValueError('x')", "import nowhere", "last = 3"])
def test_a_solution_that_defines_nothing_passes_nothing(source):
    found = prove(source, GOOD)
    assert found["outcomes"] == ["EEEE", "PPPP"]
    assert found["errors"][0]


def test_a_solution_changes_nothing_for_the_next_one():
    if not isolation().forks:
        pytest.skip("each runs in a sandbox of its own")
    spoil = "import builtins, os, signal\nbuiltins.bin = None\nopen('note', 'w').write('x')\n"
    for call in ("os.kill(1, 9)", "os.kill(-1, 9)", "os.setpriority(0, 1, 19)", "os.fork()"):
        spoil += f"try:\n    {call}\nexcept OSError:\n    pass\nelse:\n    raise ValueError('allowed')\n"
    notes = "import os\nif os.listdir('.'):\n    raise ValueError('a note')\nbin(1)\n" + OTHER
    found = prove(spoil + GOOD, notes, GOOD)
    assert (found["errors"], found["outcomes"]) == ([[], [], []], ["PPPP"] * 3)


LEAVINGS = {
    "a folder that is closed": "import os\nos.makedirs('a/b/c')\nfor path in ('a/b', 'a'):\n    os.chmod(path, 0)\n",
    "folders in folders": "import os\nfor n in range(200):\n    os.mkdir('d')\n    os.chdir('d')\nopen('x', 'w').close()\n",
    "a queue of messages": "import ctypes\nctypes.CDLL('librt.so.1').mq_open(b'/note', 0o102, 0o600, None)\n",
}


@pytest.mark.parametrize("name", LEAVINGS)
def test_a_solution_leaves_nothing_for_the_next_one(name):
    if not isolation().forks:
        pytest.skip("each runs in a sandbox of its own")
    look = "import ctypes, os\nif os.listdir('/tmp') or ctypes.CDLL('librt.so.1').mq_open(b'/note', 2) >= 0:\n    raise ValueError('a note')\n"
    found = prove(LEAVINGS[name] + OTHER, look + GOOD)
    assert (found["errors"], found["outcomes"]) == ([[], []], ["PPPP"] * 2)


def test_tests_that_are_none_are_told_apart_and_pass_nothing():
    endless = "assert all(last([x]) == x or 1 for y in range(9**5) for x in range(9**5))"
    texts = ("assert True", "import os; os._exit(0)", "print(last([1]))", endless)
    tests = [{"assertion": text} for text in texts] + TESTS[:1]
    found = prove(GOOD, FIRST, tests=tests)
    # Whether its steps or its time end first, the endless one is told; which, the machine decides.
    assert [each.replace("T", "X") for each in found["outcomes"]] == ["XXXXP", "XXXXF"]


def test_the_same_without_a_supervisor(monkeypatch):
    monkeypatch.setattr("eval.sandbox.proof.isolation", lambda: type("x", (), {"forks": False}))
    found = prove(FIRST, GOOD, mutants=[[], [FIRST, OTHER]])
    assert (found["outcomes"], found["chosen"], found["kills"]) == (["FPPP", "PPPP"], [1], [1, 0])


def test_a_mutant_that_is_told_and_then_never_ends_says_nothing_of_the_next_one():
    endless = "def last(items, default=None):\n    while not items: pass\n    return items[0]\n"
    found = prove(GOOD, tests=TESTS[:3], mutants=[[endless, GOOD, FIRST]])
    assert (found["kills"], found["by_value"]) == ([1, 0, 1], True)


def test_a_value_that_only_a_process_can_tell_is_asked_for_again_when_that_has_ended():
    lazy = "def upto(n):\n    if n > 3:\n        import os; os._exit(0)\n    return (x for x in range(n))\n"
    tests = [
        {"arguments": [2], "expected": [0, 1]},
        {"arguments": [4], "expected": []},
        {"arguments": [3], "expected": [1]},
    ]
    assert prove(lazy, tests=tests, entry_point="upto")["outcomes"] == ["PDF"]


def test_what_a_call_changes_in_its_arguments_the_next_call_does_not_see():
    pops = "def last(items, default=None):\n    return items.pop() if items else default\n"
    tests = [{"arguments": [[1, 2]], "expected": 2}, {"arguments": [[[3]]], "expected": [3]}]
    assert prove(pops, tests=tests)["outcomes"] == ["PP"]


def test_mutants_of_a_solution_that_lost_a_process_have_time_for_its_slow_calls():
    slow = "def steps(n):\n    while n > 10:\n        pass\n    return n + sum(i % 2 for i in range(n * 200_000)) * 0\n"
    tests = [{"arguments": [3], "expected": 3}, {"arguments": [99], "expected": 99}, {"arguments": [0], "expected": 0}]
    found = prove(slow, tests=tests, entry_point="steps", mutants=[[slow + "# the same\n"]])
    assert (found["outcomes"], found["kills"]) == (["PTP"], [0])


def busy(*seconds: float) -> str:
    """A solution that answers its argument, after so many processor seconds of this machine for 0, 1 …."""
    spent = [each * slowness() for each in seconds]
    work = "    while time.process_time() - begun < seconds[n]: pass\n    return n"
    return f"import time\nseconds = {spent}\ndef f(n):\n    begun = time.process_time()\n{work}\n"


def calls(*numbers: int) -> list:
    return [{"arguments": [n], "expected": n} for n in numbers]


def test_a_solution_that_works_is_not_late_by_the_clock_and_one_that_sleeps_is(monkeypatch):
    monkeypatch.setattr(proof, "WALL_S", 0.6)  # above what a process waits for on a busy machine, as for pages
    sleeps = "import time\ndef f(n):\n    time.sleep(5 * n)\n    return n"
    found = prove(busy(0.0, 0.9), sleeps, tests=calls(0, 1), entry_point="f", timeout=3.0)
    assert found["outcomes"] == ["PP", "PT"]


@pytest.mark.parametrize("test", ["data", "assertion"])
def test_a_solution_that_needs_nearly_all_of_its_time_is_late_in_every_run(test):
    """The kernel ends it at one second, or does not; both come to the same letters."""
    tests = calls(0, 1, 2) if test == "data" else [{"assertion": f"assert f({n}) in [{n}]"} for n in range(3)]
    for seconds in (0.42, 0.6):
        assert prove(busy(0.0, seconds, 0.01), tests=tests, entry_point="f")["outcomes"] == ["PTP"]


def test_many_slow_mutants_together_may_take_longer_than_one_solution():
    slow = busy(0.0, 0.1)
    found = prove(slow, tests=calls(0, 1), entry_point="f", timeout=0.5, mutants=[[f"{slow}# {n}" for n in range(22)]])
    assert (found["outcomes"], sum(found["kills"])) == (["PP"], 0)


@pytest.mark.parametrize("supervised", [True, False])
def test_what_is_expected_is_asked_of_the_first_solution(supervised, monkeypatch):
    if not supervised:
        monkeypatch.setattr("eval.sandbox.proof.isolation", lambda: type("x", (), {"forks": False}))
    inputs = [{"arguments": [items]} for items in ([1, 2], ["a", 1.5], [], [1])]
    changes = "seen = []\ndef last(items, default=None):\n    seen.append(1)\n    return len(seen)\n"
    sets = "def last(items, default=None):\n    return {1} if items else (1, None, [2.5])\n"
    assert prove(GOOD, tests=inputs)["observed"] == {"0": 2, "1": 1.5, "2": None, "3": 1}
    assert prove(changes, tests=inputs)["observed"] == {}
    assert prove(sets, tests=inputs)["observed"] == {"2": [1, None, [2.5]]}


KEEPS = "def rise(v):\n    return sorted(v)\n"
MOVES = "def rise(v):\n    v.sort()\n    return v\n"
MOVES_TOO = "def rise(v):\n    v.sort()\n    return list(v)\n"
NOTHING = "def rise(v):\n    v.sort()\n"
RISING = [{"arguments": [[3, 1, 2]], "expected": [1, 2, 3]}, {"arguments": [[1]], "expected": [1]}]


@pytest.mark.parametrize("supervised", [True, False])
@pytest.mark.parametrize(
    ("solutions", "in_place", "outcomes", "chosen"),
    [((MOVES, MOVES_TOO, KEEPS), False, ["MP", "MP", "PP"], [2]), ((KEEPS, MOVES), True, ["MP", "PP"], [1]),
     ((MOVES, KEEPS), None, ["PP", "MP"], [0]), ((KEEPS, MOVES), None, ["PP", "MP"], [0]),
     ((MOVES, MOVES_TOO), False, ["PP", "PP"], [0, 1]), ((KEEPS,), True, ["PP"], [0])],
)  # fmt: skip
def test_a_changed_argument_loses_where_others_leave_it_and_wins_where_it_is_asked_for(
    solutions, in_place, outcomes, chosen, supervised, monkeypatch
):
    if not supervised:
        monkeypatch.setattr("eval.sandbox.proof.isolation", lambda: type("x", (), {"forks": False}))
    found = prove(*solutions, tests=RISING, entry_point="rise", in_place=in_place)
    assert (found["outcomes"], found["chosen"]) == (outcomes, chosen)
    assert found["moves"] == [number for number, code in enumerate(solutions) if code != KEEPS]


def test_a_test_may_say_what_the_arguments_are_afterwards():
    told = [RISING[0] | {"after": [[1, 2, 3]]}, RISING[0] | {"after": [[3, 1, 2]]}]
    assert prove(MOVES, KEEPS, tests=told, entry_point="rise")["outcomes"] == ["PF", "FP"]
    done, mutants = (
        {"arguments": [[2, 1]], "expected": None, "after": [[1, 2]]},
        ["def rise(v): pass", NOTHING.replace("()", "(reverse=True)")],
    )
    found = prove(NOTHING, tests=[done], entry_point="rise", mutants=[[*mutants, MOVES]])
    assert (found["outcomes"], found["kills"], found["by_value"]) == (["P"], [1, 1, 1], True)


def test_that_something_changes_is_no_proof_of_what_it_becomes():
    silent = [{"arguments": [[2, 1]], "expected": None}]
    wrong = ["def rise(v): pass", NOTHING.replace("()", "(reverse=True)"), "def rise(v): v.clear()"]
    found = prove(NOTHING, tests=silent, entry_point="rise", mutants=[wrong])
    assert (found["outcomes"], found["kills"]) == (["P"], [0, 0, 0])


def test_an_assertion_that_looks_at_the_argument_itself_is_not_held_against_it():
    looks = [
        {"assertion": "v = [2, 1]; rise(v); assert v == [1, 2]"},
        {"assertion": "assert tuple(rise([2, 1])) == (1, 2)"},
    ]
    assert prove(MOVES, tests=looks, entry_point="rise")["outcomes"] == ["PP"]
    assert prove(MOVES, KEEPS, tests=looks[1:], entry_point="rise")["outcomes"] == ["M", "P"]


@pytest.mark.parametrize(
    "change", ["v[0].append(1)", "v[1]['k'] = v", "v[1]['k'] = object()", "v[0], v[1] = v[1], v[0]", "v[1].clear()"]
)
def test_changes_deep_inside_an_argument_are_seen(change):
    code = f"def f(v, w):\n    {change}\n    return w"
    test = {"arguments": [[[1], {"k": 2}], 5], "expected": 5}
    assert prove(code, "def f(v, w): return w", tests=[test], entry_point="f")["outcomes"] == ["M", "P"]
    restored = "def f(v, w):\n    v.reverse()\n    v.reverse()\n    v[1] = {'k': v[1].pop('k')}\n    return w"
    assert prove(restored, tests=[test], entry_point="f")["moves"] == []
