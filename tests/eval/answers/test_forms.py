"""Answers in the forms of consoles, notebooks, patches, tables and tools, and what is read in them."""

import json
from dataclasses import replace

import pytest

from eval.answers.extract import Question, read_code
from eval.answers.patches import applied
from eval.answers.prompts import read_answer
from eval.problems import Problem
from tests.eval.answers.fixes_table import BODIES, BRACED, FIXES, KEPT, QUESTION
from tests.eval.answers.forms_table import ALONE, BODY, PROMPT, PYTHON
from tests.eval.answers.reading_table import fenced
from tests.eval.answers.test_extract import MODULE, squeezed

TESTS = "assert clamp_all([1, 5, 9], 2, 6) == [2, 5, 6]\n"
CLAMPING = Problem(task_id="F/1", language="python", entry_point="clamp_all", instruction=f"Write it.\n\n{PROMPT}",
                   plain=PROMPT, declaration=PROMPT, opening=PROMPT.strip(), reference=BODY, tests=TESTS)  # fmt: skip
MENDING = replace(CLAMPING, instruction=f"{QUESTION}\n\n{TESTS}\nFix bugs in clamp_all.")
COUNTING = Problem(task_id="F/2", language="python", entry_point="count_vowels", instruction="Count the vowels.",
                   plain="", reference="", tests="assert count_vowels('hello') == 2\n")  # fmt: skip


def program(problem: Problem, answer: str) -> dict:
    space: dict = dict(MODULE)
    exec(read_answer(problem, "chat", answer)[1], space)  # the test's own text, not a model's
    return space


@pytest.mark.parametrize("name", PYTHON)
def test_an_answer_becomes_a_program_that_clamps(name):
    assert program(CLAMPING, PYTHON[name])["clamp_all"]([1, 5, 9], 2, 6) == [2, 5, 6]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_continues_the_declaration(name):
    assert program(CLAMPING, BODIES[name])["clamp_all"]([1, 5, 9], 2, 6) == [2, 5, 6]


@pytest.mark.parametrize("name", FIXES)
def test_an_answer_mends_the_function_of_the_question(name):
    assert program(MENDING, FIXES[name])["clamp_all"]([1, 5, 9], 2, 6) == [2, 5, 6]


@pytest.mark.parametrize("name", ALONE)
def test_an_answer_becomes_a_program_that_counts(name):
    assert program(COUNTING, ALONE[name])["count_vowels"]("abstuoi") == 4


@pytest.mark.parametrize(("language", "answer", "kept", "left_out"), KEPT)
def test_what_a_function_of_another_language_needs_is_kept(language, answer, kept, left_out):
    code = read_code(answer, Question("half", language)).code
    assert all(part in code for part in kept.split("|"))
    assert not any(part in code for part in left_out.split("|") if part)


def test_a_patch_that_does_not_fit_the_question_is_not_put_into_it():
    patch = "```diff\n-        result.append({})\n+        result.append(low)\n```"
    assert "append(low)" in applied(patch.format("max(min(value, low), high)"), MENDING.instruction)
    assert not applied(patch.format("value"), MENDING.instruction)


@pytest.mark.parametrize("language", BRACED)
def test_an_answer_mends_a_function_of_another_language(language):
    """The buggy one is quoted, patched, or replaced by a tool; the patch holds no more than the line."""
    declaration, good, bad = BRACED[language]
    question = Question("half", language, declaration, text=f"{declaration}{bad}\n\nFix bugs in half.")
    old, new = (next(line for line in body.split("\n") if "two" in line) for body in (bad, good))
    answers = [
        f"{fenced(declaration + bad, language)}\nThe bug: it multiplies.\n{fenced(declaration + good, language)}",
        fenced(f"@@ -2,1 +2,1 @@\n-{old}\n+{new}", "diff"),
        f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE",
        json.dumps({"old_str": old, "new_str": new}),
        json.dumps({"buggy_code": f"{declaration}{bad}// longer", "fixed_code": declaration + good}),
    ]
    for answer in answers:
        assert squeezed(read_code(answer, question).code).rpartition("half")[2].endswith(squeezed(good)), answer
