"""What runs where, out of what Ray's state API lists."""

import pytest

from ray_jobs.watching.placement import by_node, lines_of, look_at

NODES = [
    {"node_id": "b", "node_ip": "10.0.0.2", "is_head_node": False, "resources_total": {"CPU": 8.0, "GPU": 1.0, "memory": 1e9}},
    {"node_id": "a", "node_ip": "10.0.0.1", "is_head_node": True, "resources_total": {}},
]  # fmt: skip


def test_actors_and_tasks_lie_on_their_nodes():
    actors = [
        {"class_name": "ServeReplica:wavecoder:LLMServer:m", "node_id": "b"},
        {"class_name": "ServeController", "node_id": "a"},
        {"class_name": "codeocean.embed.flow.MapWorker(EncodeRows)", "node_id": "b"},
        {"class_name": "codeocean.embed.flow.MapWorker(EncodeRows)", "node_id": "b"},
    ]
    tasks = [
        {"name": "run_proof", "type": "NORMAL_TASK", "node_id": "b"},
        {"name": "Actor.method", "type": "ACTOR_TASK", "node_id": "b"},
    ]
    head, worker = by_node(NODES, actors, tasks)
    assert (head.node, dict(head.runs)) == ("10.0.0.1 (head)", {})
    assert worker.resources == {"CPU": 8.0, "GPU": 1.0}
    assert dict(worker.runs) == {"MapWorker(EncodeRows)": 2, "ServeReplica:wavecoder:LLMServer:m": 1, "run_proof": 1}
    assert lines_of([head, worker]) == [
        "node 10.0.0.1 (head): no CPU: idle",
        "node 10.0.0.2: 8 CPU, 1 GPU: 2 × MapWorker(EncodeRows), ServeReplica:wavecoder:LLMServer:m, run_proof",
    ]


def test_a_cluster_that_does_not_answer_is_one_line():
    with pytest.raises(ConnectionError, match=r"^http://127\.0\.0\.1:9: Ray does not tell what runs"):
        look_at("http://127.0.0.1:9")
