"""Sample files of several tools, whose problems have several spellings."""

import json
import logging
from dataclasses import replace

import pytest

from eval.answers.sample_files import by_known_ids, parse_samples, signature_warnings
from eval.answers.sources import GivenAnswers, choose_problems
from eval.benchmarks.catalogue import ProblemSet, load_benchmarks

SOLUTION = ("solution", "x = 1")


def set_of(benchmark: str, *ids: str) -> ProblemSet:
    return ProblemSet(name=benchmark, benchmark=benchmark, language="python", problems=[], all_ids=frozenset(ids),
                      source="", file_digest="", digest="")  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_the_first_line():
    line = json.dumps({"task_id": 7, "solution": "x = 1"})
    assert parse_samples(b"\xef\xbb\xbf" + line.encode(), "a.jsonl") == {"7": [SOLUTION]}


@pytest.mark.parametrize("spelling", ["12", "Mbpp/12", "MBPP/12", "mbpp/12"])
@pytest.mark.parametrize(("benchmark", "task_id"), [("mbpp", "12"), ("mbppplus", "Mbpp/12")])
def test_every_published_spelling_of_mbpps_numbers_is_known(spelling, benchmark, task_id):
    for sets in ([set_of(benchmark, task_id)], [set_of("humaneval", "HumanEval/12"), set_of(benchmark, task_id)]):
        if spelling == "12" and len(sets) > 1 and benchmark == "mbppplus":
            continue  # HumanEval has a problem of that number too
        assert by_known_ids({spelling: [SOLUTION]}, sets, allow_missing=False) == {task_id: [SOLUTION]}


def test_two_spellings_of_one_problem_are_two_samples():
    found = by_known_ids({"Mbpp/12": [SOLUTION], "12": [SOLUTION]}, [set_of("mbpp", "12")], allow_missing=False)
    assert found == {"12": [SOLUTION, SOLUTION]}


def test_samples_of_other_problems_are_left_out_only_if_that_is_allowed(caplog):
    samples = {"Mbpp/12": [SOLUTION], "Mbpp/700": [SOLUTION], "Mbpp/701": [SOLUTION]}
    with pytest.raises(ValueError, match="'Mbpp/700' and 1 others.*mbppplus.*--allow-missing"):
        by_known_ids(samples, [set_of("mbpp", "12")], allow_missing=False)
    with caplog.at_level(logging.WARNING):
        assert by_known_ids(samples, [set_of("mbpp", "12")], allow_missing=True) == {"12": [SOLUTION]}
    assert "samples of 2 problems are left out" in caplog.text
    with pytest.raises(ValueError, match="HumanEval/3.*--benchmark humaneval"):
        by_known_ids({"HumanEval/3": [SOLUTION]}, [set_of("mbpp", "12")], allow_missing=True)


def test_another_signature_is_told_once_with_the_benchmark_that_fits(tmp_path, caplog, problems_of):
    problems = problems_of("mbpp")[:2]
    sets = [replace(set_of("mbpp", *(problem.task_id for problem in problems)), problems=problems)]
    lines = [{"task_id": problem.task_id, "solution": f"def {problem.entry_point}(a, b, c, d=1):\n    return a\n"}
             for problem in problems]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with caplog.at_level(logging.WARNING):
        choose_problems(sets, GivenAnswers(str(tmp_path / "a.jsonl"), "m"), allow_missing=False)
    told = [record.message for record in caplog.records]
    assert len(told) == 1 and "2 of 2 problems" in told[0] and "--benchmark mbppplus" in told[0]


def test_a_signature_that_takes_the_same_calls_is_not_told(problems_of):
    problem = problems_of("mbpp")[0]
    sets = [replace(set_of("mbpp", problem.task_id), problems=[problem])]
    for parameters in ("a, b", "a, b=1", "*given", "a, b, c=2"):
        code = f"def {problem.entry_point}({parameters}):\n    return 1\n"
        assert signature_warnings({problem.task_id: [("solution", code)]}, sets) == []
    assert (
        "defines other and no"
        in signature_warnings({problem.task_id: [("solution", "def other(a, b):\n    pass")]}, sets)[0]
    )
    for code in ("not code at all", "x = 1", f"{problem.entry_point} = lambda a: a"):
        assert signature_warnings({problem.task_id: [("solution", code)]}, sets) == []


def test_the_benchmarks_own_solutions_have_the_signature():
    sets = load_benchmarks(["humaneval"], None)
    samples = {problem.task_id: [("solution", problem.declaration + problem.reference)] for problem in sets[0].problems}
    assert signature_warnings(samples, sets) == []
