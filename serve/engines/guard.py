"""The guards at the ports of Ray Serve and the replicas: web pages do not get in, nor who does not know the secret.

A browser reaches the loopback address. Nobody who should be here is one: a request that names an origin, or a host that
is not this machine, is refused before Serve sees it; Serve finds that guard by the environment variable `CALLBACK`.
vLLM's own server, behind it, answers whoever shows the secret that the endpoint made for its gateway and its jobs.
"""

from __future__ import annotations

import hmac
from typing import Any

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from serve.gateway.asgi import Receive, Send
from serve.gateway.settings import names_this_machine

CALLBACK = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "serve.engines.guard.middlewares"}


class NoPages:
    """ASGI middleware."""

    def __init__(self, app: Any) -> None:
        """Args: app: what it stands in front of."""
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "http" and not _is_no_page(dict(scope["headers"])):
            refusal = PlainTextResponse("web pages are not answered here; use the gateway", status_code=403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class OnlyWithSecret:
    """ASGI middleware before all that a replica answers: vLLM's own option guards some of its addresses only."""

    def __init__(self, app: Any, secret: str) -> None:
        """Args: app: what it stands in front of; secret: the bearer token that it asks for."""
        self._app, self._expected = app, f"Bearer {secret}".encode()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        shown = dict(scope["headers"]).get(b"authorization", b"") if scope["type"] == "http" else self._expected
        if hmac.compare_digest(shown, self._expected):
            await self._app(scope, receive, send)
        else:
            refusal = PlainTextResponse("this port is the gateway's; use the gateway", status_code=401)
            await refusal(scope, receive, send)


def _is_no_page(headers: dict[bytes, bytes]) -> bool:
    host = headers.get(b"host", b"").decode("latin-1")
    return b"origin" not in headers and b"sec-fetch-site" not in headers and names_this_machine(host)


def middlewares() -> list[Middleware]:
    """What Ray Serve's proxies put before themselves."""
    return [Middleware(NoPages)]
