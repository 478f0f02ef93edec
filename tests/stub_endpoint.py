"""An OpenAI-compatible endpoint for tests: answers by the schema it is asked for, after a while, with the manners it is told.

`python -m tests.stub_endpoint MEAN_LATENCY_S QUIET_S` prints its port and serves until its stdin closes. It measures
scheduling; no model is involved.
"""

import asyncio
import contextlib
import json
import math
import random
import sys
import threading

from aiohttp import web

from codeocean.generate.few_shot import draw_number
from tests.codeocean.scripted import text_for

HOSTILE = ("slow", "429", "500", "half", "not json", "no choices", "wrong types", "refused", "truncated", "huge", "empty", "array",
           "bare connection", "surrogate")  # fmt: skip


class StubEndpoint:
    """Keeps what it saw: `asked`, `most_in_flight`, and how often it used each manner."""

    def __init__(
        self,
        mean_latency_s: float = 0.0,
        manners: tuple[str, ...] = (),
        share: float = 0.0,
        status: int = 200,
        quiet_s: float = 0.0,
    ) -> None:
        self.mean_latency_s, self.manners, self.share, self.status = mean_latency_s, manners, share, status
        self.quiet_s, self.load, self.release = quiet_s, None, None
        self.dice, self.port = random.Random(0), 0
        self.asked, self.in_flight, self.most_in_flight = 0, 0, 0
        self.used = dict.fromkeys(manners, 0)
        self.keys = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked += 1
        self.keys.add(request.headers.get("Authorization"))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.quiet_s:
                await self._load_is_complete()
            if self.mean_latency_s:  # lognormal, as answers of different lengths are
                await asyncio.sleep(self.mean_latency_s * math.exp(self.dice.gauss(-0.125, 0.5)))
            if self.status != 200:
                return web.json_response(
                    {"error": {"message": f"no: {request.headers['Authorization']}"}}, status=self.status
                )
            if self.dice.random() < self.share:
                manner = self.manners[sum(self.used.values()) % len(self.manners)]
                self.used[manner] += 1
                return await self._misbehave(manner, request, body)
            return web.json_response(_completion(body))
        finally:
            self.in_flight -= 1

    async def _load_is_complete(self) -> None:
        """Answers go out together when no request has come for a while: however slow the machine, a whole load is in."""
        loop = asyncio.get_running_loop()
        if self.load is None:
            self.load = loop.create_future()
        else:
            self.release.cancel()
        self.release = loop.call_later(self.quiet_s, self._answer_load)
        await self.load

    def _answer_load(self) -> None:
        self.load.set_result(None)
        self.load = None

    async def _misbehave(self, manner: str, request: web.Request, body: dict) -> web.StreamResponse:
        whole = _completion(body)
        if manner == "slow":
            await asyncio.sleep(3600)
        if manner in {"429", "500"}:
            return web.Response(
                status=int(manner), text="<html>busy", headers={"Retry-After": "0.2"} if manner == "429" else {}
            )
        if manner in {"half", "bare connection"}:
            if manner == "half":
                response = web.StreamResponse(headers={"Content-Length": "500"})
                await response.prepare(request)
                await response.write(b'{"choices": [')
            request.transport.abort()
            raise ConnectionResetError
        message = {"refused": {"content": None, "refusal": "I cannot."}, "empty": {"content": ""}, "wrong types": {"content": {"a": 1}},
                   "huge": {"content": "x" * 10_000_000}, "surrogate": {"content": "\ud800 \x00"}}  # fmt: skip
        if manner in message:
            whole["choices"][0]["message"] = message[manner]
        if manner == "truncated":
            text = whole["choices"][0]["message"]["content"]
            whole["choices"][0] |= {"finish_reason": "length", "message": {"content": text[: len(text) // 2]}}
        text = {"not json": "<html>hello", "no choices": '{"choices": []}', "array": "[" * 100_000}.get(
            manner
        ) or json.dumps(whole)
        return web.Response(text=text, content_type="application/json")

    @contextlib.contextmanager
    def running(self):
        """The URL, while it answers from a thread."""
        loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
        address = []

        async def serve():
            async with self.serving() as url:
                address.append(url)
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=lambda: asyncio.Runner(loop_factory=lambda: loop).run(serve()), daemon=True)
        thread.start()
        ready.wait()
        yield address[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()

    @contextlib.asynccontextmanager
    async def serving(self):
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=4096)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{self.port}/v1"
        await runner.cleanup()


def _completion(body: dict) -> dict:
    text = text_for(
        draw_number(json.dumps(body["messages"]), body["seed"]), body["response_format"]["json_schema"]["schema"]
    )
    prompt = len(json.dumps(body["messages"])) // 4
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": len(text) // 4,
        "prompt_tokens_details": {"cached_tokens": prompt // 2},
    }
    message = {"role": "assistant", "content": text}
    return {"id": "1", "object": "chat.completion", "model": body["model"], "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip


async def _serve_until_stdin_closes(stub: StubEndpoint) -> None:
    async with stub.serving() as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"asked": stub.asked, "most_in_flight": stub.most_in_flight}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve_until_stdin_closes(StubEndpoint(float(sys.argv[1]), quiet_s=float(sys.argv[2]))))
