"""When a program is late: by its own time, whatever others take of the processors. The clock here is a script's."""

import pytest

from eval.sandbox import process_tree as tree
from eval.sandbox.process_tree import LOOK_S, MAX_STRETCH, SandboxError, Streams


class Scripted:
    """A tree whose times are given, one look after the other; the last stays."""

    def __init__(self, *looks):
        self.looks, self.streams = list(looks), Streams()
        self.streams.kept["report"] = b"nonce ready\n"

    def times(self):
        waited, ran, ready = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return {"waited": waited, "ran": ran, "ready": ready}


@pytest.fixture
def late_at(monkeypatch):
    """Seconds until a tree with these looks is late at a limit of 1 s."""

    def measure(*looks):
        now = [100.0]
        monkeypatch.setattr(tree.time, "monotonic", lambda: now[0])
        scripted = Scripted(*looks)
        limit = tree._Limit([scripted], 1.0, 60.0)
        while not limit.is_over():
            now[0] += max(limit.left_s(), 0.001)
        scripted.streams.close()
        return now[0] - 100.0

    return measure


def test_who_sleeps_is_late_at_once(late_at):
    assert late_at((0.0, 0.1, 0.0)) == pytest.approx(1.0)


def test_who_runs_is_late_at_the_second_look(late_at):
    assert late_at((0.0, 1.0, 1.0), (0.0, 1.05, 1.0)) == pytest.approx(1.0 + LOOK_S)


def test_what_it_waited_is_added(late_at):
    assert late_at((0.5, 0.5, 1.0), (0.5, 0.9, 1.0), (0.5, 1.0, 1.0)) == pytest.approx(1.5)


def test_a_wait_that_still_goes_on_is_not_held_against_it(late_at):
    """Ready, but it has not run since the last look: how long it waited is booked when it runs again."""
    waiting = [(0.0, 0.4, 1.0)] * 10
    assert late_at(*waiting, (0.6, 0.5, 1.0), (0.6, 1.1, 1.0)) == pytest.approx(1.6, abs=LOOK_S)


def test_a_machine_too_busy_is_no_verdict(late_at):
    with pytest.raises(SandboxError, match="a machine too busy"):
        late_at((MAX_STRETCH + 5.0, 0.1, 1.0))
