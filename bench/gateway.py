"""The gateway alone: what a streamed token costs it, and how much later its event comes. No engine and no Ray.

`python -m bench.gateway [--rounds N]` prints one JSON object. A stub engine writes events of the form that vLLM's have,
the gateway has API keys and limits, as for a team, and the client reads bytes: three processes on one machine, the
client this one. Streams go through the gateway and straight to the stub, in turns.

- `flood`: the stub writes as fast as it is read, so that many events come with one read.
- `short`: the same with answers of 32 tokens, so that what a request costs shows.
- `steps`: an engine's pace, all streams at once each time, so that every event comes alone.
- `us_per_token`: CPU time of the gateway's process, requests included.
- `tokens_per_s`: what came by the clock. With `--alone` the gateway has a core of its own and the other two another,
  ahead of all other work (SCHED_RR, which takes root): what one process does although the machine is busy.
- `added_ms`: the time from the stub's write to the client's read, percentiles through the gateway less those without.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.machine import describe_machine
from serve.gateway.keys import create_key
from serve.gateway.settings import GatewayConfig, free_port

MARK = b'"content":"'
DIGITS = 20
EVENT = (
    'data: {"id":"chatcmpl-6f6d1f3a9b0c4b54a0a1b6f3c2d1e0f9","object":"chat.completion.chunk","created":1764412800,'
    '"model":"model","choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null,'
    '"token_ids":null}]}\n\n'
)
"""As vLLM 0.29 writes it; the content is when it was written, in nanoseconds."""
USAGE = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":9,"total_tokens":%d,"completion_tokens":%d}}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
CORES = sorted(os.sched_getaffinity(0))
SECONDS = 1.5
"""Of a turn of `steps`."""
FLOOD = 100
"""Events of one write of a stub that does not pace itself."""


def chunk(data: bytes) -> bytes:
    """Data as one chunk of HTTP/1.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


_BEFORE, _AFTER = chunk((EVENT % ("0" * DIGITS)).encode()).split(b"0" * DIGITS)


def event_now() -> bytes:
    """A token's event, as a chunk, with the time."""
    return b"%b%020d%b" % (_BEFORE, time.monotonic_ns(), _AFTER)


class Stream:
    """A connection to the stub engine: the request that is being read, or the answer under way."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.read, self.left, self.tokens, self.unsent = connection, b"", 0, 0, b""

    def take(self) -> bool:
        """Read what came; False at the end. A whole request begins an answer of `max_tokens` events."""
        data = self.connection.recv(65_536)
        self.read += data
        head, _, body = self.read.partition(b"\r\n\r\n")
        if body.endswith(b"}") and body.count(b"{") == body.count(b"}"):
            self.read = b""
            if head.startswith(b"POST"):
                self.left = self.tokens = int(json.loads(body)["max_tokens"])
                self.unsent += HEAD
        return bool(data)

    def put(self, events: bytes, tokens: int) -> None:
        """Write events, and the end behind the last."""
        self.left -= tokens
        if not self.left:
            events += chunk(USAGE % (self.tokens + 9, self.tokens)) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
        self.unsent += events
        self.flush()

    def flush(self) -> None:
        """Write what is left over."""
        with contextlib.suppress(BlockingIOError):
            self.unsent = self.unsent[self.connection.send(self.unsent) :]


def run_engine(port: int, step_s: float) -> None:
    """The stub: every `step_s` an event for each stream, or as many as are read if it is 0."""
    listening = socket.create_server(("127.0.0.1", port), backlog=4096)
    listening.setblocking(False)
    poll = selectors.DefaultSelector()
    poll.register(listening, selectors.EVENT_READ)
    streams: list[Stream] = []
    block, due = event_now() * FLOOD, time.monotonic()
    while True:
        busy = any(stream.left for stream in streams)
        wait = max(0.0, due - time.monotonic()) if step_s else 0.0
        for ready, _ in poll.select(wait if busy else 0.05):
            if ready.fileobj is listening:
                connection, _ = listening.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                streams.append(Stream(connection))
                poll.register(connection, selectors.EVENT_READ, streams[-1])
            elif not _alive(ready.data):
                poll.unregister(ready.fileobj)
                streams.remove(ready.data)
                ready.data.connection.close()
        if step_s and time.monotonic() < due:
            continue
        due = max(due + step_s, time.monotonic() - 10 * step_s)
        for stream in [each for each in streams if each.left or each.unsent]:
            with contextlib.suppress(ConnectionError):
                if stream.unsent and not step_s:
                    stream.flush()
                elif stream.left:
                    num = 1 if step_s else min(FLOOD, stream.left)
                    stream.put(event_now() if step_s else block[: num * len(block) // FLOOD], num)


def _alive(stream: Stream) -> bool:
    try:
        return stream.take()
    except ConnectionError:
        return False


def run_gateway(port: int, engine: int, keys: str) -> None:
    """Our gateway before the stub."""
    from serve.client.upstream import OneServer
    from serve.gateway.app import Gateway
    from serve.gateway.server import server_for

    settings = GatewayConfig(keys=keys, access_log=f"{keys}.log")
    gateway = Gateway(settings, 1_000_000, OneServer(f"http://127.0.0.1:{engine}/v1"))
    server_for(gateway, "127.0.0.1", port, settings).run()


@dataclass
class Reading:
    """A connection of the client."""

    connection: socket.socket
    turns: int
    """Answers that it still reads."""
    tail: bytes = b""
    """The last bytes that came."""


class Seen(NamedTuple):
    """What the client saw of some streams."""

    tokens: int
    seconds: float
    late_ms: list[float]
    """How long ago the first event of each read was written, sorted."""


def read_streams(port: int, key: str, streams: int, tokens: int, turns: int = 1) -> Seen:
    """Read that many streams at once to their ends, and as many again on the same connections, `turns` in all.

    Raises:
        RuntimeError: one of them was cut or refused.
    """
    body = json.dumps({"model": "model", "stream": True, "max_tokens": tokens, "temperature": 0,
                       "messages": [{"role": "user", "content": "count"}]}).encode()  # fmt: skip
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n").encode()  # fmt: skip
    poll, late, seen = selectors.DefaultSelector(), list[float](), 0
    for _ in range(streams):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(head + body)
        poll.register(connection, selectors.EVENT_READ, Reading(connection, turns))
    begun, buffer = time.monotonic(), bytearray(1 << 18)
    while left := poll.get_map():
        for ready, _ in poll.select(30) or _stuck(len(left)):
            reading: Reading = ready.data
            connection = reading.connection
            size = connection.recv_into(buffer)
            data, now = buffer[:size], time.monotonic_ns()
            seen += data.count(MARK)
            at = data.find(MARK) + len(MARK)
            if len(MARK) <= at <= size - DIGITS:
                late.append((now - int(data[at : at + DIGITS])) / 1e6)
            reading.tail = (reading.tail + data)[-40:]
            if size and not reading.tail.endswith(b"\r\n0\r\n\r\n"):
                continue
            if b"[DONE]" not in reading.tail:
                raise RuntimeError(f"a stream was cut: {bytes(data[:500])!r}")
            reading.turns -= 1
            if reading.turns:
                reading.tail = b""
                connection.sendall(head + body)
            else:
                poll.unregister(connection)
                connection.close()
    return Seen(seen, time.monotonic() - begun, sorted(late))


def _stuck(streams: int) -> list[Any]:
    raise RuntimeError(f"{streams} streams said nothing for 30 s")


def _percentile(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, percent * len(values) // 100)] if values else 0.0


class Load(NamedTuple):
    """What is asked of the gateway."""

    streams: int
    tokens: int
    """Of an answer."""
    step_s: float = 0.0
    """Between two events of a stream; 0 is as fast as they are read."""
    turns: int = 1
    """Answers of each stream, one behind the other."""


@contextlib.contextmanager
def running(step_s: float, *, alone: bool) -> Iterator[tuple[int, int, int, str]]:
    """Ports of a stub and of a gateway before it, its process id, and a key."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder, "keys.json")
        secret, _ = create_key(keys, name="bench", limits={"requests_per_minute": 10**9, "tokens_per_minute": 10**12})
        engine, port = free_port(), free_port()
        me = [sys.executable, "-m", "bench.gateway"]
        commands = [
            [*me, "--engine", str(engine), "--step", str(step_s)],
            [*me, "--gateway", str(port), "--before", str(engine), "--keys", str(keys)],
        ]
        processes = [subprocess.Popen(command) for command in commands]
        try:
            for each in (engine, port):
                _wait_for(each)
            if alone:
                _set_apart([os.getpid(), processes[0].pid], processes[1].pid)
            yield engine, port, processes[1].pid, secret
        finally:
            for process in processes:
                process.terminate()
                process.wait()


def _set_apart(others: list[int], gateway: int) -> None:
    """Give the gateway's process a core, the others another one, and all of them precedence."""
    *_, theirs, ours = CORES
    for pid in (*others, gateway):
        os.sched_setaffinity(pid, {ours if pid == gateway else theirs})
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(1))


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers at port {port}")


def cpu_s(pid: int) -> float:
    """Seconds that a process has computed; the kernel's own count, in nanoseconds, not psutil's in hundredths."""
    return (
        sum(int(Path(task, "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
    )


def measure(load: Load, rounds: int, *, alone: bool) -> dict[str, float]:
    """Figures of one kind of load, medians of the rounds."""
    found: dict[str, list[float]] = {}
    with running(load.step_s, alone=alone) as (engine, port, pid, key):
        read_streams(port, key, load.streams, min(load.tokens, 100))
        for number in range(rounds):
            seen: dict[int, Seen] = {}
            spent_s = 0.0
            for each in (engine, port) if number % 2 else (port, engine):
                before = cpu_s(pid)
                seen[each] = read_streams(each, key, load.streams, load.tokens, load.turns)
                spent_s += cpu_s(pid) - before
            ours, bare = seen[port], seen[engine]
            figures = {
                "tokens_per_s": ours.tokens / ours.seconds,
                "bare_tokens_per_s": bare.tokens / bare.seconds,
                "us_per_token": 1e6 * spent_s / ours.tokens,
            }
            if load.step_s:
                figures |= {
                    f"{name}_ms": value
                    for share in (50, 99)
                    for name, value in (
                        (f"added_p{share}", _percentile(ours.late_ms, share) - _percentile(bare.late_ms, share)),
                        (f"bare_p{share}", _percentile(bare.late_ms, share)),
                    )
                }
            for name, value in figures.items():
                found.setdefault(name, []).append(value)
    return {name: round(statistics.median(values), 3) for name, values in found.items()}


def loads(streams: int, rates: list[int]) -> dict[str, Load]:
    """What is measured, by name."""
    kinds = {"flood": Load(streams, 5_000), "short": Load(streams, 32, turns=20)}
    for rate in rates:
        kinds[f"steps at {rate}"] = Load(streams, round(SECONDS * rate / streams), streams / rate)
    return kinds


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument(
        "--rates", type=int, nargs="*", default=[25_000, 50_000], help="tokens/s of `steps`, all streams"
    )
    parser.add_argument("--alone", action="store_true", help="ahead of all other work of this machine")
    for name in ("engine", "gateway", "before"):
        parser.add_argument(f"--{name}", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--step", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--keys", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        run_engine(options.engine, options.step)
    if options.gateway:
        run_gateway(options.gateway, options.before, options.keys)
        return
    found = {}
    for name, load in loads(options.streams, options.rates).items():
        found[name] = measure(load, options.rounds, alone=options.alone)
        print(name, found[name], file=sys.stderr, flush=True)
    shown = {"bench": "gateway", "streams": options.streams, "load": os.getloadavg()[0]}
    print(json.dumps(shown | {"machine": describe_machine()} | found))


if __name__ == "__main__":
    main()
