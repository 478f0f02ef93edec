"""Answers of a discriminator. A verdict that leaves a rule out is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.prompts import discriminator_schema
from codeocean.generate.tasks import load_tasks
from codeocean.generate.verdicts import Verdict, parse_verdict

TASK = load_tasks()["repair"]
YES = {rule.name: {"reason": "It does.", "answer": "yes"} for rule in TASK.rules}


def test_a_verdict_keeps_reasons_and_answers_in_the_order_of_the_rules():
    first = TASK.rules[0].name
    parsed = parse_verdict(
        json.dumps(YES | {first: {"reason": " No. ", "answer": "NO"}, "overall": "no"}), "stop", TASK
    )
    assert [rule["rule"] for rule in parsed.rules] == [rule.name for rule in TASK.rules]
    assert parsed.rules[0] == {"rule": first, "reason": "No.", "answer": "no"}
    assert parsed.overall == "no"
    assert parsed.reasons == "No. It does. It does."


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        (json.dumps(YES | {"overall": "yes"})[:-2], "length", "truncated"),
        ("yes", "stop", "not JSON"),
        (json.dumps(YES), "stop", "wrong fields"),
        (json.dumps({"overall": "yes"}), "stop", "wrong fields"),
        (json.dumps(YES | {"overall": "yes", TASK.rules[0].name: {"answer": "yes"}}), "stop", "wrong fields"),
        (json.dumps(YES | {"overall": "perhaps"}), "stop", "wrong fields"),
        (json.dumps(YES | {"overall": True}), "stop", "wrong fields"),
    ],
)
def test_what_is_no_verdict_has_a_reason(text, finish, reason):
    assert parse_verdict(text, finish, TASK) == reason


@given(st.text())
def test_any_text_has_an_answer(text):
    assert isinstance(parse_verdict(text, "stop", TASK), str | Verdict)


def test_the_schema_asks_for_reasons_before_answers_and_for_the_overall_answer_last():
    schema = discriminator_schema(TASK)
    assert list(schema["properties"]) == [*(rule.name for rule in TASK.rules), "overall"]
    assert list(schema["properties"][TASK.rules[0].name]["properties"]) == ["reason", "answer"]
