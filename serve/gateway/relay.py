"""One request on its way: what was asked of whom, what it is charged, and its answer as the client reads it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp

from serve.gateway.admission import Address, RefusalError, over_limit
from serve.gateway.anthropic_answers import stream, whole
from serve.gateway.ask import Ask
from serve.gateway.chat_answers import mended_answer
from serve.gateway.limits import Wait
from serve.gateway.streams import Meter
from serve.gateway.upstream_errors import error_of_choice, is_error, refusal_in_answer

_STREAM = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How an event begins."""

AFTER_END_S = 0.5
"""How long a server may take to close a stream behind its last event, before its connection is given up."""


@dataclass
class Use:
    """What a request is to be charged."""

    hold: Callable[[int, float], Wait | None]
    """Holds tokens for it, at a time."""
    tokens: int = 0

    def reserve(self, tokens: int) -> None:
        """Hold the most that it can use.

        Raises:
            RefusalError: the key has less.
        """
        wait = self.hold(tokens, time.time())
        if wait is not None:
            raise over_limit(wait)
        self.tokens = tokens


class Relaying(NamedTuple):
    """A request on its way: what was asked of whom, and what it is charged."""

    ask: Ask
    address: Address
    meter: Meter
    use: Use
    translated: bool
    """The client speaks Anthropic's words."""

    async def stream_of(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The stream that a client asked for, in parts of whole events, as it reads them.

        An answer that came at once becomes one: some servers stream no calls of tools. Others name another type.
        """
        kind, begun = answer.content_type, b""
        if kind != "text/event-stream":
            begun = await answer.content.readany()
        if kind == "text/event-stream" or begun.lstrip().startswith(_STREAM):
            parts = self._events(answer.content, begun)
        else:
            parts = self._whole_as_events(begun + await answer.read())
        return stream(parts) if self.translated else parts

    async def _events(self, content: aiohttp.StreamReader, begun: bytes) -> AsyncIterator[bytes]:
        meter, chunk = self.meter, begun
        while chunk := chunk or await content.readany():
            events = meter.feed(chunk)
            chunk, self.use.tokens = b"", meter.tokens
            if events:
                yield events
            if meter.failed:
                raise refusal_in_answer(meter.error)
            if meter.finished:
                await _read_to_end(content)
                return
        rest = meter.end()
        self.use.tokens = meter.tokens
        if rest:
            yield rest
        if meter.failed:
            raise refusal_in_answer(meter.error)
        if not meter.finished:
            raise RefusalError(502, "upstream_unavailable", "the engine broke off")

    async def _whole_as_events(self, body: bytes) -> AsyncIterator[bytes]:
        content = json.loads(body)
        if isinstance(content, dict) and content.get("object") == "response":
            kinds = ("response.created", f"response.{content.get('status') or 'completed'}")
            events = [{"type": kind, "sequence_number": at, "response": content} for at, kind in enumerate(kinds)]
            named = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
        else:
            named = [f"data: {json.dumps(content)}\n\n", "data: [DONE]\n\n"]
        events_ = self.meter.feed("".join(named).encode())
        self.use.tokens = self.meter.tokens
        if events_ and not self.meter.failed:
            yield events_
        if self.meter.failed:
            raise refusal_in_answer(self.meter.error)

    def read_whole(self, body: bytes) -> bytes:
        """An answer that is no stream, as the client reads it.

        Raises:
            RefusalError: it is an error in spite of its status.
            ValueError: it is no JSON.
        """
        content = json.loads(body)
        if not isinstance(content, dict) or is_error(content):
            raise refusal_in_answer(content)
        if (broken := error_of_choice(content)) is not None:
            raise refusal_in_answer(broken)
        if self.address.kind in {"chat", "completions"} and not _has_choice(content.get("choices")):
            raise ValueError("no choices")
        if self.meter.read(content):
            self.use.tokens = self.meter.tokens
        if not self.translated:
            return mended_answer(body)
        if self.address.kind == "tokenize":
            return json.dumps({"input_tokens": int(content["count"])}).encode()
        return whole(body)


def _has_choice(choices: Any) -> bool:
    return isinstance(choices, list) and bool(choices) and all(isinstance(choice, dict) for choice in choices)


async def _read_to_end(content: aiohttp.StreamReader) -> None:
    """Read the end of a stream whose last event has come, so that its connection is used again."""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(AFTER_END_S):
            async for _ in content.iter_any():
                pass
