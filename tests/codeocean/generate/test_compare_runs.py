"""Why two data sets differ: the first cause, not its consequences."""

import pytest

from codeocean.generate.compare_runs import compare_rows, compare_settings, outcomes

GENERATION = {"id": "g", "raw_id": "r", "task": "repair", "target_language": "", "prompt_version": "1", "shots": ["s"],
              "generator": "m", "seed": 1, "attempt": 0, "raw_text": "{}", "error": "", "solution": "x"}  # fmt: skip
VERDICT = {"id": "g", "rules": [{"rule": "a", "reason": "b", "answer": "yes"}], "overall": "yes", "error": "", "discriminator": "d",
           "raw_text": "y", "reasons": "b"}  # fmt: skip


def compared(generation=None, verdict=None, first=()):
    here = outcomes([*first, GENERATION], [VERDICT])
    there = outcomes([GENERATION | (generation or {})], [VERDICT | (verdict or {})])
    return compare_rows(here, there)


def test_equal_rows_are_not_mentioned():
    assert compared() == []


@pytest.mark.parametrize(
    ("generation", "cause"),
    [
        ({"task": "translation", "prompt_version": "2"}, "task"),
        ({"prompt_version": "2", "shots": [], "raw_text": "other"}, "prompt"),
        ({"shots": [], "raw_text": "other"}, "shots"),
        ({"generator": "n", "raw_text": "other"}, "model"),
        ({"seed": 2, "raw_text": "other"}, "seed"),
        ({"raw_text": "other"}, "answer"),
    ],
)
def test_the_first_cause_is_named(generation, cause):
    (found,) = compared(generation, {"overall": "no"})
    assert (found.cause, found.here, found.there) == (cause, "accepted", "rejected")


def test_a_verdict_differs_by_its_judge_or_by_itself():
    assert [found.cause for found in compared(verdict={"discriminator": "e", "overall": "no"})] == ["judge"]
    (found,) = compared(verdict={"raw_text": "n", "overall": "no"})
    assert (found.cause, found.here, found.there) == ("verdict", "accepted", "rejected")


def test_attempts_and_rows_that_only_one_has():
    failed = GENERATION | {"id": "f", "raw_text": "no", "error": "not JSON"}
    (found,) = compared(first=[failed])
    assert found.cause == "answer"
    here, there = outcomes([GENERATION], []), outcomes([GENERATION | {"raw_id": "other"}], [])
    assert [(found.raw_id, found.cause, found.here, found.there) for found in compare_rows(here, there)] == [
        ("r", "row", "not judged", "not there"),
        ("other", "row", "not there", "not judged"),
    ]


def test_settings_are_compared_key_by_key():
    one, other = {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 1, "c": 3}, "e": None, "d": [2]}
    assert compare_settings(one, other) == [("a.c", 2, 3), ("d", [1], [2])]
