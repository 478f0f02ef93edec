"""A chat with any OpenAI-compatible endpoint: one row's question → one row's answer, failures as data.

Nothing that an endpoint sends is trusted: answers are read up to a limit, and whatever is not an answer is a short
reason, counted by whoever asked. Only two kinds of failure end a job: a refused key, and an endpoint that answers
nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from serve.client.concurrency import Pace
from serve.client.upstream import OneServer, Upstream
from serve.settings import EndpointConfig

MAX_ANSWER_BYTES = 1 << 20
"""Most of an answer that is read; far more than any `max_tokens` that is sensible here."""

GIVEN_UP_IN_A_ROW = 8
"""So many questions given up, with no answer to any other in between, and the endpoint counts as gone."""

CONNECT_S = 15.0
"""Longest wait for a connection: a machine that is gone refuses none."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0


@dataclass(frozen=True)
class _Reply:
    """What came of one request."""

    status: int = 0
    """0: no whole HTTP answer."""
    body: bytes = b""
    trouble: str = ""
    unreachable: bool = False
    retry_after_s: float = 0.0

    @property
    def overloaded(self) -> bool:
        return self.status in {429, 503}

    @property
    def worth_another_try(self) -> bool:
        return self.status in {0, 408, 409, 429} or self.status >= 500


class ChatClient:
    """Asks an endpoint. Picklable: it opens its connections where it is first used."""

    def __init__(self, config: EndpointConfig, upstream: Upstream | None = None) -> None:
        """A client with no connections yet.

        Args:
            config: where the endpoint is and how patient to be.
            upstream: who knows a shorter way to its replicas.
        """
        self._config = config
        self._upstream = upstream or OneServer(config.url, redirects=True)
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered_at, self._given_up = float("-inf"), 0

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self._config, "upstream": self._upstream}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __del__(self) -> None:
        self._disconnect()

    async def __call__(
        self,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        schema: dict[str, Any] | None = None,
        stop: list[str] | None = None,
    ) -> dict[str, Any]:
        """One answer: `text, finish_reason, prompt_tokens, cached_tokens, completion_tokens, seconds, error`.

        `error` is "" when it is one, otherwise a short reason, then perhaps a colon and details. Busy and failing
        endpoints are asked again; `seconds` is of the last try.

        Args:
            model: the name that the endpoint knows it by.
            messages: OpenAI chat messages.
            max_tokens: most tokens of the answer.
            temperature: 0 is greedy.
            seed: of the sampling.
            schema: JSON schema that the answer must follow (structured decoding).
            stop: strings that end the answer.

        Raises:
            ConnectionError: the endpoint answers nobody, after retries.
            PermissionError: it refuses the key, or the account's quota is used up.
            ValueError: it has no such model or address.
        """
        request: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": max_tokens}
        request |= {"temperature": temperature, "seed": seed, "stop": stop}
        if schema is not None:
            request["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return await self._ask("/chat/completions", request)

    async def complete(
        self,
        *,
        model: str,
        prompt: str,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: list[str] | None = None,
    ) -> dict[str, Any]:
        """The continuation of a plain text (/v1/completions, no chat template): the same answer, the same errors."""
        request: dict[str, Any] = {"model": model, "prompt": prompt, "max_tokens": max_tokens}
        request |= {"temperature": temperature, "seed": seed, "stop": stop or None}
        return await self._ask("/completions", request)

    async def _ask(self, route: str, request: dict[str, Any]) -> dict[str, Any]:
        """Ask until there is an answer, a refusal, or patience ends."""
        model = request["model"]
        body = json.dumps({name: value for name, value in request.items() if value is not None}).encode()
        session, asked, tries = self._connected(), time.monotonic(), 0
        while True:
            async with self._pace.turn() as began:
                reply = await self._post(session, route, model, body)
                seconds = time.monotonic() - began
                if reply.retry_after_s > self._config.timeout_s:
                    raise ConnectionError(f"{self._config.url} asks to be left alone for {reply.retry_after_s:.0f} s; "
                                          "run the same command again after that")  # fmt: skip
                if reply.overloaded or seconds > self._config.timeout_s / 2:
                    self._pace.overloaded(began, reply.retry_after_s)
                elif reply.status == 200:
                    self._pace.went_well(began)
            if not reply.worth_another_try:
                return self._settle(reply, model) | {"seconds": round(seconds, 3)}
            tries += reply.status != 429
            waited = time.monotonic() - asked + reply.retry_after_s
            if tries > self._config.max_retries or (reply.status == 429 and waited > self._config.timeout_s):
                return self._give_up(reply, model, asked) | {"seconds": round(seconds, 3)}
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(tries - 1, 0)) * random.uniform(0.75, 1.0)
            await asyncio.sleep(max(pause, reply.retry_after_s) if reply.retry_after_s else pause)

    async def _post(self, session: aiohttp.ClientSession, route: str, model: str, body: bytes) -> _Reply:
        try:
            async with self._upstream.post(session, route, model, body, {}) as response:
                read = bytearray()
                async for chunk in response.content.iter_any():
                    read += chunk
                    if len(read) > MAX_ANSWER_BYTES:
                        return _Reply(400, trouble=f"answer larger than {MAX_ANSWER_BYTES >> 20} MiB")
                reason = f"the endpoint says {response.status}"
                return _Reply(response.status, bytes(read), reason, retry_after_s=_retry_after(response.headers))
        except aiohttp.InvalidURL:
            raise ValueError(f"{self._config.url!r} is no URL of an endpoint") from None
        except aiohttp.ClientConnectorError as error:
            return _Reply(trouble=f"cannot connect: {error}", unreachable=True)
        except TimeoutError:
            return _Reply(trouble="no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # half an answer, or what is no HTTP
            return _Reply(trouble=f"broken off: {type(error).__name__} {error}"[:300])

    def _settle(self, reply: _Reply, model: str) -> dict[str, Any]:
        """An answer, a failure of this question alone, or a refusal of all of them."""
        if reply.status == 200:
            self._answered_at, self._given_up = time.monotonic(), 0
            return _answer(reply.body)
        details = self._without_key(reply.body[:500].decode("utf-8", "replace"))
        if reply.status in {401, 403}:
            name = f"${self._config.api_key_env}" if self._config.api_key_env else "that it was asked without"
            raise PermissionError(f"{self._config.url} refuses the key {name} ({reply.status}: {details})")
        if reply.status == 404 and self._answered_at < 0:
            raise ValueError(f"{self._config.url} knows no model {model!r}, or no chats at all (404: {details})")
        return _failure(f"{reply.trouble}: {details}")

    def _give_up(self, reply: _Reply, model: str, asked: float) -> dict[str, Any]:
        """After the last try: this question failed, unless nobody else was answered meanwhile either."""
        details = self._without_key(reply.body[:500].decode("utf-8", "replace"))
        if "insufficient_quota" in details:
            raise PermissionError(f"{self._config.url} says that the account's quota is used up ({details})")
        if self._answered_at < asked:
            self._given_up += 1
            if reply.unreachable or self._given_up >= GIVEN_UP_IN_A_ROW:
                raise ConnectionError(f"no answer from {self._config.url} for model {model}: {reply.trouble} {details}")
        return _failure(f"{reply.trouble}: {details}")

    def _without_key(self, text: str) -> str:
        key = os.environ.get(self._config.api_key_env or "", "")
        return " ".join((text.replace(key, "…") if key else text).split())

    def _connected(self) -> aiohttp.ClientSession:
        """The session of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            key_name = self._config.api_key_env
            key = os.environ.get(key_name) if key_name else "none"
            if not key:
                raise PermissionError(f"the key of {self._config.url} is to come from ${key_name}, which is not set")
            self._disconnect()
            self._loop, self._pace = loop, Pace(self._config.concurrency)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # the pace is the limit
                headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=self._config.timeout_s, sock_connect=CONNECT_S),
                proxy=_proxy(self._config.url),
            )
        return self._session

    def _disconnect(self) -> None:
        """Close the connections of an event loop that is closed: there is nothing left to wait for then."""
        session = getattr(self, "_session", None)
        if session is not None and session.connector is not None and self._loop is not None and self._loop.is_closed():
            with contextlib.suppress(StopIteration):
                session.connector.close().send(None)


def _proxy(url: str) -> str | None:
    """The environment's proxy for an address, found once: aiohttp's own look-up takes a thread for every request."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def _retry_after(headers: Any) -> float:
    """Seconds to wait, from a number or a date; 0 where there is none that makes sense."""
    text = headers.get("Retry-After", "")
    try:
        if text.replace(".", "", 1).isdigit():
            return min(float(text), 1e6)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()) if text else 0.0
    except (ValueError, TypeError):
        return 0.0


def _answer(body: bytes) -> dict[str, Any]:
    """The answer that a body holds; a failure for any other bytes."""
    try:
        completion = json.loads(body)
        choice = completion["choices"][0]
        message = choice["message"] if "message" in choice else {"content": choice["text"]}
        usage, finish = completion.get("usage") or {}, choice.get("finish_reason") or ""
        text = message.get("content") or ""
        details = usage.get("prompt_tokens_details") or {}
        used = {
            "prompt_tokens": _count(usage.get("prompt_tokens")),
            "cached_tokens": _count(details.get("cached_tokens")),
            "completion_tokens": _count(usage.get("completion_tokens")),
        }
    except (ValueError, RecursionError, KeyError, IndexError, TypeError, AttributeError):
        return _failure("malformed answer")
    if not isinstance(text, str) or not isinstance(finish, str):
        return _failure("malformed answer")
    refused = finish == "content_filter" or (not text and message.get("refusal"))
    error = "refused" if refused else "" if text else "empty answer"
    # Half a surrogate pair, which JSON can carry, can be neither printed nor stored.
    return {"text": text.encode("utf-8", "replace").decode(), "finish_reason": finish, "error": error} | used


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def _failure(error: str) -> dict[str, Any]:
    return {"text": "", "finish_reason": "error", "prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0,
            "error": error[:600].rstrip(": ")}  # fmt: skip
