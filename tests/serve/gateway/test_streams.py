"""A stream passes unchanged however it is cut, but for the usage that the client did not ask for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.gateway.streams import Meter

WORDS = [{"choices": [{"delta": {"content": text}}]} for text in ("a", '"usage"', "\n\n", 'data: {"usage": 1}', "é")]
WORDS.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
LAST = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 4}}


def events(*contents):
    return b"".join(f"data: {json.dumps(content)}\n\n".encode() for content in contents)


@given(st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_any_cutting_gives_the_same_bytes_and_tokens(cuts, hide):
    stream = events(*WORDS, LAST) + b"data: [DONE]\n\n"
    meter, passed, place = Meter(3, hide_usage=hide), b"", 0
    while place < len(stream):
        for cut in cuts:
            out = meter.feed(stream[place : place + cut])
            assert out == b"" or out.endswith(b"\n\n")  # never half an event
            passed, place = passed + out, place + cut
    assert passed + meter.end() == events(*WORDS, *([] if hide else [LAST])) + b"data: [DONE]\n\n"
    assert meter.tokens == 11


@pytest.mark.parametrize("framed", ["data: {}\r\n\r\n", "id: 9\ndata: {}\n\n", "event: x\r\ndata:{}\r\n\r\n"])
def test_other_ways_to_write_events_are_read_too(framed):
    meter = Meter(3, hide_usage=True)
    (word, last) = (framed.format(json.dumps(content)).encode() for content in (WORDS[0], LAST))
    assert b'"a"' in meter.feed(word)
    assert meter.feed(last) == b""
    assert (meter.tokens, meter.finished, meter.failed) == (11, False, False)
    assert meter.feed(b"data: [DONE]\r\n\r\n")
    assert meter.finished


def test_an_error_of_the_engine_is_not_passed_on_and_half_an_event_neither():
    meter = Meter(3, hide_usage=True)
    assert meter.feed(events({"error": {"message": "Traceback"}})) == b""
    assert meter.failed
    meter = Meter(3, hide_usage=True)
    meter.feed(b'data: {"choices": [{"del')
    assert meter.end() == b""
    meter.feed(b"data: [DONE]")
    assert meter.end() == b"data: [DONE]\n\n"


KINDS = [
    *(f"data: {json.dumps(content)}" for content in (*WORDS, LAST)),
    'data: {"choices":[{"delta":{"reasoning":"hm"}}]}',
    'data: {"choices":[{"delta":{"content":"\\"error\\""}}]}',
    'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"completion_tokens":9}}',
    'data: {"choices":[{"finish_reason":"error"}]}',
    'data: {"object":"error","message":"no"}',
    'data: {"message":"no","choices_left":0}',
    'data:{"choices":[{"text":"a"}]}',
    'event: error\ndata: {"choices":[]}',
    'id: 4\ndata: {"choices":[{"text":"b"}]}',
    '\ndata: {"choices":[{"text":"c"}]}',
    ": ping",
    "data: [DONE]",
]


@given(st.lists(st.sampled_from(KINDS), max_size=8), st.booleans())
def test_events_that_come_together_are_read_as_those_that_come_alone(kinds, hide):
    events = [f"{kind}\n\n".encode() for kind in kinds]
    together, alone = Meter(3, hide_usage=hide), Meter(3, hide_usage=hide)
    passed = together.feed(b"".join(events))
    assert passed == b"".join(alone.feed(event) for event in events)
    assert (together.end(), together.tokens, together.finished) == (alone.end(), alone.tokens, alone.finished)
    assert together.error == alone.error
    assert b"hm" not in passed or b"reasoning_content" in passed


def test_a_cut_off_stream_is_counted_by_its_events():
    meter = Meter(3, hide_usage=True)
    meter.feed(events(*WORDS[:3], WORDS[3] | {"usage": None}))
    assert (meter.prompt_tokens, meter.completion_tokens) == (3, 4)


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_an_error_and_the_end_in_one_chunk_are_an_error(end, size):
    parts = [json.dumps(WORDS[0]), json.dumps({"error": {"message": "died", "code": 500}}), "[DONE]"]
    stream = "".join(f"data: {part}{end}" for part in parts).encode()
    meter = Meter(3, hide_usage=True)
    passed = b"".join(meter.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    assert passed + meter.end() == events(WORDS[0])
    assert (meter.failed, meter.finished) == (True, False)
    assert meter.error["error"]["message"] == "died"


@pytest.mark.parametrize(
    "raw",
    [
        'data: {"object": "error", "message": "too long", "code": 400}', 'data: {"message": "died"}',
        "event: error\ndata: out of memory", 'event: error\ndata: {"code": 1}', 'data: {"detail": [{"msg": "bad"}]}',
        'data: {"error":\ndata: {"message": "in two lines"}}', 'data:{"error": "a string"}',
        'data: {"message": "bad", "type": "BadRequestError", "param": null, "code": 400}',
        'data: {"id": "1", "object": "chat.completion.chunk", "message": "engine died"}', '{"error": {"message": "no field"}}',
        '{"object": "error",\n "message": "over lines"}', 'error: {"code": 500, "message": "llama"}', 'data: {"errors": ["a"]}',
        'id: 3\r\nevent: error\r\ndata: {"detail": "x"}', 'data: [{"error": {"message": "listed"}}]',
        'data: {"choices": [{"delta": {"content": ""}, "finish_reason": "error", "error": {"code": 502, "message": "gone"}}]}',
        'data: {"choices": [], "error": {"message": "beside choices"}}',
    ],
)  # fmt: skip
def test_errors_of_every_shape_are_seen(raw):
    meter = Meter(3, hide_usage=True)
    assert meter.feed(events(WORDS[0]) + raw.encode() + b"\n\ndata: [DONE]\n\n") == events(WORDS[0])
    assert meter.failed


def test_a_whole_answer_without_its_last_event_gets_one():
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    for ending in (events(last), events(last)[:-1], events(last)[:-2]):
        meter = Meter(3, hide_usage=True)
        passed = meter.feed(events(WORDS[0]) + ending)
        assert passed + meter.end() == events(WORDS[0], last) + b"data: [DONE]\n\n"
        assert meter.finished
    cut = Meter(3, hide_usage=True)
    cut.feed(events(*WORDS[:2]))
    assert cut.end() == b""
    assert not cut.finished


def test_comments_pass_and_nothing_passes_behind_the_end():
    meter = Meter(3, hide_usage=True)
    assert meter.feed(b": ping\n\n") == b": ping\n\n"
    assert meter.feed(b"data: [DONE]\n\n" + events(WORDS[0])) == b"data: [DONE]\n\n"
    assert meter.completion_tokens == 0


def test_a_responses_events_are_counted_and_end_without_done():
    meter = Meter(3, hide_usage=True)
    usage = {"input_tokens": 5, "output_tokens": 2}
    sent = events(
        {"type": "response.created", "response": {"error": None, "usage": None}},
        {"type": "response.output_text.delta", "delta": '"error"'},
        {"type": "response.completed", "response": {"usage": usage}},
    )
    assert meter.feed(sent) + meter.end() == sent
    assert (meter.prompt_tokens, meter.completion_tokens, meter.finished) == (5, 2, True)


def test_an_event_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr("serve.gateway.streams.MOST_EVENT_BYTES", 100)
    meter = Meter(3, hide_usage=True)
    meter.feed(b"data: " + b"x" * 101)
    assert meter.failed
