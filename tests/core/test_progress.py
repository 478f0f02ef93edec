"""The first estimates are about as good as the later ones, however long it took until work began to end."""

import pytest

from core.progress import NowAndThen, TimeLeft, in_words


@pytest.mark.parametrize(("startup", "each"), [(0.0, 1.0), (90.0, 0.5), (600.0, 2.0)])
def test_every_estimate_is_near_the_truth_however_slow_the_start(startup, each):
    left, total = TimeLeft(), 200
    assert left.update(startup, 1, total) is None
    for done in range(2, total + 1):
        now = startup + each * (done - 1)
        truth = each * (total - done)
        assert left.update(now, done, total) == pytest.approx(truth)


def test_what_earlier_runs_did_says_nothing_of_the_speed():
    left = TimeLeft()
    assert left.update(5.0, 900, 1000) is None
    assert left.update(15.0, 910, 1000) == pytest.approx(90.0)


def test_nothing_new_gives_no_estimate_and_all_of_it_none_left():
    left = TimeLeft()
    assert left.update(1.0, 0, 10) is None
    assert left.update(9.0, 0, 10) is None
    assert left.update(9.0, 10, 10) == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (4.4, ", about 4 s left"), (200, ", about 3 min 20 s left"), (7290, ", about 2 h 1 min left")],
)
def test_time_is_said_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_line_is_due_at_once_then_after_its_time_and_at_the_end():
    line = NowAndThen(10.0)
    assert [line.is_due(seconds) for seconds in (0.0, 1.0, 9.9, 10.0, 19.0, 21.0)] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert line.is_due(21.1, last=True)
    assert not line.is_due(31.0)


def test_a_start_that_is_given_counts_as_a_line():
    line = NowAndThen(10.0, 5.0)
    assert [line.is_due(seconds) for seconds in (6.0, 14.9, 15.0)] == [False, False, True]
