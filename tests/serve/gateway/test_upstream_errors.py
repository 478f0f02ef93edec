"""Errors of engines, in every shape that servers of the OpenAI API give them, become ours with the engine's words."""

import json
from datetime import UTC, datetime

import pytest

from serve.gateway.upstream_errors import error_of_choice, is_error, refusal_in_answer, refusal_of, wait_s

OVERFLOW = "This model's maximum context length is 64 tokens, and you asked for 99"


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({"error": {"message": "top_p is wrong", "param": "top_p", "code": None}}, "top_p is wrong", "top_p", None),
        ({"object": "error", "message": OVERFLOW, "type": "BadRequestError", "param": None, "code": 400},
         OVERFLOW, None, "context_length_exceeded"),
        ({"message": "seed must be positive"}, "seed must be positive", None, None),
        ({"error": "tools are not served", "error_type": "validation"}, "tools are not served", None, None),
        ({"detail": [{"loc": ["body", "stop", 3], "msg": "too many", "type": "value_error"}, {"msg": "and worse"}]},
         "body.stop.3: too many; and worse", None, None),
        ({"detail": "no tokens left to write"}, "no tokens left to write", None, None),
        ({"detail": {"message": "bad tool", "code": "bad_tool"}}, "bad tool", None, "bad_tool"),
        ([{"error": {"code": 400, "message": "min_p is unknown", "status": "INVALID_ARGUMENT"}}], "min_p is unknown",
         None, None),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two", None, None),
        ({"error": {"message": "a b", "type": "invalid_request_error", "code": "unsupported_parameter"}}, "a b",
         None, "unsupported_parameter"),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "no such role"}}, "no such role",
         None, None),
        ({"error": {"message": "Message: nope. (Request ID: 7), Internal exception: ray.x"}}, "Message: nope.", None,
         None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 422])
def test_the_words_survive(status, body, message, param, code):
    refusal = refusal_of(status, json.dumps(body).encode(), {})
    assert (refusal.status, refusal.message) == (400, message.removeprefix("Message: "))
    assert (refusal.param, refusal.code) == (param, code or "invalid_request")


@pytest.mark.parametrize(
    "body", [b"", b"<html><h1>Bad</h1>", b"\xff\xfe", b"{", b"[" * 100_000, b"null", b"Traceback (most recent", b"{}"]
)
def test_what_says_nothing_is_told_in_our_words(body):
    assert refusal_of(400, body, {}).message == "the engine does not take this request"


def test_plain_text_is_words_too():
    assert refusal_of(400, b"prompt too long\n", {}).message == "prompt too long"


@pytest.mark.parametrize(("status", "told"), [(401, 502), (402, 502), (403, 502), (500, 502), (529, 503), (501, 400)])
def test_the_engines_own_troubles_are_not_the_clients(status, told):
    refusal = refusal_of(status, b'{"error": {"message": "inside"}}', {})
    assert refusal.status == told
    assert ("inside" in refusal.message) is (told == 400)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"object": "error", "message": OVERFLOW, "code": 400}, 400),
        ({"error": {"message": "died", "type": "InternalServerError", "code": 500}}, 502),
        ({"error": {"message": "busy", "code": "429"}}, 429),
        ({"error": "Request failed during generation", "error_type": "generation"}, 502),
        ({"error": "too long", "error_type": "validation"}, 400),
        ({"message": "Provider returned error"}, 502),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 503),
        ({"choices": [{"finish_reason": "error"}], "error": {"code": 502, "message": "gone"}}, 502),
        ([{"error": {"code": 400, "message": "x"}}], 400),
        ({"message": "too long", "type": "BadRequestError", "param": None, "code": 400}, 400),
        ({"id": "1", "object": "chat.completion", "detail": [{"loc": ["body"], "msg": "no"}]}, 502),
    ],
)
def test_an_error_inside_a_200_is_seen(content, status):
    assert is_error(content)
    assert refusal_in_answer(content).status == status


@pytest.mark.parametrize(
    "content",
    [
        {"choices": [], "usage": {}}, {"choices": [{"delta": {"content": "error"}}], "error": None}, {}, [], "x", 1,
        {"object": "list", "data": []}, {"type": "response.failed", "response": {"error": {"message": "x"}}},
        {"count": 3, "tokens": [1, 2, 3]}, {"prompt": "text"}, {"type": "response.output_item.added", "item": {"message": "x"}},
        {"id": "r", "object": "response", "error": None, "incomplete_details": {"reason": "max_output_tokens"}, "output": []},
    ],
)  # fmt: skip
def test_what_is_no_error_is_none(content):
    assert not is_error(content)


def test_an_error_in_an_answers_choice_is_seen():
    gone = {"choices": [{"finish_reason": None, "error": {"code": 429, "message": "later"}}]}
    assert refusal_in_answer(error_of_choice(gone)).status == 429
    assert refusal_in_answer(error_of_choice({"choices": [{"finish_reason": "error", "message": {}}]})).status == 502
    for whole in ({"choices": [{"finish_reason": "stop", "error": None}]}, {"choices": []}, {"choices": {}}, [], None):
        assert error_of_choice(whole) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0), ({"retry-after": "2.5"}, 2.5), ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "Sat, 28 Nov 2026 12:00:30 GMT"}, 30.0), ({"Retry-After": "Sat, 28 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5), ({"Retry-After": "soon"}, None), ({}, None),
        ({"Retry-After": "-3"}, None), ({"Retry-After": "999999999"}, 86_400.0), ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "Saturday, 28-Nov-26 12:00:30 GMT"}, 30.0),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_read_in_every_form(headers, seconds):
    assert wait_s(headers, datetime(2026, 11, 28, 12, 0, tzinfo=UTC)) == seconds


def test_a_wait_is_passed_on_to_the_millisecond():
    refusal = refusal_of(429, b"", {"Retry-After": "2.25"})
    assert refusal.headers() == [(b"retry-after", b"3"), (b"retry-after-ms", b"2250")]
