"""Samples → scores. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from eval.intervals import bootstrap_interval, paired_difference
from eval.passk import estimate_pass_at_k

SAMPLES = pa.schema([
    ("benchmark", pa.string()), ("model", pa.string()), ("task_id", pa.string()), ("language", pa.string()),
    ("sample", pa.int32()), ("seed", pa.int64()), ("form", pa.string()), ("prompt", pa.string()),
    ("description", pa.string()), ("raw_answer", pa.string()), ("finish_reason", pa.string()),
    ("reading", pa.string()), ("completion", pa.string()), ("program", pa.string()),
    ("passed", pa.bool_()), ("outcome", pa.string()),
    ("seconds", pa.float64()), ("stderr", pa.string()),
    ("isolation", pa.string()), ("oracle", pa.string()),
])  # fmt: skip
"""One answer and what became of its program. `description` is the answer to a first question, where there is one;
`reading` says, as JSON, which reading of the answer was chosen and which were next; `isolation` is what
kept the program in, `oracle` who decided."""

SCORES = pa.schema([
    ("label", pa.string()), ("model", pa.string()), ("benchmark", pa.string()), ("language", pa.string()),
    ("k", pa.int32()), ("pass_at_k", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int32()),
    ("samples_per_problem", pa.int32()), ("dataset_digest", pa.string()),
])  # fmt: skip
"""One estimate: a share between 0 and 1, with its 95 % interval."""


def score_samples(samples: pa.Table, ks: Sequence[int] = (1,), seed: int = 0) -> dict[str, Any]:
    """Scores of one benchmark.

    Args:
        samples: SAMPLES rows of one model.
        ks: pass@k is estimated for those that every problem has samples enough for.
        seed: of the intervals.

    Returns:
        `n` problems, `samples_per_problem` (the fewest), `pass_at_1` and its `low` and `high`, `pass_at_k`: k → the
        same three, `outcomes`, `cut_off`: answers that ended at the token limit.
    """
    counts = counts_of(samples)
    fewest = min((total for total, _ in counts.values()), default=0)
    estimates = {}
    for k in sorted({1, *ks}):
        if k <= max(fewest, 1):
            values_N = values_at(counts, k)
            low, high = bootstrap_interval(values_N, seed=seed)
            estimates[str(k)] = {"estimate": float(values_N.mean()) if counts else 0.0, "low": low, "high": high}
    first = estimates["1"]
    return {
        "n": len(counts),
        "samples_per_problem": fewest,
        "pass_at_1": first["estimate"],
        "low": first["low"],
        "high": first["high"],
        "pass_at_k": estimates,
        "outcomes": dict(Counter(samples["outcome"].to_pylist()).most_common()),
        "cut_off": samples["finish_reason"].to_pylist().count("length"),
    }


def compare_samples(first: pa.Table, second: pa.Table, seed: int = 0) -> dict[str, Any]:
    """The `paired_difference` of pass@1 from one model's samples to another's, on the problems that both have."""
    counts, others = counts_of(first), counts_of(second)
    shared = [task_id for task_id in counts if task_id in others]
    values_N = values_at({task_id: counts[task_id] for task_id in shared}, 1)
    others_N = values_at({task_id: others[task_id] for task_id in shared}, 1)
    better, worse = int((others_N > values_N).sum()), int((others_N < values_N).sum())
    return {"n": len(shared), "better": better, "worse": worse} | paired_difference(values_N, others_N, seed=seed)


def counts_of(samples: pa.Table) -> dict[str, tuple[int, int]]:
    """Task → how many samples it has, and how many of them passed, in the order of the rows."""
    passed: dict[str, list[bool]] = defaultdict(list)
    for row in samples.select(["task_id", "passed"]).to_pylist():
        passed[row["task_id"]].append(row["passed"])
    return {task_id: (len(results), sum(results)) for task_id, results in passed.items()}


def values_at(counts: dict[str, tuple[int, int]], k: int) -> np.ndarray[Any, Any]:
    """(N,) pass@k of each problem."""
    return np.array([estimate_pass_at_k(total, correct, k) for total, correct in counts.values()], dtype=np.float64)


def score_rows(scores: list[dict[str, Any]]) -> pa.Table:
    """Results as SCORES rows."""
    names = ("label", "model", "benchmark", "language", "n", "samples_per_problem", "dataset_digest")
    rows = [
        {name: score[name] for name in names}
        | {"k": int(k), "pass_at_k": value["estimate"], "low": value["low"], "high": value["high"]}
        for score in scores
        for k, value in score["pass_at_k"].items()
    ]
    return pa.Table.from_pylist(rows, schema=SCORES)
