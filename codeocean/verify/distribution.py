"""How much of a data set is proved, and by what: figures for the data card, the manifest and the report. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from codeocean.verify.columns import PROOFS


def distribution_of(instances: pa.Table, asked_for: int, refused: Sequence[dict[str, int]] = ()) -> dict[str, Any]:
    """What the columns of proof hold.

    Args:
        instances: INSTANCES rows that are kept.
        asked_for: rows that were sent to the generator.
        refused: of each tested row, reason → tests that were none.

    Returns:
        `proofs`: proof → instances, strongest last, those that occur. `tested`: instances with tests. `all_passed`:
        those that pass all of them. `yield`: their share of what was asked for. `pass_rate`, `difficulty`: means.
        `mutants`, `mutants_killed`: sums. `refused`: reason → tests.
    """
    proofs, rows = Counter(instances["proof"].to_pylist()), instances.num_rows
    rates = [rate for rate in instances["pass_rate"].to_pylist() if rate is not None]
    hard = [one for one in instances["difficulty"].to_pylist() if one is not None]
    sums = {name: sum(n or 0 for n in instances[name].to_pylist()) for name in ("mutants", "mutants_killed")}
    counts = sum((Counter(one) for one in refused), Counter[str]())
    passed = sum(rate == 1 for rate in rates)
    return {
        "proofs": {name: proofs[name] for name in PROOFS if proofs[name]},
        "instances": rows,
        "tested": len(rates),
        "all_passed": passed,
        "yield": round(passed / asked_for, 4) if asked_for else 0.0,
        "pass_rate": round(statistics.fmean(rates), 4) if rates else None,
        "difficulty": round(statistics.fmean(hard), 4) if hard else None,
        "refused": dict(counts.most_common()),
        **sums,
    }
