"""The few moves of ASGI that the gateway makes: read a body within bounds, answer, notice that the client has gone."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from serve.gateway.admission import RefusalError, too_large
from serve.gateway.settings import GatewayConfig

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Write = Callable[[bytes], bool]
"""Writes a part of a stream at once, or says that it has to go through ASGI's `send`."""
Headers = list[tuple[bytes, bytes]]

WRITE = "wavecoder.write"
"""Name of the server's `Write` among the extensions of a request's scope."""

ALWAYS: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class ClientGoneError(Exception):
    """The client closed its connection."""


async def read_body(receive: Receive, config: GatewayConfig, encoding: str = "identity") -> bytes:
    """A request's body, decompressed; the limit holds before and after.

    Raises:
        RefusalError: it is too long or too slow.
        ClientGoneError: it does not end.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(config.body_timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                body += message.get("body", b"")
                if len(body) > config.max_body_bytes:
                    raise too_large(config)
                if not message.get("more_body"):
                    return bytes(body) if encoding == "identity" else _decompressed(bytes(body), encoding, config)
    except TimeoutError:
        message_text = f"the body did not come within {config.body_timeout_s:g} s"
        raise RefusalError(408, "request_timeout", message_text) from None


def _decompressed(body: bytes, encoding: str, config: GatewayConfig) -> bytes:
    """No more than the limit is ever unpacked, however small it was packed."""
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    try:
        unpacked = unpacking.decompress(body, config.max_body_bytes + 1)
    except zlib.error:
        raise RefusalError(400, "invalid_encoding", f"the body is not {encoding}") from None
    if len(unpacked) > config.max_body_bytes:
        raise too_large(config)
    if not unpacking.eof or unpacking.unused_data:
        raise RefusalError(400, "invalid_encoding", f"the body is not one whole {encoding} stream")
    return unpacked


def writer_of(scope: Any) -> Write:
    """The server's shorter way for a stream's parts; under another server than ours there is none."""
    write: Write = scope.get("extensions", {}).get(WRITE, _no_short_way)
    return write


def _no_short_way(_: bytes) -> bool:
    return False


async def unless_gone(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Do the work; cancel it as soon as the client goes away, which closes the connection to the engine too.

    Raises:
        ClientGoneError: it went away.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_departure(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Reply:
    """A response being sent."""

    def __init__(self, send: Send, request_id: str, write: Write, *, messages: bool = False) -> None:
        """A response to be sent.

        Args:
            send: ASGI's.
            request_id: goes into the headers.
            write: the server's shorter way for a stream's parts.
            messages: errors are Anthropic's objects.
        """
        self._send, self._write, self.request_id, self.messages = send, write, request_id, messages
        self._common: Headers = [*ALWAYS, (b"x-request-id", request_id.encode())]
        if messages:
            self._common.append((b"request-id", request_id.encode()))
        self.limits: Callable[[], Headers] = list
        """Headers of what the key has left, told with every answer."""
        self.status, self.num_bytes = 0, 0
        """0 until the head is sent."""

    async def start(self, status: int, content_type: bytes, headers: Headers | None = None) -> None:
        """Send the head."""
        self.status = status
        fields = [(b"content-type", content_type), *self._common, *self.limits(), *(headers or [])]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def part(self, body: bytes, *, more: bool = True) -> None:
        """Send a piece of the body; of one whose length the head did not tell if `more` follows."""
        self.num_bytes += len(body)
        if more and self._write(body):
            return
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def whole(self, status: int, content_type: bytes, body: bytes, headers: Headers | None = None) -> None:
        """Send a response at once."""
        await self.start(status, content_type, [(b"content-length", str(len(body)).encode()), *(headers or [])])
        await self.part(body, more=False)

    async def refuse(self, refusal: RefusalError) -> None:
        """Send an error: as a response, or as the last event of a stream that has begun."""
        body = refusal.message_body(self.request_id) if self.messages else refusal.body()
        if self.status:
            named = b"event: error\n" if self.messages else b""
            await self.part(named + b"data: " + body + b"\n\n", more=False)
        else:
            # The body may not have been read: nothing that follows on this connection can be told from it.
            headers = [*refusal.headers(), (b"connection", b"close")]
            await self.whole(refusal.status, b"application/json", body, headers)
