"""Verdicts → data set: what is kept, what is counted, and what other programs read of it."""

import json
from collections import Counter

import pyarrow.parquet as pq
import yaml

from codeocean.instances import Yield, alpaca_lines, dataset_card, to_instances
from tests.codeocean.conftest import raw_row
from tests.codeocean.test_rounds import generation, verdict

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


def test_instances_keep_where_they_come_from(tmp_path):
    raw = {raw_row(0)["id"]: raw_row(0) | {"license": "MIT", "path": "a.py"}}
    instances, duplicates = to_instances(a_yield().accepted * 2, raw)
    assert duplicates == 1
    pq.write_table(instances, tmp_path / "x.parquet")
    row = pq.read_table(tmp_path / "x.parquet").to_pylist()[0]
    origin = json.loads(row.pop("provenance"))
    assert row == {"id": "g0-1", "raw_id": raw_row(0)["id"], "task": "repair", "language": "python",
                   "instruction": "Fix the function.", "input": "def f0(): retrun 1", "output": "def f0(): return 1"}  # fmt: skip
    assert (origin["license"], origin["path"], origin["generator"], origin["discriminator"]) == (
        "MIT",
        "a.py",
        "g",
        "d",
    )
    assert json.loads(next(alpaca_lines(instances))) == {
        "instruction": "Fix the function.", "input": "def f0(): retrun 1", "output": "def f0(): return 1",
    }  # fmt: skip


def test_the_dataset_card_is_read_by_hugging_face():
    result = a_yield()
    instances, _ = to_instances(result.accepted, {raw_row(0)["id"]: raw_row(0)})
    card = dataset_card(instances, result, {"generator": "a", "discriminator": "b"})
    front = yaml.safe_load(card.split("---")[1])
    assert front["configs"] == [{"config_name": "default", "data_files": "codeocean.jsonl"}]
    assert "| repair | 1 | 100.0 | 15.8 |" in card
    assert "| repair | 4 | 4 | 3 | 1 |" in card


def test_an_empty_data_set_has_a_card_too():
    instances, _ = to_instances([], {})
    assert "0 instructions on code" in dataset_card(instances, Yield(), {"generator": "a", "discriminator": "b"})
