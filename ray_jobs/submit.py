"""A job of ours, submitted to a cluster and followed: `wavecoder submit --address URL -- pipeline --config RECIPE`."""

from __future__ import annotations

import asyncio
import difflib
import shlex
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.follow import follow_job
from ray_jobs.cluster.job_api import check_address, job_api
from ray_jobs.cluster.secret_refs import VARIABLE, check_reference, check_variable
from ray_jobs.run.command_line import RECIPE, Options, flag, option, parse, parse_known
from ray_jobs.run.config import load_config

EXCLUDES = (
    ".git", ".venv", "venv", "runs", "node_modules", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis",
    "*.safetensors", "*.gguf", ".env", ".env.*", "*.pem", "*.key", "keys.json*", "auth_token", ".netrc", ".aws", ".ssh",
)  # fmt: skip
"""What of the working directory stays here: what is large, what is made, and what holds secrets."""
HERE_ONLY = frozenset({"chaos", "explore", "submit", "status", "logs", "keys"})
"""Commands that are not jobs of a cluster."""


def check_job(command: list[str]) -> tuple[str, str]:
    """Job and run directory of a command line; everything that can be refused here is refused here.

    Raises:
        ValueError, FileNotFoundError: the job is unknown, its recipe is wrong, or its run directory would not last.
    """
    if not command or command[0] not in JOBS or command[0] in HERE_ONLY:
        jobs = [job for job in JOBS if job not in HERE_ONLY]
        near = difflib.get_close_matches(command[0], jobs, 1) if command else []
        meant = f"did you mean {near[0]}? The" if near else "the"
        raise ValueError(f"after `--` there should be a job and its options; {meant} jobs are {', '.join(jobs)}")
    options = parse_known(RECIPE | {"config": option(str | None, "")}, command[1:])
    if options.config is None:
        return command[0], options.run_dir or ""
    if Path(options.config).is_absolute():
        raise ValueError(f"--config {options.config}: name it relative to the working directory, which is what is sent")
    run_dir = load_config(options.config, options.set, options.run_dir).run_dir
    if "://" not in run_dir and not run_dir.startswith("/"):
        raise ValueError(
            f"run_dir is {run_dir!r}, which would lie in a copy that Ray deletes; name a place that every node "
            "reaches: --run-dir s3://bucket/run, or a path on a shared disk such as /mnt/shared/run"
        )
    return command[0], run_dir


def submission(options: SimpleNamespace) -> dict[str, Any]:
    """What is sent to the job API.

    Args:
        options: the parsed command line.

    Raises:
        ValueError, FileNotFoundError: it cannot work, or would send a secret.
    """
    job, run_dir = check_job(options.command)
    environment = dict(map(check_variable, options.env))
    references = [check_reference(reference) for reference in options.secret]
    command = list(options.command[1:])
    if options.allow_open_cluster:
        command.append("--allow-open-cluster")
    folder = Path(options.working_dir)
    if not (folder / "ray_jobs" / "cli.py").is_file():
        raise ValueError(f"--working-dir {folder} is not this project's folder (it holds no ray_jobs/)")
    runtime_env: dict[str, Any] = {
        "working_dir": str(folder), "excludes": [*EXCLUDES, *options.exclude], "env_vars": environment,
    }  # fmt: skip
    if references:
        environment[VARIABLE] = "\n".join(references)
    return {
        "entrypoint": shlex.join(["python", "-m", f"ray_jobs.{job}", *command]),
        "runtime_env": runtime_env,
        "metadata": {"job_name": f"wavecoder {job}", "wavecoder_job": job, "wavecoder_run_dir": run_dir},
        "submission_id": options.id or f"wavecoder-{job}-{time.strftime('%Y%m%d-%H%M%S')}",
    }


def run_submit(options: SimpleNamespace) -> str:
    """Submit and, unless told otherwise, follow until the job has ended.

    Returns:
        The job's status, or "SUBMITTED" when it is not followed.
    """
    sent = submission(options)
    address = check_address(options.address)
    console = Console(stderr=True, highlight=False)
    with job_api(address) as client:
        job = client.submit_job(**sent)
        console.print(f"{job} is submitted to {address}: {sent['entrypoint']}", soft_wrap=True)
        if options.no_follow:
            console.print(f"see it with: wavecoder status {job} --address {address}", soft_wrap=True)
            return "SUBMITTED"
        return asyncio.run(follow_job(client, job, console))


OPTIONS: Options = {
    "address": option(str | None, "URL of the dashboard; else RAY_API_SERVER_ADDRESS", metavar="URL"),
    "working_dir": option(str, "folder that is sent: this project's", ".", metavar="DIR"),
    "exclude": option(list[str], "stays here too, as in .gitignore; again for another", [], metavar="PATTERN"),
    "env": option(list[str], "variable of its processes; again for another", [], metavar="NAME=VALUE"),
    "secret": option(list[str], "variable whose value lies on the cluster; again for another", [],
                     metavar="NAME=env:OTHER|file:PATH"),
    "id": option(str | None, "name of the submission; by default made of the job and the time", metavar="NAME"),
    "no_follow": flag("no_follow", "return as soon as it is submitted"),
    "allow_open_cluster": flag("allow_open_cluster", "start even if anybody can submit jobs there"),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    arguments = sys.argv[1:] if arguments is None else arguments
    separator = arguments.index("--") if "--" in arguments else len(arguments)
    usage = "[OPTIONS] -- JOB [OPTIONS OF THE JOB]"
    unmarked = next((word for word in arguments if word in JOBS), None)
    if unmarked and separator == len(arguments):
        print(f"wavecoder submit: write `--` before the job: wavecoder submit -- {unmarked} …", file=sys.stderr)
        return 2
    options = parse("submit", JOBS["submit"], OPTIONS, arguments[:separator], usage=usage)
    options.command = arguments[separator + 1 :]
    ended: list[str] = []
    code = run_guarded("submit", lambda _: ended.append(run_submit(options)))
    return code or (0 if ended[0] in {"SUCCEEDED", "SUBMITTED"} else 1)


if __name__ == "__main__":
    sys.exit(main())
