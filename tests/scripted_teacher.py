"""A teacher over real HTTP whose every reply is a function of the question: rules, moods and accounts of hosted endpoints."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator

from aiohttp import web

from codeocean.generate.few_shot import draw_number
from tests.codeocean.scripted import text_for

Reply = tuple[int, object, dict[str, str]]


def completion(text: str | None, finish: str = "stop", usage: dict | None = None, **message: object) -> Reply:
    """A 200 in OpenAI's form."""
    body = {"choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text} | message}],
            "usage": usage or {"prompt_tokens": 10, "completion_tokens": 5}}  # fmt: skip
    return 200, body, {}


def refusal(status: int, message: str = "no", headers: dict[str, str] | None = None, **error: object) -> Reply:
    """An error in OpenAI's form."""
    return status, {"error": {"message": message} | error}, headers or {}


def exercise(body: dict) -> str:
    """An answer by the schema that a question asks for, wherever it stands."""
    form = body.get("response_format", {}).get("json_schema") or body.get("output_config", {}).get("format") or {}
    shown = [json.loads(one["content"]) for one in body["messages"] if one["role"] == "assistant"]
    schema = form.get("schema") or {"properties": shown[-1]}  # told by the schema, or else by the cases in the prompt
    for seed in range(100):  # the stub's rubbish is another test's
        text = text_for(draw_number(json.dumps(body["messages"]), seed), schema)
        if text != "no JSON":
            break
    return text


class ScriptedTeacher:
    """Keeps the bodies that it was asked with, and answers by `script(number of the request, body)`."""

    def __init__(self, script: Callable[[int, dict], Reply]) -> None:
        self.script, self.asked, self.headers, self.paths = script, [], [], []

    async def _reply(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        self.paths.append(request.path_qs)
        status, reply, headers = self.script(len(self.asked), body)
        if isinstance(reply, str):
            return web.Response(status=status, text=reply, content_type="text/html", headers=headers)
        return web.json_response(reply, status=status, headers=headers)

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The URL, while it answers from a thread."""
        loop, ready, stop, address = asyncio.new_event_loop(), threading.Event(), asyncio.Event(), []

        async def serve() -> None:
            app = web.Application(client_max_size=2**26)
            app.router.add_route("*", "/{path:.*}", self._reply)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
            await site.start()
            address.append(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}")
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
