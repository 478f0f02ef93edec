"""The gateway's server: uvicorn with strict parsing, and patience that ends."""

from __future__ import annotations

import asyncio
import resource
import ssl
from functools import partial
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from serve.gateway.admission import MOST_HEAD_BYTES, RefusalError
from serve.gateway.asgi import WRITE
from serve.gateway.settings import GatewayConfig


class ClosingTransport:
    """A connection that is closed only when the client has sent its body, or has had its time.

    An answer to a body that is not read through, such as 413, would be lost: a connection closed with bytes unread is
    reset, and urllib and Node then fail before they have read the answer.
    """

    def __init__(self, transport: asyncio.Transport, conn: h11.Connection, settings: GatewayConfig) -> None:
        self._transport, self._conn, self._settings = transport, conn, settings
        self.lingering = False
        """What comes is thrown away until the client closes."""

    def __getattr__(self, name: str) -> Any:
        """All else is the connection's."""
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more is written."""
        return self.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Say that no more comes, and wait for the client to close, as long as for a head."""
        if self._transport.is_closing() or self.lingering:
            return
        if self._conn.their_state not in {h11.SEND_BODY, h11.ERROR}:
            self._transport.close()
            return
        self.lingering = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(self._settings.header_timeout_s, self._transport.abort)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection which does not send a request's head in time: uvicorn itself waits for ever.

    Connections above a number are closed at once, so that a flood of silent ones does not use up the process's files.
    """

    def __init__(self, settings: GatewayConfig, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._settings, self._most_connections = settings, most_connections(settings)
        self._header_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        self._closing: ClosingTransport
        self.app = partial(_with_extension, self.app, {WRITE: self._write_part})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection opens: the time runs."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._write = self.transport.write
        self._closing = ClosingTransport(self.transport, self.conn, self._settings)
        self.transport = self._closing  # type: ignore[assignment]  # it does all that a transport does
        if len(self.connections) > self._most_connections:
            self.transport.abort()
            return
        self._header_timer = self.loop.call_later(self._settings.header_timeout_s, self._close)

    def data_received(self, data: bytes) -> None:
        """Bytes come: the time stops at the end of a head and runs again from the first byte of the next."""
        if self._closing.lingering:
            return  # the rest of a body that was answered without it
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_timer()
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self._settings.header_timeout_s, self._close)

    def _write_part(self, part: bytes) -> bool:
        """Write a part of a stream without h11, whose state it does not change; False where `send` has to do it."""
        if not part or self.flow.write_paused or self.cycle.disconnected or self.conn.our_state is not h11.SEND_BODY:
            return False
        if self.scope["http_version"] != "1.1" or self.scope["method"] == "HEAD":
            return False  # no chunks, or no body
        self._write(b"%x\r\n%b\r\n" % (len(part), part))
        return True

    def on_response_complete(self) -> None:
        """An answer is written: whoever still sends the body of what was answered without it is not listened to."""
        super().on_response_complete()
        if self.transport.is_closing() or self.conn.their_state is h11.SEND_BODY:
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection has had its time."""
        super().timeout_keep_alive_handler()
        self._close()

    def pause_writing(self) -> None:
        """The client does not take what is written: the time runs."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(self._settings.send_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes it again."""
        self._stop_send_timer()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; behind an answer that has begun there is no place for that."""
        body = RefusalError(400, "invalid_http", msg).body()
        length = (b"content-length", str(len(body)).encode())
        fields = [(b"content-type", b"application/json"), length, (b"connection", b"close")]
        events = (h11.Response(status_code=400, headers=fields), h11.Data(data=body), h11.EndOfMessage())
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            self.transport.abort()
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """The server ends: who still sends what nobody reads is cut off."""
        if self._closing.lingering:
            self._closing.abort()
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._stop_timer()
        self._stop_send_timer()
        super().connection_lost(exc)

    def _close(self) -> None:
        """Close once what was written is taken, and anyway after a while."""
        self.transport.close()
        self.loop.call_later(self._settings.send_timeout_s, self.transport.abort)

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


async def _with_extension(app: Any, extensions: dict[str, Any], scope: Any, receive: Any, send: Any) -> None:
    """ASGI's call of `app`, which finds more than the specification has in its scope."""
    scope["extensions"] = extensions
    await app(scope, receive, send)


def server_for(app: Any, host: str, port: int, config: GatewayConfig) -> uvicorn.Server:
    """A server that `run()` runs until SIGINT or SIGTERM, and then ends the answers under way within `drain_s`.

    Raises:
        ValueError, OSError: certificate or key cannot be used.
    """
    protocol: Any = partial(PatientProtocol, config)
    cert, key = _tls_files(config)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host.strip("[]"),
            port=port,
            http=protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is told by the key, not by what a header says
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            log_level="error",  # strangers could fill the log with warnings of odd requests
            timeout_keep_alive=15,
            timeout_graceful_shutdown=config.drain_s,
            ssl_certfile=cert,
            ssl_keyfile=key,
        )
    )


def most_connections(config: GatewayConfig) -> int:
    """Connections of clients at the same time, idle ones included."""
    return 4 * config.max_in_flight


def allow_open_files(config: GatewayConfig) -> None:
    """Raise this process's limit of open files to what all clients and their requests to the engine may need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most_connections(config) + config.max_in_flight + 512
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tls_files(config: GatewayConfig) -> tuple[Path | None, Path | None]:
    """Certificate and key, tried out: uvicorn would tell of a bad one after the engines are loaded."""
    if config.tls_cert is None or config.tls_key is None:
        return None, None
    cert, key = Path(config.tls_cert).expanduser(), Path(config.tls_key).expanduser()
    for setting, file in (("tls_cert", cert), ("tls_key", key)):
        if file.is_dir():
            raise IsADirectoryError(f"serve.gateway.{setting} {file} is a folder, where a file is wanted")
        if not file.is_file():
            raise FileNotFoundError(f"serve.gateway.{setting} {file}: there is no such file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_no_pass_phrase)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"serve.gateway.tls_cert {cert} and tls_key {key} are no pair in PEM form: {error}") from None
    return cert, key


def _no_pass_phrase() -> str:
    raise ValueError("the key has a pass phrase")
