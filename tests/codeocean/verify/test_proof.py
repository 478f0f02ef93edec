"""What tests say of an instance: columns, and the checks of repairs and translations."""

import json
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.jobs import SandboxJob
from codeocean.verify.checks import VerifyConfig, why_dropped
from codeocean.verify.columns import PROOF_COLUMNS, PROOFS
from codeocean.verify.edits import prove_edit
from codeocean.verify.proof import check_arguments, columns_of_proof, not_runnable, refused_tests, run_proof
from eval.sandbox.inside.proof.agreement import rank, settled
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains
from tests.codeocean.conftest import raw_row

SANDBOX = partial(prove, timeout=2.0, memory_mb=512)
CLAMP = "def clamp(x, low, high):\n    return max(low, min(x, high))"
TESTS = [{"arguments": [5, 0, 3], "expected": 3}, {"arguments": [-5, 0, 3], "expected": 0},
         {"arguments": [2, 0, 3], "expected": 2}]  # fmt: skip


def proof(found: dict, tests: list = TESTS, solutions: int = 3, error: str = "") -> dict:
    return {
        "tests": json.dumps(tests),
        "refused": "{}",
        "error": error,
        "solutions": solutions,
        "found": json.dumps(found),
    }


def found(*outcomes: str, chosen: list[int], kills: list[int], errors: list | None = None) -> dict:
    return {
        "outcomes": outcomes,
        "errors": errors or [[]] * len(outcomes),
        "chosen": chosen,
        "kills": kills,
        "ended": "passed",
    }


def test_tests_that_kill_mutants_prove():
    columns, word = columns_of_proof(proof(found("PPP", "PPP", "PFX", chosen=[0, 1], kills=[1, 1, 0])))
    assert word == "passed"
    assert {name: columns[name] for name in PROOF_COLUMNS.names[1:]} == {
        "pass_rate": 1.0, "solutions_agreeing": 2, "mutants": 3, "mutants_killed": 2, "difficulty": 2 / 3, "proof": "tests",
    }  # fmt: skip


def test_what_could_not_be_run_is_no_test_of_an_instance():
    columns, _ = columns_of_proof(proof(found("PXF", chosen=[0], kills=[1]), solutions=1))
    assert (json.loads(columns["tests"]), columns["pass_rate"]) == ([TESTS[0], TESTS[2]], 0.5)


@pytest.mark.parametrize(
    ("case", "word"),
    [(proof(found("PPP", chosen=[0], kills=[0, 0])), "the tests kill no mutant"), (proof(found("PPP", chosen=[0], kills=[])),
     "the tests kill no mutant"), (proof(found("FFF", "EEE", chosen=[], kills=[])), "no solution passes a test"),
     (proof(found(chosen=[], kills=[]), tests=[], error="not JSON"), "not run: not JSON"),
     (proof(found("XXX", chosen=[], kills=[])), "not run: no test can be written in its language"),
     (proof(found("EEE", chosen=[], kills=[], errors=[["needs cmp"]])), "not runnable: needs cmp"),
     (proof(found("EEE", chosen=[], kills=[], errors=[["ModuleNotFoundError: No module named 'nowhere'"]])),
      "not runnable: ModuleNotFoundError: No module named 'nowhere'")],
)  # fmt: skip
def test_whatever_proves_nothing_says_why(case, word):
    columns, told = columns_of_proof(case)
    assert (columns["proof"], told) == ("none", word)


@given(
    st.lists(st.text("PMFETDVXN", min_size=3, max_size=3), min_size=1, max_size=5),
    st.lists(st.integers(0, 1), max_size=4),
)
def test_shares_are_shares_and_only_passed_tests_prove(rows, kills):
    chosen = rank(rows, [str(n) for n in range(len(rows))])
    rows = settled(rows, chosen)
    assert all("M" not in rows[number] for number in chosen)
    columns, word = columns_of_proof(
        proof(found(*rows, chosen=chosen, kills=kills if chosen else []), solutions=len(rows))
    )
    assert columns["proof"] in PROOFS
    assert 0 <= columns["pass_rate"] <= 1
    assert (columns["proof"] == "tests") == (word == "passed") == bool(chosen and sum(kills))


def test_what_fails_otherwise_is_not_called_unrunnable():
    assert not_runnable([["NameError: x"], ["ValueError: y"]], ["EEE", "EEE"]) == ""
    assert not_runnable([["NameError: x"]], ["EFE"]) == ""


def test_a_problem_is_run_with_mutants_of_its_solutions():
    job = SandboxJob("python", "clamp", TESTS, [CLAMP, "def clamp(x, low, high): return x"], mutants=3, seed=1)
    made = run_proof(job, SANDBOX)
    assert made["chosen"] == [0]
    assert len(made["kills"]) == 3 and sum(made["kills"]) > 0
    assert run_proof(replace(job, solutions=[]), SANDBOX)["ended"] == "nothing to run"


def edit(tasks, task: str, source: str, tests=TESTS, **fields) -> tuple[dict, dict]:
    raw = raw_row(0, fields.pop("language", "python")) | {"code": source, "name": "clamp"}
    row = {"id": "g", "solution": source, "information": "", "target_language": "", "instruction": "Clamp."} | fields
    return prove_edit(tasks[task], row, raw, tests, SANDBOX)


def test_a_repair_is_proved_by_a_test_that_fails_before_alone(tasks):
    columns, checks = edit(tasks, "repair", CLAMP, information=CLAMP.replace("min(x", "max(x"))
    assert (columns["proof"], checks) == ("tests", {"tests": "passed", "bug": "passed"})
    assert columns["mutants_killed"] > 0
    wrong = {"arguments": [1, 0, 3], "expected": 7}  # what the raw code does not do is no test
    columns, _ = edit(tasks, "repair", CLAMP, [*TESTS, wrong], information=CLAMP.replace("min(x", "max(x"))
    assert (columns["proof"], json.loads(columns["tests"]), columns["pass_rate"]) == ("tests", TESTS, 1.0)
    columns, checks = edit(tasks, "repair", CLAMP, information=CLAMP.replace("x, high", "high, x"))
    assert (columns["proof"], checks) == ("none", {"tests": "no test shows the bug"})


def test_a_repair_that_changes_what_was_right_is_told_apart(tasks):
    tests = [*TESTS, {"arguments": [9, 0, 3], "expected": 9}]  # the tester's error, and what the bug does
    columns, checks = edit(tasks, "repair", CLAMP, tests, information="def clamp(x, low, high):\n    return x")
    assert (columns["proof"], checks) == ("none", {"tests": "a test passes before the repair alone"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "head"),
    [("javascript", "function clamp(x, low, high)"), ("typescript", "function clamp<T extends number>(x: T, low: T, high: T): number")],
)  # fmt: skip
def test_a_repair_in_another_language_is_run_too(tasks, language, head):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    code = f"{head} {{\n  return Math.max(low, Math.min(x, high))\n}}"
    columns, checks = edit(tasks, "repair", code, language=language, information=code.replace("Math.min", "Math.max"))
    assert (columns["proof"], checks["bug"]) == ("tests", "passed")


@pytest.mark.slow
def test_a_translation_answers_as_its_source_does(tasks):
    if missing_toolchains(["javascript"]):
        pytest.skip("no javascript here")
    right = "function clamp(x, low, high) {\n  if (x < low) return low;\n  return x > high ? high : x;\n}"
    more = {"target_language": "javascript", "tests": [*TESTS, {"arguments": [1, 0, 3], "expected": 7}]}
    columns, checks = edit(tasks, "translation", CLAMP, solution=right, **more)
    assert (columns["proof"], checks) == ("equivalent", {"equivalent": "passed"})
    tests = json.loads(columns["tests"])
    assert tests[:3] == TESTS and more["tests"][3] not in tests  # what the source does not do is no test
    columns, checks = edit(tasks, "translation", CLAMP, solution=right.replace("return low", "return x"), **more)
    assert (columns["proof"], checks) == ("none", {"equivalent": "failed"})


@pytest.mark.slow
def test_a_translation_without_edits_is_told_from_emptied_ones(tasks):
    if missing_toolchains(["javascript"]):
        pytest.skip("no javascript here")
    source = "def clamp(text):\n    return text.strip()"
    tests = [{"arguments": [" é "], "expected": "é"}, {"arguments": ["a b"], "expected": "a b"}]
    solution = "function clamp(text) { return text.trim() }"
    columns, checks = edit(tasks, "translation", source, tests, solution=solution, target_language="javascript")
    assert (columns["proof"], checks, columns["mutants_killed"]) == ("equivalent", {"equivalent": "passed"}, 2)


def test_a_summary_is_proved_by_the_code_that_was_written_from_it(tasks):
    source = raw_row() | {"code": CLAMP, "name": "clamp"}
    row = {
        "id": "g",
        "solution": "It limits a number to a range.",
        "information": "",
        "target_language": "",
        "instruction": "x",
    }
    right = "def clamp(x, low, high):\n    if x < low:\n        return low\n    return high if x > high else x"
    found = {
        code: prove_edit(tasks["summarization"], row, source, TESTS, SANDBOX, code)
        for code in (right, right.replace("return low", "return x"), "")
    }
    columns, checks = found.pop(right)
    assert (columns["proof"], columns["pass_rate"], checks) == ("round_trip", 1.0, {"round_trip": "passed"})
    (columns, checks), (nothing, none) = found.values()
    assert (columns["proof"], checks) == ("none", {"round_trip": "the code written from it answers otherwise"})
    assert (nothing["proof"], none) == ("none", {})


def test_a_translation_of_code_that_cannot_run_says_so(tasks):
    source = "def clamp(x, low, high):\n    return LIMITS.clamp(x, low, high)"
    _, checks = edit(tasks, "translation", source, solution="function clamp(x, a, b) { return x }", target_language="javascript")  # fmt: skip
    assert checks["equivalent"].startswith("not runnable: NameError")


def test_a_function_whose_only_edit_changes_nothing_is_proved_by_emptied_ones():
    code = "def backwards(text):\n    return ' '.join(reversed(text.split()))"
    tests = [{"arguments": ["a b"], "expected": "b a"}]
    job = SandboxJob("python", "backwards", tests, [code], mutants=10, seed=0)
    made = run_proof(job, SANDBOX)
    assert made["kills"] == [0, 1, 1]
    assert columns_of_proof(proof(made, tests, solutions=1))[1] == "passed"


def test_tests_that_hold_for_any_answer_prove_nothing_though_mutants_crash():
    code = "def pick(items, place):\n    if place >= len(items):\n        return 0\n    return items[place]"
    vacuous = [{"assertion": "assert pick([1, 2], 1) == pick([1, 2], 1)"}, {"assertion": "assert pick([1], 3) != 'no'"}]
    telling = [{"arguments": [[1, 2], 1], "expected": 2}, {"arguments": [[1], 3], "expected": 0}]
    for tests, word in ((vacuous, "the tests hold of any value"), (telling, "passed")):
        job = SandboxJob("python", "pick", tests, [code], mutants=10, seed=0)
        made = run_proof(job, SANDBOX)
        assert columns_of_proof(proof(made, tests, solutions=1))[1] == word


def test_where_all_mutants_crash_emptied_functions_decide():
    code = "def last(items):\n    return sorted(items)[len(items) - 1]"
    crash = {"outcomes": ["P"], "errors": [[]], "chosen": [0], "kills": [1], "by_value": False, "ended": "passed"}
    asked = []

    def sandbox(solutions, tests, **more):
        asked.append(more["mutants"])
        return crash if len(asked) == 1 else SANDBOX(solutions, tests, **more)

    for tests, told in (
        ([{"arguments": [[1, 2]], "expected": 2}], True),
        ([{"assertion": "assert last([1]) in (1, None)"}], False),
    ):
        asked.clear()
        made = run_proof(SandboxJob("python", "last", tests, [code], mutants=5, seed=0), sandbox)
        assert (len(asked[1][0]), made["by_value"], len(made["kills"])) == (2, told, 3)


def test_where_a_few_mutants_change_nothing_emptied_functions_decide():
    code = "def double(n):\n    return n + n"
    vacuous = [{"assertion": "assert double(0) in (0, None)"}, {"assertion": "assert double(0) in (None, 0, 1)"}]
    for tests, word in (([{"arguments": [2], "expected": 4}], "passed"), (vacuous, "the tests kill no mutant")):

        def sandbox(solutions, tests, **more):
            survive = [[code.replace("n + n", "n * 2")] * 3] if len(more["mutants"][0]) == 3 else more["mutants"]
            return SANDBOX(solutions, tests, **more | {"mutants": survive})

        made = run_proof(SandboxJob("python", "double", tests, [code], mutants=3, seed=0), sandbox)
        assert made["kills"][:3] == [0, 0, 0]
        assert columns_of_proof(proof(made, tests, solutions=1))[1] == word


def test_tests_that_the_sandbox_does_not_take_are_counted():
    row = proof(found("PX", "FX", chosen=[0], kills=[1])) | {"refused": '{"no test": 2}'}
    assert refused_tests(row) == {"no test": 2, "not run by the sandbox": 1}
    assert refused_tests(proof(found(chosen=[], kills=[]))) == {}


ROUND = "def halve(n):\n    return n // 2"
HALVES = [{"arguments": [4], "expected": 2}, {"arguments": [9], "expected": 4}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "solution", "languages", "proof"),
    [
        (ROUND, "function halve(n) { return Math.floor(n / 2) }", ("python", "javascript"), "equivalent"),
        (ROUND, "function halve(n) { return Math.trunc(n / 2) }", ("python", "javascript"), "none"),
        ("function halve(n) { return Math.trunc(n / 2) }", ROUND, ("javascript", "python"), "none"),
        ("func halve(n int) int {\n\treturn n / 2\n}", ROUND, ("go", "python"), "none"),
    ],
)  # fmt: skip
def test_a_translation_answers_as_its_source_does_on_inputs_by_type(tasks, source, solution, languages, proof):
    if missing_toolchains(languages):
        pytest.skip("a language is not here")
    raw = raw_row(0, languages[0]) | {"code": source, "name": "halve"}
    row = {"id": "g", "solution": solution, "information": "", "target_language": languages[1], "instruction": "x"}
    columns, checks = prove_edit(tasks["translation"], row, raw, HALVES, SANDBOX)
    told = "passed" if proof == "equivalent" else "an input by type is answered otherwise"
    assert (columns["proof"], checks) == (proof, {"equivalent": told})
    assert len(json.loads(columns["tests"])) > len(HALVES) + 3


SORTS = "def clamp(v):\n    v.sort()\n    return v[0]"
KEEPS = "def clamp(v):\n    return sorted(v)[0]"
LEAST = [{"arguments": [[3, 1]], "expected": 1}, {"arguments": [[2]], "expected": 2}]


def test_a_repair_of_code_that_changes_its_argument_is_shown_by_that(tasks):
    columns, checks = edit(tasks, "repair", KEEPS, LEAST, information=SORTS)
    assert (columns["proof"], checks["tests"]) == ("tests", "passed")
    columns, checks = edit(tasks, "repair", SORTS, LEAST, information=SORTS.replace("[0]", "[-1]"))
    assert (columns["proof"], checks["tests"]) == ("tests", "passed")


def test_what_a_translation_or_a_retelling_changes_the_source_must_change_too(tasks):
    row = {"id": "g", "solution": "x", "information": "", "target_language": "", "instruction": "x"}
    for source, code, proof in (
        (KEEPS, SORTS, "none"),
        (KEEPS, KEEPS, "round_trip"),
        (SORTS, SORTS, "round_trip"),
        (SORTS, KEEPS, "round_trip"),
    ):
        raw = raw_row() | {"code": source, "name": "clamp"}
        columns, checks = prove_edit(tasks["summarization"], row, raw, LEAST, SANDBOX, code)
        assert columns["proof"] == proof
        assert (checks["round_trip"] == "passed") == (proof != "none")


@pytest.mark.parametrize(
    ("solutions", "in_place", "told"),
    [([SORTS], False, {"arguments": "changed unasked"}), ([SORTS], True, {}), ([SORTS, KEEPS], False, {}), ([KEEPS], False, {})],
)  # fmt: skip
def test_an_answer_that_changes_an_argument_unasked_says_so(solutions, in_place, told):
    made = run_proof(SandboxJob("python", "clamp", LEAST, solutions, mutants=4, seed=1, in_place=in_place), SANDBOX)
    row = proof(made, LEAST, len(solutions))
    assert (columns_of_proof(row)[1], check_arguments(row)) == ("passed", told)
    assert why_dropped(VerifyConfig(), told) == ""
    assert bool(why_dropped(VerifyConfig(drop_changed_arguments=True), told)) == bool(told)
