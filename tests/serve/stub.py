"""A stub of the endpoint at our own seam, a gateway in front of it, and a raw socket for clients without manners."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import httpx
from aiohttp import web

from serve.client.upstream import OneServer
from serve.gateway.app import Gateway
from serve.gateway.keys import create_key
from serve.gateway.server import server_for
from serve.gateway.settings import GatewayConfig

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def until(condition, timeout_s=120.0):
    """Wait for the condition; the limit is for a machine that is busy, and costs only a test that fails."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Upstream:
    """Answers as vLLM does; `seen` are the requests, `gone` counts clients that left before the end."""

    def __init__(self):
        self.seen, self.under_way, self.gone = [], 0, 0
        self.error = None
        """(status, body, headers) to answer with instead."""
        self.raw = None
        """(content type, bytes, perhaps headers) to answer with instead, in one write and without an end of its own."""
        self.key = None
        """What it asks for, if anything."""
        self.context = None
        """Most tokens, the prompt's 7 included: more is refused, in vLLM's words."""
        self.with_role = False
        """Begin a stream with the role alone, as vLLM does."""
        self.finish = None
        """Reason that a stream gives at its end."""
        self.words, self.pause_s, self.break_after = ["one ", "two ", "three"], 0.0, None

    def app(self):
        app = web.Application(client_max_size=2**30, middlewares=[self.ask_for_key])
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/{rest:.*}", self.answer)
        app.router.add_post("/tokenize", self.answer)
        app.router.add_post("/detokenize", self.answer)
        app.router.add_post("/{model}/v1/{rest:.*}", self.answer)  # as Serve's proxy
        return app

    @web.middleware
    async def ask_for_key(self, request, handler):
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        return await handler(request)

    async def models(self, request):
        return web.json_response(
            {"object": "list", "data": [{"id": "wavecoder", "root": "/disk/model"}, {"id": "org/other"}]}
        )

    async def answer(self, request):
        body = await request.json()
        self.seen.append((request.path, body, dict(request.headers)))
        self.under_way += 1
        try:
            if self.error is not None:
                status, text, headers = self.error
                return web.Response(status=status, text=text, headers=headers)
            if self.context is not None and 7 + body.get("max_tokens", 0) > self.context:
                words = f"This model's maximum context length is {self.context} tokens. However, you requested more"
                return web.json_response({"error": {"message": words, "code": 400}}, status=400)
            if self.raw is not None:
                kind, data, *more = self.raw
                response = web.StreamResponse(headers={"Content-Type": kind} | (more[0] if more else {}))
                await response.prepare(request)
                await response.write(data)
                return response
            if not body.get("stream"):
                await asyncio.sleep(self.pause_s)
                message = {"role": "assistant", "content": "".join(self.words)}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                return web.json_response({"model": body["model"], "choices": [choice], "usage": USAGE})
            return await self.stream(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.gone += 1
            raise
        finally:
            self.under_way -= 1

    async def stream(self, request, body):
        pause_s = self.pause_s  # a test sets that of its next question when it has this one's first word
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if self.with_role:
            delta = {"role": "assistant", "content": ""}
            await self.event(response, {"model": body["model"], "choices": [{"index": 0, "delta": delta}]})
        for number, word in enumerate(self.words):
            if number == self.break_after:
                request.transport.abort()
                return response
            await self.event(response, {"model": body["model"], "choices": [{"index": 0, "delta": {"content": word}}]})
            await asyncio.sleep(pause_s)
        if self.finish is not None:
            choices = [{"index": 0, "delta": {}, "finish_reason": self.finish}]
            await self.event(response, {"model": body["model"], "choices": choices})
        if (body.get("stream_options") or {}).get("include_usage"):
            await self.event(response, {"model": body["model"], "choices": [], "usage": USAGE})
        await response.write(b"data: [DONE]\n\n")
        return response

    async def event(self, response, content):
        data = f"data: {json.dumps(content)}\n\n".encode()
        await response.write(data[:9])  # an event may come in pieces
        await response.write(data[9:])


@contextmanager
def stub_upstream(stub=None):
    """The stub, or another one of its kind, listening at `url`."""
    stub = stub or Upstream()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    # Without handler_cancellation aiohttp would not tell that a client left.
    runner = web.AppRunner(stub.app(), handler_cancellation=True)

    async def start():
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.2)
        await site.start()
        return runner.addresses[0][1]

    stub.url = f"http://127.0.0.1:{asyncio.run_coroutine_threadsafe(start(), loop).result(60)}/v1"
    yield stub
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Running:
    """A gateway that listens."""

    def __init__(self, port, keys):
        self.port, self.keys, self.url = port, keys, f"http://127.0.0.1:{port}"
        self.secret, self.key = create_key(keys, name="first") if keys else (None, None)
        headers = {"Authorization": f"Bearer {self.secret}"} if keys else {}
        self.headers = headers
        self.client = httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60)

    def chat(self, *, secret=None, **fields):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        body = {"model": "wavecoder", "messages": [{"role": "user", "content": "hello"}]} | fields
        return self.client.post("/v1/chat/completions", json=body, headers=headers)

    def new_key(self, **fields):
        return create_key(self.keys, **({"name": "another"} | fields))[0]

    def raw(self, data, timeout_s=5.0):
        """All that the server says to some bytes until it closes, with bytes of ours unread or not, or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            with suppress(ConnectionError):
                connection.sendall(data)
            answer = b""
            with suppress(TimeoutError, ConnectionResetError):
                while part := connection.recv(65_536):
                    answer += part
            return answer


@contextmanager
def running_gateway(url, folder, *, keys=True, context=2048, **settings):
    """A gateway in front of `url`, or of an upstream, with its files in `folder`, in a thread."""
    file = folder / "keys.json" if keys else None
    config = GatewayConfig(
        keys=str(file) if keys else None, **({"drain_s": 1, "access_log": str(folder / "access.jsonl")} | settings)
    )
    if keys and not file.exists():
        create_key(file, name="there must be a file")
    listening = socket.create_server(("127.0.0.1", 0))
    upstream = OneServer(url) if isinstance(url, str) else url
    server = server_for(Gateway(config, context, upstream), "127.0.0.1", 0, config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    until(lambda: server.started)
    running = Running(listening.getsockname()[1], file)
    try:
        yield running
    finally:
        running.client.close()
        server.should_exit = True
        thread.join()


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error in OpenAI's form."""
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return response.status_code, error["code"]
