"""Answers in the forms of later models, of programs, of methods and of expressions, and what is read in them."""

import json
import re
from dataclasses import replace

import pytest

from eval.answers.extract import Question, read_code
from eval.answers.programs import read_prediction
from eval.answers.prompts import read_answer
from eval.answers.thoughts import split_thoughts
from eval.benchmarks.livecodebench import contest_tests
from eval.problems import Problem
from tests.eval.answers.agents_table import AGENTS
from tests.eval.answers.later_table import ALONE, PYTHON
from tests.eval.answers.program_table import KEPT, METHODS, PREDICTIONS, PROGRAMS, WRAPPED
from tests.eval.answers.reading_table import FUNCTIONS, fenced
from tests.eval.answers.test_extract import HALVING, MODULE, squeezed

DOUBLING = Problem(task_id="L/1", language="python", entry_point="run_program", kind="program", instruction="Double.",
                   plain="", reference="", tests=contest_tests([("2\n", "4\n")], None))  # fmt: skip
STARTER = "Halve.\n\n```python\nclass Solution:\n    def halve(self, n: int) -> float:\n```"
HALVE = replace(HALVING, entry_point="halve", instruction=STARTER, prelude="from typing import *\n")


@pytest.mark.parametrize("name", PYTHON | AGENTS)
def test_an_answer_becomes_a_program_that_adds(name, adding):
    space: dict = dict(MODULE)
    exec(read_answer(adding, "chat", (PYTHON | AGENTS)[name])[1], space)  # the test's own text, not a model's
    assert space["add"](2, 3) == 5
    assert space["helper"](1) == 1


@pytest.mark.parametrize("name", ALONE)
def test_what_a_function_needs_is_kept(name):
    space: dict = dict(MODULE)
    exec(read_answer(HALVING, "chat", ALONE[name])[1], space)  # the test's own text, not a model's
    assert space["half"](5) == 2.5


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_answer_becomes_a_program_that_doubles(name):
    space: dict = dict(MODULE)
    exec(read_answer(DOUBLING, "chat", PROGRAMS[name])[1], space)  # the test's own text, not a model's
    assert [space["run_program"](f"{n}\n").strip() for n in (2, 5)] == ["4", "10"]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_called_on_an_instance(name):
    space: dict = dict(MODULE)
    exec(read_answer(HALVE, "chat", METHODS[name])[1], space)  # the test's own text, not a model's
    assert space["halve"](5) == 2.5


def filled(form: str, language: str) -> str:
    code = FUNCTIONS[language]
    lines, wrong = code.split("\n"), code.replace("/ 2", "* 3")
    fills = {
        "code": code,
        "tag": language,
        "TAG": language.upper(),
        "wrong": wrong,
        "empty": re.sub(r"(half[^\n]*\{).*?\n(?=[ ]*\}(?:\n|\Z))", r"\1\n", code, flags=re.DOTALL),
        "ind4": "\n".join(f"    {line}" for line in lines),
        "json": json.dumps({"code": code}),
        "br": "<br>".join(lines).replace("  ", "&nbsp;&nbsp;"),
        "diff": "\n".join([*(f"-{line}" for line in wrong.split("\n")), *(f"+{line}" for line in lines)]),
    }
    return re.sub(r"\{(" + "|".join(fills) + r")\}", lambda match: fills[match[1]], form)


@pytest.mark.parametrize("language", FUNCTIONS)
@pytest.mark.parametrize("form", WRAPPED)
def test_an_answer_in_a_language_with_braces_is_its_function(form, language):
    reading = read_code(filled(WRAPPED[form], language), Question("half", language))
    assert squeezed(reading.code) == squeezed(FUNCTIONS[language]), reading


@pytest.mark.parametrize(("language", "answer", "kept", "left_out"), KEPT)
def test_what_a_function_of_another_language_needs_is_kept(language, answer, kept, left_out):
    code = read_code(answer, Question("half", language)).code
    assert all(part in code for part in kept.split("|"))
    assert not any(part in code for part in left_out.split("|") if part)


@pytest.mark.parametrize(("answer", "expression", "wants_call"), PREDICTIONS)
def test_an_expression_is_found_in_its_answer(answer, expression, wants_call):
    assert read_prediction(answer, "f", wants_call=bool(wants_call)) == expression


@pytest.mark.parametrize("code", ["List<Plan> x;", "std::vector<draft> v;", "Map<String, Analysis> m;"])
def test_a_type_in_angle_brackets_is_no_thought(code):
    assert split_thoughts(code) == (code, "")


def test_a_demonstration_that_fails_is_not_run_though_it_changes_what_the_function_keeps():
    code = "memo = {}\n\ndef half(n):\n    memo[n] = n / 2\n    return memo[n]\n\nassert half(4) == 3\nprint(half(1))"
    space: dict = dict(MODULE)
    exec(read_answer(HALVING, "chat", fenced(code))[1], space)  # the test's own text, not a model's
    assert space["half"](5) == 2.5


LONG = {"annotated names": 'a:"b"', "quotes": '"', "braces": "{}", "a thought": "<think>", "ends of thoughts": "</think>", "entities": "&amp;"}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_a_long_text_of_one_sign_is_read_to_its_end(name):
    """What grew with the square of the length took minutes for these."""
    text = LONG[name] * (4_000 // len(LONG[name]))
    for language, declaration in (("python", "def half(n):\n"), ("javascript", "function half(n) {")):
        assert "half" not in read_code(text, Question("half", language, declaration, "", declaration)).code
