"""`wavecoder report --compare RUN RUN`: losses, scores with paired intervals, and what differs in the data."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from core.storage import read_part, read_parts
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import REQUIRED, as_json, flag, option, parse
from ray_jobs.run.rundir import RunDir

Found = dict[str, Any]

_LOSSES = ("first_loss", "last_loss", "rows", "tokens", "response_tokens")


def compare_runs(first: RunDir, second: RunDir, seed: int = 0) -> Found:
    """What two runs have and how it differs; second minus first.

    Args:
        first: a run directory with a finished stage at least.
        second: another.
        seed: of the intervals.

    Returns:
        `settings`: stage → key → both values; `training`: figure → both, and `held_out`: task → both last losses;
        `scores`: for each model and benchmark that both have, both scores and the paired difference with its
        interval, or why there is none; `data`: rows that only one has and rows of both that differ, by task.

    Raises:
        ValueError: one of them holds no finished stage.
    """
    manifests = [run.manifests() for run in (first, second)]
    for run, found in zip((first, second), manifests, strict=True):
        if not found:
            raise ValueError(f"{run.shown()} holds no finished stage to compare")
    stages = [stage for stage in manifests[0] if stage in manifests[1]]
    return {
        "runs": [first.url, second.url],
        "settings": {stage: changed for stage in stages
                     if (changed := _changed(*(found[stage]["config"] for found in manifests)))},
        "training": _training(*(found.get("train", {}).get("details") for found in manifests)),
        "scores": _scores((first, second), manifests, seed),
        "data": _data((first, second), manifests),
    }  # fmt: skip


def _changed(first: Found, second: Found, prefix: str = "") -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key in sorted({*first, *second}):
        one, other = first.get(key), second.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found |= _changed(one, other, f"{prefix}{key}.")
        elif one != other:
            found[f"{prefix}{key}"] = [one, other]
    return found


def _training(first: Found | None, second: Found | None) -> Found:
    if first is None or second is None:
        return {}
    held = [{task: values[1] for task, values in each.get("held_out", {}).items()} for each in (first, second)]
    return {name: [first.get(name), second.get(name)] for name in _LOSSES} | {
        "held_out": {task: [held[0][task], held[1][task]] for task in held[0] if task in held[1]}
    }


def _scores(runs: tuple[RunDir, RunDir], manifests: list[dict[str, Any]], seed: int) -> list[Found]:
    from eval.scores import compare_samples

    if not all("evaluate" in found for found in manifests):
        return []
    of_each = [
        {(score["label"], score["benchmark"]): score for score in found["evaluate"]["details"]["scores"]}
        for found in manifests
    ]
    rows = []
    for label, benchmark in of_each[0]:
        if (label, benchmark) not in of_each[1]:
            continue
        scores = [each[label, benchmark] for each in of_each]
        row: Found = {"model": label, "benchmark": benchmark, "pass_at_1": [score["pass_at_1"] for score in scores]}
        file = ("evaluate", f"{label}-{benchmark}.parquet")
        if len({score["dataset_digest"] for score in scores}) > 1:
            row["why"] = "the benchmark's file differs"
        else:
            first, second = (read_part(run.fs, run.path(*file), ["task_id", "passed"]) for run in runs)
            row |= compare_samples(first, second, seed)
        rows.append(row)
    return rows


def _data(runs: tuple[RunDir, RunDir], manifests: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    if not all("codeocean" in found for found in manifests):
        return {}
    columns = ["id", "task", "instruction", "input", "output"]
    first, second = (
        {row["id"]: row for row in read_parts(run.fs, run.path("codeocean"), columns).to_pylist()} for run in runs
    )
    counts: dict[str, dict[str, int]] = {}
    for id_ in {**first, **second}:
        task = (first.get(id_) or second[id_])["task"]
        kind = "only first" if id_ not in second else "only second" if id_ not in first else (
            "same" if first[id_] == second[id_] else "differ")  # fmt: skip
        tally = counts.setdefault(task, dict.fromkeys(("same", "differ", "only first", "only second"), 0))
        tally[kind] += 1
    return dict(sorted(counts.items()))


def show(found: Found, console: Console) -> None:
    """Print it as tables."""
    console.print(f"first: {found['runs'][0]}, second: {found['runs'][1]}", soft_wrap=True)
    table = Table("stage", "setting", "first", "second", title="settings that differ", title_justify="left")
    for stage, changed in found["settings"].items():
        for key, (one, other) in changed.items():
            table.add_row(stage, key, str(one)[:60], str(other)[:60])
    console.print(table if table.row_count else "The same settings.")
    if found["training"]:
        table = Table("figure", "first", "second", title="training", title_justify="left")
        held = {f"held-out loss {task}".strip(): values for task, values in found["training"]["held_out"].items()}
        for name, values in {**found["training"], **held}.items():
            if name != "held_out":
                table.add_row(name, *(f"{value:,.4f}" if isinstance(value, float) else str(value) for value in values))
        console.print(table)
    if found["scores"]:
        table = Table("model", "benchmark", "first", "second", "difference, 95 % interval", "p", title="scores, pass@1",
                      title_justify="left")  # fmt: skip
        for row in found["scores"]:
            both = [f"{100 * value:.1f} %" for value in row["pass_at_1"]]
            change = row.get("why") or "{:+.1f} ({:+.1f} to {:+.1f})".format(
                *(100 * row[name] for name in ("difference", "low", "high"))
            )
            table.add_row(
                row["model"], row["benchmark"], *both, change, f"{row['p_value']:.3f}" if "low" in row else ""
            )
        console.print(table)
    if found["data"]:
        kinds = ("same", "differ", "only first", "only second")
        table = Table("task", *kinds, title="instances", title_justify="left")
        for task, tally in found["data"].items():
            table.add_row(task, *(f"{tally[kind]:,}" for kind in kinds))
        console.print(table)


def main(arguments: list[str] | None = None) -> int:
    """Command line of `report --compare`."""
    options = parse("report", JOBS["report"], {
        "compare": option(tuple[str, str], "two run directories", REQUIRED, metavar="RUN RUN"),
        "json": flag("json", "one line of JSON"),
    }, arguments)  # fmt: skip

    def work(_: list[RunDir]) -> None:
        first, second = (RunDir(url, create=False) for url in options.compare)
        found = compare_runs(first, second)
        if options.json:
            print(as_json(found))
        else:
            show(found, Console(width=None if sys.stdout.isatty() else 120))

    return run_guarded("report", work)
