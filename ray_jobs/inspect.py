"""Any stage of a run directory → a quick look in the terminal; changes nothing, needs no cluster."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from core.stages import STAGES
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.config import load_config
from ray_jobs.run.rundir import RunDir
from report.artifact import show_stage


def run_inspect(url: str, stage: str, rows: int) -> None:
    """Print what a stage of a run directory holds.

    Raises:
        FileNotFoundError: there is no such run directory, or the stage is not in it.
    """
    if "://" not in url and not Path(url).expanduser().is_dir():
        raise FileNotFoundError(f"there is no run directory {url!r}")
    run = RunDir(url, create=False)
    if not run.exists(stage):
        found = ", ".join(name for name in STAGES if run.exists(name)) or "nothing yet"
        raise FileNotFoundError(f"{run.path(stage)} is not there; this run has {found}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    for part in show_stage(stage, run.manifest(stage), run.fs, run.path(stage), rows):
        console.print(part)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    parser = argparse.ArgumentParser(prog="wavecoder inspect", description=JOBS["inspect"])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--run-dir", help="run directory, instead of the recipe's")
    parser.add_argument("--config", help="recipe, whose run directory is looked at")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a setting")
    parser.add_argument("--rows", type=int, default=3, help="rows to show (3)")
    options = parser.parse_args(arguments)

    def work(_: list[RunDir]) -> None:
        if options.run_dir is None and options.config is None:
            raise ValueError("say which run: --run-dir DIR or --config RECIPE")
        url = options.run_dir or load_config(options.config, options.set).run_dir
        run_inspect(url, options.stage, max(options.rows, 0))

    return run_guarded("inspect", work)


if __name__ == "__main__":
    sys.exit(main())
