"""The log of a submitted job, so far or as it comes."""

from __future__ import annotations

import asyncio
import sys

from rich.console import Console

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.follow import follow_job
from ray_jobs.cluster.job_api import check_address, job_api
from ray_jobs.run.command_line import argument, flag, option, parse


def run_logs(address: str | None, job: str, *, follow: bool) -> None:
    """Print the log."""
    with job_api(check_address(address)) as client:
        if follow:
            asyncio.run(follow_job(client, job, Console(stderr=True, highlight=False)))
        else:
            sys.stdout.write(client.get_job_logs(job))


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("logs", JOBS["logs"], {
        "job": argument(str, "name of the submission", metavar="JOB"),
        "address": option(str | None, "URL of the dashboard; else RAY_API_SERVER_ADDRESS", metavar="URL"),
        "follow": flag("follow", "go on until the job has ended"),
    }, arguments)  # fmt: skip
    return run_guarded("logs", lambda _: run_logs(options.address, options.job, follow=options.follow))


if __name__ == "__main__":
    sys.exit(main())
