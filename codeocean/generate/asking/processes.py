"""Processes that ask in the job's place, a share of the rows each. No Ray.

Prompts, HTTP, parsing and checks take nearly all of a question's processor time. They move. What is asked when, and
what is kept, stays in the job's process: the data are the same whatever the number of processes.
Not covered: engines of our own, whose list of replicas this process keeps, and batches. These are asked from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

from codeocean.generate.asking.one_question import Ask, Roles, asks
from codeocean.generate.jobs import Job, TurnAnswer
from codeocean.generate.scheduler import Question
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tasks import Task
from codeocean.generate.turns import role_of

_FATAL = {error.__name__: error for error in (ConnectionError, PermissionError, ValueError)}
"""What a chat raises when nobody will be answered."""


@asynccontextmanager
async def spread(config: GenerateConfig, tasks: Mapping[str, Task], roles: Roles) -> AsyncIterator[Ask]:
    """What answers questions, in `config.processes` processes where there is more than one.

    Args:
        config: of the stage.
        tasks: by name.
        roles: role → a chat and the model's name there; only chats with a true `is_portable` are copied.
    """
    here = asks(config, roles)
    portable = {role: found for role, found in roles.items() if getattr(found[0], "is_portable", False)}
    if config.processes == 1 or not portable:
        yield here
        return
    helpers: list[_Helper] = []
    try:
        while len(helpers) < config.processes:
            helpers.append(await asyncio.to_thread(_Helper, config, tasks, portable, asyncio.get_running_loop()))

        async def ask(question: Question, task: Task, job: Job) -> TurnAnswer:
            if role_of(question.turn, config) not in portable:
                return await here(question, task, job)
            return await helpers[question.place % len(helpers)].ask(question, task, job)

        yield ask
    finally:
        for helper in helpers:
            await helper.stop()


class _Helper:
    """One of the processes, seen from the job's."""

    def __init__(
        self, config: GenerateConfig, tasks: Mapping[str, Task], roles: Roles, loop: asyncio.AbstractEventLoop
    ) -> None:
        spawning = multiprocessing.get_context("spawn")  # a fork would copy Ray's threads' locks
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_help, args=(theirs, config, dict(tasks), dict(roles)), daemon=True)
        self._process.start()
        theirs.close()
        self._waiting: dict[int, asyncio.Future[TurnAnswer]] = {}
        self._numbers, self._gone = itertools.count(), False
        _read_in_a_thread(self._connection, loop, self._take, self._end)

    async def ask(self, question: Question, task: Task, job: Job) -> TurnAnswer:
        """The answer.

        Raises:
            ConnectionError, PermissionError, ValueError: as the chat does; the first also where the process ended.
        """
        if self._gone:
            raise _ended()
        number, found = next(self._numbers), asyncio.get_running_loop().create_future()
        self._waiting[number] = found
        try:
            self._connection.send((number, question, task.name, job))  # read at once, by a thread of its own
            return await found
        except BrokenPipeError:
            raise _ended() from None
        finally:
            self._waiting.pop(number, None)

    def _take(self, number: int, answer: TurnAnswer, error: tuple[str, str] | None) -> None:
        found = self._waiting.get(number)
        if found is None or found.done():
            return
        if error is None:
            found.set_result(answer)
        else:
            found.set_exception(_FATAL.get(error[0], RuntimeError)(error[1]))

    def _end(self) -> None:
        self._gone = True
        for found in self._waiting.values():
            if not found.done():
                found.set_exception(_ended())

    async def stop(self) -> None:
        """End the process: what it still asks is wanted by nobody."""
        self._process.terminate()
        await asyncio.to_thread(self._process.join)


def _ended() -> ConnectionError:
    return ConnectionError("a process that asks in the job's place ended (generate.processes); run the same command "
                           "again: every answer is kept")  # fmt: skip


def _read_in_a_thread(
    connection: Connection, loop: asyncio.AbstractEventLoop, take: Callable[..., object], end: Callable[[], object]
) -> None:
    """Hand each message to the loop. Both sides read so, whatever their loops do: then neither's sending waits long."""

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            with contextlib.suppress(EOFError, OSError):
                while True:
                    loop.call_soon_threadsafe(take, *connection.recv())
            loop.call_soon_threadsafe(end)

    threading.Thread(target=read, daemon=True, name="answers").start()


def _help(connection: Connection, config: GenerateConfig, tasks: dict[str, Task], roles: Roles) -> None:
    """What such a process does, until the job's has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the job, which ends this one
    asyncio.run(_answer_all(connection, config, tasks, roles))


async def _answer_all(connection: Connection, config: GenerateConfig, tasks: dict[str, Task], roles: Roles) -> None:
    ask, running, gone = asks(config, roles), set[asyncio.Task[None]](), asyncio.Event()

    async def answer(number: int, question: Question, task: str, job: Job) -> None:
        try:
            said: tuple[Any, ...] = (number, await ask(question, tasks[task], job), None)
        except Exception as error:  # noqa: BLE001 - raised by the job's own process
            name = next((name for name, kind in _FATAL.items() if isinstance(error, kind)), type(error).__name__)
            said = (number, None, (name, str(error)))
        with contextlib.suppress(OSError):
            connection.send(said)

    def take(*message: Any) -> None:
        begun = asyncio.create_task(answer(*message))
        running.add(begun)
        begun.add_done_callback(running.discard)

    _read_in_a_thread(connection, asyncio.get_running_loop(), take, gone.set)
    await gone.wait()
