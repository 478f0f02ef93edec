"""The reward server, as an ASGI application: keys, limits, back-pressure and metrics around the oracle.

One request is one sample, or a list of samples; the answer is of the same shape. A failure of the sandbox is
`infra_error: true` with `reward: null`, never 0.0. Above the bound of the queue the answer is 429 with Retry-After.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hmac
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from eval.reward.forms import FORMS, Form, FormError
from eval.reward.judging import Judged
from eval.reward.workers import FullError, Task, Workers
from eval.sandbox.toolchains import require_toolchain

log = logging.getLogger("wavecoder.eval")

KeyCheck = Callable[[str], bool]
"""Whether a key is good."""

SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class RefusalError(Exception):
    """A request that is not judged."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}


class RewardServer:
    """What answers."""

    def __init__(self, workers: Workers, accepts: KeyCheck) -> None:
        """Args: workers: that judge; accepts: whether a key is good."""
        self._workers, self._accepts = workers, accepts
        self._registry = CollectorRegistry()
        self._requests = Counter("wavecoder_reward_requests", "Requests by path and status", ("path", "status"),
                                 registry=self._registry)  # fmt: skip
        self._verdicts = Counter("wavecoder_reward_verdicts", "Samples by outcome", ("outcome", "language"),
                                 registry=self._registry)  # fmt: skip
        self._seconds = Histogram("wavecoder_reward_seconds", "Seconds of a verdict, without its wait", buckets=SECONDS,
                                  registry=self._registry)  # fmt: skip
        Gauge("wavecoder_reward_samples", "Samples taken on and not done", registry=self._registry).set_function(
            lambda: workers.samples
        )
        Gauge("wavecoder_reward_room", "Samples that may be taken on", registry=self._registry).set(workers.room)

    def app(self) -> Starlette:
        """The application."""
        routes = [Route(path, self._judged_at(path, form), methods=["POST"]) for path, form in FORMS.items()]
        routes += [Route("/metrics", self._metrics), Route("/health", self._health), Route("/v1/ping", self._health)]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._workers.close()

    def _judged_at(self, path: str, form: Form) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                response = await self._answer(request, form)
            except RefusalError as refusal:
                response = _json({"detail": str(refusal)}, refusal.status, refusal.headers)
            except ClientDisconnect:
                response = Response(status_code=499)  # nobody reads it
            self._requests.labels(path, response.status_code).inc()
            return response

        return answer

    async def _answer(self, request: Request, form: Form) -> Response:
        self._check_key(request)
        body = _parsed(await self._body(request))
        bodies = body if isinstance(body, list) else [body]
        tasks = [self._read(form, each, place) for place, each in enumerate(bodies)]
        if len(tasks) > self._workers.room:
            raise RefusalError(413, f"{len(tasks)} samples in one request; at most {self._workers.room} fit")
        try:
            self._workers.reserve(len(tasks))
        except FullError as full:
            wait = str(math.ceil(full.retry_after_s))
            raise RefusalError(429, "the queue is full; ask again later", retry_after=wait) from None
        judged = await _unless_gone(self._workers.judge(tasks), request)
        for task, each in zip(tasks, judged, strict=True):
            self._note(task, each)
        answers = [form.answer(each, verdict) for each, verdict in zip(bodies, judged, strict=True)]
        try:
            return _json(answers if isinstance(body, list) else answers[0])
        except RecursionError:  # of a form that gives the request back
            raise RefusalError(400, "the body is nested too deep to be given back") from None

    def _read(self, form: Form, body: Any, place: int) -> Task:
        try:
            if not isinstance(body, dict):
                raise FormError("body: an object is wanted")
            task = form.read(body, self._workers.config)
            require_toolchain(task.language)
        except (FormError, FileNotFoundError) as error:
            raise RefusalError(422, f"sample {place}: {error}") from None
        return task

    def _note(self, task: Task, judged: Judged) -> None:
        self._verdicts.labels(judged.outcome, task.language).inc()
        if judged.infra_error:
            log.warning("reward: the sandbox failed: %s", judged.stderr[:300])
        else:
            self._seconds.observe(judged.seconds)

    def _check_key(self, request: Request) -> None:
        if not self._accepts(shown_key(request.headers.get("authorization", ""), request.headers.get("x-api-key", ""))):
            raise RefusalError(401, "no valid key: send it as Authorization: Bearer KEY", www_authenticate="Bearer")

    async def _body(self, request: Request) -> bytes:
        config, body = self._workers.config, bytearray()
        most = config.max_body_mb * 2**20
        too_large = RefusalError(413, f"the body is larger than {config.max_body_mb} MB", connection="close")
        if int(request.headers.get("content-length", "0")) > most:
            raise too_large
        try:
            async with asyncio.timeout(config.body_timeout_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > most:
                        raise too_large
        except TimeoutError:
            raise RefusalError(408, "the body did not come in time", connection="close") from None
        return bytes(body)

    async def _metrics(self, request: Request) -> Response:
        try:
            self._check_key(request)
        except RefusalError as refusal:
            return _json({"detail": str(refusal)}, refusal.status, refusal.headers)
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")

    async def _health(self, _: Request) -> Response:
        return Response("pong", media_type="text/plain")


def one_key(key: str) -> KeyCheck:
    """A check against a single key, whose time does not depend on what is shown."""
    return lambda shown: hmac.compare_digest(shown.encode(), key.encode())


def shown_key(authorization: str, x_api_key: str) -> str:
    """The key that a request shows: as a bearer token, as `x-api-key`, or as the password of a URL (Basic)."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    if scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            return base64.b64decode(secret.strip(), validate=True).decode().partition(":")[2]
    return x_api_key


async def _unless_gone(work: Any, request: Request) -> list[Judged]:
    """Do the work; leave it when the client goes away."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise RefusalError(400, "the body is not JSON") from None


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(content), status, headers, media_type="application/json")
