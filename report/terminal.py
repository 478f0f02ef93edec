"""Manifests → the table that ends a pipeline."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from report.scoretables import score_cells


def summary_table(manifests: dict[str, dict[str, Any]]) -> Table:
    """One line for each stage: rows in and out, what was dropped most, seconds, and what there is to say."""
    table = Table(title="what happened", title_justify="left")
    table.add_column("stage")
    for heading in ("rows in", "rows out", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("dropped most")
    table.add_column("note")
    for stage, manifest in manifests.items():
        dropped = sorted(manifest["dropped"].items(), key=lambda item: -item[1])[:2]
        reasons = ", ".join(f"{reason} {count}" for reason, count in dropped)
        table.add_row(
            stage, str(manifest["rows_in"]), str(manifest["rows_out"]), f"{manifest['seconds']:.0f}", reasons,
            _note(stage, manifest["details"]),
        )  # fmt: skip
    return table


def score_table(scores: list[dict[str, Any]]) -> Table:
    """One line for each result."""
    table = Table(title="scores", title_justify="left")
    headings = ("model", "benchmark", "pass@1 %", "95 % interval", "problems", "samples each", "more", "outcomes")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in headings[2:6] else "left")
    for score in scores:
        table.add_row(*(Text(cell) for cell in score_cells(score)))
    return table


def _note(stage: str, details: dict[str, Any]) -> str:
    if stage == "select":
        return f"radius {details['first_radius']:.3f} → {details['last_radius']:.3f}" if details["last_radius"] else ""
    if stage == "embed":
        cut, bare = details.get("rows_cut", 0), details.get("rows_without_code", 0)
        return f"window cut {cut} rows, left no code of {bare}" if cut else ""
    if stage == "codeocean":
        shown = [f"{task} {count}" for task, count in details["tasks"].items()]
        proofs = details.get("proof", {}).get("proofs", {})
        return ", ".join(shown) + (
            " · proof: " + ", ".join(f"{name} {n}" for name, n in proofs.items()) if proofs else ""
        )
    if stage == "train":
        return f"loss {details['first_loss']:.3f} → {details['last_loss']:.3f}"
    if stage == "serve":
        return f"{details['tokens_per_s']} tokens/s, first after {details['first_token_s']} s"
    if stage == "evaluate":
        several = len({score["benchmark"] for score in details["scores"]}) > 1
        return ", ".join(
            f"{s['label']}{' ' + s['benchmark'] if several else ''} {100 * s['pass_at_1']:.1f} % of {s['n']}"
            for s in details["scores"]
        )
    return ""
