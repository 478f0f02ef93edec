"""How many documented functions were seen, taken out and kept in each language, and why the others were not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codeocean.collect.functions import NOT_EXTRACTED

Counts = dict[str, dict[str, Counter[str]]]
"""Language → `kept`, `not_kept`, `not_extracted` or `not_read` → reason → rows."""


def count_functions(rows: pa.Table) -> Counts:
    """Rows with `id`, `language` and `reason`, counted.

    A row with an id is a function that was taken out. One without is a function that was not, or a file or a row of the
    input that gave nothing.
    """
    has_id = pc.not_equal(rows["id"], "")
    table = pa.table({"language": rows["language"], "reason": rows["reason"], "has_id": has_id})
    counts: Counts = {}
    for group in table.group_by(["language", "reason", "has_id"]).aggregate([([], "count_all")]).to_pylist():
        reason = group["reason"]
        if group["has_id"]:
            kind = "not_kept" if reason else "kept"
        else:
            kind = "not_extracted" if reason in NOT_EXTRACTED else "not_read"
        counts.setdefault(group["language"], {}).setdefault(kind, Counter())[reason] += group["count_all"]
    return counts


def merge_counts(into: Counts, other: Counts) -> None:
    """Add other counts."""
    for language, kinds in other.items():
        for kind, reasons in kinds.items():
            into.setdefault(language, {}).setdefault(kind, Counter()).update(reasons)


def describe_functions(counts: Counts) -> dict[str, dict[str, Any]]:
    """Language → functions seen, extracted and kept, and the reasons of the others, the commonest first."""
    found: dict[str, dict[str, Any]] = {}
    for language, kinds in sorted(counts.items()):
        kept = sum(kinds.get("kept", Counter()).values())
        extracted = kept + sum(kinds.get("not_kept", Counter()).values())
        lost = sum(kinds.get("not_extracted", Counter()).values())
        found[language or "unknown"] = {"seen": extracted + lost, "extracted": extracted, "kept": kept} | {
            kind: dict(Counter(kinds[kind]).most_common())
            for kind in ("not_extracted", "not_kept", "not_read")
            if kind in kinds
        }
    return found
