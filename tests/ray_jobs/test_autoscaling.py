"""The launcher's own node types on Ray's fake provider: stages ask, the right groups come from 0, work, and go again."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.cluster_head import start_head, stop_head

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DRIVER = r"""
import collections, json, os, sys, time
from pathlib import Path
import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
from ray_jobs.cluster.waiting import explain
from ray_jobs.cluster.watch import cluster_state, node_types_here

address, launcher = sys.argv[1:3]
ray.init(address=address, log_to_driver=False, logging_level="ERROR")
program, encoder, bundles = json.loads(sys.argv[3])
until = time.monotonic() + 240
kinds = node_types_here(Path(launcher))

@ray.remote(max_retries=0)
def work():
    time.sleep(1)
    return os.environ["RAY_NODE_TYPE_NAME"]

def look():
    state = cluster_state(address, kinds)
    workers = {kind: len(nodes) for kind, nodes in state.nodes.items() if kind != "ray.head.default"}
    return state, workers

def wait(*left):
    # Until all is done; returns what was seen to start and to be there meanwhile, and what the work says of its node.
    asked, left, starting, there = left, list(left), set(), collections.Counter()
    while left and time.monotonic() < until:
        _, left = ray.wait(left, num_returns=len(left), timeout=0.2)
        state, workers = look()
        starting |= set(state.starting)
        there |= collections.Counter(workers)
    assert not left, (left, there, state)
    ran = ray.get(list(asked))
    return {"starting": sorted(starting), "there": sorted({*there, *ran}), "ran": ran}

def wait_for(reached):
    while not reached(*look()) and time.monotonic() < until:
        time.sleep(0.2)
    return look()

before = look()[1]
first = wait(work.options(num_cpus=program["CPU"]).remote())
impossible = placement_group([{"GPU": 9}])
group = placement_group(bundles, strategy="PACK")
inside = [PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=each) for each in range(len(bundles))]
engine = [work.options(num_cpus=bundle.get("CPU", 0), num_gpus=bundle["GPU"], scheduling_strategy=place).remote()
          for bundle, place in zip(bundles, inside)]
second = wait(work.options(num_cpus=encoder["CPU"], num_gpus=encoder["GPU"]).remote(), *engine)
ray.util.remove_placement_group(group)
state, _ = wait_for(lambda state, workers: [each.resources for each in state.demands] == [{"GPU": 9}])
demand, said = [dict(each.resources) for each in state.demands], explain(state)
ray.util.remove_placement_group(impossible)
state, left = wait_for(lambda state, workers: not workers and not state.starting and not state.demands)
print(json.dumps({"before": before, "first": first, "second": second, "left": left, "demand": demand, "said": said,
                  "autoscaler": state.autoscaler}))
"""


def test_each_stages_group_comes_from_0_works_and_goes_again(tmp_path):
    launcher = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    head = start_head(tmp_path, cpus=launcher["available_node_types"]["head"]["resources"]["CPU"], launcher=launcher)
    try:
        # Sandboxed programs on their own; then an encoder and an engine over two GPUs, as serve/engines/settings.py asks for it.
        asked = [{"CPU": 24}, {"CPU": 1, "GPU": 1}, [{"CPU": 4, "GPU": 1}, {"GPU": 1}]]
        command = [sys.executable, "-c", DRIVER, head.gcs, str(ROOT / "cluster.yaml"), json.dumps(asked)]
        done = head.run(*command, timeout=300)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    finally:
        stop_head(head)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["autoscaler"] is True
    assert seen["before"] == {}
    # Work without a GPU brings up no node with one; spot nodes have priority.
    assert seen["first"]["there"] == seen["first"]["ran"] == ["cpu-spot"], seen
    assert set(seen["first"]["starting"]) <= {"cpu-spot"}, seen
    with_gpu = {"gpu-spot", "train-spot"}
    assert seen["first"]["starting"] + seen["second"]["starting"], seen
    assert set(seen["second"]["starting"]) <= with_gpu, seen
    assert set(seen["second"]["there"]) <= with_gpu | {"cpu-spot"}, seen
    assert set(seen["second"]["ran"]) <= with_gpu, seen
    assert seen["demand"] == [{"GPU": 9.0}]  # what no node type has stays asked for, and the job says so
    assert any("no node type has that" in sentence for sentence in seen["said"]), seen["said"]
    assert seen["left"] == {}
