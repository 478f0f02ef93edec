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
import pickle
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from codeocean.generate.answering import Ask, Roles, asks
from codeocean.generate.jobs import Job, TurnAnswer
from codeocean.generate.scheduler import Question
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tasks import Task
from codeocean.generate.turns import role_of

_LENGTH = 8
_LIMIT = 2**20
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
            helpers.append(await _Helper.start(config, tasks, portable))

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

    def __init__(self, process: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._waiting: dict[int, asyncio.Future[TurnAnswer]] = {}
        self._numbers = itertools.count()
        self._reading = asyncio.create_task(self._read())
        self._gone = False

    @classmethod
    async def start(cls, config: GenerateConfig, tasks: Mapping[str, Task], roles: Roles) -> _Helper:
        ours, theirs = socket.socketpair()
        spawning = multiprocessing.get_context("spawn")  # a fork would copy Ray's threads' locks
        process = spawning.Process(target=_help, args=(theirs, config, dict(tasks), dict(roles)), daemon=True)
        with theirs:
            await asyncio.to_thread(process.start)
        return cls(process, *await asyncio.open_connection(sock=ours, limit=_LIMIT))

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
            _send(self._writer, (number, question, task.name, job))
            return await found
        finally:
            self._waiting.pop(number, None)

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                number, answer, error = await _receive(self._reader)
                found = self._waiting.get(number)
                if found is not None and not found.done():
                    if error is None:
                        found.set_result(answer)
                    else:
                        found.set_exception(_FATAL.get(error[0], RuntimeError)(error[1]))
        self._gone = True
        for found in self._waiting.values():
            if not found.done():
                found.set_exception(_ended())

    async def stop(self) -> None:
        """End the process: it ends by itself when nobody listens."""
        self._writer.close()
        self._reading.cancel()
        await asyncio.to_thread(self._process.join, 10)
        if self._process.is_alive():
            self._process.kill()


def _ended() -> ConnectionError:
    return ConnectionError("a process that asks in the job's place ended (generate.processes); run the same command "
                           "again: every answer is kept")  # fmt: skip


def _send(writer: asyncio.StreamWriter, value: Any) -> None:
    content = pickle.dumps(value)
    writer.write(len(content).to_bytes(_LENGTH, "big") + content)


async def _receive(reader: asyncio.StreamReader) -> Any:
    """What the other process sent. Both are of one job and one user: nobody else reaches the pair of sockets."""
    length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
    return pickle.loads(await reader.readexactly(length))  # noqa: S301 - see above


def _help(connection: socket.socket, config: GenerateConfig, tasks: dict[str, Task], roles: Roles) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the job, which closes the connection
    asyncio.run(_answer_all(connection, config, tasks, roles))


async def _answer_all(connection: socket.socket, config: GenerateConfig, tasks: dict[str, Task], roles: Roles) -> None:
    reader, writer = await asyncio.open_connection(sock=connection, limit=_LIMIT)
    ask, running = asks(config, roles), set[asyncio.Task[None]]()

    async def answer(number: int, question: Question, task: str, job: Job) -> None:
        try:
            _send(writer, (number, await ask(question, tasks[task], job), None))
        except Exception as error:  # noqa: BLE001 - raised by the job's own process
            name = next((name for name, kind in _FATAL.items() if isinstance(error, kind)), type(error).__name__)
            _send(writer, (number, None, (name, str(error))))

    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            begun = asyncio.create_task(answer(*await _receive(reader)))
            running.add(begun)
            begun.add_done_callback(running.discard)
