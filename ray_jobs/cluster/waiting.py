"""Why a job waits, in words: what it asks for, what the autoscaler is doing about it, what to change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Resources = Mapping[str, float]

SETTINGS = {
    "GPU": "serve.engine.gpus, embed.gpus_per_actor, select.gpus_per_shard, train.workers or train.use_gpu",
    "CPU": "serve.engine.cpus, embed.cpus_per_actor, train.cpus_per_worker or train.workers",
}
"""Resource → the settings by which a stage asks for it."""

REMEDIES = (
    (("InsufficientInstanceCapacity", "ZONE_RESOURCE_POOL_EXHAUSTED", "capacity"),
     "the provider has none left there: name more zones, another instance type, or on-demand nodes"),
    (("VcpuLimitExceeded", "LimitExceeded", "QUOTA", "quota"),
     "your account's quota is reached: ask the provider for more, or lower max_workers"),
    (("MaxSpotInstanceCountExceeded", "SpotMaxPrice"), "spot instances are limited: use the on-demand node type"),
    (("UnauthorizedOperation", "AccessDenied", "PERMISSION_DENIED", "forbidden"),
     "the head node may not start nodes: give its role the launcher's policy (docs/security.md)"),
    (("InvalidAMI", "InvalidParameter", "not found", "notFound"),
     "the node type's node_config names something that does not exist in this region"),
)  # fmt: skip
"""Words in a provider's error → what to do about it."""


@dataclass(frozen=True)
class Demand:
    """Something that waits for resources."""

    resources: Resources
    count: int = 1
    group: str = ""
    """Strategy of the placement group that it is part of; empty for tasks and actors."""


@dataclass(frozen=True)
class NodeType:
    """A kind of node that the autoscaler can start, from the launcher's file."""

    name: str
    resources: Resources
    max_workers: int


@dataclass(frozen=True)
class ClusterState:
    """What the cluster says of itself at one moment."""

    demands: Sequence[Demand] = ()
    nodes: Mapping[str, Sequence[Resources]] = field(default_factory=dict)
    """Node type → the resources that each of its nodes has."""
    starting: Mapping[str, int] = field(default_factory=dict)
    """Node type → nodes that are asked for and not there yet."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Node type → why starting one failed last."""
    autoscaler: bool = False
    node_types: Sequence[NodeType] | None = None
    """None where the launcher's file is not at hand."""


def fits(asked: Resources, offered: Resources) -> bool:
    """Whether one node with what is offered can take what is asked for."""
    return all(offered.get(name, 0.0) >= amount - 1e-9 for name, amount in asked.items() if amount > 0)


def in_words(resources: Resources) -> str:
    """`{"GPU": 1, "CPU": 4}` → "4 CPUs and 1 GPU"."""
    parts = []
    for name, amount in sorted(resources.items()):
        if name in {"CPU", "GPU"}:
            parts.append(f"{amount:g} {name}{'' if amount == 1 else 's'}")
        elif name in {"memory", "object_store_memory"}:
            parts.append(f"{amount / 2**30:.1f} GiB of {name.replace('_', ' ')}")
        else:
            parts.append(f"{amount:g} {name}")
    return " and ".join(parts) or "nothing"


def explain(state: ClusterState) -> list[str]:
    """Sentences, one or two for each thing that waits; none when nothing does."""
    return [sentence for demand in state.demands for sentence in _explain_one(demand, state)]


def _explain_one(demand: Demand, state: ClusterState) -> list[str]:
    times = f"{demand.count} × " if demand.count > 1 else ""
    group = f", placed as one group ({demand.group})" if demand.group else ""
    return [f"for {times}{in_words(demand.resources)}{group}", *_because(demand, state)]


def _because(demand: Demand, state: ClusterState) -> list[str]:
    asked = demand.resources
    here = {name for name, nodes in state.nodes.items() if any(fits(asked, node) for node in nodes)}
    if not state.autoscaler:
        if here:
            return ["all that could take it is in use; it goes on when something ends. No autoscaler adds nodes here"]
        return [f"no node has that and no autoscaler adds one: start a node that has it, or lower {_settings(asked)}"]
    if state.node_types is None:
        able, known = here | set(state.starting) | set(state.failures), False
    else:
        able, known = {kind.name for kind in state.node_types if fits(asked, kind.resources)}, True
    if known and not able:
        offered = "; ".join(f"{kind.name}: {in_words(kind.resources)}" for kind in state.node_types or ())
        remedy = f"add one to available_node_types and `ray up` again, or lower {_settings(asked)}"
        return [f"no node type has that ({offered}), so it would wait for ever: {remedy}"]
    return _autoscaler_says(able, state)


def _autoscaler_says(able: set[str], state: ClusterState) -> list[str]:
    """What goes on with the node types that could take a demand."""
    found = []
    starting = {name: count for name, count in state.starting.items() if name in able}
    if starting:
        listing = " and ".join(f"{count} of type {name}" for name, count in starting.items())
        found.append(f"the autoscaler is starting nodes: {listing}; that takes some minutes")
    for name in sorted(able & set(state.failures)):
        reason = " ".join(state.failures[name].split())[:300]
        found.append(f"starting a node of type {name} failed: {reason}; {_remedy(reason)}")
    full = [kind for kind in state.node_types or ()
            if kind.name in able and len(state.nodes.get(kind.name, ())) >= kind.max_workers]  # fmt: skip
    if not found and full:
        listing = ", ".join(f"{kind.name} has its {kind.max_workers}" for kind in full)
        return [
            f"no more nodes are allowed ({listing}) and all are in use; raise max_workers, or wait for one to be free"
        ]
    return found or ["the autoscaler has seen it and has not begun to start a node yet"]


def _remedy(reason: str) -> str:
    for words, remedy in REMEDIES:
        if any(word.lower() in reason.lower() for word in words):
            return remedy
    return "see monitor.log on the head node (`ray monitor cluster.yaml`)"


def _settings(asked: Resources) -> str:
    named = [SETTINGS[name] for name in ("GPU", "CPU") if asked.get(name, 0) > 0]
    return named[0] if named else "what the stage asks for"
