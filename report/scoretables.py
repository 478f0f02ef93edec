"""Scores → tables laid beside the paper's tables 3, 4 and 5, for the page and for Markdown.

The paper's text and its authors' README give different figures for the same models; both are shown. Ours stand on top.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = {"python": "Python", "javascript": "JavaScript", "java": "Java", "go": "Go", "cpp": "C++", "rust": "Rust"}

Score = dict[str, Any]


@dataclass(frozen=True)
class ScoreTable:
    """One table: headings, our rows, the paper's rows; a cell is text, empty where there is no figure."""

    title: str
    headings: tuple[str, ...]
    ours: list[tuple[str, ...]]
    paper: list[tuple[str, ...]]


def paper_scores() -> dict[str, Any]:
    """The paper's figures, and whence."""
    figures: dict[str, Any] = json.loads(Path(__file__).with_name("paper_scores.json").read_text(encoding="utf-8"))
    return figures


def tables_beside_paper(scores: Sequence[Score]) -> list[ScoreTable]:
    """The paper's tables that these scores have a figure for, each with ours on top."""
    figures = paper_scores()
    languages = LANGUAGES | {"average": "average"}
    wanted = (
        ("Table 3: HumanEval and MBPP", "humaneval_mbpp", {"humaneval": "HumanEval", "mbpp": "MBPP (500)"}, ""),
        ("Table 4: HumanEvalFix", "humanevalfix", languages, "humanevalfix-"),
        ("Table 5: HumanEvalExplain", "humanevalexplain", languages, "humanevalexplain-"),
    )
    tables = [
        _table(title, figures, key, columns, _ours(scores, columns, prefix)) for title, key, columns, prefix in wanted
    ]
    return [table for table in tables if table.ours]


def _table(
    title: str, figures: dict[str, Any], key: str, columns: dict[str, str], ours: list[tuple[str, ...]]
) -> ScoreTable:
    readme = figures["readme"]
    names = {"humaneval": "HumanEval", "mbpp": "MBPP"} if key == "humaneval_mbpp" else {key: "average"}
    headings = ("model", *columns.values(), *(f"README: {heading}" for heading in names.values()))
    paper = [
        (row["model"], *(_figure(row["scores"].get(column)) for column in columns),
         *(_figure(readme.get(row["model"], {}).get(name)) for name in names))
        for row in figures[key]
    ]  # fmt: skip
    return ScoreTable(title, headings, [(*row, *("" for _ in names)) for row in ours], paper)


def _ours(scores: Sequence[Score], columns: dict[str, str], prefix: str) -> list[tuple[str, ...]]:
    """One row for each label that has a figure; an average only where every language has one."""
    rows = []
    for label in dict.fromkeys(score["label"] for score in scores):
        found = {score["benchmark"].removeprefix(prefix): score for score in scores
                 if score["label"] == label and score["benchmark"].startswith(prefix)}  # fmt: skip
        cells = {column: _share(found[column]) for column in columns if column in found}
        if len(cells) == len(LANGUAGES) and "average" in columns:
            cells["average"] = _figure(100 * sum(found[each]["pass_at_1"] for each in LANGUAGES) / len(LANGUAGES))
        if cells:
            rows.append((label, *(cells.get(column, "") for column in columns)))
    return rows


def _share(score: Score) -> str:
    part = f" (first {score['n']})" if score["n"] != score["problems"] else ""
    return f"{_figure(100 * score['pass_at_1'])}{part}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def as_markdown(scores: Sequence[Score], differences: Sequence[dict[str, Any]]) -> str:
    """All results as one Markdown page."""
    lines = ["# Scores", "", "pass@1 in per cent, with 95 % intervals from a bootstrap over the problems.", ""]
    headings = ("model", "benchmark", "pass@1 %", "95 % interval", "problems", "samples each", "more", "outcomes")
    lines += _markdown_table(headings, [score_cells(score) for score in scores])
    if differences:
        lines += ["", *(f"- {describe_difference(difference)}" for difference in differences)]
    figures = paper_scores()
    for table in tables_beside_paper(scores):
        ours = [(f"**{row[0]}** (ours)", *row[1:]) for row in table.ours]
        lines += ["", f"## {table.title}", "", *_markdown_table(table.headings, [*ours, *table.paper])]
        lines += ["", f"Paper: {figures['source']}. {figures['readme_source']}."]
    lines += ["", "## How they came about", ""]
    lines += [f"- {line}" for line in dict.fromkeys(describe_origin(score) for score in scores)]
    return "\n".join(lines) + "\n"


def score_cells(score: Score) -> tuple[str, ...]:
    """One result as a row of text."""
    more = ", ".join(f"pass@{k} {100 * value['estimate']:.1f}" for k, value in score["pass_at_k"].items() if k != "1")
    outcomes = ", ".join(f"{outcome} {count}" for outcome, count in score["outcomes"].items())
    whole = f"{score['n']} of {score['problems']}" if score["n"] != score["problems"] else str(score["n"])
    model = score["model"] if score["label"] in score["model"] else f"{score['label']} {score['model']}"
    share, interval = _figure(100 * score["pass_at_1"]), f"{100 * score['low']:.1f} – {100 * score['high']:.1f}"
    return model, score["benchmark"], share, interval, whole, str(score["samples_per_problem"]), more, outcomes


def describe_difference(difference: dict[str, Any]) -> str:
    """One honest sentence on two models' scores."""
    low, high = difference["low"], difference["high"]
    sure = "the interval holds 0: no difference is shown" if low <= 0 <= high else "the interval does not hold 0"
    return (
        f"{difference['benchmark']}: from {difference['from']} to {difference['to']}, pass@1 changed by "
        f"{100 * difference['difference']:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}, paired over "
        f"{difference['n']} problems: {difference['better']} better, {difference['worse']} worse); {sure}."
    )


def describe_origin(score: Score) -> str:
    """What a result depends on, in a line."""
    settings = ", ".join(f"{name} {value}" for name, value in score["settings"].items())
    versions = ", ".join(f"{name} {value}" for name, value in score["versions"].items())
    digests = f"SHA-256 {score['dataset_digest'][:16]}, problems {score['problems_digest'][:16]}"
    how = f"isolation: {score['isolation']}; {score['machine']}; {versions}"
    return f"{score['benchmark']}: {score['dataset']}, {digests}; {settings}; {how}"


def _markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        escaped = (" ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;") for cell in cells)
        return "| " + " | ".join(escaped) + " |"

    return [line(headings), "|" + "---|" * len(headings), *(line(row) for row in rows)]
