"""What a submitted job is doing, or what became of it; without a name, the list of jobs."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.follow import explain_start, stage_table
from ray_jobs.cluster.job_api import ENDED, check_address, job_api, job_facts
from ray_jobs.cluster.job_log import read_stages, read_waiting
from ray_jobs.run.command_line import argument, as_json, flag, option, parse


def run_status(address: str | None, job: str | None, *, as_line: bool = False) -> None:
    """Print the state of a job, or of all."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with job_api(check_address(address)) as client:
        if job is None:
            _print_jobs(client.list_jobs(), console, as_line=as_line)
            return
        facts = job_facts(client, job)
        log = client.get_job_logs(job)
    if as_line:
        known = [dataclasses.asdict(stage) for stage in read_stages(log)]
        print(as_json({"job": job, "stages": known, "waiting": read_waiting(log)} | facts))
        return
    begun = facts["started"]
    took = f", {(facts['ended'] or time.time()) - begun:.0f} s" if begun else ""
    console.print(f"{job}: {facts['status']}{took}", style="bold")
    if facts["metadata"].get("wavecoder_run_dir"):
        console.print(f"run directory: {facts['metadata']['wavecoder_run_dir']}", soft_wrap=True, markup=False)
    stages = read_stages(log)
    if stages:
        console.print(stage_table(stages))
    if facts["status"] == "PENDING":
        console.print(explain_start(facts["message"]), markup=False)
    elif facts["status"] not in ENDED:
        for sentence in read_waiting(log):
            console.print(f"waiting {sentence}" if sentence.startswith("for ") else f"  {sentence}", markup=False)
    elif facts["status"] != "SUCCEEDED":
        console.print(facts["message"][:2000], markup=False)


def _print_jobs(jobs: list[Any], console: Console, *, as_line: bool) -> None:
    """All that were submitted by name."""
    if as_line:
        print(as_json([{"job": info.submission_id, "status": info.status.value, "started": info.start_time,
                        "entrypoint": info.entrypoint} for info in jobs if info.submission_id]))  # fmt: skip
        return
    table = Table(title="jobs", title_justify="left")
    for heading in ("job", "status", "started", "entry point"):
        table.add_column(heading)
    for info in sorted(jobs, key=lambda info: info.start_time or 0):
        if info.submission_id:
            begun = time.strftime("%m-%d %H:%M:%S", time.localtime((info.start_time or 0) / 1000))
            table.add_row(info.submission_id, info.status.value, begun, info.entrypoint)
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("status", JOBS["status"], {
        "job": argument(str | None, "name of the submission; left out: all", None, metavar="JOB"),
        "address": option(str | None, "URL of the dashboard; else RAY_API_SERVER_ADDRESS", metavar="URL"),
        "json": flag("json", "one line of JSON"),
    }, arguments)  # fmt: skip
    return run_guarded("status", lambda _: run_status(options.address, options.job, as_line=options.json))


if __name__ == "__main__":
    sys.exit(main())
