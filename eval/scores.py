"""Samples → scores. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa

from eval.passk import estimate_pass_at_k

SAMPLES = pa.schema([
    ("benchmark", pa.string()), ("model", pa.string()), ("task_id", pa.string()), ("language", pa.string()),
    ("sample", pa.int32()), ("prompt", pa.string()), ("raw_answer", pa.string()), ("completion", pa.string()),
    ("program", pa.string()), ("passed", pa.bool_()), ("outcome", pa.string()), ("seconds", pa.float64()),
    ("stderr", pa.string()),
])  # fmt: skip
"""One answer and what became of its program."""


def score_samples(samples: pa.Table) -> dict[str, Any]:
    """`n` problems, `samples_per_problem`, `pass_at_1` (0 to 1) and `outcomes` of SAMPLES rows."""
    passed: dict[str, list[bool]] = defaultdict(list)
    for row in samples.select(["task_id", "passed"]).to_pylist():
        passed[row["task_id"]].append(row["passed"])
    estimates = [estimate_pass_at_k(len(results), sum(results), 1) for results in passed.values()]
    return {
        "n": len(passed),
        "samples_per_problem": max((len(results) for results in passed.values()), default=0),
        "pass_at_1": sum(estimates) / len(estimates) if estimates else 0.0,
        "outcomes": dict(Counter(samples["outcome"].to_pylist())),
    }
