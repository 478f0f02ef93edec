"""Bugs are small, real and described; drawn by seed; in every language that we have a grammar for."""

import ast
import difflib
from collections import Counter
from pathlib import Path

import pytest

from codeocean.collect.functions import extract_documented
from codeocean.generate.bug_rules import KINDS
from codeocean.generate.bugs import choose_bug, explain_bug, list_bugs
from codeocean.grammars import GRAMMARS
from codeocean.syntax import has_syntax_error, parse_snippet

FUNCTIONS = Path(__file__).parents[2] / "data" / "functions" / "functions.py"
PYTHON = [found.code for found in extract_documented(FUNCTIONS.read_bytes(), "python")]
SAMPLES = {
    "javascript": "function f(a, b) {\n  if (a < b) {\n    return 0;\n  }\n  let c = a + 1;\n  return Math.max(c, b) - 1;\n}",
    "java": "public int f(int a, int b) {\n  if (a < b) {\n    return 0;\n  }\n  int c = a + 1;\n  return Math.max(c, b) - 1;\n}",
    "go": "func f(a, b int) int {\n\tif a < b {\n\t\treturn 0\n\t}\n\tc := a + 1\n\treturn c * b - 1\n}",
    "php": "function f($a, $b) {\n  if ($a < $b) {\n    return 0;\n  }\n  $c = max($a, $b) + 1;\n  return !$c && $a;\n}",
    "ruby": "def f(a, b)\n  if a == 3\n    return 1\n  end\n  c = a + 1\n  [c, b].max - 1\nend",
    "c": "int f(int a, int b) {\n  if (a < b) {\n    return 0;\n  }\n  int c = a + 1;\n  return c % 2 == 0 && !b;\n}",
    "cpp": "int f(int a, int b) {\n  if (a < b) {\n    return 0;\n  }\n  int c = std::max(a, 3) + 1;\n  return c * b;\n}",
    "csharp": "public int F(int a, int b) {\n  if (a < b) {\n    return 0;\n  }\n  return Math.Max(a, b) - 1;\n}",
    "typescript": "function f(a: number, b: number): number {\n  if (a < b) {\n    return 0;\n  }\n  return a * 2 - 1;\n}",
    "rust": "fn f(a: i32, b: i32) -> i32 {\n    if a < b {\n        return 0;\n    }\n    let c = a.max(b) + 1;\n    c - 1\n}",
    "python": "def f(a, b):\n    if a < b:\n        return 0\n    c = a + 1\n    return max(c, b) - 1",
}


def test_there_is_a_sample_of_every_language():
    assert set(SAMPLES) == set(GRAMMARS)


@pytest.mark.parametrize("language", SAMPLES)
def test_bugs_of_every_language_parse_and_are_of_several_kinds(language):
    code = SAMPLES[language]
    bugs = list_bugs(code, language)
    assert {"operator misuse", "value misuse", "missing logic", "variable misuse"} <= {bug.kind for bug in bugs}
    assert len({bug.code for bug in bugs}) == len(bugs)
    for bug in bugs:
        assert bug.code != code
        assert not has_syntax_error(bug.code, language)
        assert bug.description.startswith("line ")


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.split("(")[0][4:])
def test_one_place_changes_and_the_description_says_which(code):
    for bug in list_bugs(code, "python"):
        ast.parse(bug.code)
        assert bug.kind in KINDS
        changed = [line for line in difflib.ndiff(code.splitlines(), bug.code.splitlines()) if line[0] in "+-"]
        removed = [line[2:].strip() for line in changed if line[0] == "-"]
        assert removed
        number, _, text = bug.description.removeprefix("line ").partition(": ")
        assert text.startswith(removed[0]) and code.splitlines()[int(number) - 1].strip() == removed[0]


def test_what_a_bug_does_is_what_its_kind_says():
    found = {bug.description: bug.kind for bug in list_bugs(SAMPLES["python"], "python")}
    assert found["line 2: if a < b: → if a <= b:"] == "operator misuse"
    assert found["line 3: return 0 → return 1"] == "value misuse"
    assert found["line 2: if a < b: … is missing"] == "missing logic"
    assert found["line 2: if a < b: → if not (a < b):"] == "excess logic"
    assert found["line 5: return max(c, b) - 1 → return min(c, b) - 1"] == "function misuse"
    assert found["line 5: return max(c, b) - 1 → return max(a, b) - 1"] == "variable misuse"
    assert not any("b < b" in text for text in found)


def test_messages_logs_types_and_unassigned_names_stay():
    code = ("def f(a: int = 3, *, b=2):\n    log.debug('%d', a + 1)\n    if a > b:\n        raise ValueError(1 + 2)\n"
            "    d = g(a)\n    return d")  # fmt: skip
    lines = {bug.description.split(":")[0] for bug in list_bugs(code, "python")}
    assert lines == {"line 1", "line 3", "line 5", "line 6"}
    assert not any("g(d)" in bug.code for bug in list_bugs(code, "python"))


def test_a_seed_draws_one_and_kinds_come_as_often_as_in_humanevalpack():
    drawn = [choose_bug(SAMPLES["python"], "python", seed) for seed in range(600)]
    assert drawn[7] == choose_bug(SAMPLES["python"], "python", 7)
    counts, total = Counter(bug.kind for bug in drawn), sum(KINDS.values())
    for kind, weight in KINDS.items():
        assert counts[kind] / 600 == pytest.approx(weight / total, abs=0.06)


def test_a_bug_is_explained_again():
    bug = choose_bug(SAMPLES["go"], "go", 3)
    assert explain_bug(SAMPLES["go"], bug.code, "go") == bug
    assert explain_bug(SAMPLES["go"], SAMPLES["go"], "go") is None


@pytest.mark.parametrize(
    ("code", "language"),
    [("", "python"), ("def f(:", "python"), ("def f(): pass", "python"), ("x", "cobol"), ("<?php function f() { return 1; }", "php"),
     ("def f():\n    return '\ud800'", "python"), ("(" * 5000, "javascript")],
)  # fmt: skip
def test_code_without_a_place_for_a_bug_gives_none(code, language):
    assert choose_bug(code, language, 0) is None


def test_methods_are_changed_inside_their_wrap():
    code = "has(n) { return this.size >= n; }"
    assert parse_snippet(code, "javascript").begin > 0
    assert [bug.code for bug in list_bugs(code, "javascript")] == [code.replace(">=", "<="), code.replace(">=", ">")]
