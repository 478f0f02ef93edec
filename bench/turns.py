"""Two programs on one machine in turns of some seconds: while one works, the other's processes are stopped.

A machine whose speed drifts by a tenth within a minute cannot compare two long runs one after the other. A program that
takes part is a command that says `READY` when it has loaded, waits for a line, and when its work is done says one JSON
object with `begun` and `ended` of `time.monotonic()`, which all processes of a machine share.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import psutil

READY = "ready"


def wait_for_turn() -> None:
    """In a program: say that it has loaded, and wait until it is to begin."""
    print(READY, flush=True)
    input()


def say_result(result: Mapping[str, Any], begun: float, ended: float) -> None:
    """In a program: what came of its work, and when that was."""
    print(json.dumps({**result, "begun": begun, "ended": ended}), flush=True)


class Program:
    """A command that takes part."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it, and wait until it has loaded.

        Raises:
            RuntimeError: it ended before that.
        """
        self._process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._output: IO[str] = self._process.stdout  # type: ignore[assignment]  # a pipe
        self._said: list[dict[str, Any]] = []
        self._turns: list[tuple[float, float]] = []
        for line in self._output:
            if line.strip() == READY:
                break
        else:
            raise RuntimeError(f"{' '.join(command)} ended with code {self._process.wait()} before it had loaded")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._output:
            if line.startswith("{"):
                self._said.append(json.loads(line))

    @property
    def done(self) -> bool:
        """Whether its work is done, or nothing more will come of it."""
        return bool(self._said) or self._process.poll() is not None

    def begin(self) -> None:
        """Let it work, as soon as it has a turn."""
        stdin: IO[str] = self._process.stdin  # type: ignore[assignment]  # a pipe
        stdin.write("\n")
        stdin.flush()

    def signal(self, number: int) -> None:
        """To the program and all processes under it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            me = psutil.Process(self._process.pid)
            for process in (me, *me.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """It runs within, and is stopped behind."""
        self.signal(signal.SIGCONT)
        begun = time.monotonic()
        try:
            yield
        finally:
            self._turns.append((begun, time.monotonic()))
            self.signal(signal.SIGSTOP)

    def result(self) -> dict[str, Any]:
        """Let it end; what it said, with `seconds`: how long it worked, without the turns of others.

        Raises:
            RuntimeError: it said nothing.
        """
        self.signal(signal.SIGCONT)
        code = self._process.wait()
        self._reader.join()
        if not self._said:
            raise RuntimeError(f"{self._process.args!r} ended with code {code} and no result")
        said = self._said[0]
        begun, ended = said.pop("begun"), said.pop("ended")
        worked = sum(max(0.0, min(ended, last) - max(begun, first)) for first, last in self._turns)
        return said | {"seconds": round(worked, 2)}


def take_turns(
    commands: Mapping[str, Sequence[str]], turn_s: float, environment: Mapping[str, str] = os.environ
) -> dict[str, dict[str, Any]]:
    """Run the commands, each for `turn_s` seconds at a time, until all are done; name → what it said, and `seconds`.

    Raises:
        RuntimeError: one ended without a result.
    """
    programs: dict[str, Program] = {}
    try:
        for name, command in commands.items():
            programs[name] = Program(command, environment)
            programs[name].signal(signal.SIGSTOP)
        for program in programs.values():
            program.begin()
        while working := [program for program in programs.values() if not program.done]:
            for program in working:
                end = time.monotonic() + turn_s
                with program.turn():
                    while not program.done and time.monotonic() < end:
                        time.sleep(0.02)
        return {name: program.result() for name, program in programs.items()}
    except BaseException:
        for program in programs.values():
            program.signal(signal.SIGKILL)
        raise
