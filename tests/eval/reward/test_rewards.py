"""Completions and columns as trl hands them over → rewards, by the real sandbox."""

import pytest

from eval.reward import code_reward, code_reward_with
from eval.reward.judging import Judged, Sample, called_by, infra_error, judge_sample
from eval.reward.settings import RewardConfig
from eval.sandbox.process_tree import SandboxError

GOOD = "```python\ndef double(x):\n    return 2 * x\n```"
BAD = "```python\ndef double(x):\n    return x\n```"
TESTS = "assert double(4) == 8"


def test_right_is_one_and_wrong_is_zero():
    assert code_reward(["p"] * 2, [GOOD, BAD], tests=[TESTS] * 2) == [1.0, 0.0]


@pytest.mark.parametrize(
    "completion",
    [
        [{"role": "assistant", "content": GOOD}],
        [
            {"role": "assistant", "content": BAD},
            {"role": "user", "content": "No."},
            {"role": "assistant", "content": GOOD},
        ],
        [{"role": "assistant", "content": [{"type": "text", "text": GOOD}]}],
        [{"role": "assistant", "content": "<think>" + BAD + "</think>\n" + GOOD}],
        [{"role": "assistant", "content": GOOD}, {"role": "tool", "content": "4"}],
    ],
)
def test_messages_are_read(completion):
    prompt = [{"role": "user", "content": "Double it."}]
    assert code_reward([prompt], [completion], tests=[TESTS], completion_ids=[[1]], trainer_state=object()) == [1.0]


def test_columns_of_humaneval_and_mbpp():
    prompt = 'def half(x):\n    """Half of it."""\n'
    check = "def check(candidate):\n    assert candidate(8) == 4\n"
    for body, reward in (("    return x / 2\n", 1.0), ("    return x\n", 0.0)):
        assert code_reward([prompt], [body], test=[check], entry_point=["half"]) == [reward]
    asserts = ["assert double(1) == 2", "assert double(TWO) == 4"]
    assert code_reward(["p"], [GOOD], test_list=[asserts], test_setup_code=["TWO = 2"]) == [1.0]


def test_the_helpers_of_a_prompt_are_the_tests_own():
    prompt = "def twice(x):\n    return 2 * x\n\n\ndef half(x):\n"
    cheat = "def twice(x):\n    return x\n\n\ndef half(x):\n    return x\n"
    test = "def check(candidate):\n    assert twice(candidate(3)) == 3\n"
    assert code_reward([prompt], [cheat], test=[test], entry_point=["half"]) == [0.0]


def test_another_language(tmp_path):
    pytest.importorskip("shutil").which("node") or pytest.skip("node is not installed")
    answer = "```js\nconst add = (a, b) => a + b;\n```"
    found = code_reward(["p"], [answer], tests=["console.assert(add(2, 3) === 5)"], language=["javascript"])
    assert found == [1.0]


def test_a_row_without_tests_has_no_reward():
    assert code_reward(["p", "p"], [GOOD, GOOD], tests=[TESTS, None]) == [1.0, None]


def test_a_data_set_without_tests_is_refused():
    with pytest.raises(ValueError, match="a column of tests, named tests, test, test_list; the data set has answer"):
        code_reward(["p"], [GOOD], answer=["8"])
    with pytest.raises(ValueError, match="column tests has 1 rows for 2"):
        code_reward(["p"] * 2, [GOOD] * 2, tests=[TESTS])


def test_a_failure_of_the_sandbox_is_never_zero(monkeypatch, caplog):
    def broken(*_, **__):
        raise SandboxError("no more processes")

    monkeypatch.setattr("eval.reward.judging.judge", broken)
    told = {}
    found = code_reward(
        ["p"] * 2, [GOOD, BAD], tests=[TESTS] * 2, log_metric=told.__setitem__, log_extra=told.__setitem__
    )
    assert found == [None, None]
    assert told == {"outcome": ["infra_error"] * 2, "code_reward/infra_error": 1.0}
    assert "2 of 2 completions have no reward" in caplog.text


def test_a_fault_of_the_users_machine_is_raised(monkeypatch):
    def refused(*_, **__):
        raise PermissionError("this machine offers no isolation")

    monkeypatch.setattr("eval.reward.judging.judge", refused)
    with pytest.raises(PermissionError, match="isolation"):
        code_reward(["p"], [GOOD], tests=[TESTS])


def test_equal_completions_are_judged_once():
    seen = []

    def judge(sample, config):
        seen.append(sample)
        return Judged(reward=1.0, outcome="passed")

    assert code_reward_with(RewardConfig(), judge)(["p"] * 4, [GOOD, GOOD, BAD, GOOD], tests=[TESTS] * 4) == [1.0] * 4
    assert len(seen) == 2


def test_answers_nobody_can_read_and_odd_characters_are_zero():
    odd = ["", "I cannot help.", "\ud800" + "x = 1", "```python\ndef double(x:\n```", "(" * 3000, None]
    assert code_reward(["p"] * len(odd), odd, tests=[TESTS] * len(odd)) == [0.0] * len(odd)


@pytest.mark.parametrize(
    ("tests", "name"),
    [
        ("assert add(1, 2) == 3", "add"),
        ("import math\nassert math.isclose(area(1), math.pi)", "area"),
        ("def check(candidate):\n    assert candidate(1)\n\ncheck(find)", "find"),
        ("rows = [(1, 2)]\nfor a, b in rows:\n    assert sorted(run(a)) == [b]", "run"),
        ("assert 1 == 1", ""),
        ("assert (", ""),
    ],
)
def test_the_function_that_tests_call_is_found(tests, name):
    assert called_by(tests) == name


def test_a_program_is_judged_by_what_it_prints():
    sample = Sample(completion="```python\nprint(int(input()) * 2)\n```", kind="program",
                    tests="assert run_program('4\\n') == '8\\n'")  # fmt: skip
    assert judge_sample(sample, RewardConfig()).reward == 1.0


def test_an_infra_error_says_why():
    assert infra_error(OSError("no memory")) == Judged(
        reward=None, outcome="infra_error", infra_error=True, stderr="OSError: no memory"
    )
