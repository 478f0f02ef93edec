"""The gateway in front of the endpoint, an ASGI application: who asks, may they, how much; then the answer as it comes.

One request: path and key (`admission.py`, `keys.py`) → limits (`limits.py`) → a fresh request to the endpoint with
nothing of the client's but its checked body → the answer, event by event (`streams.py`). No header of the client goes
further: Ray Serve obeys some, such as one that sets its time-out and one that keeps it working for clients that left.

Not covered: an answer is one engine's; a replica lost in the middle of one ends it with an error event.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_args
from urllib.parse import unquote

import aiohttp

from serve.client.chat import MOST_HEADER_BYTES
from serve.client.upstream import UnknownModelError, Upstream
from serve.gateway.access_log import Note, Traffic
from serve.gateway.admission import (
    CONTEXT_EXCEEDED,
    MESSAGES,
    MODEL_PREFIX,
    Address,
    RefusalError,
    address_of,
    bearer,
    check_head,
    check_method,
    check_size,
    encoding_of,
    header,
    may_ask,
    methods_of,
    over_limit,
    speaks_anthropic,
    unknown_model,
)
from serve.gateway.anthropic import to_chat
from serve.gateway.anthropic_answers import model_list, model_object
from serve.gateway.asgi import ClientGoneError, Receive, Reply, Send, read_body, unless_gone, writer_of
from serve.gateway.ask import parse, read_ask
from serve.gateway.keys import Key, KeyRing, Route, read_usage, write_usage
from serve.gateway.limit_headers import of_anthropic, of_openai
from serve.gateway.limits import Limiter, Wait
from serve.gateway.playground import PAGE, PAGE_HEADERS
from serve.gateway.relay import Relaying, Use
from serve.gateway.settings import GatewayConfig, host_name, keys_file, names_this_machine
from serve.gateway.streams import Meter
from serve.gateway.upstream_errors import refusal_of

log = logging.getLogger("wavecoder.serve")

JSON = b"application/json"

NO_ANSWER = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading an answer raises that is none: no JSON, no UTF-8, or JSON of another shape."""

NOBODY = Key(id="local", name="this machine", digest="0" * 64, created=datetime.now(UTC), routes=get_args(Route))
"""Who asks where no keys are set up: anyone on this machine."""

MODEL_FIELDS = ("id", "object", "created", "owned_by", "parent", "max_model_len")
"""What clients are told of a model; vLLM also says where on its disk the weights lie."""

SAVE_EVERY_S = 10.0


class Gateway:
    """The application. State: the keys' use, the traffic's counts, and the connections to the endpoint."""

    def __init__(
        self, config: GatewayConfig, context: int, upstream: Upstream | None = None, limiter: Limiter | None = None
    ) -> None:
        """Gateway of one endpoint.

        Args:
            config: who may ask, and how much.
            context: most tokens that its engine takes for one answer, prompt included.
            upstream: who answers; may be set before the first request, when it is there.
            limiter: counts of all processes, which somebody else keeps; None: this process is the only one.

        Raises:
            ValueError: the file of keys is none.
            OSError: it cannot be read.
        """
        self._config, self.context = config, context
        self.upstream = upstream
        self._keys_file = keys_file(config)
        self._ring = KeyRing(self._keys_file) if self._keys_file is not None else None
        self._keeps_use = limiter is None
        self._limiter = limiter or Limiter.from_state(read_usage(self._keys_file) if self._keys_file else {})
        self._traffic = Traffic(config, self._limiter)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """ASGI's entrance."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        note = Note(scope["method"], scope["raw_path"])
        messages = speaks_anthropic(scope["raw_path"], scope["headers"])
        reply = Reply(send, note.id, writer_of(scope), messages=messages)
        with self._traffic.watch(note, reply):
            try:
                await self._answer(scope, receive, reply, note)
            except RefusalError as refusal:
                note.outcome = refusal.code
                await reply.refuse(refusal)
            except ClientGoneError:
                note.outcome = "client_gone"
            except Exception as error:  # noqa: BLE001 - the top of a request: its client gets an error body too
                log.error("request %s failed: %r", note.id, type(error))  # the message might hold a prompt
                note.outcome = "internal_error"
                await reply.refuse(RefusalError(500, "internal_error", f"the gateway failed; request id {note.id}"))

    async def _answer(self, scope: Any, receive: Receive, reply: Reply, note: Note) -> None:
        path, method = scope["raw_path"], scope["method"]
        check_size(path, scope["headers"])
        if path == b"/health" and method in {"GET", "HEAD"}:
            return await reply.whole(200, JSON, b'{"status": "ok"}')
        if self._ring is None:
            self._only_for_this_machine(scope["headers"])
        if path == b"/" and method in {"GET", "HEAD"} and self._config.playground:
            return await reply.whole(200, b"text/html; charset=utf-8", PAGE, PAGE_HEADERS)
        key = self._identify(scope["headers"])
        note.key = key.id
        reply.limits = partial(self._left, key, path)
        address = address_of(path)
        note.route = address.route
        check_method(address, method)
        if method == "OPTIONS":
            return await reply.whole(204, JSON, b"", [(b"allow", methods_of(address).encode())])
        if address.route not in key.routes:
            raise RefusalError(403, "route_not_allowed", f"this key is not for {address.route}")
        if address.route == "metrics":
            return await reply.whole(200, b"text/plain; version=0.0.4; charset=utf-8", self._traffic.exposition())
        if address.route == "models":
            with self._charged(key):
                return await unless_gone(self._list_models(path, key, reply), receive)
        return await self._pass_on(scope, receive, reply, note, key, address)

    async def _pass_on(
        self, scope: Any, receive: Receive, reply: Reply, note: Note, key: Key, address: Address
    ) -> None:
        """Check what is asked of the engine, reserve for it, and relay it."""
        headers = scope["headers"]
        check_head(headers, self._config)
        with self._charged(key) as use, self._traffic.slot():
            raw = await read_body(receive, self._config, encoding_of(headers))
            body, translated = parse(raw), scope["raw_path"].startswith(MESSAGES)
            if translated:
                body = to_chat(body, counting=address.kind == "tokenize")
            ask = read_ask(body, address.kind, key, self._config, self.context)
            note.take(ask, raw)
            use.reserve(ask.max_tokens)
            hide_usage = ask.hide_usage and not translated  # Anthropic's clients are told at the end of every stream
            relaying = Relaying(ask, address, Meter(ask.prompt_tokens, hide_usage=hide_usage), use, translated)
            await unless_gone(self._relay(relaying, reply, note), receive)

    def _only_for_this_machine(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Without keys, a page of a stranger must not get here through a name that it points at this machine."""
        host = (header(headers, b"host") or "").lower()
        if not names_this_machine(host) and host_name(host) not in {each.lower() for each in self._config.hosts}:
            message = "without API keys, only 127.0.0.1 and localhost are answered"
            if name := host_name(host)[:100]:
                message += f"; to answer {name!r}, too, name it in serve.gateway.hosts"
            raise RefusalError(403, "host_not_allowed", message)

    def _identify(self, headers: list[tuple[bytes, bytes]]) -> Key:
        if self._ring is None:
            return NOBODY
        secret = bearer(headers)
        if secret is None:
            raise RefusalError(401, "missing_api_key", "send an API key: Authorization: Bearer KEY")
        key = self._ring.find(secret, datetime.now(UTC))
        if key is None:
            raise RefusalError(401, "invalid_api_key", "this API key is unknown, expired or revoked")
        return key

    def _left(self, key: Key, path: bytes) -> list[tuple[bytes, bytes]]:
        now = time.time()
        left = self._limiter.left(key.id, key.limits, now)
        return of_anthropic(left, now) if path.startswith(MESSAGES) else of_openai(left)

    @contextmanager
    def _charged(self, key: Key) -> Iterator[Use]:
        """Counts a request before its body is read: a key that has used up its requests holds no place meanwhile."""
        ticket = self._limiter.admit(key.id, key.limits, 0, time.time())
        if isinstance(ticket, Wait):
            raise over_limit(ticket)
        use = Use(partial(self._limiter.reserve, ticket, key.limits))
        try:
            yield use
        finally:
            self._limiter.settle(ticket, use.tokens, time.time())

    async def _list_models(self, path: bytes, key: Key, reply: Reply) -> None:
        """The models that a key may ask; one of them if the path names it."""
        session, upstream = self._connected()
        async with self._in_time():
            try:
                there = [model for model in await upstream.models(session) if may_ask(key, model["id"])]
            except aiohttp.ClientResponseError as error:
                _tell_operator(error.status, str(error.request_info.url))
                raise
        listed = [{name: model[name] for name in MODEL_FIELDS if name in model} for model in there]
        if reply.messages:
            listed = [model_object(model) for model in listed]
        shown: Any = model_list(listed) if reply.messages else {"object": "list", "data": listed}
        name = path.removesuffix(b"/").removeprefix(MODEL_PREFIX.removesuffix(b"/")).removeprefix(b"/")
        if name:
            wanted = unquote(name.decode("latin-1"))  # names hold slashes
            shown = next((model for model in listed if model["id"] == wanted), None)
            if shown is None:
                raise unknown_model(wanted)
        await reply.whole(200, JSON, json.dumps(shown).encode())

    async def _relay(self, relaying: Relaying, reply: Reply, note: Note) -> None:
        """Ask the endpoint and pass on what it answers, translated if the client speaks Anthropic's words."""
        meter, use = relaying.meter, relaying.use
        try:
            async with self._asked(relaying, reply) as answer:
                if relaying.ask.stream:
                    await self._relay_stream(await relaying.stream_of(answer), reply, note)
                else:
                    body = relaying.read_whole(await answer.read())
                    note.first_byte()
                    await reply.whole(200, JSON, body)
        except RefusalError as refusal:
            # Anthropic's API writes what the context leaves where that is less than what was asked for: so do we, as
            # coding agents ask for 32,000 tokens and more.
            too_long = relaying.translated and refusal.code == CONTEXT_EXCEEDED
            shorter = relaying.ask.for_what_is_left() if too_long and not reply.status else None
            if shorter is not None:
                return await self._relay(relaying._replace(ask=shorter), reply, note)
            # What the engine turned down cost nothing; what it was too slow for was worked on.
            if refusal.status != 504 and not reply.status:
                use.tokens = meter.prompt_tokens = 0
            raise
        finally:
            note.prompt_tokens, note.completion_tokens = meter.prompt_tokens, meter.completion_tokens

    @staticmethod
    async def _relay_stream(events: AsyncIterator[bytes], reply: Reply, note: Note) -> None:
        """The head is sent with the first event: an error that comes first is a status that clients understand."""
        async for part in events:
            if not reply.status:
                await reply.start(200, b"text/event-stream; charset=utf-8")
            note.first_byte()
            await reply.part(part)
        if not reply.status:
            raise RefusalError(502, "upstream_unavailable", "the engine broke off")
        await reply.part(b"", more=False)

    @contextlib.asynccontextmanager
    async def _asked(self, relaying: Relaying, reply: Reply) -> AsyncIterator[aiohttp.ClientResponse]:
        """The endpoint's answer, if it is one.

        Raises:
            RefusalError: it is an error, or none comes.
        """
        session, upstream = self._connected()
        ask = relaying.ask
        headers = {"content-type": "application/json", "x-request-id": reply.request_id}
        async with self._in_time():
            try:
                async with upstream.post(session, relaying.address.upstream, ask.model, ask.body, headers) as answer:
                    if answer.status not in {200, 201}:
                        _tell_operator(answer.status, upstream.base_url(ask.model))
                        refusal = refusal_of(answer.status, await answer.content.read(65_536), answer.headers)
                        raise await self._told_apart(refusal, ask.model)
                    yield answer
            except UnknownModelError:
                raise unknown_model(ask.model) from None

    async def _told_apart(self, refusal: RefusalError, model: str) -> RefusalError:
        """What a 404 that does not say so means: there is no such model, or it does not do what was asked."""
        if refusal.code != "not_answered":
            return refusal
        session, upstream = self._connected()
        try:
            names = [each["id"] for each in await upstream.models(session)]
        except (aiohttp.ClientError, *NO_ANSWER):
            names = []
        if model not in names:
            return unknown_model(model)
        return RefusalError(404, "unsupported_url", f"the model {model!r} does not answer this address")

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Bounds what is asked of the endpoint inside, and says in our words how it failed."""
        try:
            async with asyncio.timeout(self._config.request_timeout_s):
                yield
        except TimeoutError:
            raise RefusalError(504, "timeout", "the answer did not come in time") from None
        except aiohttp.ClientError:
            raise RefusalError(502, "upstream_unavailable", "the engine is not reachable or broke off") from None
        except NO_ANSWER as error:
            log.error("the engine's answer cannot be read: %r", type(error))
            raise RefusalError(502, "upstream_error", "the engine's answer cannot be read") from None

    def _connected(self) -> tuple[aiohttp.ClientSession, Upstream]:
        if self._session is None or self.upstream is None:
            raise RefusalError(503, "unavailable", "the engine cannot answer yet; try again")
        return self._session, self.upstream

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open the connections at the start; note the keys' use now and then, and at the end."""
        await receive()
        self._session = aiohttp.ClientSession(
            # Idle connections are closed here first (vLLM's server waits 5 s, Ray Serve 90): none is used that is being
            # closed there.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},  # some pack all the same
            max_field_size=MOST_HEADER_BYTES,
        )
        saving = asyncio.ensure_future(self._save_repeatedly())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        saving.cancel()
        await self._session.close()
        self._save(self._limiter.state())
        await send({"type": "lifespan.shutdown.complete"})

    async def _save_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await asyncio.to_thread(self._save, self._limiter.state())  # the disk must not hold streams up

    def _save(self, state: dict[str, Any]) -> None:
        if self._keys_file is not None and self._keeps_use:
            write_usage(self._keys_file, state)


def _tell_operator(status: int, url: str) -> None:
    """What clients are not told: the endpoint asks the gateway itself for a key."""
    if status in {401, 402, 403}:
        log.error(
            "%s does not take the gateway's key (%d); serve.upstream_key_env names the variable that holds it",
            url,
            status,
        )
