"""Load on the gateway: streaming clients, some of whom vanish, before a Serve deployment of a stub engine whose replicas are killed.

`python -m tests.serve.load --clients 200 --seconds 60` prints what the clients saw; tests/serve/gateway/test_load.py is the small one.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import httpx
import psutil
import ray
from fastapi import FastAPI, Request
from ray import serve
from ray.serve.config import HTTPOptions
from starlette.responses import StreamingResponse

from serve.client.upstream import SERVE_SETTINGS, Replicas
from serve.engines.replicas import keeping_told
from serve.engines.settings import EngineConfig, application_of
from serve.gateway.settings import free_port
from tests.serve.stub import running_gateway

WORDS = 20
IDLE_S = 20  # the gateway closes idle connections to replicas after 15 s
api = FastAPI()


def word(prompt, number):
    return f"{prompt}:{number} "


def event(content):
    return f"data: {json.dumps(content)}\n\n"


# Ray pickles the application here: what it uses stands above.
@serve.deployment(num_replicas=2, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0})
@serve.ingress(api)
class StubEngine:
    """Says its prompt back, word by word, and knows how many it is saying that to."""

    def __init__(self):
        self.streams = 0

    @api.get("/v1/streams")
    async def count(self):
        return {"pid": os.getpid(), "streams": self.streams}

    @api.post("/v1/chat/completions")
    async def chat(self, request: Request):
        body = await request.json()

        async def events():
            self.streams += 1
            try:
                for number in range(WORDS):
                    delta = {"content": word(body["messages"][0]["content"], number)}
                    yield event({"choices": [{"index": 0, "delta": delta}]})
                    await asyncio.sleep(0.05)
                yield event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": WORDS}})
                yield "data: [DONE]\n\n"
            finally:
                self.streams -= 1

        return StreamingResponse(events(), media_type="text/event-stream")


@contextmanager
def stub_engines():
    """The deployment as the gateway reaches it, in the Ray that is running."""
    port = free_port()
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=port))
    try:
        serve.run(StubEngine.bind(), name=application_of("m"), route_prefix="/m", blocking=False)
        while serve.status().applications[application_of("m")].status != "RUNNING":
            time.sleep(0.1)
        replicas = Replicas(f"http://127.0.0.1:{port}", {"m": EngineConfig()}, "secret")
        with keeping_told(replicas, ["m"]):
            yield replicas
    finally:
        serve.shutdown()


def open_streams(replicas):
    """Streams that the engines that answer now believe to be under way, by process."""
    found = {}
    for _ in range(20):
        answer = httpx.get(f"{replicas.base_url('m')}/streams", trust_env=False)
        if answer.status_code == 200:
            found[answer.json()["pid"]] = answer.json()["streams"]
    return found


def kill_one(replicas):
    """Kill a replica as a machine's end would."""
    os.kill(random.Random(0).choice(sorted(open_streams(replicas))), signal.SIGKILL)


async def visit(session, url, prompt, dice):
    """One request of a client; what became of it."""
    leaves_after = dice.randrange(1, WORDS) if dice.random() < 0.3 else None
    body = {"model": "m", "stream": True, "max_tokens": 20, "messages": [{"role": "user", "content": prompt}]}
    async with session.post(f"{url}/v1/chat/completions", json=body) as response:
        if response.status != 200:
            error = (await response.json())["error"]
            await asyncio.sleep(0.2)
            return f"{response.status} {error['code']}"
        events = []
        async for line in response.content:
            if line.startswith(b"data: "):
                events.append(line.removeprefix(b"data: ").strip())
            if leaves_after is not None and len(events) >= leaves_after:
                response.close()
                return "left"
    *parts, last = events
    said = "".join(json.loads(part)["choices"][0]["delta"]["content"] for part in parts)
    whole = "".join(word(prompt, number) for number in range(WORDS))
    if last == b"[DONE]":
        return "whole" if said == whole else "WRONG"
    return f"broken off: {json.loads(last)['error']['code']}" if whole.startswith(said) else "WRONG"


async def storm(running, clients, seconds, enough=lambda _: True):
    """What became of all requests of `clients` at once over `seconds`, and on, for two minutes, until there are enough."""
    tally, end = Counter(), time.monotonic() + seconds

    async def client(session, name):
        dice, number = random.Random(name), 0
        while time.monotonic() < end or (not enough(tally) and time.monotonic() < end + 120):
            number += 1
            try:
                tally[await visit(session, running.url, f"c{name}r{number}", dice)] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                tally[f"LOST {type(error).__name__}"] += 1

    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, headers=running.headers, timeout=timeout) as session:
        await asyncio.gather(*(client(session, name) for name in range(clients)))
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    os.environ.update(SERVE_SETTINGS)
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    process = psutil.Process()
    with stub_engines() as replicas, running_gateway(replicas, Path(tempfile.mkdtemp())) as running:
        asyncio.run(storm(running, options.clients, min(10, options.seconds)))  # buffers of all clients, once
        time.sleep(IDLE_S)
        before = process.num_fds(), process.memory_info().rss >> 20
        kills = [threading.Timer(options.seconds * share, kill_one, (replicas,)) for share in (0.2, 0.4, 0.6, 0.8)]
        for kill in kills:
            kill.start()
        tally = asyncio.run(storm(running, options.clients, options.seconds))
        time.sleep(IDLE_S)
        after = process.num_fds(), process.memory_info().rss >> 20
        print(json.dumps(tally | {"kills": len(kills), "files and MB before": before, "after": after,
                                  "streams left": open_streams(replicas)}))  # fmt: skip
    ray.shutdown()


if __name__ == "__main__":
    main()
