"""Many questions to few endpoints, all of them kept busy: ordered queues, a bound on what is in flight, no barriers.

Each lane (an endpoint) has a queue of its own, so that a slow judge does not take the generator's places. A question
leaves its queue when a place is free, the most urgent first; its answer may open more questions. Nothing else waits for
anything. Pure asyncio: no Ray, and no knowledge of what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Question(NamedTuple):
    """What is asked, by its place in the work; smaller ones are more urgent."""

    round: int
    turn: int
    """0 generates, 1 judges: two answers hang on the first and one on the second, which therefore goes last, so that
    little is left to wait for at the end."""
    place: int
    """In the round."""


GENERATE, JUDGE = 0, 1

DRAIN_S = 60.0
"""How long answers in flight of an endpoint may be waited for when it has failed for good."""

Answer = Callable[[Question], Awaitable[Iterable[Question]]]
"""Asks, keeps what was answered, and says what may be asked now."""


async def answer_all(
    questions: Iterable[Question],
    answer: Answer,
    lane_of: Callable[[Question], str],
    places: Mapping[str, int],
    stop: Callable[[], bool] = lambda: False,
    drain_s: float = 0.0,
) -> bool:
    """Answer the questions and those that their answers open.

    Args:
        questions: open from the beginning.
        answer: called once for each question; what it raises ends everything.
        lane_of: the lane of a question.
        places: lane → most questions in flight.
        stop: asked before each question; once true, what is in flight is finished and nothing more begun.
        drain_s: after something was raised, longest wait for what is in flight and may have been paid for.

    Returns:
        Whether everything was answered; False after a stop.
    """
    queues: dict[str, asyncio.PriorityQueue[Question]] = {lane: asyncio.PriorityQueue() for lane in places}
    left, finished, failed, stopped = 0, asyncio.Event(), asyncio.Event(), False
    failures: list[Exception] = []

    def enqueue(more: Iterable[Question]) -> None:
        nonlocal left
        for question in more:
            left += 1
            queues[lane_of(question)].put_nowait(question)

    async def work(queue: asyncio.PriorityQueue[Question]) -> None:
        nonlocal left, stopped
        while True:
            question = await queue.get()
            stopped = stopped or stop()
            try:
                enqueue(() if stopped else await answer(question))
            except Exception as error:  # noqa: BLE001 - raised below, when what is in flight has ended
                stopped = True
                failures.append(error)
                failed.set()
            left -= 1
            if not left:
                finished.set()

    enqueue(questions)
    if not left:
        return True
    workers = [asyncio.create_task(work(queues[lane])) for lane, number in places.items() for _ in range(number)]
    ends = [asyncio.create_task(event.wait()) for event in (finished, failed)]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if failures:
            await asyncio.wait(ends[:1], timeout=drain_s)
            raise failures[0]
    finally:
        await _cancel([*workers, *ends])
    return not stopped


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
