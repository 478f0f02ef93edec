"""The golden set's second half: right functions are right, the others fail, and instances are well formed."""

import ast

import pytest

from codeocean.generate.ask import fails_to_parse
from codeocean.generate.golden_faults import cases_of, load_pairs
from codeocean.generate.parse import count_sentences
from codeocean.generate.tasks import load_tasks
from core.languages import EXECUTED
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains

PAIRS = load_pairs()
TASKS = load_tasks()


def test_every_task_and_language_has_ten_of_each():
    cases = list(cases_of(PAIRS, EXECUTED, 10))
    assert len({case.generation["id"] for case in cases}) == len(cases)
    for language in EXECUTED:
        for task in TASKS:
            for sound in (True, False):
                found = [case for case in cases if (case.task, case.language, case.sound) == (task, language, sound)]
                assert len(found) >= 10, (task, language, sound)


def test_faults_are_of_several_kinds_and_summaries_differ():
    problems = {pair.problem.name: pair.problem for pair in PAIRS}.values()
    assert len({problem.fault for problem in problems}) >= 6
    assert all(problem.summary != problem.misread and count_sentences(problem.misread) == 1 for problem in problems)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.language}-{pair.problem.name}")
def test_both_functions_parse_and_are_the_one_that_is_asked_for(pair):
    assert not fails_to_parse(pair.right, pair.language) and not fails_to_parse(pair.wrong, pair.language)
    assert pair.name.replace("_", "").lower() == pair.problem.name.replace("_", "")


def test_instances_are_as_a_run_has_them():
    for case in cases_of(PAIRS, EXECUTED, 10):
        assert count_sentences(case.generation["instruction"]) <= 2
        if case.task in {"repair", "translation"}:
            assert case.generation["information"] not in {"", case.generation["solution"]}
            assert not fails_to_parse(case.generation["information"], case.source["language"])


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.language == "python"], ids=lambda pair: pair.name)
def test_the_right_function_answers_all_calls_and_the_other_does_not(pair):
    for code, right in ((pair.right, True), (pair.wrong, False)):
        space = {}
        exec(compile(ast.parse(code), "golden", "exec"), space)  # our own files

        def answers(given, expected, space=space):
            try:
                value = space[pair.name](*ast.literal_eval(repr(given)))
            except IndexError:
                return False
            return value == expected and type(value) is type(expected)

        assert all(answers(*call) for call in pair.problem.calls) == right


@pytest.mark.slow
@pytest.mark.parametrize("language", [language for language in EXECUTED if language != "python"])
def test_so_it_is_in_every_language_that_is_here(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    for pair in [pair for pair in PAIRS if pair.language == language]:
        tests = [{"arguments": given, "expected": expected} for given, expected in pair.problem.calls]
        found = prove([pair.right, pair.wrong], tests, language=language, entry_point=pair.name, timeout=10, memory_mb=1024)  # fmt: skip
        right, wrong = found["outcomes"]
        assert set(right) == {"P"} and set(wrong) - {"P"}, (pair.problem.name, found)
