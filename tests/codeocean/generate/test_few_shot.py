"""Rounds are decided by seed alone, and do not repeat what the authors' published code got wrong."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.few_shot import (
    MAX_CASE_CHARS,
    assign_tasks,
    cases_of_round,
    choose_target_language,
    draw_shots,
    is_accepted,
    plan_rounds,
)
from codeocean.generate.tasks import load_tasks, task_shares
from tests.codeocean.conftest import raw_row

TASKS = load_tasks()
SHARES = task_shares(TASKS, None)


def generation(number: int, **fields) -> dict:
    row = {"id": f"g{number}", "raw_id": raw_row(number)["id"], "task": "repair", "instruction": "Fix the function.",
           "information": f"def f{number}(): retrun 1", "solution": f"def f{number}(): return 1", "target_language": ""}  # fmt: skip
    return row | fields


def verdict(number: int, *answers: str, overall: str = "yes", error: str = "") -> dict:
    rules = [
        {"rule": f"rule {n}", "reason": "It returns the wrong value.", "answer": answer}
        for n, answer in enumerate(answers)
    ]
    return {"id": f"g{number}", "rules": rules, "overall": overall, "error": error}


@given(st.integers(0, 500), st.integers(1, 64))
def test_rounds_hold_every_row_once_in_order(num_rows, round_size):
    assert [rank for part in plan_rounds(num_rows, round_size) for rank in part] == list(range(num_rows))


@given(st.integers(1, 300), st.integers(0, 5))
def test_every_prefix_keeps_the_mix(num_rows, seed):
    names = assign_tasks(["python"] * num_rows, TASKS, SHARES, seed)
    counts = Counter(names)
    assert all(abs(counts[name] - SHARES[name] * num_rows) <= 2 for name in SHARES)


def test_translation_goes_only_to_languages_that_it_knows():
    only = {"translation": 0.5, "repair": 0.5}
    names = assign_tasks(["cobol"] * 20, TASKS, only, 0)
    assert set(names) == {"repair"}
    with pytest.raises(ValueError, match="cobol"):
        assign_tasks(["cobol"], TASKS, {"translation": 1.0}, 0)


def test_target_language_is_never_the_source_and_depends_on_row_and_seed():
    task = TASKS["translation"]
    drawn = {choose_target_language(task, str(number), "python", 0) for number in range(50)}
    assert drawn == set(task.target_languages["python"])
    assert choose_target_language(TASKS["repair"], "1", "python", 0) == ""


@pytest.mark.parametrize(
    ("judged", "accepted"),
    [
        (verdict(1, "yes", "yes"), True),
        (verdict(1, "yes", "no"), False),  # one rule is enough
        (verdict(1, "yes", overall="no"), False),
        (verdict(1, error="not JSON", overall=""), False),
    ],
)
def test_a_verdict_accepts_only_when_everything_is_yes(judged, accepted):
    assert is_accepted(judged) is accepted


def test_cases_carry_the_whole_instance_and_bad_ones_their_reasons():
    """The authors' bad cases are the first character of a string: the case and its reasons are lost."""
    raw = {raw_row(number)["id"]: raw_row(number) for number in range(4)}
    generations = [generation(number) for number in range(4)]
    verdicts = [verdict(0, "yes"), verdict(1, "no", overall="no"), verdict(2, error="not JSON")]
    cases = cases_of_round(generations, verdicts, raw)["repair"]
    assert [case.id for case in cases] == ["g0", "g1"]  # g2 has no verdict, g3 was not judged
    good, bad = cases
    assert good.reasons == ""
    assert bad.reasons == "rule 0: It returns the wrong value."
    assert (bad.instruction, bad.solution) == ("Fix the function.", "def f1(): return 1")
    assert bad.code == raw_row(1)["code"]


def judged_cases(count: int) -> list:
    raw = {raw_row(number)["id"]: raw_row(number) for number in range(count)}
    generations = [generation(number) for number in range(count)]
    verdicts = [
        verdict(number, "yes" if number % 2 else "no", overall="yes" if number % 2 else "no") for number in range(count)
    ]
    return cases_of_round(generations, verdicts, raw)["repair"]


@given(st.permutations(list(range(8))), st.integers(0, 3))
def test_shots_depend_on_seed_and_round_not_on_the_order_of_the_cases(order, round_number):
    cases = judged_cases(8)
    drawn = draw_shots(TASKS["repair"], [cases[n] for n in order], (0, round_number, 0), 2, 1)
    assert drawn == draw_shots(TASKS["repair"], cases, (0, round_number, 0), 2, 1)
    assert [bool(case.reasons) for case in drawn] == [False, False, True]


def test_shots_fall_back_to_the_seed_cases():
    task = TASKS["repair"]
    assert draw_shots(task, [], (0, 0, 0), 2, 1) and set(draw_shots(task, [], (0, 0, 0), 2, 0)) <= set(task.good)
    one_good = [case for case in judged_cases(4) if not case.reasons][:1]
    drawn = draw_shots(task, one_good, (0, 0, 0), 2, 0)
    assert drawn[1] == one_good[0]
    assert drawn[0] in task.good


def test_prompts_of_all_sets_begin_alike():
    """The prefix cache serves what comes first: seed cases stand there, always in the same order."""
    task = TASKS["repair"]
    every = len(task.good)
    assert {tuple(draw_shots(task, [], (0, 0, shot_set), every, 0)) for shot_set in range(9)} == {task.good}
    one_good = [case for case in judged_cases(4) if not case.reasons][:1]
    drawn = draw_shots(task, one_good, (0, 3, 1), every, 0)
    assert [task.good.index(case) for case in drawn[:-1]] == sorted(task.good.index(case) for case in drawn[:-1])
    assert drawn[-1] == one_good[0]


def test_a_case_too_long_for_a_prompt_is_never_shown():
    long = judged_cases(2)[1].model_copy(update={"code": "x" * MAX_CASE_CHARS})
    assert long not in draw_shots(TASKS["repair"], [long], (0, 0, 0), 2, 0)
