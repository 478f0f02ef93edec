"""The page of `wavecoder watch`, on this machine only: all paths lie below a secret one, as the explorer's do."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.page_policy import page_headers

PAGE = Path(__file__).with_name("page.html").read_bytes()
HEADERS = {name.decode(): value.decode() for name, value in page_headers(PAGE)}
LOCAL = {"127.0.0.1", "localhost"}
_FRESH = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def application(look: Callable[[], dict[str, Any]]) -> tuple[Starlette, str]:
    """The application and its secret.

    Args:
        look: what the page shows, as JSON; called for each question, in a thread.
    """
    secret = secrets.token_urlsafe(16)

    def refused(request: Request) -> Response | None:
        host = request.headers.get("host", "").rpartition(":")[0]
        right = hmac.compare_digest(request.path_params["secret"].encode(), secret.encode())
        return None if right and host in LOCAL else JSONResponse({"error": "not found"}, 404, headers=_FRESH)

    async def page(request: Request) -> Response:
        return refused(request) or Response(PAGE, media_type="text/html; charset=utf-8", headers=HEADERS)

    async def state(request: Request) -> Response:
        return refused(request) or JSONResponse(await run_in_threadpool(look), headers=_FRESH)

    return Starlette(routes=[Route("/{secret}/", page), Route("/{secret}/state", state)]), secret
