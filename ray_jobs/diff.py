"""`wavecoder diff RUN RUN`: what differs between the data of two runs, and why; changes nothing, needs no cluster."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from codeocean.generate.compare_runs import CAUSES, Outcome, compare_rows, compare_settings, outcomes
from codeocean.generate.settings import GenerateConfig
from core.manifest import named_files
from core.storage import read_part
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import argument, as_json, flag, option, parse
from ray_jobs.run.fingerprint import recorded
from ray_jobs.run.rundir import RunDir, record_of
from report.artifact import visible

MEANING = {
    "row": "only one of them has it",
    "task": "another task or target language",
    "prompt": "another version of the prompt",
    "shots": "other few-shot cases, from other verdicts of earlier rounds",
    "model": "another generator",
    "seed": "another seed",
    "answer": "the same question, another answer",
    "judge": "another discriminator",
    "verdict": "the same instance, another verdict",
}


def run_diff(here: str, there: str, rows: int, console: Console, *, as_line: bool = False) -> None:
    """Print what differs.

    Raises:
        FileNotFoundError: one of them is no run directory with generated data.
        ValueError: an artifact cannot be read.
    """
    for url in (here, there):
        if "://" not in url and not Path(url).expanduser().is_dir():
            raise FileNotFoundError(f"there is no run directory {url!r}")
    runs = [_open(url) for url in (here, there)]
    settings = compare_settings(_settings(runs[0]), _settings(runs[1]))
    data = [_outcomes(run) for run in runs]
    found = compare_rows(data[0], data[1])
    if as_line:
        counts = Counter(difference.cause for difference in found)
        print(as_json({"settings": [dict(zip(("key", "first", "second"), each, strict=True)) for each in settings],
                       "rows": [len(each) for each in data], "differ": len(found), "causes": dict(counts),
                       "shown": [difference._asdict() for difference in found[:rows]]}))  # fmt: skip
        return
    if settings:
        table = Table("setting or input", "first", "second", title="what they were told", title_justify="left")
        for key, first, second in settings:
            table.add_row(key, visible(str(first), 60), visible(str(second), 60))
        console.print(table)
    else:
        console.print("The same settings, inputs and prompts.")
    console.print(f"{len(data[0]):,} and {len(data[1]):,} rows; {len(found):,} differ.")
    if not found:
        return
    counts = Counter(difference.cause for difference in found)
    table = Table("first cause", "rows", "what it means", title="why rows differ", title_justify="left")
    for cause in CAUSES:
        if counts[cause]:
            table.add_row(cause, f"{counts[cause]:,}", MEANING[cause])
    console.print(table)
    table = Table("raw code", "task", "cause", "first", "second", title="rows", title_justify="left")
    for difference in found[:rows]:
        table.add_row(*(visible(text, 60) for text in difference))
    console.print(table)


def _open(url: str) -> RunDir:
    run = RunDir(url, create=False)
    if not run.exists("generate", "stage.json"):
        raise FileNotFoundError(f"{run.shown('generate')} is not there; run the generate job first")
    return run


def _settings(run: RunDir) -> dict[str, Any]:
    """What the stage was told that decides its data, and what it read."""
    manifest = run.manifest("generate") or {}
    record = record_of(run, "generate")
    config = record.get("config", {}) if record else {}
    with suppress(ValueError):  # of a version whose settings are no longer known: all of them are shown
        settings, elsewhere = recorded(GenerateConfig, config)
        config = settings.identity() | elsewhere
    return {"generate": config, "input": manifest.get("inputs", {})}


def _outcomes(run: RunDir) -> dict[str, Outcome]:
    """Of the finished rounds."""
    manifest = run.manifest("generate")
    files = [part.name for part in named_files(manifest)] if manifest else []
    names = [name for name in files or run.files("generate") if name.endswith("verdicts.parquet")]
    generations, verdicts = [], []
    for name in names:
        asked = run.path("generate", name.replace("verdicts", "generations"))
        generations += read_part(run.fs, asked, needs=("id", "raw_id", "task", "error")).to_pylist()
        verdicts += read_part(run.fs, run.path("generate", name), needs=("id", "rules", "overall")).to_pylist()
    return outcomes(generations, verdicts)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("diff", JOBS["diff"], {
        "here": argument(str, "run directory", metavar="RUN"),
        "there": argument(str, "run directory", metavar="RUN"),
        "rows": option(int, "rows to show", 10, metavar="N"),
        "json": flag("json", "one line of JSON"),
    }, arguments)  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 120)
    return run_guarded(
        "diff", lambda _: run_diff(options.here, options.there, max(options.rows, 0), console, as_line=options.json)
    )


if __name__ == "__main__":
    sys.exit(main())
