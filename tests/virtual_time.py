"""An event loop whose clock jumps to the next timer: hours of waiting in no time, the same whenever and wherever it runs.

For what schedulers do with latencies. Only the loop's own clock is virtual (`asyncio.sleep`, `loop.time()`); what would
go to a thread is done at once, and takes no time.
"""

import asyncio


class VirtualLoop(asyncio.SelectorEventLoop):
    """`asyncio.Runner(loop_factory=VirtualLoop)`."""

    def __init__(self):
        super().__init__()
        self._now = 0.0

    def time(self):
        return self._now

    def run_in_executor(self, executor, func, *args):
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _run_once(self):
        if not self._ready and self._scheduled:
            self._now = max(self._now, self._scheduled[0].when())
        super()._run_once()


def run(main):
    """What a coroutine returns, and the virtual seconds that it took."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        result = runner.run(main)
        return result, runner.get_loop().time()
