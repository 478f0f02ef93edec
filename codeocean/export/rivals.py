"""Answers that were turned down → the rejected halves of preference pairs. Pure.

Two sources, both of the same instruction and input as the accepted answer: another answer that failed a check or a rule
of the discriminator; and of a repair whose bug a call has shown, the code as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from codeocean.export.formats import Rival
from codeocean.generate.few_shot import failed_rules, is_accepted

Row = Mapping[str, Any]


def find_rivals(instances: pa.Table, generations: Iterable[Row], verdicts: Iterable[Row]) -> dict[str, list[Rival]]:
    """Id of an instance → its rivals, in the order of the generations; the unrepaired code last.

    Args:
        instances: INSTANCES rows.
        generations: GENERATIONS rows of all attempts.
        verdicts: VERDICTS rows about them.
    """
    rows = instances.select(["id", "raw_id", "task", "instruction", "input", "output", "provenance"]).to_pylist()
    wanted = {_asked(row, row["input"]): row for row in rows}
    judged = {verdict["id"]: verdict for verdict in verdicts}
    rivals: dict[str, list[Rival]] = {}
    for generation in generations:
        row = wanted.get(_asked(generation, generation["information"]))
        if row is None or not generation["solution"] or generation["solution"] == row["output"]:
            continue
        why = _why_rejected(generation, judged.get(generation["id"]))
        if why:
            rivals.setdefault(row["id"], []).append(Rival(generation["solution"], why))
    for row in rows:
        why = _shown_bug(json.loads(row["provenance"]))
        if why:
            rivals.setdefault(row["id"], []).append(Rival(row["input"], why))
    return rivals


def _asked(row: Row, given: str) -> tuple[str, ...]:
    return row["task"], row["raw_id"], " ".join(row["instruction"].split()), given


def _why_rejected(generation: Row, verdict: Row | None) -> str:
    """Empty for an answer that nobody turned down."""
    if generation["error"]:
        return str(generation["error"])
    if verdict is None or verdict["error"] or is_accepted(verdict):
        return ""
    failed = "; ".join(f"{rule['rule']}: {rule['reason']}" for rule in failed_rules(verdict))
    return failed or verdict["reasons"] or "rejected by the discriminator"


def _shown_bug(provenance: Row) -> str:
    if provenance.get("verified", {}).get("bug") != "passed" or "bug" not in provenance:
        return ""
    bug, shown = provenance["bug"], provenance["verified"].get("shown by")
    return f"the bug is still there: {bug['where']}" + (f", shown by {shown}" if shown else "")
