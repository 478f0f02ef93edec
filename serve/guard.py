"""The guard at Ray Serve's own port, where no key is asked for: web pages do not get in.

Ray's ingress answers pages of any origin (CORS `*`), and a browser reaches the loopback address. Nobody who should be
here is a browser: a request that names an origin, or a host that is not this machine, is refused before Serve sees it.
Ray Serve's proxies find this by the environment variable `CALLBACK`.
"""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from serve.asgi import Receive, Send
from serve.gateway_settings import names_this_machine

CALLBACK = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "serve.guard.middlewares"}


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


def _is_no_page(headers: dict[bytes, bytes]) -> bool:
    host = headers.get(b"host", b"").decode("latin-1")
    return b"origin" not in headers and b"sec-fetch-site" not in headers and names_this_machine(host)


def middlewares() -> list[Middleware]:
    """What Ray Serve's proxies put before themselves."""
    return [Middleware(NoPages)]
