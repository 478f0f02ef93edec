"""What a key has left, as clients read it."""

import time
from datetime import UTC, datetime

import pytest

from serve.gateway.limit_headers import of_anthropic, of_openai
from serve.gateway.limits import Left, Limiter, Limits

LEFT = [Left("requests", 60, 59, 1.0), Left("tokens", 1000, 0, 62.5)]


def test_openais_headers():
    assert of_openai(LEFT) == [
        (b"x-ratelimit-limit-requests", b"60"), (b"x-ratelimit-remaining-requests", b"59"),
        (b"x-ratelimit-reset-requests", b"1s"), (b"x-ratelimit-limit-tokens", b"1000"),
        (b"x-ratelimit-remaining-tokens", b"0"), (b"x-ratelimit-reset-tokens", b"1m2.5s"),
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "shown"), [(0, b"0ms"), (0.0121, b"13ms"), (1, b"1s"), (60, b"1m0s")])
def test_durations(seconds, shown):
    assert of_openai([Left("tokens", 1, 0, seconds)])[2][1] == shown


def test_anthropics_headers():
    now = datetime(2026, 11, 28, 23, 59, 59, tzinfo=UTC).timestamp()
    assert of_anthropic(LEFT[:1], now) == [
        (b"anthropic-ratelimit-requests-limit", b"60"), (b"anthropic-ratelimit-requests-remaining", b"59"),
        (b"anthropic-ratelimit-requests-reset", b"2026-11-29T00:00:00Z"),
    ]  # fmt: skip


def test_what_is_left_flows_back():
    limiter, limits = Limiter(), Limits(requests_per_minute=2, tokens_per_minute=600)
    assert limiter.left("k", limits, 0.0) == [Left("requests", 2, 2, 0.0), Left("tokens", 600, 600, 0.0)]
    limiter.admit("k", limits, 300, 0.0)
    assert limiter.left("k", limits, 0.0) == [Left("requests", 2, 1, 30.0), Left("tokens", 600, 300, 30.0)]
    assert limiter.left("k", limits, 15.0) == [Left("requests", 2, 1, 15.0), Left("tokens", 600, 450, 15.0)]
    assert limiter.left("k", Limits(), 15.0) == []


def test_every_answer_tells_them(gateway):
    running = gateway()
    secret = running.new_key(limits=Limits(requests_per_minute=2, tokens_per_minute=5000))
    first, second, third = (running.chat(secret=secret, max_tokens=10) for _ in range(3))
    assert [answer.status_code for answer in (first, second, third)] == [200, 200, 429]
    remaining = [answer.headers["x-ratelimit-remaining-requests"] for answer in (first, second, third)]
    assert remaining == ["1", "0", "0"]
    assert 4900 < int(first.headers["x-ratelimit-remaining-tokens"]) < 5000
    assert int(third.headers["retry-after-ms"]) <= 1000 * int(third.headers["retry-after"])
    body = {"model": "wavecoder", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    refused = running.client.post("/v1/messages", json=body, headers={"Authorization": f"Bearer {secret}"})
    reset = datetime.fromisoformat(refused.headers["anthropic-ratelimit-requests-reset"]).timestamp()
    assert refused.status_code == 429
    assert 0 < reset - time.time() < 70
    assert not [name for name in running.chat().headers if "ratelimit" in name]  # of a key without rates


def test_a_quota_that_is_spent_is_not_tried_again(gateway):
    running = gateway()
    spent = running.chat(secret=running.new_key(limits=Limits(tokens_total=5)), max_tokens=1)
    assert (spent.status_code, spent.json()["error"]["code"]) == (429, "insufficient_quota")
    assert spent.headers["x-should-retry"] == "false"
