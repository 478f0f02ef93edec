"""CRUXEval in its published fields, on rows of our own."""

import json
from pathlib import Path

import pytest

from eval.answers.assemble import candidate_of_continuation, candidate_of_solution
from eval.answers.prompts import read_answer, request_for
from eval.benchmarks.catalogue import load_benchmarks
from eval.benchmarks.cruxeval import read_problem

FILE = Path(__file__).parents[2] / "data" / "benchmarks" / "cruxeval.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()]
OUTPUTS, INPUTS = ([read_problem(row, part) for row in ROWS] for part in ("output", "input"))

RIGHT_OUTPUTS = (
    "[ANSWER]\nassert f('abc', 2) == 'cbacba'\n[/ANSWER]",
    "[ANSWER]'cbacba'[/ANSWER]",
    'It reverses: [ANSWER]assert f("abc", 2) == "cbacba"',
    "```python\nassert f('abc', 2) == 'cbacba'\n```",
    "First 'cba', then twice.\n\n'cbacba'",
    "<think>\n[ANSWER]'abc'[/ANSWER]\n</think>\nassert f('abc', 2) == 'cbacba' # done",
    "The answer is:\n\n`'cbacba'`",
)
RIGHT_INPUTS = (
    "[ANSWER]\nassert f('abc', 2) == 'cbacba'\n[/ANSWER]",
    "[ANSWER]f('abc', n=2)[/ANSWER]",
    "With twice as much: [ANSWER]assert f('cbacba'[::-1], 1) == 'cbacba'[/ANSWER]",
    '```python\nassert f("abcabc", 1) == "cbacba"\n```',
)


@pytest.mark.parametrize("answer", RIGHT_OUTPUTS)
def test_a_right_output_passes(verdict_of, answer):
    assert verdict_of(read_answer(OUTPUTS[0], "chat", answer)[1], OUTPUTS[0]) == "passed"


@pytest.mark.parametrize("answer", RIGHT_INPUTS)
def test_a_right_input_passes(verdict_of, answer):
    assert verdict_of(read_answer(INPUTS[0], "chat", answer)[1], INPUTS[0]) == "passed"


@pytest.mark.parametrize("number", range(len(ROWS)))
@pytest.mark.parametrize("problems", [OUTPUTS, INPUTS], ids=["output", "input"])
def test_the_published_parts_pass(verdict_of, problems, number):
    problem = problems[number]
    for candidate in (
        candidate_of_continuation(problem, problem.reference, cut=False),
        candidate_of_solution(problem, problem.reference),
    ):
        assert verdict_of(candidate, problem) == "passed"


@pytest.mark.parametrize(
    "answer",
    [
        "'abcabc'",
        "f('abc', 2)",
        "type('A', (), {'__eq__': lambda self, other: True})()",
        "",
        "I do not know",
        "(" * 300,
    ],
)
def test_a_wrong_output_fails(verdict_of, answer):
    assert verdict_of(read_answer(OUTPUTS[0], "chat", f"[ANSWER]{answer}[/ANSWER]")[1], OUTPUTS[0]) != "passed"


@pytest.mark.parametrize(
    "answer", ["f({1: 2})", "f(type('A', (), {'__eq__': lambda self, other: True})())", "f()", "g(1)", ""]
)
def test_a_wrong_input_fails(verdict_of, answer):
    assert verdict_of(read_answer(INPUTS[2], "chat", f"[ANSWER]{answer}[/ANSWER]")[1], INPUTS[2]) != "passed"


def test_both_parts_are_asked_of_one_file():
    one, two = load_benchmarks(["cruxeval-input", "cruxeval-output"], str(FILE))
    assert one.digest != two.digest and one.file_digest == two.file_digest
    assert "assert f(??) == 'cbacba'" in request_for(one.problems[0], "chat").text
    assert "assert f('abc', 2) == ??" in request_for(two.problems[0], "chat").text
    assert "cbacba" not in two.problems[0].instruction
