"""Scores of samples."""

import pyarrow as pa
import pytest

from eval.passk import estimate_pass_at_k
from eval.scores import SAMPLES, SCORES, compare_samples, score_rows, score_samples


def samples(**passed: str) -> pa.Table:
    """Task → its samples' verdicts, as a string of + and -."""
    rows = [{"task_id": task, "sample": n, "passed": mark == "+", "outcome": "passed" if mark == "+" else "failed",
             "finish_reason": "stop" if mark == "+" else "length"}
            for task, marks in passed.items() for n, mark in enumerate(marks)]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SAMPLES)


def test_pass_at_k_is_the_mean_over_problems():
    score = score_samples(samples(a="++--", b="----", c="++++"), (1, 2, 10))
    assert score["pass_at_1"] == pytest.approx(0.5)
    assert set(score["pass_at_k"]) == {"1", "2"}  # nobody drew 10
    assert score["pass_at_k"]["2"]["estimate"] == pytest.approx((estimate_pass_at_k(4, 2, 2) + 0 + 1) / 3)
    assert (score["n"], score["samples_per_problem"], score["cut_off"]) == (3, 4, 6)
    assert score["outcomes"] == {"passed": 6, "failed": 6}
    assert score["low"] < 0.5 < score["high"]


def test_the_fewest_samples_say_which_k_there_are():
    score = score_samples(samples(a="++", b="+-+"), (1, 2, 3))
    assert set(score["pass_at_k"]) == {"1", "2"}
    assert score["samples_per_problem"] == 2


def test_no_samples_are_no_score():
    assert score_samples(samples())["n"] == 0


def test_two_models_are_compared_on_what_both_answered():
    found = compare_samples(samples(a="+-", b="--", x="++"), samples(b="++", a="+-", y="--"))
    assert (found["n"], found["better"], found["worse"]) == (2, 1, 0)
    assert found["difference"] == 0.5


def test_scores_are_rows_too():
    score = {"label": "base", "model": "m", "benchmark": "humaneval", "language": "python", "dataset_digest": "d"}
    table = score_rows([score | score_samples(samples(a="++", b="--"), (1, 2))])
    assert table.schema == SCORES
    assert table["k"].to_pylist() == [1, 2]
