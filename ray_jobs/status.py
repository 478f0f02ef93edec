"""What a submitted job is doing, or what became of it; without a name, the list of jobs."""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console
from rich.table import Table

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.follow import explain_start, stage_table
from ray_jobs.cluster.job_api import ENDED, check_address, job_api, job_facts
from ray_jobs.cluster.job_log import read_stages, read_waiting


def run_status(address: str | None, job: str | None) -> None:
    """Print the state of a job, or of all."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with job_api(check_address(address)) as client:
        if job is None:
            table = Table(title="jobs", title_justify="left")
            for heading in ("job", "status", "started", "entry point"):
                table.add_column(heading)
            for info in sorted(client.list_jobs(), key=lambda info: info.start_time or 0):
                if info.submission_id:
                    begun = time.strftime("%m-%d %H:%M:%S", time.localtime((info.start_time or 0) / 1000))
                    table.add_row(info.submission_id, info.status.value, begun, info.entrypoint)
            console.print(table)
            return
        facts = job_facts(client, job)
        log = client.get_job_logs(job)
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


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    parser = argparse.ArgumentParser(prog="wavecoder status", description=JOBS["status"])
    parser.add_argument("job", nargs="?", help="name of the submission; left out: all")
    parser.add_argument("--address", help="URL of the dashboard; else RAY_API_SERVER_ADDRESS")
    options = parser.parse_args(arguments)
    return run_guarded("status", lambda _: run_status(options.address, options.job))


if __name__ == "__main__":
    sys.exit(main())
