"""The rejected halves of preference pairs: from the same instruction, each with its reason."""

import json

import pyarrow as pa
import pytest

from codeocean.export.formats import Rival
from codeocean.export.rivals import find_rivals, killed_mutants
from codeocean.generate.bugs import draw_bugs
from codeocean.generate.few_shot import draw_number
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.turns import variant_id
from codeocean.records import INSTANCES
from tests.codeocean.generate.test_few_shot import verdict

ROLE = RoleConfig(model="m")


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


@pytest.mark.parametrize("number", [0, 2])
def test_mutants_that_the_tests_kill(number):
    code = "def twice(x):\n    if x < 0:\n        return 0\n    return x + x"
    config = GenerateConfig(generator=ROLE, discriminator=ROLE, tests=2, solutions=3, mutants=4, seed=5)
    bugs = draw_bugs(code, "python", 4, draw_number(5, "mutants", "x0"))
    id_ = "x0" if number == 0 else variant_id("x0", number, 5)
    rows = pa.Table.from_pylist([instance(0, {}, id=id_, output=code, proof="tests")], schema=INSTANCES)
    kills = [0, *[1] * (len(bugs) - 1)]
    proofs = {"r0": {"found": json.dumps({"chosen": [number], "kills": kills, "outcomes": ["PP"] * 3})}}
    generations = [answer(9, "x", error="not JSON"), answer(0, code)]
    found = killed_mutants(rows, generations, proofs, config)
    assert [rival.output for rival in found[id_]] == [bug.code for bug in bugs[1:4]]
    assert found[id_][0].reasons == f"it fails the tests: {bugs[1].description}"
    fewer = {"r0": {"found": json.dumps({"chosen": [number], "kills": kills[1:], "outcomes": ["PP"] * 3})}}
    assert killed_mutants(rows, generations, fewer, config) == {}  # one did not compile, and it is not known which
