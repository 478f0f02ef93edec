"""An endpoint over real HTTP whose every reply is a function of the question: rules, moods and accounts."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

Reply = tuple[int, object, dict[str, str]]
"""Status, body (JSON, a text as it is, or bytes as they are) and headers."""


def completion(
    text: object, finish: str | None = "stop", usage: dict[str, Any] | None = None, **message: object
) -> Reply:
    """A 200 in OpenAI's form."""
    said = {"role": "assistant", "content": text} | message
    body = {"choices": [{"index": 0, "finish_reason": finish, "message": said}]}
    return 200, body | {"usage": usage or {"prompt_tokens": 10, "completion_tokens": 5}}, {}


def refusal(status: int, message: str = "no", headers: dict[str, str] | None = None, **error: object) -> Reply:
    """An error in OpenAI's form."""
    return status, {"error": {"message": message} | error}, headers or {}


class ScriptedEndpoint:
    """Keeps the bodies that it was asked with, and answers by `script(number of the request, body)`."""

    def __init__(self, script: Callable[[int, dict[str, Any]], Reply]) -> None:
        """Args: script: made of the number of the request, from 1 on, and its body."""
        self.script = script
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []

    async def _reply(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        self.paths.append(request.path_qs)
        status, reply, headers = self.script(len(self.asked), body)
        if isinstance(reply, bytes):
            return web.Response(status=status, body=reply, headers=headers)
        if isinstance(reply, str):
            return web.Response(status=status, text=reply, content_type="text/html", headers=headers)
        return web.json_response(reply, status=status, headers=headers)

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The URL, while it answers from a thread."""
        loop, ready, stop, address = asyncio.new_event_loop(), threading.Event(), asyncio.Event(), list[str]()

        async def serve() -> None:
            app = web.Application(client_max_size=2**26)
            app.router.add_route("*", "/{path:.*}", self._reply)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
            address.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
            ready.set()
            await stop.wait()
            await runner.cleanup()

        thread = threading.Thread(target=lambda: asyncio.Runner(loop_factory=lambda: loop).run(serve()), daemon=True)
        thread.start()
        ready.wait()
        try:
            yield address[0]
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
