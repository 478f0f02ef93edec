"""All stages, in the order of the paper's figure 1, skipping what is done."""

from __future__ import annotations

import logging
import sys
import time

from rich.console import Console

from ray_jobs.plan import run_plan
from ray_jobs.run.config import Config
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import RunDir
from ray_jobs.run.stages import PIPELINE
from report.terminal import summary_table

log = logging.getLogger("wavecoder.ray_jobs")


def run_pipeline(config: Config, run: RunDir, *, dry_run: bool = False) -> None:
    """Raw code in, a scored WaveCoder and a report out."""
    run_plan(config, run, reach_out=not dry_run)  # everything that can be refused is refused before any work starts
    if dry_run:
        return
    begun = time.monotonic()
    for step in PIPELINE:
        if step.wanted(config):
            manifest = step.run(config, run)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(summary_table(run.manifests()))
    console.print(f"{time.monotonic() - begun:.0f} s in all · report: {manifest['details']['page']}", soft_wrap=True)


main = main_of("pipeline")

if __name__ == "__main__":
    sys.exit(main())
