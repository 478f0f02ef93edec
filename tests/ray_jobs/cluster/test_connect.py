"""A local Ray on a machine that is too busy for Ray's own 30 s."""

import inspect
import socket
import subprocess
import sys

import pytest
import ray

from ray_jobs.cluster import connect as cluster
from ray_jobs.cluster.patience import AGENT_PORTS, UNTOLD, WINDOW_S, Patience, patient_start, with_port_file
from ray_jobs.run.config import RayConfig

TIMED_OUT = Exception("The current node timed out during startup. This could happen because some of the raylet failed")


@pytest.mark.parametrize("failures", [0, 2])
def test_a_ray_that_did_not_start_in_time_is_started_again_without_leftovers(monkeypatch, failures):
    begun, started = [], []

    def init(**options):
        started.append(options)
        if len(started) <= failures:
            begun.append(subprocess.Popen(["sleep", "60"]))  # as Ray leaves its processes
            raise TIMED_OUT

    monkeypatch.setattr(cluster.ray, "init", init)
    cluster.start_patiently(num_cpus=1)
    assert started == [{"address": "local", "num_cpus": 1}] * (failures + 1)
    assert [process.wait(60) for process in begun] == [-9] * failures


def test_a_machine_that_stays_too_busy_is_one_line_and_other_failures_are_themselves(monkeypatch):
    monkeypatch.setattr(cluster.ray, "init", lambda **_: (_ for _ in ()).throw(TIMED_OUT))
    with pytest.raises(OSError, match="in three tries its processes made no progress"):
        cluster.start_patiently()
    monkeypatch.setattr(cluster.ray, "init", lambda **_: (_ for _ in ()).throw(ValueError("no such option")))
    with pytest.raises(ValueError, match="no such option"):
        cluster.start_patiently()


class Machine:
    """Time and CPU time of a start that takes a while, or hangs."""

    def __init__(self, registers_at, hangs_at=float("inf")):
        self.now, self.registers_at, self.hangs_at = 0.0, registers_at, hangs_at

    def get_node(self, address, node_id):
        if self.now < min(self.registers_at, self.hangs_at):
            raise RuntimeError("no such node")
        if self.now >= self.registers_at:
            return {"address": address, "id": node_id}
        raise RuntimeError("no such node")

    def sleep(self, seconds):
        self.now += seconds

    def cpu_seconds(self):
        return 0.05 * min(self.now, self.hangs_at)

    def start(self):
        return Patience(self.get_node, self.cpu_seconds, lambda: self.now, self.sleep)("here", "n")


@pytest.mark.parametrize(("seconds", "lines"), [(5, 0), (29, 0), (45, 1), (400, 1)])
def test_a_slow_start_is_waited_for_and_said_once(caplog, seconds, lines):
    with caplog.at_level("INFO", "wavecoder.ray_jobs"):
        assert Machine(seconds).start() == {"address": "here", "id": "n"}
    assert [record.message.count("Ray is still starting") for record in caplog.records] == [1] * lines


@pytest.mark.parametrize("hangs_at", [0, 100])
def test_a_start_that_hangs_is_given_up(hangs_at):
    machine = Machine(10_000, hangs_at)
    with pytest.raises(RuntimeError):
        machine.start()
    assert machine.now <= hangs_at + 2 * WINDOW_S + 1


def test_the_ports_of_the_raylets_agents_are_named_and_those_that_were_named_stay():
    before = ray._private.parameter.RayParams, ray._private.services.start_raylet
    with patient_start():
        starts = [ray._private.parameter.RayParams(runtime_env_agent_port=23456) for _ in range(2)]
    assert (ray._private.parameter.RayParams, ray._private.services.start_raylet) == before
    for start in starts:
        ports = [getattr(start, name) for name in AGENT_PORTS]
        assert len(set(ports)) == 4 and all(1024 <= port < 65536 for port in ports)
        assert start.runtime_env_agent_port == 23456


def test_the_file_of_the_port_that_the_raylet_is_not_told_is_there_before_it_starts(tmp_path):
    assert {"session_dir", "node_id", UNTOLD} <= set(inspect.signature(ray._private.services.start_raylet).parameters)

    def start(node_id, session_dir, dashboard_agent_listen_port=None):
        return [path.name + ": " + path.read_text() for path in tmp_path.iterdir()]

    assert with_port_file(start)("n1", str(tmp_path)) == []
    assert with_port_file(start)("n1", str(tmp_path), 4242) == ["dashboard_agent_listen_port_n1: 4242"]


def test_rays_limits_are_lifted_only_while_it_starts(monkeypatch):
    before = ray._private.services.get_node, ray._private.ray_constants.RAY_DASHBOARD_STARTUP_TIMEOUT_S
    seen = []

    def init(**options):
        seen.append(ray._private.services.get_node)

    monkeypatch.setattr(cluster.ray, "init", init)
    cluster.start_patiently()
    assert isinstance(seen[0], Patience)
    assert (ray._private.services.get_node, ray._private.ray_constants.RAY_DASHBOARD_STARTUP_TIMEOUT_S) == before


def test_a_dashboard_port_is_free_to_choose_unless_it_is_named(monkeypatch):
    told = []
    monkeypatch.setattr(cluster, "start_patiently", lambda **options: told.append(options) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cluster._start_local(RayConfig(), {})
    assert told[0]["dashboard_port"] is None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}.*--set ray.dashboard_port=PORT"):
            cluster._start_local(RayConfig(dashboard_port=port), {})
    assert len(told) == 1


@pytest.mark.slow
def test_two_local_rays_stand_side_by_side():
    program = """
import sys
from ray_jobs.cli import _set_up_logging
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import RayConfig
_set_up_logging()
connect(RayConfig(num_cpus=1, object_store_mb=100))
import ray
print(ray.get(ray.remote(lambda: 40 + 2).remote()), ray._private.worker.get_dashboard_url(), flush=True)
sys.stdin.read()
"""
    jobs = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    try:
        answers = [job.stdout.readline().split() for job in jobs]
        assert [answer[0] for answer in answers] == ["42", "42"]
        assert answers[0][1] != answers[1][1]
    finally:
        said = [job.communicate("", timeout=120)[1] for job in jobs]
    for answer, err in zip(answers, said, strict=True):
        assert f"dashboard on http://{answer[1]}" in err
        assert len(err.splitlines()) == 1, "a start is one line, with none of Ray's own"


def test_only_rays_own_line_is_held_back():
    program = """
import os, sys
from ray_jobs.cluster.patience import NOISE, without_noise
with without_noise():
    os.write(2, b"[time] logging.cc:303: " + NOISE + b" X to 3\\n")
    print("ours", file=sys.stderr)
    os.write(2, b"an error of Ray's\\nno end of line")
print(" after", file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "ours\nan error of Ray's\nno end of line after\n"
