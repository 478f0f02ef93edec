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
import collections, json, sys, time
import ray
from ray.util.placement_group import placement_group
from ray_jobs.watch import cluster_state

ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
program, encoder, bundles = json.loads(sys.argv[2])

@ray.remote(max_retries=0)
def work():
    time.sleep(1)
    return ray.get_runtime_context().get_node_id()

def workers():
    state = cluster_state(sys.argv[1], None)
    return {kind: len(nodes) for kind, nodes in state.nodes.items() if kind != "ray.head.default"}

alone = work.options(num_cpus=program["CPU"]).remote()
ray.get(alone, timeout=100)
first = workers()
group = placement_group(bundles, strategy="PACK")
impossible = placement_group([{"GPU": 9}])
asked = [work.options(num_cpus=encoder["CPU"], num_gpus=encoder["GPU"]).remote()]
most, waited, until = collections.Counter(), [], time.monotonic() + 150
ready = group.ready()
left = [*asked, ready]
while left and time.monotonic() < until:
    _, left = ray.wait(left, num_returns=len(left), timeout=0.5)
    state = cluster_state(sys.argv[1], None)
    waited.append({kind: count for kind, count in state.starting.items()})
    most |= collections.Counter(workers())
assert not left, (left, most)
kind_of = {node["NodeID"]: "gpu" if node["Resources"].get("GPU") else "cpu" for node in ray.nodes()}
ran = [kind_of[id_] for id_ in ray.get([alone, *asked])]
most |= collections.Counter(workers())
ray.util.remove_placement_group(group)
demand = [dict(each.resources) for each in cluster_state(sys.argv[1], None).demands]
ray.util.remove_placement_group(impossible)
while workers() and time.monotonic() < until:
    time.sleep(0.5)
print(json.dumps({"most": most, "ran": ran, "first": first, "left": workers(), "demand": demand, "autoscaler": state.autoscaler,
                  "starting": [each for each in waited if each][:1]}))
"""


def test_each_stages_group_comes_from_0_works_and_goes_again(tmp_path):
    launcher = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    head = start_head(tmp_path, cpus=launcher["available_node_types"]["head"]["resources"]["CPU"], launcher=launcher)
    try:
        # Sandboxed programs on their own; then an encoder and an engine over two GPUs, as serve/engines.py asks for it.
        asked = [{"CPU": 24}, {"CPU": 1, "GPU": 1}, [{"CPU": 4, "GPU": 1}, {"GPU": 1}]]
        done = head.run(sys.executable, "-c", DRIVER, head.gcs, json.dumps(asked), timeout=200)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    finally:
        stop_head(head)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["left"] == {}
    assert seen["autoscaler"] is True
    assert seen["starting"]
    assert seen["demand"] == [{"GPU": 9.0}]  # what no node type has stays asked for, and the job says so
    assert set(seen["most"]) <= set(launcher["available_node_types"])
    assert all("-spot" in kind for kind in seen["most"]), seen  # they have priority
    assert seen["ran"] == ["cpu", "gpu"]
    assert seen["first"] == {"cpu-spot": 1}  # work without a GPU brings up no node with one
