"""All stages, in the order of the paper's figure 1, skipping what is done."""

from __future__ import annotations

import logging
import sys
import time

from rich.console import Console

from ray_jobs.cli import run_job
from ray_jobs.collect import run_collect
from ray_jobs.embed import run_embed
from ray_jobs.evaluate import run_evaluate
from ray_jobs.generate import run_generate
from ray_jobs.mix import run_mix
from ray_jobs.plan import run_plan
from ray_jobs.report import run_report
from ray_jobs.run.config import Config
from ray_jobs.run.rundir import RunDir
from ray_jobs.select import run_select
from ray_jobs.train import run_train
from report.terminal import summary_table

log = logging.getLogger("wavecoder.ray_jobs")


def run_pipeline(config: Config, run: RunDir, *, dry_run: bool = False) -> None:
    """Raw code in, a scored WaveCoder and a report out."""
    run_plan(config, run, reach_out=not dry_run)  # everything that can be refused is refused before any work starts
    if dry_run:
        return
    begun = time.monotonic()
    run_collect(config, run)
    run_embed(config, run)
    run_select(config, run)
    run_generate(config, run)
    if config.mix.wanted:
        run_mix(config, run)
    run_train(config, run)
    run_evaluate(config, run)  # serves the models, and writes down how that went
    report = run_report(config, run)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(summary_table(run.manifests()))
    console.print(f"{time.monotonic() - begun:.0f} s in all · report: {report['details']['page']}", soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job(
        "pipeline", run_pipeline, arguments, {"dry_run": "check the configuration and its inputs, print the plan, stop"}
    )


if __name__ == "__main__":
    sys.exit(main())
