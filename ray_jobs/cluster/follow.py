"""A job's log as it comes, and a table of its stages at the end."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from ray_jobs.cluster.job_api import ENDED, job_facts
from ray_jobs.cluster.job_log import StageState, read_stages

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

POLL_S, PATIENCE_S, TRIES = 0.5, 15.0, 5
"""How often to ask for a status; how long a job may be pending before that is explained; how often to reconnect."""


def stage_table(stages: list[StageState]) -> Table:
    """The stages that a log speaks of."""
    table = Table(title="stages", title_justify="left")
    for heading in ("stage", "state", "since", "last said"):
        table.add_column(heading)
    for stage in stages:
        table.add_row(stage.stage, stage.state, stage.since, stage.last)
    return table


def explain_start(message: str) -> str:
    """Why a job's own process has not started, in words, from Ray's message."""
    if "runtime environment" in message or not message:
        return ("pending: its process has not started; the head node is unpacking the working directory or has no "
                "memory left for it. It asks for no CPU or GPU, so no node has to be added for this")  # fmt: skip
    return f"pending: {' '.join(message.split())}"


async def follow_job(client: JobSubmissionClient, job: str, console: Console) -> str:
    """Print the log until the job has ended, then its stages; the job outlives whoever follows it.

    Returns:
        Its status: SUCCEEDED, FAILED or STOPPED.

    Raises:
        OSError: the connection broke and did not come back.
    """
    try:
        await _until_started(client, job, console)
        text = await _print_log(client, job)
        facts = await _until_ended(client, job)
    except (KeyboardInterrupt, asyncio.CancelledError):
        ways = f"see it with wavecoder logs {job} --follow, end it with ray job stop {job}"
        console.print(f"\n{job} goes on without being followed; {ways}", soft_wrap=True)
        raise
    stages = read_stages(text)
    if stages:
        console.print(stage_table(stages))
    said = "" if facts["status"] == "SUCCEEDED" else f": {facts['message'][:600]}"
    console.print(f"{job}: {facts['status']}{said}", soft_wrap=True, markup=False)
    return str(facts["status"])


async def _until_started(client: JobSubmissionClient, job: str, console: Console) -> None:
    waited = 0.0
    while (facts := await _facts(client, job))["status"] == "PENDING":
        await asyncio.sleep(POLL_S)
        waited += POLL_S
        if abs(waited - PATIENCE_S) < POLL_S / 2:
            console.print(explain_start(facts["message"]), soft_wrap=True, markup=False)


async def _print_log(client: JobSubmissionClient, job: str) -> str:
    """The whole log, printed as it came; after a lost connection it goes on where it was."""
    text = ""
    for attempt in range(TRIES):
        seen = 0
        try:
            async for part in client.tail_job_logs(job):
                fresh, seen = part[max(0, len(text) - seen) :], seen + len(part)
                text += fresh
                sys.stdout.write(fresh)
                sys.stdout.flush()
            return text
        except (OSError, RuntimeError) as error:
            if attempt == TRIES - 1:
                raise _broken(job, error) from None
            await asyncio.sleep(2.0**attempt)
    return text


async def _until_ended(client: JobSubmissionClient, job: str) -> dict[str, Any]:
    """The log ends a moment before the status does."""
    while (facts := await _facts(client, job))["status"] not in ENDED:
        await asyncio.sleep(POLL_S)
    return facts


async def _facts(client: JobSubmissionClient, job: str) -> dict[str, Any]:
    """What the cluster knows of the job; asked again when nobody answers, as at a tunnel that broke or a busy head."""
    tried = 0
    while True:
        try:
            return job_facts(client, job)
        except (OSError, RuntimeError) as error:
            tried += 1
            passes = isinstance(error, OSError) or "status code 5" in str(error)
            if not passes or tried == TRIES:
                raise _broken(job, error) if passes else error from None
        await asyncio.sleep(2.0 ** (tried - 1))


def _broken(job: str, error: Exception) -> OSError:
    reason = " ".join(str(error).split())[:300]
    return OSError(f"the connection to the cluster broke ({reason}); the job goes on: wavecoder logs {job} --follow")
