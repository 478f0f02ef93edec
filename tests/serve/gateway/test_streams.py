"""A stream passes unchanged however it is cut, but for the usage that the client did not ask for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.gateway.streams import Meter

WORDS = [{"choices": [{"delta": {"content": text}}]} for text in ("a", '"usage"', "\n\n", 'data: {"usage": 1}', "é")]
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
    meter.feed(b'data: {"choices": [{"del')
    assert meter.end() == b""
    meter.feed(b"data: [DONE]")
    assert meter.end() == b"data: [DONE]\n\n"


def test_a_cut_off_stream_is_counted_by_its_events():
    meter = Meter(3, hide_usage=True)
    meter.feed(events(*WORDS[:3], WORDS[3] | {"usage": None}))
    assert (meter.prompt_tokens, meter.completion_tokens) == (3, 4)
