"""A gateway of several processes at one port: one more starts them, tells them of replicas, and keeps the counts.

Each has a socket of its own at the same address (SO_REUSEPORT), among which the kernel spreads connections. The sockets
stay open here: what comes while a process starts again waits for it. A process is told what it needs through its
standard input, which no other user can read, and ends when that closes, as it does when this process is killed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

from serve.client.upstream import Upstream, upstream_from
from serve.gateway.access_log import METRICS_FOLDER
from serve.gateway.app import SAVE_EVERY_S, Gateway
from serve.gateway.keys import read_usage, write_usage
from serve.gateway.server import allow_open_files, server_for
from serve.gateway.settings import GatewayConfig, keys_file
from serve.gateway.shared import SharedLimiter

log = logging.getLogger("wavecoder.serve")

LOOK_EVERY_S = 0.5
RESTARTED_AFTER_S = 1.0
"""So long after its start a process may end before the next one is waited for."""


def listen_together(listening: socket.socket, processes: int) -> list[socket.socket]:
    """That many sockets at the address of a listening one, which is closed.

    Raises:
        OSError: somebody else took it meanwhile.
    """
    address = listening.getsockname()
    listening.close()
    sockets = []
    for _ in range(processes):
        each = socket.socket(listening.family, socket.SOCK_STREAM)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        each.bind(address)
        sockets.append(each)
    for each in sockets:
        each.listen(2048)
    return sockets


def answer_together(config: GatewayConfig, context: int, upstream: Upstream, sockets: Sequence[socket.socket]) -> None:
    """Answer at all sockets, a process each, until SIGINT or SIGTERM; then end answers under way within `drain_s`.

    Args:
        config: of the gateway.
        context: as of `Gateway`.
        upstream: who answers, and is told of replicas.
        sockets: of `listen_together`.

    Raises:
        ValueError: the file of keys' use is damaged.
    """
    keys = keys_file(config)
    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="wavecoder-gateway-") as folder, _until_signalled(over):
        counts, metrics = Path(folder, "counts"), Path(folder, "metrics")
        counts.mkdir()
        metrics.mkdir()
        limiter = SharedLimiter(counts, len(sockets))
        limiter.begin_with(read_usage(keys) if keys is not None else {})
        task = {"config": config.model_dump(mode="json"), "context": context, "counts": str(counts)}
        workers = [_Worker(task | {"process": n}, upstream, each, metrics) for n, each in enumerate(sockets)]
        saved = time.monotonic()
        try:
            while not over.wait(LOOK_EVERY_S):
                for number, worker in enumerate(workers):
                    if worker.ended():
                        limiter.forget(number)  # now, not when its successor is up: that may take seconds
                    worker.look_after()
                if keys is not None and time.monotonic() - saved > SAVE_EVERY_S:
                    write_usage(keys, limiter.state())
                    saved = time.monotonic()
        finally:
            for worker in workers:
                worker.ask_to_end()
            for worker in workers:
                worker.end(config.drain_s + 5.0)
            if keys is not None:
                write_usage(keys, limiter.state())


@contextlib.contextmanager
def _until_signalled(over: threading.Event) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: over.set()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class _Worker:
    """A process that answers at a socket, and its successors."""

    def __init__(self, task: dict[str, Any], upstream: Upstream, listening: socket.socket, metrics: Path) -> None:
        self._task, self._upstream, self._listening, self._metrics = task, upstream, listening, metrics
        self._start()

    def _start(self) -> None:
        self._begun, self._told = time.monotonic(), dict(self._upstream.there())
        file = self._listening.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serve.gateway.processes"],
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=[file],
            env=os.environ
            | {METRICS_FOLDER: str(self._metrics), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for whoever started them, who ends them in order
        )
        upstream = {"upstream": self._upstream.described(), "there": self._told}
        self._say(self._task | upstream | {"socket": file, "family": self._listening.family})

    def _say(self, told: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, which is seen next
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()

    def ended(self) -> bool:
        """Whether nobody answers at its socket."""
        return self._process.poll() is not None

    def look_after(self) -> None:
        """Start it again if it ended, and tell it which replicas there are if that changed."""
        if self.ended():
            if time.monotonic() - self._begun < RESTARTED_AFTER_S:
                return
            log.error(
                "a process of the gateway ended with code %d; another one takes its place", self._process.returncode
            )
            multiprocess.mark_process_dead(self._process.pid, str(self._metrics))  # type: ignore[no-untyped-call]
            self._start()
        elif (there := dict(self._upstream.there())) != self._told:
            self._told = there
            self._say({"there": there})

    def ask_to_end(self) -> None:
        """Have it take no more requests."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self, patience_s: float) -> None:
        """Wait until it has ended."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """One of the processes: it is told its task in a line of JSON, and then which replicas there are."""
    told = os.fdopen(os.dup(0))  # a thread that waits for sys.stdin at the end of Python would be a fatal error
    task = json.loads(told.readline())
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.WARNING)
    logging.getLogger("wavecoder").setLevel(logging.INFO)
    config = GatewayConfig.model_validate_json(json.dumps(task["config"]))
    upstream = upstream_from(task["upstream"])
    upstream.update(task["there"])
    limiter = SharedLimiter(Path(task["counts"]), task["process"])
    server = server_for(Gateway(config, task["context"], upstream, limiter), "", 0, config)

    def listen_to_parent() -> None:
        for line in told:
            upstream.update(json.loads(line)["there"])
        server.should_exit = True

    threading.Thread(target=listen_to_parent, daemon=True).start()
    allow_open_files(config)
    server.run(sockets=[socket.socket(task["family"], socket.SOCK_STREAM, fileno=task["socket"])])


if __name__ == "__main__":
    main()
