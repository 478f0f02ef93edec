"""When a program is late: by its own time, whatever others take of the processors. The clock here is a script's."""

import os

import pytest

from eval.sandbox import process_tree as tree
from eval.sandbox.process_tree import LOOK_S, MAX_STRETCH, SandboxError, Streams


class Scripted:
    """A tree whose times are given, one look after the other; the last stays."""

    def __init__(self, *looks):
        self.looks, self.streams, self.status = list(looks), Streams(), None
        self.streams.kept["report"] = b"nonce ready\n"

    def times(self):
        waited, ran, ready = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return {"waited": waited, "ran": ran, "busiest": ran, "ready": ready}


@pytest.fixture
def now(monkeypatch):
    """The time, which a test sets."""
    times = [100.0]
    monkeypatch.setattr(tree.time, "monotonic", lambda: times[0])
    return times


@pytest.fixture
def late_at(now):
    """Seconds until a tree with these looks is late at a limit of 1 s."""

    def measure(*looks):
        scripted = Scripted(*looks)
        limit = tree._Limit([scripted], 1.0, 60.0)
        while not limit.is_over():
            now[0] += max(limit.left_s(), 0.001)
        scripted.streams.close()
        return now[0] - 100.0

    return measure


def test_who_sleeps_is_late_at_once(late_at):
    assert late_at((0.0, 0.1, 0.0)) == pytest.approx(1.0)


def test_who_has_run_for_as_long_as_the_limit_is_late_at_once(late_at):
    assert late_at((0.0, 1.0, 1.0)) == pytest.approx(1.0)


def test_what_it_waited_is_added(late_at):
    assert late_at((0.5, 0.5, 1.0), (0.5, 0.9, 1.0), (0.5, 1.0, 1.0)) == pytest.approx(1.5 + LOOK_S)


def test_a_wait_that_still_goes_on_is_not_held_against_it(late_at):
    """Ready, but it has not run since the last look: how long it waited is booked when it runs again."""
    waiting = [(0.0, 0.4, 1.0)] * 10
    assert late_at(*waiting, (0.6, 0.5, 1.0), (0.6, 1.1, 1.0)) == pytest.approx(1.6, abs=LOOK_S)


def test_a_wait_that_began_between_two_looks_is_not_held_against_it(late_at):
    """It ran a little after the first look, and waits since: the books know neither how long, nor that it does."""
    assert late_at((0.5, 0.3, 1.0), (0.5, 0.31, 1.0), (1.4, 1.0, 0.0)) == pytest.approx(2.4, abs=LOOK_S)


def test_time_that_is_in_no_book_is_not_held_against_it(late_at):
    """A hypervisor took the processors: it neither ran nor waited."""
    assert late_at((0.0, 0.4, 1.0), *[(0.0, n / 20, 1.0) for n in range(9, 22)]) == pytest.approx(1.6, abs=2 * LOOK_S)


def test_who_sleeps_and_runs_in_turns_has_twice_the_limit_at_most(late_at):
    assert late_at(*[(0.0, 0.1 + n / 1000, 1.0) for n in range(900)]) == pytest.approx(2.0, abs=2 * LOOK_S)


def test_a_machine_too_busy_is_no_verdict(late_at):
    with pytest.raises(SandboxError, match="a machine too busy"):
        late_at((MAX_STRETCH + 5.0, 0.1, 1.0))


def test_who_has_ended_while_nobody_looked_is_in_time(now):
    """This process gets a processor after the limit: what came before counts."""

    class Answering(Scripted):
        over = os.eventfd(0)

        def fileno(self):
            return self.over

        def close(self):
            self.streams.close()

    answering = Answering((0.0, 0.1, 0.0))
    read = answering.streams.read

    def read_late(descriptor):
        now[0] += 5.0
        os.eventfd_write(answering.over, 1)
        return read(descriptor)

    answering.streams.read = read_late
    os.write(answering.streams.theirs[0], b"an answer")
    assert tree.watch([answering], 1.0, 60.0)
    os.close(answering.over)
