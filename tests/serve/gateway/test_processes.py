"""A gateway of two real processes: limits, places, quotas and metrics hold for both together, and one may die."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.gateway.keys import create_key, read_usage
from serve.gateway.limits import Limiter, Limits, Ticket
from serve.gateway.settings import GatewayConfig
from serve.gateway.shared import SharedLimiter
from tests.serve.stub import stub_upstream, until

START = """
import json, socket, sys, threading
from serve.client.upstream import Replicas
from serve.engines.settings import EngineConfig
from serve.gateway.processes import answer_together, listen_together
from serve.gateway.settings import GatewayConfig
config = GatewayConfig.model_validate_json(sys.argv[1])
sockets = listen_together(socket.create_server(("127.0.0.1", 0)), config.processes)
print(sockets[0].getsockname()[1], flush=True)
replicas = Replicas("http://127.0.0.1:9", {"wavecoder": EngineConfig()}, "secret")
threading.Timer(2, replicas.update, [{"wavecoder": [sys.argv[2]]}]).start()
answer_together(config, 2048, replicas, sockets)
"""
BODY = {"model": "wavecoder", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}


class Pair:
    def __init__(self, process, url, keys, upstream):
        self.process, self.url, self.keys, self.upstream = process, url, keys, upstream

    def key(self, **limits):
        return create_key(self.keys, name="x", limits=Limits(**limits))[0]

    def ask(self, secret, **fields):
        """Over a connection of its own."""
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.post(
            f"{self.url}/v1/chat/completions", json=BODY | fields, headers=headers, trust_env=False, timeout=60
        )

    def ask_often(self, secret, number, **fields):
        with ThreadPoolExecutor(number) as pool:
            return [answer.result() for answer in [pool.submit(self.ask, secret, **fields) for _ in range(number)]]

    @property
    def workers(self):
        return psutil.Process(self.process.pid).children()


@contextmanager
def two_processes(folder, **settings):
    create_key(folder / "keys.json", name="there must be a file")
    config = GatewayConfig(
        keys=str(folder / "keys.json"), processes=2, drain_s=2, access_log=str(folder / "log"), **settings
    )
    with stub_upstream() as upstream:
        process = subprocess.Popen(
            [sys.executable, "-c", START, config.model_dump_json(), upstream.url], stdout=subprocess.PIPE, text=True
        )
        pair = Pair(process, f"http://127.0.0.1:{process.stdout.readline().strip()}", folder / "keys.json", upstream)
        try:
            assert pair.ask("wc-none-none").status_code == 401  # it waits in the socket until one is up
            secret = pair.key()
            until(lambda: {answer.status_code for answer in pair.ask_often(secret, 8)} == {200})  # told
            yield pair
        finally:
            process.terminate()
            assert process.wait(120) == 0


def test_limits_hold_for_both_and_one_may_die(tmp_path):
    with two_processes(tmp_path) as pair:
        few, begun = pair.key(requests_per_minute=10), time.monotonic()
        let_in = sorted(answer.status_code for answer in pair.ask_often(few, 30)).index(429)
        assert 10 <= let_in <= 10 + int((time.monotonic() - begun) / 6)  # one flows back every six seconds

        metrics = create_key(pair.keys, name="operator", routes=("metrics",))[0]
        shown = httpx.get(f"{pair.url}/metrics", headers={"Authorization": f"Bearer {metrics}"}, trust_env=False).text
        refused = 'wavecoder_gateway_requests_total{outcome="rate_limit_exceeded",route="chat",status="429"}'
        assert f"{refused} {30 - let_in}.0" in shown
        assert "wavecoder_gateway_in_flight 0.0" in shown

        alone, streaming = pair.key(parallel=1), pair.key()
        pair.upstream.pause_s = 30
        with httpx.Client(trust_env=False, timeout=60) as client:
            head = {"Authorization": f"Bearer {alone}"}
            url, body = f"{pair.url}/v1/chat/completions", BODY | {"stream": True}
            with client.stream("POST", url, json=body, headers=head) as stream:
                lines = stream.iter_lines()
                next(lines)
                pair.upstream.pause_s = 0
                assert [answer.status_code for answer in pair.ask_often(alone, 4)] == [429] * 4
                assert {answer.status_code for answer in pair.ask_often(streaming, 4)} == {200}
                before = pair.workers
                assert len(before) == 2
                for worker in before:
                    os.kill(worker.pid, signal.SIGKILL)
                with pytest.raises(httpx.TransportError):
                    list(lines)
        until(lambda: pair.ask(alone).status_code == 200)  # what the dead had under way is not taken
        until(lambda: len(pair.workers) == 2)
        assert {worker.pid for worker in pair.workers}.isdisjoint(worker.pid for worker in before)
    used = read_usage(pair.keys)
    assert used[few.split("-")[1]]["total_requests"] == let_in
    assert used[few.split("-")[1]]["total_tokens"] == let_in * 10  # 7 of the prompt and 3 of the answer, each
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sum(line["key"] == few.split("-")[1] for line in lines) == 30


@pytest.mark.parametrize("processes", [2, 3])
def test_places_are_shared(tmp_path, processes):
    limiters = [SharedLimiter(tmp_path, number) for number in range(processes)]
    assert [limiters[number % processes].take_place(4) for number in range(6)] == [True] * 4 + [False] * 2
    SharedLimiter(tmp_path, 1)  # the second starts again
    held = sum(number % processes == 1 for number in range(4))
    assert [limiters[0].take_place(4) for _ in range(3)] == [number < held for number in range(3)]


def test_what_a_process_that_ended_held_is_free_before_its_successor_is_up(tmp_path):
    here, ended = SharedLimiter(tmp_path, 0), SharedLimiter(tmp_path, 1)
    assert [here.take_place(3), ended.take_place(3), ended.take_place(3), here.take_place(3)] == [True] * 3 + [False]
    here.forget(1)
    assert [here.take_place(3) for _ in range(3)] == [True, True, False]


calls = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 60), st.floats(0, 30), st.booleans()),
    max_size=40,
)
some = st.one_of(st.none(), st.integers(1, 100))


@given(calls, st.builds(Limits, requests_per_minute=some, tokens_per_minute=some, tokens_per_day=some, parallel=some))
def test_processes_together_decide_as_one_would(tmp_path_factory, calls, limits):
    folder = tmp_path_factory.mktemp("counts")
    shared, one = [SharedLimiter(folder, number) for number in range(3)], Limiter()
    now, tickets = 86_300.0, []  # midnight is near
    for process, key, tokens, later, settles in calls:
        now += later
        if settles and tickets:
            of_shared, ours, theirs = tickets.pop()
            of_shared.settle(ours, tokens, now)
            one.settle(theirs, tokens, now)
        else:
            ours, theirs = (each.admit(key, limits, 0, now) for each in (shared[process], one))
            assert ours == theirs
            if isinstance(ours, Ticket):
                tickets.append((shared[process], ours, theirs))
                assert shared[process].reserve(ours, limits, tokens, now) == one.reserve(theirs, limits, tokens, now)
        assert shared[0].left(key, limits, now) == one.left(key, limits, now)
    assert shared[1].state() == one.state()
    again = SharedLimiter(Path(tmp_path_factory.mktemp("again")), 0)
    again.begin_with(one.state())
    assert again.state() == one.state()
