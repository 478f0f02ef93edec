"""Intervals that hold the truth as often as they say, the same each time, and narrower in pairs."""

import numpy as np
import pytest

from eval.intervals import bootstrap_interval, paired_difference, wilson_interval


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for number in range(200):
        low, high = bootstrap_interval(random.random(164) < 0.6, seed=number)
        held += low <= 0.6 <= high
    assert 0.90 <= held / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(1).random(50)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_many_problems_of_one_kind_agree_with_the_textbook():
    values = np.r_[np.ones(300), np.zeros(200)]
    low, high = bootstrap_interval(values)
    half = 1.96 * np.sqrt(0.6 * 0.4 / 500)
    assert (low, high) == pytest.approx((0.6 - half, 0.6 + half), abs=0.004)


def test_values_that_are_all_the_same_are_not_called_certain():
    assert bootstrap_interval(np.zeros(164)) == pytest.approx((0.0, 0.0229), abs=1e-4)
    assert bootstrap_interval(np.ones(4))[0] < 0.6
    assert bootstrap_interval(np.array([])) == (0.0, 1.0)
    assert wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_a_paired_difference_sees_what_two_intervals_do_not():
    first = np.r_[np.ones(80), np.zeros(84)]
    second = np.r_[np.ones(90), np.zeros(74)]
    found = paired_difference(first, second)
    assert found["difference"] == pytest.approx(10 / 164)
    assert 0 < found["low"] < found["high"]
    assert found["p_value"] < 0.01
    assert bootstrap_interval(first)[1] > bootstrap_interval(second)[0]
    assert paired_difference(first, first) == {"difference": 0.0, "low": 0.0, "high": 0.0, "p_value": 1.0}
    back = paired_difference(second, first)
    assert (back["low"], back["high"]) == pytest.approx((-found["high"], -found["low"]))
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference(first, second[:-1])


def test_a_difference_that_is_noise_is_not_sure():
    random = np.random.default_rng(2)
    first, second = random.random(164) < 0.5, random.random(164) < 0.5
    found = paired_difference(first, second)
    assert found["low"] < 0 < found["high"] and found["p_value"] > 0.05
