"""`wavecoder judge --golden`: the discriminator of a recipe, judged by hand-made good and bad instances."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from codeocean.generate.ask import judge_one
from codeocean.generate.judge_agreement import GoldenCase, calibrate, load_golden
from codeocean.generate.tasks import Task, load_tasks
from core.chat import Chat
from ray_jobs.cli import run_job
from ray_jobs.generate import open_roles
from ray_jobs.run.command_line import flag
from ray_jobs.run.config import Config
from ray_jobs.run.rundir import RunDir


def run_judge(config: Config, run: RunDir, *, golden: bool = False) -> None:
    """Ask the discriminator about every golden instance; print its agreement and keep it in `judge/golden.json`.

    Raises:
        ValueError: nothing to judge by was named.
    """
    if not golden:
        raise ValueError("say by what: wavecoder judge --golden --config RECIPE")
    tasks = load_tasks(config.generate.task_folder)
    cases = load_golden(tasks)
    with open_roles(config, ("discriminator",)) as roles:
        result = asyncio.run(_ask(config, tasks, cases, *roles["discriminator"]))
    run.write_json({"model": config.generate.discriminator.model, "tasks": result}, "judge", "golden.json")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(golden_table(config.generate.discriminator.model, result))


async def _ask(
    config: Config, tasks: dict[str, Task], golden: dict[str, list[GoldenCase]], chat: Chat, model: str
) -> dict[str, Any]:
    found = {}
    for name, cases in golden.items():
        generations = [case.as_generation(f"golden {name} {number}") for number, case in enumerate(cases)]
        # The client's own pace bounds what is in flight.
        answers = await asyncio.gather(
            *[judge_one(row, tasks[name], config.generate, chat, model) for row in generations]
        )
        found[name] = calibrate(tasks[name], cases, [answer["rows"][-1] for answer in answers])
    return found


def golden_table(model: str, result: dict[str, Any]) -> Table:
    """Agreement by task and rule."""
    table = Table(title=f"{model} as a judge of the golden instances", title_justify="left")
    table.add_column("task")
    table.add_column("rule")
    for heading in ("n", "agreed", "broken, caught", "sound, called broken", "kappa"):
        table.add_column(heading, justify="right")
    for task, found in result.items():
        for name, figures in [("(accepting)", found["accepting"]), *found["rules"].items()]:
            shares = (_percent(figures[key]) for key in ("agreed", "caught", "false_alarms"))
            kappa = "–" if figures["kappa"] is None else f"{figures['kappa']:.2f}"
            table.add_row(task, name, str(figures["n"]), *shares, kappa)
        if found["unparsed"]:
            table.add_row(task, "no verdict", str(found["unparsed"]))
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    golden = flag("golden", "by the hand-made instances that ship with the project")
    return run_job("judge", run_judge, arguments, {"golden": golden})


if __name__ == "__main__":
    sys.exit(main())
