"""The bounded queue before the sandbox: so many samples at a time, so many waiting, and no more."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from eval.reward.judging import Judged, Program, Sample, infra_error, judge_sample
from eval.reward.settings import RewardConfig

Task = Sample | Program

SMOOTHING, FIRST_GUESS_S, LONGEST_WAIT_S = 0.1, 0.5, 60.0
"""Of the mean time of a sample, by which a client is told when to come again."""


class FullError(Exception):
    """There is no room in the queue."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the queue is full")
        self.retry_after_s = retry_after_s


class Workers:
    """Threads that judge; each waits for two sandboxed processes most of the time. Lives in one event loop."""

    def __init__(self, config: RewardConfig, judge: Callable[[Task, RewardConfig], Judged] = judge_sample) -> None:
        self.config, self._judge = config, judge
        self._pool = ThreadPoolExecutor(config.workers, thread_name_prefix="reward")
        self.samples = 0
        """Samples that were taken on and are not done."""
        self.mean_s = FIRST_GUESS_S

    @property
    def room(self) -> int:
        """The most samples of one request."""
        return self.config.workers + self.config.queue

    def reserve(self, count: int) -> None:
        """Take samples on.

        Raises:
            FullError: they do not fit beside those that wait.
        """
        if self.samples + count > self.room:
            wait = self.samples * self.mean_s / self.config.workers
            raise FullError(min(LONGEST_WAIT_S, max(1.0, wait)))
        self.samples += count

    async def judge(self, tasks: Sequence[Task]) -> list[Judged]:
        """Judge samples that were reserved; when this is cancelled, those that have not begun are left out."""
        loop = asyncio.get_running_loop()
        futures = [self._pool.submit(self._safely, task) for task in tasks]
        for future in futures:
            future.add_done_callback(functools.partial(self._finished, loop))
        return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))

    def _safely(self, task: Task) -> Judged:
        try:
            return self._judge(task, self.config)
        except Exception as error:  # noqa: BLE001 - one sample: whatever fails here is not its own failure
            return infra_error(error)

    def _finished(self, loop: asyncio.AbstractEventLoop, future: Future[Judged]) -> None:
        """In whatever thread the sample ended."""
        loop.call_soon_threadsafe(self._count, None if future.cancelled() or future.exception() else future.result())

    def _count(self, judged: Judged | None) -> None:
        self.samples -= 1
        if judged is not None and judged.seconds:
            self.mean_s += SMOOTHING * (judged.seconds - self.mean_s)

    def close(self) -> None:
        """End the threads; what waits is left out."""
        self._pool.shutdown(wait=False, cancel_futures=True)
