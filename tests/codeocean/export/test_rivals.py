"""The rejected halves of preference pairs: from the same instruction, each with its reason."""

import json

import pyarrow as pa

from codeocean.export.formats import Rival
from codeocean.export.rivals import find_rivals
from codeocean.records import INSTANCES
from tests.codeocean.generate.test_few_shot import verdict


def instance(number: int, provenance: dict, **fields) -> dict:
    row = {"id": f"g{number}", "raw_id": f"r{number}", "task": "generation", "language": "python", "instruction": "Double it.",
           "input": "", "output": "good", "provenance": json.dumps(provenance), "tests": "[]", "proof": "none"}  # fmt: skip
    return row | fields


def answer(number: int, solution: str, **fields) -> dict:
    row = {"id": f"x{number}", "raw_id": "r0", "task": "generation", "instruction": "Double  it.", "information": "",
           "solution": solution, "error": ""}  # fmt: skip
    return row | fields


def test_answers_to_the_same_question_that_were_turned_down():
    rows = pa.Table.from_pylist([instance(0, {})], schema=INSTANCES)
    answers = [
        answer(0, "judged"),
        answer(1, "broken", error="solution does not parse"),
        answer(2, "elsewhere", instruction="Halve it."),
        answer(3, "other input", information="x"),
        answer(4, "good", error="duplicate"),
        answer(5, "accepted too"),
        answer(6, "", error="not JSON"),
        answer(7, "never judged"),
    ]
    verdicts = [verdict(0, "yes", "no", overall="no") | {"id": "x0"}, verdict(5, "yes") | {"id": "x5"}]
    found = find_rivals(rows, answers, verdicts)
    assert [rival.output for rival in found["g0"]] == ["judged", "broken"]
    assert "It returns the wrong value." in found["g0"][0].reasons
    assert found["g0"][1].reasons == "solution does not parse"


def test_the_code_before_a_repair_whose_bug_was_shown():
    bug = {"bug": {"kind": "operator", "where": "line 2: + became -"}}
    shown, hidden = {"verified": {"bug": "passed", "shown by": "f(1, 2)"}}, {"verified": {"bug": "no call shows it"}}
    rows = [instance(0, bug | shown, task="repair", input="bad"), instance(1, bug | hidden, task="repair", input="bad")]
    found = find_rivals(pa.Table.from_pylist(rows, schema=INSTANCES), [], [])
    assert found == {"g0": [Rival("bad", "the bug is still there: line 2: + became -, shown by f(1, 2)")]}
