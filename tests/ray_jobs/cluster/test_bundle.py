"""What the cluster knew of a job is in the run directory when the cluster is gone, without secrets."""

import dataclasses
import json
import sys

import pytest

DRIVER = r"""
import os, sys
import ray
from ray_jobs.cluster.connect import join_cluster
from ray.util import state
from ray_jobs.cluster.bundle import _metrics, write_postmortem
from ray_jobs.run.rundir import RunDir

join_cluster({})

@ray.remote(max_retries=0)
def fails():
    raise ValueError("boom with hf_plantedplanted")

@ray.remote(max_restarts=0)
class Dies:
    def work(self):
        print("last words of the actor, HF_TOKEN=planted-value", file=sys.stderr, flush=True)
        os._exit(3)

error = None
for ask in (fails.remote, Dies.remote().work.remote):
    try:
        ray.get(ask())
    except ray.exceptions.RayError as caught:
        error = caught
import time

def recorded():
    # Ray writes its records of tasks once a second, and its metrics some seconds after a node's start.
    mine = [("job_id", "=", ray.get_runtime_context().get_job_id()), ("state", "=", "FAILED")]
    return {"fails", "Dies.work"} <= {task.name for task in state.list_tasks(filters=mine)} and "ray_node_" in _metrics()

while not recorded():
    time.sleep(0.2)
print(write_postmortem(RunDir(sys.argv[1]), "train", error))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_bundle_says_what_failed_and_hides_secrets(token_head, tmp_path):
    inside = dataclasses.replace(token_head, environment=token_head.environment | {
        "RAY_ADDRESS": token_head.gcs, "HF_TOKEN": "planted-value"})  # fmt: skip
    done = inside.run(sys.executable, "-c", DRIVER, str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    folder = tmp_path / done.stdout.splitlines()[-1]
    bundle = json.loads((folder / "bundle.json").read_text())
    assert bundle["missing"] == {}
    assert bundle["job"]["job"] == "train"
    assert "ActorDiedError" in bundle["job"]["outcome"]
    assert len(bundle["nodes"]) == 1
    failures = {task["name"]: task for task in bundle["failed_tasks"]}
    assert "boom with [hidden]" in failures["fails"]["error_message"]
    assert bundle["tasks"]["fails"] == {"FAILED": 1}
    (actor,) = [actor for actor in bundle["actors"] if actor["class_name"] == "Dies"]
    assert (actor["state"], actor["failed"], bool(actor["death_cause"])) == ("DEAD", True, True)
    (log,) = folder.glob("logs/Dies-*.err")
    assert "last words of the actor" in log.read_text()
    assert "ray_node_" in (folder / "metrics.prom").read_text()
    everything = "".join(file.read_text() for file in folder.rglob("*") if file.is_file())
    for secret in ("planted-value", "hf_plantedplanted", "planted-token"):
        assert secret not in everything
