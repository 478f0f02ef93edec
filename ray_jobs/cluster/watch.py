"""While a job runs on a cluster it says in its own log what it waits for, in words (ray_jobs/cluster/waiting.py).

So `wavecoder submit`, `ray job logs`, KubeRay and the dashboard all show it, with any autoscaler. The state comes from
the cluster's own records (GCS), which Ray's second autoscaler fills in; with the first one, what is being started is
not seen.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import yaml
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.autoscaler.v2.schema import Stats
from ray.autoscaler.v2.utils import ClusterStatusParser
from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply

from ray_jobs.cluster.job_log import WAITING
from ray_jobs.cluster.node_types import read_node_types
from ray_jobs.cluster.waiting import ClusterState, Demand, NodeType, explain

log = logging.getLogger("wavecoder.ray_jobs")

BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` lays the launcher's file on the head node."""
INTERVAL_S, PATIENCE_S, REPEAT_S = 10.0, 20.0, 300.0
"""How often to look; how long something may wait before it is worth a word; when to say the same again."""


def node_types_here(file: Path = BOOTSTRAP) -> list[NodeType] | None:
    """Node types of the launcher's file, where this is the head node of `ray up`; None elsewhere."""
    try:
        tree = yaml.safe_load(file.expanduser().read_text(encoding="utf-8"))
        return [NodeType(kind.name, kind.resources, kind.max_workers) for kind in read_node_types(tree)]
    except (OSError, ValueError, yaml.YAMLError):
        return None


def cluster_state(gcs_address: str, node_types: list[NodeType] | None) -> ClusterState:
    """What the cluster says of itself now.

    Args:
        gcs_address: `host:port` of the head node's GCS.
        node_types: what its autoscaler can start, if known.
    """
    reply = GetClusterStatusReply()
    reply.ParseFromString(GcsClient(gcs_address).get_cluster_status(timeout_s=10))
    status = ClusterStatusParser.from_get_cluster_status_reply(reply, stats=Stats())
    summary = status.resource_demands
    demands = [Demand(bundle.bundle, bundle.count) for each in summary.ray_task_actor_demand
               for bundle in each.bundles_by_count]  # fmt: skip
    demands += [Demand(bundle.bundle, bundle.count, each.strategy or "group") for each in summary.placement_group_demand
                for bundle in each.bundles_by_count]  # fmt: skip
    nodes: dict[str, list[dict[str, float]]] = {}
    for node in [*status.active_nodes, *status.idle_nodes]:
        nodes.setdefault(node.ray_node_type_name, []).append(node.total_resources())
    starting: dict[str, int] = {}
    for launch in status.pending_launches:
        starting[launch.ray_node_type_name] = starting.get(launch.ray_node_type_name, 0) + launch.count
    for node in status.pending_nodes:
        starting[node.ray_node_type_name] = starting.get(node.ray_node_type_name, 0) + 1
    failures = {failed.ray_node_type_name: failed.details or "no reason given" for failed in status.failed_launches}
    autoscaler = reply.autoscaling_state.autoscaler_state_version > 0
    return ClusterState(demands, nodes, starting, failures, autoscaler, node_types)


class Watcher:
    """Says what the job waits for, when that has lasted, and that it waits no more."""

    def __init__(self) -> None:
        """Nothing is waited for yet."""
        self._since: float | None = None
        self._said: list[str] = []
        self._said_at = 0.0

    def look(self, state: ClusterState, now: float) -> list[str]:
        """Lines to log after a look at the cluster at time `now` (s)."""
        sentences = explain(state)
        if not sentences:
            ended, self._since, self._said = bool(self._said), None, []
            return ["no more"] if ended else []
        self._since = now if self._since is None else self._since
        if now - self._since < PATIENCE_S or (sentences == self._said and now - self._said_at < REPEAT_S):
            return []
        self._said, self._said_at = sentences, now
        return sentences


def watch(gcs_address: str) -> None:
    """Start the thread that looks; it ends with the process."""

    def run() -> None:
        watcher, kinds = Watcher(), node_types_here()
        while True:
            time.sleep(INTERVAL_S)
            try:
                lines = watcher.look(cluster_state(gcs_address, kinds), time.monotonic())
            except Exception as error:  # noqa: BLE001 - a look that fails must not end a job; the next one may succeed
                log.debug("the cluster's state cannot be read: %s", error)
                continue
            for line in lines:
                log.info("%s: %s", WAITING, line)

    threading.Thread(target=run, name="watch", daemon=True).start()
