"""From no replica to several and back, under requests that go past Serve's proxy, on a real Ray Serve with a stub engine."""

import asyncio
import time

import aiohttp
import pytest
import ray
from fastapi import FastAPI, Request
from ray import serve
from ray.serve.config import HTTPOptions

from serve.client.upstream import Replicas
from serve.engines.replicas import keeping_told
from serve.engines.settings import EngineConfig, application_of
from serve.gateway.settings import free_port
from tests.serve.stub import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

api = FastAPI()
SCALING = {"min_replicas": 0, "max_replicas": 2, "target_ongoing_requests": 4, "upscale_delay_s": 0.5,
           "downscale_delay_s": 2, "metrics_interval_s": 0.5, "look_back_period_s": 1}  # fmt: skip


@serve.deployment(
    max_ongoing_requests=16,
    autoscaling_config=SCALING,
    ray_actor_options={"num_cpus": 0},
    graceful_shutdown_timeout_s=10,
)
@serve.ingress(api)
class StubEngine:
    """Takes its time."""

    @api.post("/v1/chat/completions")
    async def chat(self, request: Request):
        await asyncio.sleep((await request.json())["seconds"])
        return {"replica": serve.get_replica_context().replica_id.unique_id}


def running():
    states = serve.status().applications[application_of("m")].deployments["StubEngine"].replica_states
    return states.get("RUNNING", 0)


async def ask(replicas, seconds, times):
    async def one(session):
        body = f'{{"model": "m", "seconds": {seconds}}}'.encode()
        async with replicas.post(
            session, "/chat/completions", "m", body, {"content-type": "application/json"}
        ) as answer:
            return answer.status, (await answer.json()).get("replica")

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*(one(session) for _ in range(times)))


def test_a_model_without_replicas_gets_them_when_it_is_asked_and_gives_them_back(local_ray):
    port = free_port()
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=port))
    try:
        serve.run(StubEngine.bind(), name=application_of("m"), route_prefix="/m")
        replicas = Replicas(f"http://127.0.0.1:{port}", {"m": EngineConfig()}, "secret")
        with keeping_told(replicas, ["m"]):
            assert running() == 0
            ((status, first),) = asyncio.run(ask(replicas, 0.1, 1))  # through the proxy, which waits for one
            assert status == 200 and first
            until(lambda: replicas._there["m"])
            begun, both = time.monotonic(), set()
            while len(both) < 2 and time.monotonic() < begun + 120:
                answers = asyncio.run(ask(replicas, 0.5, 12))  # straight to the replicas; more than one is to have
                assert {status for status, _ in answers} == {200}
                both |= {replica for _, replica in answers}
            assert len(both) == 2
            until(lambda: running() == 0)
    finally:
        serve.shutdown()


def test_replicas_that_listen_for_other_machines_are_asked_at_their_machines_address(local_ray):
    port = free_port()
    serve.start(http_options=HTTPOptions(host="0.0.0.0", port=port))
    try:
        serve.run(
            StubEngine.options(autoscaling_config=None, num_replicas=2).bind(),
            name=application_of("m"),
            route_prefix="/m",
        )
        replicas = Replicas(f"http://127.0.0.1:{port}", {"m": EngineConfig()}, "secret")
        with keeping_told(replicas, ["m"], "0.0.0.0"):
            until(lambda: len(replicas._there["m"]) == 2)
            address = ray.util.get_node_ip_address()
            assert all(url.startswith(f"http://{address}:") for url in replicas._there["m"])
            answers = asyncio.run(ask(replicas, 0.1, 8))
        assert [status for status, _ in answers] == [200] * 8
        assert len({replica for _, replica in answers}) == 2
    finally:
        serve.shutdown()
