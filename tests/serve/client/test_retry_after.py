"""How long an endpoint asks to be left alone, in every form in which one says it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.client.retry_after import LONGEST_S, seconds_to_wait

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7),
        ({"retry-after": "0.25"}, "", 0.25),
        ({"Retry-After": "2,5"}, "", 2.5),
        ({"Retry-After": " 3 "}, "", 3),
        ({"Retry-After": "Sat, 28 Nov 2026 12:01:30 GMT"}, "", 90),
        ({"Retry-After": "Sat, 28 Nov 2026 11:00:00 GMT"}, "", 0),
        ({"Retry-After": "1m30s"}, "", 90),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, "", 1.5),
        ({"x-ms-retry-after-ms": "250"}, "", 0.25),
        ({"x-ratelimit-reset-ms": "4000"}, "", 4),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, "", 360),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "12"}, "", 0),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "9",
          "x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "0"}, "", 0.02),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-28T12:00:45Z", "anthropic-ratelimit-tokens-remaining": "0"}, "", 45),
        ({"X-RateLimit-Reset": "1795867230"}, "", 30),
        ({"X-RateLimit-Reset": "1795867230000"}, "", 30),
        ({}, '{"error": {"details": [{"@type": "x.RetryInfo", "retryDelay": "31.5s"}]}}', 31.5),
        ({}, '{"error": {"message": "Rate limit reached. Please try again in 6m0s."}}', 360),
        ({}, '{"error": {"message": "Please try again in 350ms. Visit https://x/y"}}', 0.35),
        ({}, '{"error": {"message": "have exceeded the rate limit. Please retry after 26 seconds."}}', 26),
        ({}, "Quota exceeded. Please retry in 31.25s.", 31.25),
        ({}, "try again in 1 hour and 2 minutes", 3720),
        ({}, '{"error": {"message": "later", "retry_after": 12}}', 12),
        ({}, '{"retry_after_ms": 900}', 0.9),
        ({}, '{"error": "loading", "estimated_time": 20.5}', 20.5),
        ({}, '{"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795867230000"}}}}', 30),
        ({}, '{"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "1795867230000"}}}}', 0),
        ({"RateLimit": '"default";r=0;t=30'}, "", 30),
        ({"RateLimit": "limit=10, remaining=4, reset=30"}, "", 0),
        ({"RateLimit-Reset": "9", "RateLimit-Remaining": "0"}, "", 9),
        ({"Retry-After": "45 seconds"}, "", 45),
        ({"Retry-After": "PT1M30S"}, "", 90),
        ({"Retry-After": "Saturday, 28-Nov-26 12:00:20 GMT"}, "", 20),
        ({}, "try it with 30 tokens", 0),
        ({"Retry-After": "soon"}, "", 0),
        ({"Retry-After": "-5"}, "", 0),
        ({"Retry-After": "nan"}, "", 0),
        ({"Retry-After": "9" * 400}, "", None),
        ({}, "", 0),
    ],
)  # fmt: skip
def test_every_form(headers, body, seconds):
    found = seconds_to_wait(headers, body, NOW)
    assert found == pytest.approx(seconds, abs=0.01) if seconds is not None else 0 <= found <= LONGEST_S


@given(st.text(), st.text())
def test_any_header_is_a_sensible_number(value, body):
    for name in ("Retry-After", "retry-after-ms", "x-ratelimit-reset-tokens"):
        assert 0 <= seconds_to_wait({name: value}, body, NOW) <= LONGEST_S
