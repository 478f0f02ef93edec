"""The estimator against enumeration of all draws."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.passk import estimate_pass_at_k


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_equals_the_share_of_draws_with_a_pass(case):
    n, c, k = case
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert estimate_pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_large_counts_neither_overflow_nor_cancel():
    assert estimate_pass_at_k(100_000, 1, 1) == pytest.approx(1e-5)
    assert 0.0 < estimate_pass_at_k(10_000, 5_000, 100) <= 1.0


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0), (3, 1, 4)])
def test_impossible_counts_are_refused(n, c, k):
    with pytest.raises(ValueError):
        estimate_pass_at_k(n, c, k)
