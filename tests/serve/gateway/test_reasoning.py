"""Reasoning reaches clients that read either name of it."""

import json

import pytest

from serve.gateway.reasoning import with_both_names
from serve.gateway.streams import Meter


def event(delta):
    return b"data: " + json.dumps({"id": "a", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def deltas(stream):
    return [json.loads(part[6:])["choices"][0]["delta"] for part in stream.split(b"\n\n") if part]


def test_a_stream_says_reasoning_by_both_names_and_keeps_its_text():
    meter = Meter(3, hide_usage=True)
    passed = meter.feed(event({"role": "assistant"}) + event({"reasoning": 'über "it"\n'}) + event({"content": "ok"}))
    thought = 'über "it"\n'
    expected = [{"role": "assistant"}, {"reasoning": thought, "reasoning_content": thought}, {"content": "ok"}]
    assert deltas(passed) == expected


def test_a_whole_answer_says_it_by_both_names():
    message = {"role": "assistant", "content": "4", "reasoning": "2 + 2"}
    body = json.dumps({"choices": [{"message": message}, {"message": {"content": "5"}}]}).encode()
    found = [choice["message"] for choice in json.loads(with_both_names(body))["choices"]]
    assert found == [message | {"reasoning_content": "2 + 2"}, {"content": "5"}]


@pytest.mark.parametrize("body", [
    b'{"choices": [{"message": {"content": "no thought"}}]}',
    b'{"choices": [{"message": {"content": "x", "reasoning": null}}]}',
    b'{"choices": [{"delta": {"reasoning": "a", "reasoning_content": "a"}}]}',
    b'{"choices": [{"delta": {"content": "say \\"reasoning\\": \\"x\\""}}]}',
    b'{"reasoning": "high", "choices": "none"}',
    b'data: {"choices": [{"delta": {"reasoning": "cut',
    b": a comment",
])  # fmt: skip
def test_all_else_is_passed_on_byte_by_byte(body):
    assert with_both_names(body) == body
