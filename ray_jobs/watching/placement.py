"""What runs on which node of a cluster, from Ray's own state API."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ray_jobs.cluster.job_api import find_token

SERVANTS = ("ServeController", "ProxyActor", "JobSupervisor", "StatsActor", "AutoscalingRequester", "Queue")
"""Beginnings of the names of Ray's own actors, which do no work of a stage."""
MOST = 10_000


@dataclass(frozen=True)
class NodeView:
    """One node at one moment."""

    node: str
    """Its address, and whether it is the head."""
    resources: Mapping[str, float]
    """`CPU`, `GPU`: all that it has."""
    runs: Mapping[str, int]
    """Name of a task or actor → how many of it run there."""


def by_node(
    nodes: Iterable[Mapping[str, Any]], actors: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]]
) -> list[NodeView]:
    """Lay actors and tasks on their nodes.

    Args:
        nodes: that are alive, as Ray's state API lists them.
        actors: that are alive.
        tasks: that run.
    """
    runs: dict[str, Counter[str]] = {}
    for actor in actors:
        name = str(actor.get("class_name") or "")
        if not name.startswith(SERVANTS):
            runs.setdefault(str(actor.get("node_id")), Counter())[_short(name)] += 1
    for task in tasks:
        if task.get("type") == "NORMAL_TASK":
            runs.setdefault(str(task.get("node_id")), Counter())[_short(str(task.get("name") or ""))] += 1
    found = []
    for node in sorted(nodes, key=lambda each: (not each.get("is_head_node"), str(each.get("node_ip")))):
        named = f"{node.get('node_ip')}{' (head)' if node.get('is_head_node') else ''}"
        resources = {name: float(amount) for name, amount in (node.get("resources_total") or {}).items()
                     if name in {"CPU", "GPU"}}  # fmt: skip
        found.append(NodeView(named, resources, dict(sorted(runs.get(str(node.get("node_id")), Counter()).items()))))
    return found


def _short(name: str) -> str:
    """Without a module's path and what Ray puts behind a deployment's name."""
    return name.partition("#")[0].rpartition(".")[2][:60] or "?"


def look_at(address: str) -> list[NodeView]:
    """The nodes of the cluster whose dashboard is at `address`, a URL.

    Raises:
        ConnectionError: it does not answer, or refuses the token.
    """
    from ray.util.state import StateApiClient
    from ray.util.state.common import ListApiOptions, StateResource

    os.environ.pop("RAY_API_SERVER_ADDRESS", None)  # it would win over the address that was asked for
    token = find_token()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def listed(resource: StateResource, state: str) -> list[Any]:
        options = ListApiOptions(limit=MOST, timeout=10, filters=[("state", "=", state)])
        return list(client.list(resource, options, raise_on_missing_output=False))

    try:
        client = StateApiClient(address=address, headers=headers)
        nodes, actors = listed(StateResource.NODES, "ALIVE"), listed(StateResource.ACTORS, "ALIVE")
        tasks = listed(StateResource.TASKS, "RUNNING")
    except Exception as error:  # noqa: BLE001 - whatever its client raises, the cluster could not be asked
        raise ConnectionError(
            f"{address}: Ray does not tell what runs ({' '.join(str(error).split())[:200]})"
        ) from None
    return by_node(*([_as_dict(each) for each in found] for found in (nodes, actors, tasks)))


def _as_dict(state: Any) -> Mapping[str, Any]:
    return state if isinstance(state, Mapping) else vars(state)


def lines_of(nodes: Iterable[NodeView]) -> list[str]:
    """One line for each node."""
    lines = []
    for node in nodes:
        has = ", ".join(f"{amount:g} {name}" for name, amount in node.resources.items()) or "no CPU"
        runs = ", ".join(f"{count} × {name}" if count > 1 else name for name, count in node.runs.items()) or "idle"
        lines.append(f"node {node.node}: {has}: {runs}")
    return lines
