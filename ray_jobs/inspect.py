"""Any stage of a run directory → a quick look in the terminal; changes nothing, needs no cluster."""

from __future__ import annotations

import secrets
import sys
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow.compute as pc
from rich.console import Console

from core.manifest import read_manifest
from core.stages import STAGES
from core.storage import read_part, written_parts
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import RECIPE, argument, as_json, flag, languages, option, parse, recipes
from ray_jobs.run.rundir import RunDir
from report.artifact import Look, rows_of_stage, show_stage


def run_inspect(url: str, stage: str, look: Look, *, as_line: bool = False) -> None:
    """Print what a stage of a run directory holds.

    Raises:
        FileNotFoundError: there is no such run directory, or the stage is not in it.
        ValueError: no row is in the language that was asked for.
    """
    if "://" not in url and not Path(url).expanduser().is_dir():
        raise FileNotFoundError(f"there is no run directory {url!r}")
    run = RunDir(url, create=False)
    if not run.exists(stage):
        found = ", ".join(name for name in STAGES if run.exists(name)) or "nothing yet"
        raise FileNotFoundError(f"{run.shown(stage)} is not there; this run has {found}")
    manifest = read_manifest(run.fs, run.path(stage), to_show=True)
    console = Console(width=None if sys.stdout.isatty() else 120)
    raw = partial(_raw_code, run)
    if as_line:
        rows = rows_of_stage(run.fs, run.path(stage), look, raw)
        print(as_json({"stage": stage, "manifest": manifest, "rows": rows}))
        return
    for part in show_stage(stage, manifest, run.fs, run.path(stage), look, raw):
        console.print(part)


def _raw_code(run: RunDir, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Id → where it is from, its documentation and its code, of the raw code that is in the run directory."""
    found: dict[str, dict[str, Any]] = {}
    names = [part.name for part in written_parts(run.fs, run.path("collect"))]
    for name in names:
        if len(found) < len(ids):
            part = read_part(run.fs, run.path("collect", name), ["id", "path", "language", "docstring", "code"])
            for wanted in ids:  # few; `pa.array` would import pandas
                rows = part.filter(pc.equal(part["id"], wanted)).to_pylist()
                found |= {row["id"]: row for row in rows}
    return found


def _run_dir_of(recipe: str, overrides: list[str]) -> str:
    from ray_jobs.run.config import load_config  # a second that a run directory's name alone does not need

    return load_config(recipe, overrides).run_dir


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("inspect", JOBS["inspect"], {
        "stage": argument(Literal[tuple(STAGES)], "stage to look at"),
        "run_dir": option(str | None, "run directory, instead of the recipe's", metavar="DIR"),
        "config": option(str | None, "recipe, whose run directory is looked at", metavar="RECIPE", complete=recipes),
        "set": RECIPE["set"],
        "rows": option(int, "rows to show, drawn from all", 3, metavar="N"),
        "seed": option(int | None, "draw the same rows again; by default others each time", metavar="N"),
        "language": option(str | None, "only rows of this language", metavar="NAME", complete=languages),
        "dropped": flag("dropped", "what was dropped, by reason, with examples"),
        "json": flag("json", "one line of JSON: the manifest, and the rows"),
    }, arguments)  # fmt: skip

    def work(_: list[RunDir]) -> None:
        if options.run_dir is None and options.config is None:
            raise ValueError("say which run: --run-dir DIR or --config RECIPE")
        url = options.run_dir or _run_dir_of(options.config, options.set)
        seed = secrets.randbelow(2**32) if options.seed is None else abs(options.seed)
        run_inspect(
            url,
            options.stage,
            Look(max(options.rows, 0), seed, options.language, options.dropped),
            as_line=options.json,
        )

    return run_guarded("inspect", work)


if __name__ == "__main__":
    sys.exit(main())
