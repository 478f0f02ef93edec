"""How much of a data set is proved, and by what: figures for the data card, the manifest and the report. Pure."""

from __future__ import annotations

import bisect
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from codeocean.verify.columns import PROOFS

SHOWN_BY_TESTS = ("tests", "equivalent", "round_trip")
"""Proofs that something was run for."""


def distribution_of(instances: pa.Table, asked_for: int, refused: Sequence[dict[str, int]] = ()) -> dict[str, Any]:
    """What the columns of proof hold.

    Args:
        instances: INSTANCES rows that are kept.
        asked_for: rows that were sent to the generator.
        refused: of each tested row, reason → tests that were none.

    Returns:
        `proofs`: proof → instances, strongest last, those that occur. `tested`: instances with tests. `all_passed`:
        those that pass all of them. `yield`: their share of what was asked for. `proved`: the share of
        those whose proof is one of `SHOWN_BY_TESTS`. `pass_rate`, `difficulty`: means.
        `mutants`, `mutants_killed`: sums. `refused`: reason → tests. `spread`: column → value or range → instances,
        of those that have a value.
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
        "proved": round(sum(proofs[name] for name in SHOWN_BY_TESTS) / asked_for, 4) if asked_for else 0.0,
        "pass_rate": round(statistics.fmean(rates), 4) if rates else None,
        "difficulty": round(statistics.fmean(hard), 4) if hard else None,
        "refused": dict(counts.most_common()),
        "spread": {name: spread for name in _SHOWN_AS if (spread := _spread(instances[name].to_pylist(), name))},
        **sums,
    }


def _spread(values: Sequence[float | None], column: str) -> dict[str, int]:
    """Value or range → rows that have it, least first; all between the least and the most that occur."""
    bounds = _SHOWN_AS[column]
    places = [bisect.bisect_right([least for least, _ in bounds], value) - 1 for value in values if value is not None]
    shown = range(min(places), max(places) + 1) if places else ()
    return {bounds[place][1]: places.count(place) for place in shown}


_SHARES = ((0.0, "0 %"), (1e-9, "1 to 49 %"), (0.5, "50 to 99 %"), (1.0, "100 %"))
_NUMBERS = (*((n, str(n)) for n in range(5)), (5, "5 to 9"), (10, "10 or more"))
_SHOWN_AS = {"pass_rate": _SHARES, "difficulty": _SHARES, "solutions_agreeing": _NUMBERS, "mutants_killed": _NUMBERS}
"""Column → the ranges that its values are counted in: least value and name, least first."""
