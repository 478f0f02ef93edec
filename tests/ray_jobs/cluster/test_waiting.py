"""Why a job waits, in words."""

import pytest

from ray_jobs.cluster.waiting import ClusterState, Demand, NodeType, explain, fits, in_words

GPU_TYPE = NodeType("gpu", {"CPU": 8, "GPU": 1}, 2)
CPU_TYPE = NodeType("cpu", {"CPU": 16}, 4)
KINDS = [CPU_TYPE, GPU_TYPE]


def sentences(resources, **state):
    return " ".join(explain(ClusterState([Demand(resources, 3)], **state)))


def test_nothing_waits():
    assert explain(ClusterState()) == []


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"CPU": 1}, "1 CPU"),
        ({"GPU": 2.0, "CPU": 0.5}, "0.5 CPUs and 2 GPUs"),
        ({"memory": 3 * 2**30}, "3.0 GiB of memory"),
        ({"accelerator_type:A10G": 0.001}, "0.001 accelerator_type:A10G"),
    ],
)
def test_resources_in_words(resources, words):
    assert in_words(resources) == words


def test_a_resource_fits_where_there_is_enough_of_all():
    assert fits({"CPU": 1, "GPU": 0}, {"CPU": 1})
    assert not fits({"CPU": 1, "GPU": 0.1}, {"CPU": 8})


@pytest.mark.parametrize(
    ("resources", "state", "said"),
    [
        ({"TPU": 1}, {"autoscaler": True, "node_types": KINDS}, "no node type has that"),
        ({"GPU": 2}, {"autoscaler": True, "node_types": KINDS}, "lower serve.engine.gpus"),
        ({"GPU": 1}, {"autoscaler": True, "node_types": KINDS, "starting": {"gpu": 2, "cpu": 1}}, "2 of type gpu;"),
        ({"GPU": 1}, {"autoscaler": True, "starting": {"gpu": 2}}, "2 of type gpu;"),
        ({"GPU": 1}, {"autoscaler": True, "node_types": KINDS, "nodes": {"gpu": [{"GPU": 1}] * 2}}, "gpu has its 2"),
        ({"GPU": 1}, {"autoscaler": True, "node_types": KINDS}, "has not begun to start a node"),
        (
            {"GPU": 1},
            {"autoscaler": True, "node_types": KINDS, "failures": {"gpu": "VcpuLimitExceeded: 32"}},
            "your account's quota",
        ),
        (
            {"GPU": 1},
            {"autoscaler": True, "node_types": KINDS, "failures": {"gpu": "InsufficientInstanceCapacity"}},
            "name more zones",
        ),
        ({"GPU": 1}, {"autoscaler": True, "node_types": KINDS, "failures": {"gpu": "oops"}}, "monitor.log"),
        ({"CPU": 4}, {"nodes": {"head": [{"CPU": 4}]}}, "all that could take it is in use"),
        ({"CPU": 8}, {"nodes": {"head": [{"CPU": 4}]}}, "lower serve.engine.cpus"),
    ],
)
def test_each_cause_is_told_with_what_to_change(resources, state, said):
    found = sentences(resources, **state)
    assert found.startswith(f"for 3 × {in_words(resources)}")
    assert said in found


def test_a_failure_of_another_type_is_not_this_demands():
    state = ClusterState([Demand({"GPU": 1})], failures={"cpu": "quota"}, autoscaler=True, node_types=KINDS)
    assert "quota" not in " ".join(explain(state))


def test_a_group_is_named():
    assert explain(ClusterState([Demand({"CPU": 1}, 2, "STRICT_SPREAD")]))[0].endswith("as one group (STRICT_SPREAD)")
