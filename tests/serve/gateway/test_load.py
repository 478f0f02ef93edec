"""The small load; `python -m tests.serve.load` is the large one, to be run by hand."""

import asyncio
import threading

import pytest

from tests.serve.load import kill_one, open_streams, storm, stub_engines
from tests.serve.stub import running_gateway, until

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(240)]


def enough(tally):
    return tally["whole"] > 40 and tally["left"] > 10


def test_clients_vanish_and_replicas_are_killed_and_no_answer_is_wrong(local_ray, tmp_path, access_log):
    with stub_engines() as replicas, running_gateway(replicas, tmp_path) as running:
        kill = threading.Timer(1.5, kill_one, (replicas,))
        kill.start()
        tally = asyncio.run(storm(running, 40, 4, enough))
        kill.join()
        assert enough(tally), tally
        allowed = {"whole", "left", "broken off: upstream_unavailable", "broken off: upstream_error",
                   "502 upstream_unavailable", "502 upstream_error", "503 unavailable"}  # fmt: skip
        assert set(tally) <= allowed, tally
        until(lambda: sum(open_streams(replicas).values()) == 0)
        until(lambda: len(access_log()) == tally.total())
        operator = {"Authorization": f"Bearer {running.new_key(routes=('metrics',))}"}
        assert "wavecoder_gateway_in_flight 0.0" in running.client.get("/metrics", headers=operator).text
