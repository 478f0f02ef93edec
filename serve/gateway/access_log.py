"""What went through the gateway: a line for each request, counts for Prometheus, and the slots of those under way."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from serve.gateway.admission import RefusalError
from serve.gateway.asgi import Reply
from serve.gateway.ask import Ask
from serve.gateway.limits import Limiter
from serve.gateway.settings import GatewayConfig

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable by which `prometheus_client` is told, before it is imported, where processes put their counts together."""

log = logging.getLogger("wavecoder.serve")


@dataclass
class Note:
    """One request, as the access log knows it."""

    method: str
    path: bytes
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Made here, never taken from the client: the engine tells requests apart by it."""
    begun: float = field(default_factory=time.monotonic)
    key: str = ""
    route: str = ""
    model: str = ""
    stream: bool = False
    outcome: str = "ok"
    """ok, client_gone, or the code of the error."""
    bytes_in: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_byte_s: float | None = None
    raw: bytes = b""

    def take(self, ask: Ask, raw: bytes) -> None:
        """Note what was asked."""
        self.model, self.stream, self.raw, self.bytes_in = ask.model, ask.stream, raw, len(raw)

    def first_byte(self) -> None:
        """Note when the answer began."""
        if self.first_byte_s is None:
            self.first_byte_s = time.monotonic() - self.begun


def _open_log(path: Path) -> logging.Handler:
    """The log's file; its folder is made.

    Raises:
        OSError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _File(path)
    except OSError as error:
        raise OSError(f"serve.gateway.access_log: {path} cannot be written ({error.strerror}); name another") from None


class _File(logging.handlers.WatchedFileHandler):
    """The log's file, which outlives whatever is done to it: a request must not fail by what is noted of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self._told = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; where the folder is gone, it is made anew."""
        try:
            try:
                super().emit(record)
            except FileNotFoundError:
                Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
                super().emit(record)
        except OSError as error:
            self._tell(error)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's name
        """A line that could not be written, such as on a full disk."""
        self._tell(sys.exc_info()[1])

    def _tell(self, error: BaseException | None) -> None:
        if not self._told:
            self._told = True
            log.error("the access log %s cannot be written: %s", self.baseFilename, error)


class Traffic:
    """Counts, slots and the access log."""

    def __init__(self, config: GatewayConfig, limiter: Limiter | None = None) -> None:
        """Traffic of one process.

        Args:
            config: where the log goes, what it holds, and how many slots there are.
            limiter: who counts the slots.

        Raises:
            OSError: the log cannot be written.
        """
        self._config, self._limiter = config, limiter or Limiter()
        self._registry = CollectorRegistry()
        self._requests = self._metric(
            Counter, "requests", "Requests by route and outcome", ["route", "status", "outcome"]
        )
        self._tokens = self._metric(Counter, "tokens", "Tokens by kind", ["kind"])
        self._seconds = self._metric(Histogram, "seconds", "Time to the end of an answer", ["route"])
        self._first = self._metric(Histogram, "first_byte_seconds", "Time to its first byte", ["route"])
        self._slots = self._metric(Gauge, "in_flight", "Requests under way at the engine", [])
        self._access = logging.getLogger("wavecoder.access")
        if config.access_log is not None:
            self._access = logging.Logger("wavecoder.access")  # noqa: LOG001 - apart from the job's own lines
            self._access.addHandler(_open_log(Path(config.access_log).expanduser()))

    def _metric(self, kind: Any, name: str, text: str, labels: list[str]) -> Any:
        summed = {"multiprocess_mode": "livesum"} if kind is Gauge else {}
        return kind(f"wavecoder_gateway_{name}", text, labels, registry=self._registry, **summed)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place among the requests under way.

        Raises:
            RefusalError: all are taken.
        """
        if not self._limiter.take_place(self._config.max_in_flight):
            raise RefusalError(429, "overloaded", "too many requests are under way; try again", retry_after_s=1.0)
        self._slots.inc()
        try:
            yield
        finally:
            self._limiter.leave_place()
            self._slots.dec()

    @contextmanager
    def watch(self, note: Note, reply: Reply) -> Iterator[None]:
        """Count a request and write its line when it is over, however it ends."""
        try:
            yield
        finally:
            seconds = time.monotonic() - note.begun
            route = note.route or "other"
            status = 499 if note.outcome == "client_gone" else reply.status
            self._requests.labels(route, status, note.outcome).inc()
            self._tokens.labels("prompt").inc(note.prompt_tokens)
            self._tokens.labels("completion").inc(note.completion_tokens)
            self._seconds.labels(route).observe(seconds)
            if note.first_byte_s is not None:
                self._first.labels(route).observe(note.first_byte_s)
            self._access.info("%s", self._line(note, reply, status, seconds))

    def exposition(self) -> bytes:
        """The counts in Prometheus' text form, of all processes of the gateway."""
        if (folder := os.environ.get(METRICS_FOLDER)) is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _line(self, note: Note, reply: Reply, status: int, seconds: float) -> str:
        line: dict[str, Any] = {
            "time": round(time.time(), 3),
            "id": note.id,
            "key": note.key,
            "method": note.method[:16],
            "path": note.path[:200].decode("latin-1"),
            "status": status,
            "outcome": note.outcome,
            "model": note.model[:100],
            "stream": note.stream,
            "prompt_tokens": note.prompt_tokens,
            "completion_tokens": note.completion_tokens,
            "bytes_in": note.bytes_in,
            "bytes_out": reply.num_bytes,
            "first_byte_s": None if note.first_byte_s is None else round(note.first_byte_s, 4),
            "seconds": round(seconds, 4),
        }
        if self._config.log_prompts:
            line["request"] = note.raw.decode("utf-8", "replace")
        return json.dumps(line)
