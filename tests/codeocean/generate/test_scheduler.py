"""Order, bounds and ends of the scheduler; what is asked does not matter to it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.scheduler import GENERATE, JUDGE, Question, answer_all
from tests import virtual_time


def schedule(
    questions, follow=lambda _: (), lane_of=lambda _: "a", places=None, stop=lambda: False, wait=lambda _: 0.0
):
    """Order in which the questions began, most in flight in each lane, and whether all were answered."""
    begun, now, most = [], {}, {}

    async def answer(question):
        lane = lane_of(question)
        begun.append(question)
        now[lane] = now.get(lane, 0) + 1
        most[lane] = max(most.get(lane, 0), now[lane])
        await asyncio.sleep(wait(question))
        now[lane] -= 1
        return follow(question)

    finished, _ = virtual_time.run(answer_all(questions, answer, lane_of, places or {"a": 2}, stop))
    return begun, most, finished


@given(
    st.lists(st.builds(Question, st.integers(0, 5), st.integers(0, 1), st.integers(0, 9)), unique=True),
    st.integers(1, 20),
)
def test_every_question_is_answered_once_and_no_more_are_in_flight_than_there_are_places(questions, places):
    begun, most, finished = schedule(questions, places={"a": places})
    assert sorted(begun) == sorted(questions)
    assert finished
    assert max(most.values(), default=0) <= places


def test_places_are_kept_full():
    questions = [Question(0, GENERATE, place) for place in range(50)]
    assert schedule(questions, places={"a": 7})[1] == {"a": 7}


def test_early_rounds_go_first_and_in_a_round_what_most_hangs_on():
    questions = [Question(1, GENERATE, 0), Question(0, GENERATE, 0), Question(0, GENERATE, 1)]
    begun, _, _ = schedule(questions, lambda q: [q._replace(turn=JUDGE)] if q.turn == GENERATE else [], places={"a": 1})
    assert begun == [(0, GENERATE, 0), (0, GENERATE, 1), (0, JUDGE, 0), (0, JUDGE, 1), (1, GENERATE, 0), (1, JUDGE, 0)]


def test_a_slow_lane_does_not_take_the_places_of_another():
    """A judge that is slow: all generations are done while it is at its first verdict."""
    questions = [Question(0, GENERATE, place) for place in range(20)]

    def lane(question):
        return "judge" if question.turn == JUDGE else "generator"

    begun, most, _ = schedule(questions, lambda q: [q._replace(turn=JUDGE)] if q.turn == GENERATE else [], lane,
                              {"judge": 1, "generator": 4}, wait=lambda q: 0.02 if q.turn == JUDGE else 0)  # fmt: skip
    assert [question.turn for question in begun[:21]].count(JUDGE) == 1
    assert most == {"judge": 1, "generator": 4}


def test_a_stop_finishes_what_is_in_flight_and_begins_nothing():
    begun = []
    questions = [Question(0, GENERATE, place) for place in range(50)]
    found, _, finished = schedule(
        questions, lambda q: begun.append(q) or [], places={"a": 3}, stop=lambda: len(begun) >= 10
    )
    assert not finished
    assert 10 <= len(found) <= 12
    assert found == begun or sorted(found) == sorted(begun)


def test_a_failure_ends_everything_at_once():
    async def answer(question):
        await asyncio.sleep(0 if question.place == 3 else 60)
        raise PermissionError("no")

    questions = [Question(0, GENERATE, place) for place in range(50)]
    with pytest.raises(PermissionError):
        virtual_time.run(asyncio.wait_for(answer_all(questions, answer, lambda _: "a", {"a": 5}), 5))


def test_after_a_failure_what_is_in_flight_may_end_and_nothing_is_begun():
    begun, ended = [], []

    async def answer(question):
        begun.append(question.place)
        if question.place == 3:
            raise PermissionError("no")
        await asyncio.sleep(0.05)
        ended.append(question.place)
        return [question._replace(turn=JUDGE)]

    questions = [Question(0, GENERATE, place) for place in range(50)]
    with pytest.raises(PermissionError):
        virtual_time.run(asyncio.wait_for(answer_all(questions, answer, lambda _: "a", {"a": 5}, drain_s=5), 5))
    assert begun == [0, 1, 2, 3]
    assert sorted(ended) == [0, 1, 2]
