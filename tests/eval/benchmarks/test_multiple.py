"""MultiPL-E in its published fields, on rows of our own."""

import json
import re
from pathlib import Path

import pytest

from eval.answers.assemble import candidate_of_continuation
from eval.answers.prompts import read_answer, request_for
from eval.benchmarks.catalogue import load_benchmarks
from eval.benchmarks.multiple import LANGUAGES
from eval.sandbox.toolchains import missing_toolchains

FILE = Path(__file__).parents[2] / "data" / "benchmarks" / "multiple.jsonl"
BODIES = {
    "javascript": "  return Math.trunc(n / 2);\n}",
    "java": "        ArrayList<Long> found = new ArrayList<>();\n        for (long n : ns) found.add(n / 2);\n        return found;\n    }\n",
    "cpp": "    return n / 2;\n}",
    "rust": "    n / 2\n}",
    "go": "    return n / 2\n}",
}


def problem_in(language):
    (problem,) = load_benchmarks([f"multiple-humaneval-{language}"], str(FILE))[0].problems
    return problem


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_right_answer_passes_in_every_form(verdict_of, language):
    problem = problem_in(language)
    if reason := missing_toolchains([language]):
        pytest.skip(str(reason))
    whole = problem.plain + BODIES[language] + ("}" if language == "java" else "")
    candidates = [candidate_of_continuation(problem, BODIES[language]),
                  read_answer(problem, "completion", BODIES[language])[1],
                  read_answer(problem, "chat", f"So:\n```{language}\n{whole}\n```")[1]]  # fmt: skip
    for candidate in candidates:
        assert verdict_of(candidate, problem) == "passed", candidate
    wrong = read_answer(problem, "chat", f"```{language}\n{whole.replace('/ 2', '/ 3')}\n```")[1]
    assert verdict_of(wrong, problem) != "passed"


@pytest.mark.parametrize("language", LANGUAGES)
def test_tests_are_a_program_of_their_own_that_calls_by_name(language):
    problem = problem_in(language)
    assert problem.entry_point in {"half_of", "halvesOf"}
    assert "candidate(" not in problem.tests and f"{problem.entry_point}(" in problem.tests
    assert problem.tests.count("{") == problem.tests.count("}")
    assert problem.entry_point in request_for(problem, "chat").text
    heads = {"java": "public class Main", "go": "package main", "rust": "#[cfg(test)]", "cpp": "int main()",
             "javascript": "node:assert"}  # fmt: skip
    assert heads[language] in problem.tests
    if language == "go":
        assert '"testing"' not in problem.declaration and "half_of_test" not in problem.declaration


def test_a_file_of_one_language_and_one_of_all_are_the_same(tmp_path):
    rows = [line for line in FILE.read_text().splitlines() if json.loads(line)["language"] == "js"]
    (tmp_path / "js.jsonl").write_text("\n".join(rows))
    one = load_benchmarks(["multiple-humaneval-js"], str(tmp_path))[0]
    assert one.digest == load_benchmarks(["multiple-humaneval-javascript"], str(FILE))[0].digest
    with pytest.raises(ValueError, match="no problem of multiple-humaneval"):
        load_benchmarks(["multiple-humaneval-go"], str(tmp_path / "js.jsonl"))
    assert re.match(r"HumanEval_\d+", one.problems[0].task_id)
