"""`wavecoder judge --golden`: the discriminator of a recipe, judged by hand-made good and bad instances."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from codeocean.generate.ask import judge_one
from codeocean.generate.golden_faults import cases_of, load_pairs
from codeocean.generate.judge_agreement import GoldenCase, calibrate, load_golden
from codeocean.generate.tasks import Task, load_tasks
from codeocean.verify.golden_proof import Judges, decide, figures
from codeocean.verify.proof import Prove
from core.chat import Chat
from core.languages import EXECUTED
from eval.sandbox.isolation import isolation
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains
from ray_jobs.generate import open_roles
from ray_jobs.run.config import Config
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import RunDir


def run_judge(
    config: Config, run: RunDir, *, golden: bool = False, languages: Sequence[Enum] = (), pairs: int = 10
) -> None:
    """Ask the discriminator about every golden instance; print its agreement and keep it in `judge/golden.json`.

    Then instances with faults that read well: what the discriminator keeps, what tests keep that are run, and both.

    Args:
        config: the recipe.
        run: where the figures are kept.
        golden: by what to judge.
        languages: of the instances with faults; none for all that this machine runs.
        pairs: most functions of each language, each of them once right and once wrong.

    Raises:
        ValueError: nothing to judge by was named.
    """
    if not golden:
        raise ValueError("say by what: wavecoder judge --golden --config RECIPE")
    tasks = load_tasks(config.generate.task_folder)
    cases = load_golden(tasks)
    missing = missing_toolchains(EXECUTED)
    chosen = tuple(one.value for one in languages) or tuple(one for one in EXECUTED if one not in missing)
    faults = list(cases_of(load_pairs(), chosen, pairs))
    tester = "tester" if config.generate.tester else "generator"
    with open_roles(config, tuple({"generator": 0, "discriminator": 0, tester: 0})) as roles:
        result = asyncio.run(_ask(config, tasks, cases, *roles["discriminator"]))
        judges = Judges(
            config.generate, tasks, roles["discriminator"], roles[tester], _sandbox(config), roles["generator"]
        )
        decided = asyncio.run(decide(faults, judges))
    model, asked = config.generate.discriminator.model, getattr(config.generate, tester)
    found = figures(faults, decided, {"discriminator": config.generate.discriminator, "tester": asked})
    rows = [{"task": case.task, "language": case.language, "sound": case.sound, "fault": case.fault}
            | {name: row[name] for name in ("discriminator", "proof", "why")}
            for case, row in zip(faults, decided, strict=True)]  # fmt: skip
    run.write_json({"model": model, "tasks": result, "tester": asked.model, "faults": found, "instances": rows},
                   "judge", "golden.json")  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(golden_table(model, result))
    console.print(faults_table(f"{model} and the tests of {asked.model}", found))


def _sandbox(config: Config) -> Prove:
    """What runs solutions against tests.

    Raises:
        ValueError: this machine offers no isolation.
    """
    try:
        isolation()
    except PermissionError as error:
        raise ValueError(f"judge --golden runs code and needs the sandbox: {error}") from None
    verify = config.codeocean.verify
    return partial(prove, timeout=verify.timeout_s / 2, memory_mb=verify.memory_mb)


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
        for name, row in [("(accepting)", found["accepting"]), *found["rules"].items()]:
            shares = (_percent(row[key]) for key in ("agreed", "caught", "false_alarms"))
            kappa = "–" if row["kappa"] is None else f"{row['kappa']:.2f}"
            table.add_row(task, name, str(row["n"]), *shares, kappa)
        if found["unparsed"]:
            table.add_row(task, "no verdict", str(found["unparsed"]))
    return table


def faults_table(title: str, found: dict[str, Any]) -> Table:
    """What each way keeps of instances whose faults read well."""
    table = Table(title=f"{title}, on instances with faults that read well", title_justify="left")
    table.add_column("task")
    table.add_column("by")
    for heading in ("n", "kept", "precision", "recall", "tokens", "cost", "sandbox s"):
        table.add_column(heading, justify="right")
    for task, ways in found.items():
        for way, row in ways.items():
            shares = (_percent(row["precision"]), _percent(row["recall"]))
            took = (row["tokens_per_instance"], row["cost_per_instance"], row["sandbox_s_per_instance"])
            table.add_row(task, way, str(row["n"]), str(row["kept"]), *shares, *map("{:g}".format, took))
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


main = main_of("judge")

if __name__ == "__main__":
    sys.exit(main())
