"""A launcher's file (`ray up`) → its node types, what they cost, and which of them a stage runs on. Pure.

Prices are data (`deploy/prices.yaml`, or any file of the same form): list prices of a date, never asked for from here.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.strict_yaml import read_yaml
from ray_jobs.cluster.waiting import fits, in_words
from ray_jobs.run.named_paths import check_file

PRICES = Path(__file__).parents[2] / "deploy" / "prices.yaml"


@dataclass(frozen=True)
class LaunchedType:
    """A node type of the launcher's file."""

    name: str
    machine: str
    """Instance or machine type; empty when the file names none."""
    resources: Mapping[str, float]
    min_workers: int
    max_workers: int
    spot: bool = False
    head: bool = False


@dataclass(frozen=True)
class Prices:
    """Cost of machines by the hour."""

    date: datetime.date
    currency: str
    region: str
    hourly: Mapping[str, Mapping[str, float]]
    """Machine → "on_demand" and, where known, "spot"."""

    def of(self, kind: LaunchedType) -> float | None:
        """Cost of one node an hour; a spot node whose spot price is unknown counts as on demand. None if unknown."""
        known = self.hourly.get(kind.machine, {})
        return known.get("spot", known.get("on_demand")) if kind.spot else known.get("on_demand")


def read_node_types(tree: Mapping[str, Any]) -> list[LaunchedType]:
    """The head's type first, then the others in the file's order.

    Raises:
        ValueError: the tree is no launcher's file.
    """
    kinds, head = tree.get("available_node_types"), tree.get("head_node_type")
    if not isinstance(kinds, Mapping) or head not in kinds:
        raise ValueError("no launcher file: it should hold available_node_types and the head_node_type among them")
    total = int(tree.get("max_workers", 2))
    found = []
    for name in sorted(kinds, key=lambda name: name != head):
        kind, config = kinds[name], kinds[name].get("node_config") or {}
        spot = (config.get("InstanceMarketOptions", {}).get("MarketType") == "spot"
                or any(entry.get("provisioningModel") == "SPOT" or entry.get("preemptible")
                       for entry in config.get("scheduling", []) if isinstance(entry, Mapping))
                or (isinstance(config.get("scheduling"), Mapping)
                    and config["scheduling"].get("provisioningModel") == "SPOT"))  # fmt: skip
        resources = {key: float(value) for key, value in (kind.get("resources") or {}).items()}
        found.append(LaunchedType(
            name, config.get("InstanceType") or config.get("machineType", ""), resources,
            int(kind.get("min_workers", 0)), min(int(kind.get("max_workers", total)), total), bool(spot), name == head,
        ))  # fmt: skip
    return found


def load_launcher_file(path: str) -> tuple[list[LaunchedType], str]:
    """Node types and region.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no launcher's file; it is named.
    """
    file = check_file(path, "--cluster", "cluster.yaml and deploy/gcp/cluster.yaml are two")
    try:
        tree = read_yaml(file.read_text(encoding="utf-8")).value
        tree = tree if isinstance(tree, Mapping) else {}
        return read_node_types(tree), str(tree["provider"].get("region", ""))
    except (yaml.YAMLError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"--cluster {path}: {' '.join(str(error).split())}") from None


def load_prices(path: str | None, region: str) -> Prices:
    """Prices of a region.

    Raises:
        FileNotFoundError, ValueError: the file is missing, is none of prices, or knows nothing of the region.
    """
    file = check_file(path or PRICES, "--prices")
    try:
        tree = read_yaml(file.read_text(encoding="utf-8")).value
        date = datetime.date.fromisoformat(str(tree["date"]))
        hourly = {str(name): {str(how): float(price) for how, price in prices.items()}
                  for name, prices in tree["regions"].get(region, {}).items()}  # fmt: skip
        return Prices(date, str(tree["currency"]), region, hourly)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"--prices {file} should hold date, currency and regions: {error!r}") from None


@dataclass(frozen=True)
class StagePlace:
    """Where one stage's workers run."""

    stage: str
    workers: int
    each: Mapping[str, float]
    """What one worker asks of one node."""
    on: str = ""
    """Node type; empty when none can take it."""
    nodes: int = 0
    per_hour: float | None = None
    """Cost of those nodes an hour, the head node not among them; None if a price is unknown."""
    missing: str = ""
    """What is missing, in words; empty when nothing is."""


def place(
    stage: str, workers: int, each: Mapping[str, float], kinds: Sequence[LaunchedType], prices: Prices | None
) -> StagePlace:
    """Choose the node type on which the stage's workers run cheapest, as the autoscaler could.

    Args:
        stage: its name.
        workers: how many at a time.
        each: what each of them asks of one node.
        kinds: of the launcher's file.
        prices: of its machines; None takes the type with the fewest GPUs and CPUs to spare.
    """
    able = [kind for kind in kinds if fits(each, kind.resources) and (kind.max_workers > 0 or kind.head)]
    if not able:
        return StagePlace(stage, workers, each, missing=f"no node type has {in_words(each)}")

    def needed(kind: LaunchedType) -> int:
        per_node = min((int(kind.resources[name] / amount + 1e-9) for name, amount in each.items() if amount > 0),
                       default=max(workers, 1))  # fmt: skip
        return -(-workers // per_node)

    def rank(kind: LaunchedType) -> tuple[bool, bool, float, float]:
        price = prices.of(kind) if prices else None
        cost = 0.0 if kind.head else needed(kind) * (price if price is not None else float("inf"))
        spare = kind.resources.get("GPU", 0) * 1000 + kind.resources.get("CPU", 0)
        enough = needed(kind) <= (1 if kind.head else kind.max_workers)
        return (not enough, kind.resources.get("GPU", 0) > 0 and not each.get("GPU"), cost, spare)

    best = min(able, key=rank)
    nodes = needed(best)
    allowed = 1 if best.head else best.max_workers
    price = 0.0 if best.head else prices.of(best) if prices else None
    missing = f"{nodes} nodes of {best.name} are needed and {allowed} allowed" if nodes > allowed else ""
    return StagePlace(stage, workers, each, best.name, nodes, None if price is None else nodes * price, missing)
