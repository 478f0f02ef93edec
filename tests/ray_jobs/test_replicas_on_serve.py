"""The stage against replicas on a real Ray Serve, which are killed under it, and moved. Answers are the stub's."""

import asyncio
import collections
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from pyarrow import fs as pafs
from ray import serve
from ray.serve.config import HTTPOptions

from codeocean.generate.flow import generate
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from serve.client.upstream import OneServer, Replicas
from serve.engines.replicas import keeping_told, set_replicas
from serve.engines.settings import EngineConfig, application_of
from serve.gateway.settings import free_port
from tests.codeocean.conftest import raw_row
from tests.processes import processes_below

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROWS, PLACES, APPLICATION = 80, 8, application_of("m")
ROLE = RoleConfig(model="m")
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, round_size=30, concurrency=PLACES, good_shots=1, bad_shots=0,
                        tasks={"summarization": 1})  # fmt: skip


@serve.deployment(name="Replica", num_replicas=2, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0},
                  graceful_shutdown_timeout_s=5, graceful_shutdown_wait_loop_s=0.1, health_check_period_s=1)  # fmt: skip
class Replica:
    def __init__(self, seen):
        self.seen = seen

    async def __call__(self, request):
        from tests.stub_endpoint import _completion

        body = await request.json()
        with self.seen.open("a") as file:  # one short line: appended whole
            file.write(f"{os.getpid()} {body['seed']}\n")
        await asyncio.sleep(0.1)
        return _completion(body)


class Told(Replicas):
    """Replicas that remember what they were told."""

    there = None

    def update(self, there):
        self.there = there
        super().update(there)


@pytest.fixture(scope="module")
def endpoint(local_ray, tmp_path_factory):
    seen, port = tmp_path_factory.mktemp("seen") / "questions", free_port()
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=port))
    serve.run(Replica.bind(seen), name=APPLICATION, route_prefix="/m", external_scaler_enabled=True)
    replicas = Told(f"http://127.0.0.1:{port}", {"m": EngineConfig()}, "secret")
    with keeping_told(replicas, ["m"]):
        yield replicas, seen
    serve.shutdown()


def run(folder, upstream):
    config = EndpointConfig(url=upstream.base_url("m"), timeout_s=30, max_retries=8, concurrency=PLACES)
    client = ChatClient(config, upstream)
    roles = {"generator": (client, "m"), "discriminator": (client, "m")}
    return generate(CONFIG, load_tasks(), [raw_row(n) for n in range(ROWS)], roles, pafs.LocalFileSystem(), str(folder))


def asked(seen):
    return [line.split() for line in seen.read_text().splitlines()] if seen.exists() else []


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def until(holds):
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def run_and_are_told(replicas, number):
    states = serve.status().applications[APPLICATION].deployments["Replica"].replica_states
    return states == {"RUNNING": number} and len((replicas.there or {}).get("m", ())) == number


def proxies():
    """Pids of Serve's proxies below this process."""
    return [process.pid for process in processes_below(psutil.Process(), "ray::ProxyActor")]


def test_a_model_gets_the_replicas_it_is_given(endpoint):
    replicas, _ = endpoint
    for number in (1, 2):
        set_replicas(APPLICATION, "Replica", number)
        until(lambda number=number: run_and_are_told(replicas, number))


@pytest.mark.parametrize("way", ["proxy", "direct"])
def test_a_killed_replica_and_a_killed_proxy_lose_nothing_and_double_nothing(endpoint, tmp_path, way):
    replicas, seen = endpoint
    set_replicas(APPLICATION, "Replica", 2)
    until(lambda: run_and_are_told(replicas, 2) and proxies())  # after what the test before killed
    seen.unlink(missing_ok=True)
    upstream = replicas if way == "direct" else OneServer(replicas.base_url("m"))
    run(tmp_path / "whole", upstream)
    questions = collections.Counter(seed for _, seed in asked(seen))
    assert len({pid for pid, _ in asked(seen)}) == 2
    seen.unlink()
    killed = []

    def kill():
        while len(asked(seen)) < 50:
            time.sleep(0.02)
        killed.append(int(asked(seen)[-1][0]))  # a replica, with what it had in flight
        os.kill(killed[0], signal.SIGKILL)
        while len(asked(seen)) < 90:
            time.sleep(0.02)
        killed.append(proxies()[0])  # Serve's proxy, through which all answers of one way go
        os.kill(killed[1], signal.SIGKILL)

    with ThreadPoolExecutor(1) as threads:
        killer = threads.submit(kill)
        result, _ = run(tmp_path / "cut", upstream)
        killer.result(120)
    assert len(killed) == 2 and not any(psutil.pid_exists(pid) for pid in killed)
    assert len(result.accepted) + sum(result.dropped.values()) == ROWS
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    again = collections.Counter(seed for _, seed in asked(seen))
    assert set(again) == set(questions)
    assert again.total() - questions.total() <= 2 * PLACES  # what was in flight at either kill
