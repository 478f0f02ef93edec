"""A run directory → the facts that the page shows. A stage that is missing is shown as not run; nothing is made up."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import fs as pafs

from core.manifest import named_files, read_manifest, read_object
from core.stages import STAGES
from core.storage import read_part, read_parts

SHOWN = tuple(name for name in STAGES if name != "report")
GATES = {"raw code": "select", "CodeOcean": "codeocean", "training mix": "mix"}
"""What was compared with the benchmarks → the stage that did."""
MAX_POINTS = 20_000
SAMPLES_PER_TASK = 2
MAX_REJECTED = 6

Row = dict[str, Any]


@dataclass(frozen=True)
class RunFacts:
    """Everything on the page."""

    name: str
    manifests: dict[str, Row]
    vectors_ND: np.ndarray[Any, Any] | None = None
    """(N, D) float32, a sample of the raw code's embeddings that holds every pick."""
    ranks_N: np.ndarray[Any, Any] | None = None
    """(N,) rank of the pick, -1 for rows that were not picked."""
    radii: list[float] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    leakage: dict[str, list[Row]] = field(default_factory=dict)
    """Gate → pairs of a benchmark's problem and a row near it, worst first."""
    clusters: list[Row] = field(default_factory=list)
    """What the cluster knew of each job that wrote into this run, the oldest first."""


def gather(fs: pafs.FileSystem, root: str) -> RunFacts:
    """Read what there is.

    Raises:
        ValueError: an artifact cannot be read; the file is named.
    """
    reader = _Reader(fs, root)
    manifests = {stage: found for stage in SHOWN
                 if (found := read_manifest(fs, posixpath.join(root, stage), to_show=True)) is not None}  # fmt: skip
    vectors, ranks, radii = _coverage(reader) if {"embed", "select"} <= set(manifests) else (None, None, [])
    steps = reader.rows("train", "steps.parquet", needs=("step", "loss")) if "train" in manifests else []
    accepted = _accepted(reader) if "codeocean" in manifests else []
    rejected = _rejected(reader, manifests["generate"]) if "generate" in manifests else []
    name = posixpath.basename(root.rstrip("/"))
    leakage = {
        gate: reader.rows(stage, "leakage.parquet", needs=("benchmark", "rank", "similarity"))
        for gate, stage in GATES.items()
        if stage in manifests and "leakage.parquet" in manifests[stage].get("files", [])
    }
    clusters = [bundle for file in reader.names("cluster", "/bundle.json") if (bundle := reader.json(file)) is not None]
    clusters.sort(key=lambda bundle: str(bundle["job"]["ended"]))
    return RunFacts(name, manifests, vectors, ranks, radii, steps, accepted, rejected, leakage, clusters)


class _Reader:
    """Reads files of one run directory."""

    def __init__(self, fs: pafs.FileSystem, root: str) -> None:
        self._fs, self._root = fs, root

    def json(self, *parts: str) -> Row | None:
        return read_object(self._fs, posixpath.join(self._root, *parts))

    def names(self, folder: str, suffix: str) -> list[str]:
        selector = pafs.FileSelector(posixpath.join(self._root, folder), recursive=True, allow_not_found=True)
        paths = (posixpath.relpath(info.path, self._root) for info in self._fs.get_file_info(selector) if info.is_file)
        return sorted(path for path in paths if path.endswith(suffix) and "/." not in path)

    def table(self, *parts: str, needs: Sequence[str] = ()) -> pa.Table:
        return read_part(self._fs, posixpath.join(self._root, *parts), needs=needs)

    def parts(self, stage: str, needs: Sequence[str]) -> pa.Table:
        return read_parts(self._fs, posixpath.join(self._root, stage), needs=needs)

    def rows(self, *parts: str, needs: Sequence[str]) -> list[Row]:
        found: list[Row] = self.table(*parts, needs=needs).to_pylist()
        return found


def _coverage(reader: _Reader) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[float]]:
    coreset = reader.table("select", "coreset.parquet", needs=("id", "rank", "radius"))
    rank_of = dict(zip(coreset["id"].to_pylist(), coreset["rank"].to_pylist(), strict=True))
    embeddings = reader.parts("embed", ("id", "embedding"))
    ranks = np.array([rank_of.get(id_, -1) for id_ in embeddings["id"].to_pylist()])
    stride = max(1, len(ranks) // MAX_POINTS)
    keep = np.flatnonzero((ranks >= 0) | (np.arange(len(ranks)) % stride == 0))
    column = embeddings["embedding"].take(keep).combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(keep), -1).astype(np.float32), ranks[keep], coreset["radius"].to_pylist()


def _accepted(reader: _Reader) -> list[Row]:
    chosen: list[Row] = []
    for row in reader.parts("codeocean", ("task", "provenance")).to_pylist():
        if sum(other["task"] == row["task"] for other in chosen) < SAMPLES_PER_TASK:
            chosen.append(row | {"provenance": json.loads(row["provenance"])})
    return sorted(chosen, key=lambda row: row["task"])


def _rejected(reader: _Reader, manifest: Row) -> list[Row]:
    """Instances that the discriminator turned down, with the rules that they broke."""
    chosen: list[Row] = []
    judged = [f"generate/{part.name}" for part in named_files(manifest) if part.name.endswith("verdicts.parquet")]
    for name in judged or reader.names("generate", "verdicts.parquet"):
        asked = reader.rows(name.replace("verdicts", "generations"), needs=("id", "task"))
        generations = {row["id"]: row for row in asked}
        for verdict in reader.rows(name, needs=("id", "rules", "overall", "error")):
            failed = [rule for rule in verdict["rules"] or [] if rule["answer"] != "yes"]
            if not verdict["error"] and (failed or verdict["overall"] != "yes") and len(chosen) < MAX_REJECTED:
                chosen.append(generations[verdict["id"]] | {"failed": failed, "overall": verdict["overall"]})
    return chosen
