"""Verdicts → data set: what is kept, what is counted, and what other programs read of it."""

import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from codeocean.collect.duplicates import NearDuplicates
from codeocean.export.instances import (
    CardFacts,
    Yield,
    dataset_card,
    find_duplicates,
    to_instances,
    without,
)
from codeocean.generate.bugs import choose_bug
from codeocean.records import INSTANCES
from codeocean.verify.columns import PROOF_COLUMNS
from tests.codeocean.conftest import raw_row
from tests.codeocean.generate.test_few_shot import generation, verdict

BASE = {"generator": "g", "prompt_version": "v", "seed": 1, "round": 0, "shots": [], "raw_text": "", "error": ""}


def attempt(number: int, attempt_number: int, **fields) -> dict:
    return generation(number, id=f"g{number}-{attempt_number}", attempt=attempt_number) | BASE | fields


def a_yield() -> Yield:
    generations = [
        attempt(0, 0, error="truncated", solution=""),
        attempt(0, 1),
        attempt(1, 0),
        attempt(2, 0, error="not JSON", solution=""),
        attempt(2, 1, error="solution does not parse"),
        attempt(3, 0),
    ]
    verdicts = [
        verdict(0, "yes") | {"id": "g0-1", "discriminator": "d"},
        verdict(1, "yes", "no", overall="no") | {"id": "g1-0", "discriminator": "d"},
        verdict(3, error="truncated", overall="") | {"id": "g3-0", "discriminator": "d"},
    ]
    result = Yield()
    result.add_round(generations, verdicts)
    return result


def test_every_raw_code_is_accepted_or_counted_once():
    result = a_yield()
    assert [row["id"] for row, _ in result.accepted] == ["g0-1"]
    assert result.dropped == Counter(
        {"rejected by the discriminator": 1, "solution does not parse": 1, "verdict: truncated": 1}
    )
    assert result.tasks == {"repair": Counter(generated=4, parsed=4, checked=3, accepted=1)}
    assert result.rules["repair"]["rule 1"] == Counter(no=1)
    assert "It returns the wrong value." in result.examples["rejected by the discriminator"][0]


def test_instances_keep_where_they_come_from_and_what_was_checked(tmp_path):
    raw = {raw_row(0)["id"]: raw_row(0) | {"license": "MIT", "path": "a.py"}}
    instances = to_instances(a_yield().accepted, raw, [{"parses": "passed"}])
    pq.write_table(instances, tmp_path / "x.parquet")
    row = pq.read_table(tmp_path / "x.parquet").to_pylist()[0]
    origin = json.loads(row.pop("provenance"))
    shown = {name: value for name in PROOF_COLUMNS.names if (value := row.pop(name)) is not None}
    assert row == {"id": "g0-1", "raw_id": raw_row(0)["id"], "task": "repair", "language": "python",
                   "instruction": "Fix the function.", "input": "def f0(): retrun 1", "output": "def f0(): return 1"}  # fmt: skip
    assert (origin["license"], origin["path"], origin["generator"], origin["discriminator"]) == (
        "MIT",
        "a.py",
        "g",
        "d",
    )
    assert origin["verified"] == {"parses": "passed"}
    assert shown == {"tests": "[]", "proof": "parses"}
    assert "bug" not in origin


def test_the_bug_of_a_repair_is_told():
    bug = choose_bug(raw_row(0)["code"], "python", 0)
    ((row, judged),) = a_yield().accepted
    row |= {"information": bug.code, "solution": raw_row(0)["code"]}
    instances = to_instances([(row, judged)], {raw_row(0)["id"]: raw_row(0)}, [{}])
    origin = json.loads(instances["provenance"][0].as_py())
    assert origin["bug"] == {"kind": bug.kind, "where": bug.description}


def many(*outputs: str):
    rows = [{"id": str(n), "raw_id": "", "task": "t", "language": "", "instruction": "Do it.", "input": "",
             "output": output, "provenance": "{}"} for n, output in enumerate(outputs)]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=INSTANCES)


def test_copies_and_near_copies_of_earlier_instances_stop():
    long = " ".join(f"word{n}" for n in range(200))
    instances = many("x = 1", "x  =\n1", long, long + " more", "y", "y")
    near = NearDuplicates(threshold=0.9)
    expected = ["", "duplicate instance", "", "near duplicate instance", "", ""]
    assert find_duplicates(instances, near, ["", "", "", "", "failed", ""]) == expected
    assert find_duplicates(instances, None, [""] * 6)[3] == ""
    assert without(instances, expected)["id"].to_pylist() == ["0", "2", "4", "5"]
    assert find_duplicates(many(), near, []) == []


def facts(**changes) -> CardFacts:
    fields = {"models": {"generator": "a", "discriminator": "b"}, "prompts": {"repair": "abc123"}, "dropped": {"too near": 2},
              "verified": {"repair: bug": {"passed": 1}}, "sandbox": True, "leakage": {}, "formats": {"alpaca": {"file": "codeocean.jsonl", "rows": 1, "left_out": {}}}}  # fmt: skip
    proofs = {"proofs": {"parses": 1}, "tested": 1, "all_passed": 1, "yield": 0.25, "mutants": 4, "mutants_killed": 3,
              "refused": {"no test": 2}, "proved": 0.2, "spread": {"pass_rate": {"100 %": 1}}}  # fmt: skip
    return CardFacts(**fields | {"proofs": proofs} | changes)


def test_the_dataset_card_is_read_by_hugging_face_and_says_what_was_done():
    result = a_yield()
    instances = to_instances(result.accepted, {raw_row(0)["id"]: raw_row(0)}, [{}])
    found = {"problems": 164, "median_nearest_similarity": 0.4, "largest_similarity": 0.6}
    card = dataset_card(instances, result, facts(leakage={"humaneval": found}))
    front = yaml.safe_load(card.split("---")[1])
    assert front["configs"] == [{"config_name": "default", "data_files": "codeocean.jsonl"}]
    for line in ("| parses | 1 |", "25.0 % of", "The tests kill 3 of 4 mutants", "| pass_rate | 100 %: 1 |", "20.0 %", "no test 2", "| repair | 1 | 100.0 | 15.8 | abc123 |", "| repair | 4 | 4 | 3 | 1 |", "| too near | 2 |",
                 "| repair: bug | passed 1 |", "| humaneval | 164 | 0.4 | 0.6 |", "- unknown: 1"):  # fmt: skip
        assert line in card
    assert "Not decontaminated" not in card


def test_the_card_says_what_was_not_done():
    card = dataset_card(to_instances([], {}, []), Yield(), facts(sandbox=False))
    assert "0 instructions on code" in card
    assert "No code was run" in card
    assert "Not decontaminated against any benchmark." in card
