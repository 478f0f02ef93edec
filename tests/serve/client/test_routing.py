"""Which replica is asked, against a plain count of what each has in flight."""

from collections import Counter
from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from serve.client.routing import BLOCK_BYTES, SPREAD, Router

HERE = ("a", "b", "c")
LONG = b"x" * (3 * BLOCK_BYTES)


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=60))
def test_the_least_busy_is_asked_however_requests_come_and_end(moves):
    router, open_ones, busy = Router(prefix=False), [], Counter(dict.fromkeys(HERE, 0))
    for move in moves:
        if move is None or not open_ones:
            chosen = router.choose(HERE, b"")
            assert busy[chosen] == min(busy.values())
            stack = ExitStack()
            stack.enter_context(router.asking(chosen))
            open_ones.append((chosen, stack))
            busy[chosen] += 1
        else:
            ended, stack = open_ones.pop(move % len(open_ones))
            stack.close()
            busy[ended] -= 1


def test_idle_replicas_take_turns():
    router, asked = Router(prefix=False), []
    for _ in range(6):
        asked.append(router.choose(HERE, b""))
        with router.asking(asked[-1]):
            pass
    assert asked == [*HERE, *HERE]


def test_a_beginning_goes_where_it_was_seen():
    router = Router(prefix=True)
    first = {text: router.choose(HERE, text + LONG) for text in (b"one", b"two", b"three")}
    for text, replica in first.items():
        with router.asking(replica):
            pass
        assert router.choose(HERE, text + LONG + b"and something new") == replica


def test_the_longest_beginning_counts():
    router = Router(prefix=True)
    with router.asking(router.choose(HERE, LONG + b"1" * BLOCK_BYTES)):
        other = router.choose(("b", "c"), LONG + b"2" * BLOCK_BYTES)
    assert router.choose(HERE, LONG + b"1" * BLOCK_BYTES + b"3" * BLOCK_BYTES) == "a"
    assert router.choose(HERE, LONG + b"2" * BLOCK_BYTES + b"3" * BLOCK_BYTES) == other != "a"


def test_a_beginning_does_not_overload_a_replica():
    router, asked = Router(prefix=True), Counter(dict.fromkeys(HERE, 0))
    with ExitStack() as stack:
        for _ in range(30):
            replica = router.choose(HERE, LONG)
            stack.enter_context(router.asking(replica))
            asked[replica] += 1
    assert max(asked.values()) - min(asked.values()) <= SPREAD + 1


def test_what_has_no_whole_block_is_spread_evenly():
    router, asked = Router(prefix=True), Counter()
    for _ in range(30):
        replica = router.choose(HERE, b"short")
        asked[replica] += 1
        with router.asking(replica):
            pass
    assert set(asked.values()) == {10}


def test_replicas_that_went_are_forgotten_once_they_have_nothing_in_flight():
    router = Router(prefix=True)
    with router.asking("a"):
        router.forget_all_but(["b"])
        assert router.choose(["a", "b"], b"") == "b"  # still counted
    router.forget_all_but(["b"])
    assert not router._last_asked and not router._in_flight
    assert router.choose(["b"], LONG) == "b"
