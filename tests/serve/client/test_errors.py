"""Errors as servers write them: whose failure each is, in whatever form it comes, and the words that a person needs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.client.errors import Blame, blame, error_in, error_of, read_error

PAGE = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>Request 7f3 was stopped</body></html>"


def told(status: int, /, **error: object) -> object:
    return read_error(status, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (told(401, message="wrong"), Blame.KEY),
        (told(400, message="API key not valid. Please pass a valid one.", status="INVALID_ARGUMENT"), Blame.KEY),
        (told(402, message="pay first"), Blame.ACCOUNT),
        (told(429, message="You exceeded it", code="insufficient_quota"), Blame.ACCOUNT),
        (told(429, message="You exceeded it", type="insufficient_quota"), Blame.ACCOUNT),
        (told(400, type="invalid_request_error", message="Your credit balance is too low to access this"), Blame.ACCOUNT),
        (told(403, message="Key limit exceeded (total limit)"), Blame.ACCOUNT),
        (told(429, message="slow", status="RESOURCE_EXHAUSTED",
              details=[{"violations": [{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}]}]), Blame.ACCOUNT),
        (told(429, message="slow", details=[{"violations": [{"quotaId": "GenerateRequestsPerMinute"}]}]), Blame.BUSY),
        (told(429, message="Rate limit reached", code="rate_limit_exceeded"), Blame.BUSY),
        (told(429, message="Request too large for m on tokens per min: Limit 30000, Requested 41000"), Blame.QUESTION),
        (told(529, type="overloaded_error", message="Overloaded"), Blame.BUSY),
        (told(403, message="Your input was flagged", metadata={"reasons": ["violence"]}), Blame.QUESTION),
        (told(403, message="not for you"), Blame.FORBIDDEN),
        (read_error(403, PAGE), Blame.FORBIDDEN),
        (read_error(502, PAGE), Blame.BROKEN),
        (told(400, message="The response was filtered", code="content_filter"), Blame.QUESTION),
        (told(400, message="maximum context length is 2048 tokens"), Blame.QUESTION),
        (told(413, message="too large"), Blame.QUESTION),
        (read_error(422, json.dumps({"detail": [{"loc": ["body", "x"], "msg": "no", "input": "invalid_api_key"}]}).encode()),
         Blame.QUESTION),
        (told(404, message="no such model"), Blame.MODEL),
        (told(500, message="oops"), Blame.BROKEN),
        (read_error(0, b""), Blame.BROKEN),
    ],
)  # fmt: skip
def test_whose_failure_it_is(error, expected):
    assert blame(error) is expected


@pytest.mark.parametrize(
    ("body", "words", "param"),
    [
        ({"error": {"message": "m", "param": "seed"}}, "m", "seed"),
        ({"error": "plain"}, "plain", ""),
        ({"message": "top", "object": "error"}, "top", ""),
        ([{"error": {"message": "listed"}}], "listed", ""),
        ({"detail": "short"}, "short", ""),
        ({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, "seed", "seed"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "Extra"}]}}, "Extra", "seed"),
        ({"type": "error", "error": {"type": "api_error", "message": "inner"}}, "inner", ""),
        ({"errors": [{"message": "first"}]}, "first", ""),
    ],
)
def test_the_words_of_every_form(body, words, param):
    error = read_error(400, json.dumps(body).encode())
    assert words in error.words and error.param == param and error.status == 400


def test_a_page_is_told_by_its_title():
    error = read_error(403, PAGE)
    assert error.html and error.words == "a web page, 'Access denied'"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "m", "code": 503}, 503),
        ({"message": "m", "code": "429"}, 429),
        ({"type": "overloaded_error", "message": "m"}, 529),
        ({"message": "Rate limit exceeded"}, 429),
        ({"code": "context_length_exceeded", "message": "m"}, 400),
        ("who knows", 500),
    ],
)
def test_an_error_inside_a_200_has_the_status_that_it_means(error, status):
    assert error_of(error).status == status


@given(st.binary(), st.integers(0, 600))
def test_any_body_is_an_error_of_one_line(body, status):
    error = read_error(status, body)
    assert isinstance(blame(error), Blame)
    assert "\n" not in error.words and len(error.words) <= 500
    error.words.encode()


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "message", "detail", "code", "loc"]), inner)))  # fmt: skip
def test_any_json_is_read(value):
    found = error_in(value)
    if found is not None:
        assert error_of(found).status
