"""Moves of replicas between models, for any queues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.engines.rebalance import PATIENCE_S, Rebalancer, begin_with, next_move

NAMES = ["generator", "judge", "third"]
CAPACITY = 8


@st.composite
def states(draw):
    """Queues around what the replicas can hold, where decisions are close."""
    replicas = {name: draw(st.integers(1, 6)) for name in NAMES[: draw(st.integers(1, 3))]}
    near = st.integers(-2 * CAPACITY, 2 * CAPACITY)
    return {name: max(0, number * CAPACITY + draw(near)) for name, number in replicas.items()}, replicas


def moves(waiting, replicas):
    """All moves for queues that stay as they are."""
    replicas, made = dict(replicas), []
    while (move := next_move(waiting, replicas, dict.fromkeys(replicas, CAPACITY))) is not None:
        for name, step in zip(move, (-1, 1), strict=True):
            replicas[name] += step
        made.append(move)
        assert len(made) < 100
    return replicas, made


@given(states())
def test_in_the_end_none_is_idle_while_another_is_behind(state):
    waiting, replicas = state
    after, made = moves(waiting, replicas)
    assert sum(after.values()) == sum(replicas.values())
    assert min(after.values()) >= 1
    idle = {name for name in after if after[name] > 1 and waiting[name] <= (after[name] - 1) * CAPACITY}
    behind = {name for name in after if waiting[name] > after[name] * CAPACITY}
    assert not idle or not behind
    losers, winners = {loser for loser, _ in made}, {winner for _, winner in made}
    assert not losers & winners  # nothing goes back and forth


@given(states())
def test_nothing_moves_while_all_are_busy_or_all_have_time(state):
    waiting, replicas = state
    if all(waiting[name] > (replicas[name] - 1) * CAPACITY for name in replicas):
        assert next_move(waiting, replicas, dict.fromkeys(replicas, CAPACITY)) is None
    if all(waiting[name] <= replicas[name] * CAPACITY for name in replicas):
        assert next_move(waiting, replicas, dict.fromkeys(replicas, CAPACITY)) is None


def test_a_move_has_to_be_wanted_for_a_while_and_is_made_once():
    applied = []
    balance = Rebalancer(
        {"generator": 2, "judge": 2},
        {"generator": CAPACITY, "judge": CAPACITY},
        lambda name, number: applied.append((name, number)),
    )
    behind, even = {"generator": 100, "judge": 3}, {"generator": 16, "judge": 16}
    assert balance.follow(behind, 0.0) is None
    assert balance.follow(even, PATIENCE_S - 1) is None
    assert balance.follow(behind, PATIENCE_S) is None  # it begins anew
    assert balance.follow(behind, 2 * PATIENCE_S - 1) is None
    assert balance.follow(behind, 2 * PATIENCE_S) == ("judge", "generator")
    assert applied == [("judge", 1), ("generator", 3)]
    assert balance.follow(behind, 9 * PATIENCE_S) is None and balance.follow(behind, 99 * PATIENCE_S) is None
    assert len(applied) == 2  # a model keeps its last replica


@given(st.integers(1, 3), st.integers(1, 20))
def test_the_first_split_uses_all_and_leaves_nobody_out(models, total):
    names = NAMES[:models]
    if models == 1:
        assert begin_with(names, total) == {}
        return
    if total < models:
        with pytest.raises(ValueError, match=f"serve.replicas is {total} but {models} models are served: generator, "):
            begin_with(names, total)
        return
    split = begin_with(names, total)
    assert sum(split.values()) == total
    assert max(split.values()) - min(split.values()) <= 1
