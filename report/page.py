"""Facts → one self-contained HTML page: no script, no network, nothing but this file.

Everything that a model or a stranger wrote is escaped, and the page's own policy forbids scripts and remote content.
"""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from pyarrow import fs as pafs

from core.stages import STAGES
from core.storage import write_bytes
from report.gather import SHOWN, RunFacts, gather
from report.plots import ORANGE, plot_bars, plot_coverage, plot_leakage, plot_loss, plot_radius
from report.scoretables import describe_difference, describe_origin, paper_scores, score_cells, tables_beside_paper

HERE = Path(__file__).parent


def write_report(fs: pafs.FileSystem, root: str, *, title: str = "WaveCoder run") -> str:
    """Write `report/index.html` of a run directory; returns its path.

    Raises:
        ValueError: an artifact cannot be read; the file is named.
    """
    page = render(gather(fs, root), title)
    target = posixpath.join(root, "report", "index.html")
    write_bytes(fs, target, page.encode("utf-8"))
    return target


def render(facts: RunFacts, title: str) -> str:
    """The page's text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    paper = json.loads((HERE / "paper.json").read_text(encoding="utf-8"))
    manifests = {stage: facts.manifests.get(stage) for stage in SHOWN}
    details = {stage: manifest["details"] if manifest else {} for stage, manifest in manifests.items()}
    scores = details["evaluate"].get("scores", [])
    return environment.get_template("page.html.j2").render(
        title=title,
        facts=facts,
        manifests=manifests,
        details=details,
        paper=paper,
        plots=_plots(facts),
        stages=[(stage, STAGES[stage].makes, found) for stage, found in manifests.items() if found or stage != "mix"],
        worst_pairs=[pair | {"gate": gate} for gate, pairs in facts.leakage.items() for pair in pairs[:3]],
        task_mix=_mix(details["codeocean"].get("tasks", {}), paper["task_mix_percent"]),
        spreads=_spreads(details["codeocean"].get("proof", {}).get("spread", {})),
        language_mix=_mix(details["codeocean"].get("languages", {}), paper["language_percent"]),
        scores=[(score, score_cells(score)) for score in scores],
        score_tables=tables_beside_paper(scores),
        score_source=paper_scores(),
        origins=list(dict.fromkeys(describe_origin(score) for score in scores)),
        verdict=" ".join(map(describe_difference, details["evaluate"].get("differences", []))),
    )


def _plots(facts: RunFacts) -> dict[str, Markup]:
    names = ("coverage", "radius", "leakage", "loss", "seconds", "dropped_collect", "dropped_generate")
    found = dict.fromkeys(names, "")
    nearest = nearest_similarities(facts.leakage)
    if nearest:
        found["leakage"] = plot_leakage(nearest)
    if facts.vectors_ND is not None and facts.ranks_N is not None and len(facts.vectors_ND) > 2:
        found["coverage"] = plot_coverage(facts.vectors_ND, facts.ranks_N)
    if len(facts.radii) > 2:
        found["radius"] = plot_radius(facts.radii)
    if facts.steps:
        found["loss"] = plot_loss(facts.steps)
    seconds = [(stage, manifest["seconds"]) for stage, manifest in facts.manifests.items() if stage != "serve"]
    if seconds:
        found["seconds"] = plot_bars(dict(seconds), unit="seconds")
    for stage in ("collect", "generate"):
        dropped = facts.manifests.get(stage, {}).get("dropped", {})
        rows = sorted(((why, n) for why, n in dropped.items() if n), key=lambda item: -item[1])[:14]
        if rows:
            found[f"dropped_{stage}"] = plot_bars(dict(rows), unit="rows", color=ORANGE)
    # SVG of our own making: labels are escaped by matplotlib.
    return {name: Markup(svg) for name, svg in found.items()}  # noqa: S704


def nearest_similarities(leakage: dict[str, list[dict[str, Any]]]) -> dict[str, list[float]]:
    """`benchmark in what was compared` → similarity of the nearest row of each problem."""
    found: dict[str, list[float]] = {}
    for gate, pairs in leakage.items():
        for pair in pairs:
            if pair["rank"] == 0:
                found.setdefault(f"{pair['benchmark']} in {gate}", []).append(pair["similarity"])
    return found


SPREADS = {
    "pass_rate": "share of its tests that the answer passes",
    "difficulty": "share of the solutions that pass what the answer passes",
    "solutions_agreeing": "solutions that agree with the answer",
    "mutants_killed": "mutants that the tests kill",
}
"""Column of proof → its heading."""


def _spreads(spread: dict[str, dict[str, int]]) -> list[tuple[str, str, dict[str, int]]]:
    """(heading, column, value or range → instances) of each column of proof that has values."""
    return [(heading, column, spread[column]) for column, heading in SPREADS.items() if spread.get(column)]


def _mix(counts: dict[str, int], paper: dict[str, float]) -> list[dict[str, Any]]:
    """Rows of a mix table, ours beside the paper's; languages that the paper does not name are its "others"."""
    total = sum(counts.values())
    if not total:
        return []
    ours = {name: counts.get(name, 0) for name in [*paper, *sorted(set(counts) - set(paper))]}
    return [
        {"name": name, "count": count, "percent": 100 * count / total, "paper": paper.get(name)}
        for name, count in ours.items()
    ]
