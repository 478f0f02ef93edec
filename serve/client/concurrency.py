"""How many requests an endpoint is asked at a time: as many as it bears, found out by asking.

Additive increase, multiplicative decrease (Jacobson 1988): the limit doubles with every load of answers until the
endpoint is overloaded for the first time, then halves, and from then on grows by one for each load. Pure asyncio.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

FIRST_LIMIT = 64
"""Requests in flight before anything is known; enough to fill a replica at once."""

DECREASE = 0.5

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
"""Of the pauses between refusals in a row that do not say how long to wait: each twice the one before."""


class Pace:
    """A limit on requests in flight that follows how the endpoint copes. One event loop's; not for threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: most: requests in flight at any time, however well the endpoint copes; clock: seconds."""
        self._clock = clock
        self._most = most
        self.limit = float(min(FIRST_LIMIT, most))
        self.in_flight = 0
        self._doubling = True
        self._refusals = 0
        """Loads that were refused in a row."""
        self._slowed_at = -math.inf
        self._resume_at = -math.inf
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Waits until there is room and no pause; gives the time at which the request begins."""
        await self._room()
        self.in_flight += 1
        try:
            yield self._clock()
        finally:
            self.in_flight -= 1
            self._wake()

    def went_well(self, began: float) -> None:
        """An answer came in good time to a request that `began` then."""
        if began > self._slowed_at:
            self._refusals = 0
            self.limit = min(self._most, self.limit + (1.0 if self._doubling else 1.0 / self.limit))

    def overloaded(self, began: float, pause_s: float = 0.0) -> None:
        """The endpoint said that it has too much to do, or took too long.

        Args:
            began: of the request. What was asked before the last decrease says nothing about the new limit.
            pause_s: ask nothing for so long.
        """
        now = self._clock()
        self._resume_at = max(self._resume_at, now + pause_s)
        if began > self._slowed_at:
            self.limit = max(1.0, self.limit * DECREASE)
            self._slowed_at, self._doubling = now, False

    def refused(self, began: float, pause_s: float = 0.0) -> None:
        """The endpoint refused a request because it has too much to do: nothing is asked for a while.

        Args:
            began: of the request.
            pause_s: how long, if the endpoint says so (`Retry-After`); 0 pauses longer after each refusal in a row.
        """
        if began > self._slowed_at:
            self._refusals += 1
            grown = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._refusals - 1, 16))
            pause_s = pause_s or grown * random.uniform(0.75, 1.0)
        self.overloaded(began, pause_s)

    async def _room(self) -> None:
        while True:
            pause = self._resume_at - self._clock()
            if pause > 0:
                await asyncio.sleep(pause)
            elif self.in_flight < int(self.limit):
                return
            else:
                waiter = asyncio.get_running_loop().create_future()
                self._waiting.append(waiter)
                try:
                    await waiter
                except asyncio.CancelledError:
                    self._wake()  # the room that it was given is another's now
                    raise

    def _wake(self) -> None:
        free = int(self.limit) - self.in_flight
        while free > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1
