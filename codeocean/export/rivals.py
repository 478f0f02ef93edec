"""Answers that were turned down → the rejected halves of preference pairs. Pure.

Three sources, all of the same instruction and input as the accepted answer: another answer that failed a check or a
rule of the discriminator; of a repair whose bug a call has shown, the code as it was; and mutants of an answer that
its tests kill.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from codeocean.export.formats import Rival
from codeocean.generate.bugs import draw_bugs
from codeocean.generate.few_shot import draw_number, failed_rules, is_accepted
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.turns import variant_id
from codeocean.verify.proof import FEW

Row = Mapping[str, Any]

MOST_MUTANTS = 3
"""Pairs that one instance gives by its mutants: more would say the same."""


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


def killed_mutants(
    instances: pa.Table, generations: Iterable[Row], proofs: Mapping[str, Row], config: GenerateConfig
) -> dict[str, list[Rival]]:
    """Id of an instance whose tests prove it → mutants of its output that they kill, at most `MOST_MUTANTS`.

    Args:
        instances: INSTANCES rows.
        generations: GENERATIONS rows of all attempts.
        proofs: `raw_id` → PROOFS row.
        config: number and seed of the mutants.

    Mutants are not kept; the same seed draws them again. Where some of them did not compile, it is not known which.
    """
    rows = {row["raw_id"]: row for row in instances.to_pylist() if row["proof"] == "tests" and row["raw_id"] in proofs}
    rivals: dict[str, list[Rival]] = {}
    for generation in generations:
        row = rows.get(generation["raw_id"])
        found = json.loads(proofs[row["raw_id"]]["found"]) if row is not None else {}
        if row is None or not found.get("chosen") or _chosen_id(generation, found["chosen"][0], config) != row["id"]:
            continue
        seed = draw_number(config.seed, "mutants", generation["id"])
        bugs = draw_bugs(row["output"], row["language"], config.mutants, seed)
        if not bugs or len(found["kills"]) < len(bugs) or (len(found["kills"]) > len(bugs) >= FEW):
            continue
        killed = [bug for bug, kill in zip(bugs, found["kills"], strict=False) if kill]
        rivals[row["id"]] = [Rival(bug.code, f"it fails the tests: {bug.description}") for bug in killed[:MOST_MUTANTS]]
    return rivals


def _chosen_id(generation: Row, number: int, config: GenerateConfig) -> str:
    """Id of a generation's solution of a number: 0 is its own."""
    return str(variant_id(generation["id"], number, config.seed) if number else generation["id"])


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
