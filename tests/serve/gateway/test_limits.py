"""The limiter never lets in more than its limits, whatever the order of requests, and tells the truth about waiting."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from serve.gateway.limits import DAY, MINUTE, Limiter, Limits, Wait

# A run: each step waits, then asks for so many tokens, or ends the oldest request under way with a share of what it reserved.
steps = st.lists(
    st.tuples(st.floats(0, 40), st.integers(1, 60), st.one_of(st.none(), st.floats(0, 1))), min_size=1, max_size=60
)


def play(steps, limits):
    """(time, tokens used) of every request let in, at the time it was let in; ended ones with what they used."""
    limiter, now, open_, admitted = Limiter(), 1000.0, [], []
    most_parallel = 0
    for pause, tokens, ending in steps:
        now += pause
        if ending is not None and open_:
            ticket, place = open_.pop(0)
            used = int(ticket.reserved * ending)
            admitted[place] = (admitted[place][0], used)
            limiter.settle(ticket, used, now)
        ticket = limiter.admit("k", limits, tokens, now)
        if not isinstance(ticket, Wait):
            open_.append((ticket, len(admitted)))
            admitted.append((now, tokens))
        most_parallel = max(most_parallel, len(open_))
    return admitted, most_parallel


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(1, 100), st.integers(1, 8))
def test_in_no_window_more_than_a_minutes_worth_and_the_rate(steps, per_minute, requests):
    admitted, _ = play(steps, Limits(tokens_per_minute=per_minute, requests_per_minute=requests))
    for first, (begin, _) in enumerate(admitted):
        tokens = count = 0
        for end, used in admitted[first:]:
            tokens, count = tokens + used, count + 1
            minutes = 1 + (end - begin) / MINUTE
            assert tokens <= per_minute * minutes + 1e-3
            assert count <= requests * minutes + 1e-3


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(1, 300), st.integers(1, 300), st.integers(1, 4))
def test_quotas_and_parallel_requests_are_never_exceeded(steps, per_day, total, parallel):
    limits = Limits(tokens_per_day=per_day, tokens_total=total, parallel=parallel)
    admitted, most_parallel = play([(pause * 500, *rest) for pause, *rest in steps], limits)
    assert most_parallel <= parallel
    assert sum(used for _, used in admitted) <= total
    days = {int(at // DAY) for at, _ in admitted}
    assert all(sum(used for at, used in admitted if int(at // DAY) == day) <= per_day for day in days)


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(1, 100), st.integers(1, 200))
def test_who_waits_as_told_is_let_in_and_not_much_earlier(steps, per_minute, per_day):
    limits = Limits(tokens_per_minute=per_minute, tokens_per_day=per_day, requests_per_minute=3)
    limiter, now = Limiter(), 1000.0
    for pause, tokens, _ in steps:
        now += pause
        answer = limiter.admit("k", limits, tokens, now)
        if isinstance(answer, Wait):
            if math.isinf(answer.seconds):
                assert tokens > min(per_minute, per_day)
                continue
            assert isinstance(limiter.admit("k", limits, tokens, now + answer.seconds * 0.5), Wait)
            assert not isinstance(limiter.admit("k", limits, tokens, now + answer.seconds + 1e-3), Wait)
            now += answer.seconds + 1e-3


def test_what_was_not_used_comes_back_once():
    limiter, limits = Limiter(), Limits(tokens_per_minute=100)
    first = limiter.admit("k", limits, 100, 0.0)
    assert limiter.admit("k", limits, 100, 0.0) == Wait("tokens_per_minute", 100, 60.0)
    limiter.settle(first, 10, 0.0)
    assert not isinstance(limiter.admit("k", limits, 90, 0.0), Wait)
    second = limiter.admit("k", limits, 100, 60.0)
    assert not isinstance(second, Wait)
    third_at = 120.0
    third = limiter.admit("k", limits, 100, third_at)
    limiter.settle(second, 0, third_at)  # its reservation flowed back long ago
    assert isinstance(limiter.admit("k", limits, 1, third_at), Wait)
    limiter.settle(third, 100, third_at)


def test_using_more_than_reserved_delays_the_next():
    limiter, limits = Limiter(), Limits(tokens_per_minute=60)
    limiter.settle(limiter.admit("k", limits, 10, 0.0), 90, 0.0)
    assert limiter.admit("k", limits, 1, 0.0).seconds == 31.0


def test_keys_do_not_share_and_a_clock_that_goes_back_gives_nothing():
    limiter, limits = Limiter(), Limits(requests_per_minute=1)
    assert not isinstance(limiter.admit("a", limits, 0, 50.0), Wait)
    assert not isinstance(limiter.admit("b", limits, 0, 50.0), Wait)
    assert isinstance(limiter.admit("a", limits, 0, 10.0), Wait)
    assert isinstance(limiter.admit("a", limits, 0, 50.0), Wait)


def test_quotas_outlive_the_limiter_and_rates_do_not():
    limits = Limits(tokens_per_day=100, requests_per_minute=1)
    limiter = Limiter()
    limiter.settle(limiter.admit("k", limits, 80, 5.0), 60, 5.0)
    limiter = Limiter.from_state(limiter.state())
    assert limiter.admit("k", limits, 50, 5.0).limit == "tokens_per_day"
    assert not isinstance(limiter.admit("k", limits, 40, 5.0), Wait)
    assert not isinstance(limiter.admit("k", limits, 50, 5.0 + DAY), Wait)
