"""The golden instances are what they say, and agreement is counted as it should be."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.ask import fails_to_parse
from codeocean.generate.judge_agreement import agreement, calibrate, load_golden
from codeocean.generate.parse import count_sentences
from codeocean.generate.tasks import load_tasks
from codeocean.grammars import GRAMMARS

TASKS = load_tasks()
GOLDEN = load_golden(TASKS)
CASES = [(name, number) for name, cases in GOLDEN.items() for number in range(len(cases))]


def test_every_task_has_ten_of_each_kind_and_every_rule_is_broken_somewhere():
    for name, task in TASKS.items():
        good = [case for case in GOLDEN[name] if not case.broken]
        assert len(good) >= 10 and len(GOLDEN[name]) - len(good) >= 10
        broken = Counter(rule for case in GOLDEN[name] for rule in case.broken)
        assert all(broken[rule.name] >= 2 for rule in task.rules), name
        assert len({case.language for case in good}) >= 4


@pytest.mark.parametrize(("name", "number"), CASES)
def test_an_instance_is_well_formed(name, number):
    case, task = GOLDEN[name][number], TASKS[name]
    assert bool(case.reasons) == bool(case.broken)
    assert count_sentences(case.instruction) <= 2
    shown = [*task.good, *task.bad]
    assert all((case.solution, case.instruction) != (seed.solution, seed.instruction) for seed in shown)
    if case.information:
        assert case.language in GRAMMARS
        assert not fails_to_parse(case.information, case.language)
    if task.solution == "code" and not case.broken:
        assert not fails_to_parse(case.solution, case.target_language or case.language)


PROBES = {
    "largest": ([[1, 5, 2]], [[-3, -1]]), "sum_to": ([4], [1]), "mean": ([[]], [[1, 2]]), "count_letters": (["hello"],),
    "add_item": ([1], [2]), "drop_none": ([{"a": None, "b": 1}],),
}  # fmt: skip


def results(code: str, name: str) -> list:
    scope = {}
    exec(code, scope)  # our own files
    found = []
    for arguments in PROBES[name]:
        try:
            found.append(repr(scope[name](*arguments)))
        except Exception as error:
            found.append(type(error).__name__)
    return found


def test_the_good_repairs_in_python_change_a_result():
    cases = [case for case in GOLDEN["repair"] if not case.broken and case.language == "python"]
    assert len(cases) == len(PROBES)
    for case in cases:
        name = case.solution.split("(")[0].removeprefix("def ")
        assert results(case.information, name) != results(case.solution, name), name


def verdict(task, case, answers=None) -> dict:
    answers = answers or {rule.name: rule.name not in case.broken for rule in task.rules}
    rules = [{"rule": name, "reason": "x", "answer": "yes" if holds else "no"} for name, holds in answers.items()]
    return {"rules": rules, "overall": "yes" if all(answers.values()) else "no", "error": ""}


def test_a_perfect_judge_a_kind_judge_and_a_mute_one():
    for name, task in TASKS.items():
        cases = GOLDEN[name]
        perfect = calibrate(task, cases, [verdict(task, case) for case in cases])
        for figures in (perfect["accepting"], *perfect["rules"].values()):
            assert (figures["agreed"], figures["caught"], figures["false_alarms"], figures["kappa"]) == (1, 1, 0, 1)
        yes = {rule.name: True for rule in task.rules}
        kind = calibrate(task, cases, [verdict(task, case, yes) for case in cases])
        assert (kind["accepting"]["caught"], kind["accepting"]["kappa"]) == (0, 0)
        mute = calibrate(task, cases, [{"rules": [], "overall": "", "error": "not JSON"}] * len(cases))
        assert mute["unparsed"] == len(cases) and mute["accepting"]["caught"] == 1
        assert mute["rules"][task.rules[0].name]["n"] == 0


def test_kappa_is_about_zero_for_a_judge_that_throws_a_coin():
    dice = random.Random(0)
    truth = [dice.random() < 0.8 for _ in range(5000)]
    assert abs(agreement(truth, [dice.random() < 0.8 for _ in truth])["kappa"]) < 0.05


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_agreement_of_any_answers_is_a_share(pairs):
    figures = agreement([one for one, _ in pairs], [other for _, other in pairs])
    assert all(figures[key] is None or 0 <= figures[key] <= 1 for key in ("agreed", "caught", "false_alarms"))
    assert figures["kappa"] is None or -1 <= figures["kappa"] <= 1


def test_a_golden_file_that_names_an_unknown_rule_is_refused(tmp_path):
    (tmp_path / "repair.yaml").write_text("[{instruction: x, solution: y, broken: [no such rule]}]")
    with pytest.raises(ValueError, match=r"repair.yaml names rules that repair does not have: no such rule"):
        load_golden(TASKS, tmp_path)
    (tmp_path / "repair.yaml").write_text("[{instruction: x}]")
    with pytest.raises(ValueError, match=r"repair.yaml: line 1: solution is missing"):
        load_golden(TASKS, tmp_path)
