"""`wavecoder judge --golden`: the discriminator of a recipe, judged by hand-made good and bad instances."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from enum import Enum
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from codeocean.generate.ask import judge_one
from codeocean.generate.golden_faults import FaultCase, cases_of, load_pairs
from codeocean.generate.judge_agreement import GoldenCase, calibrate, load_golden
from codeocean.generate.tasks import Task, load_tasks
from codeocean.verify.golden_proof import Judges, decide, figures
from codeocean.verify.proof import Prove
from core.chat import Chat, ChatAnswer, ChatRequest
from core.journal import Journal, Remembered
from core.languages import EXECUTED
from core.progress import NowAndThen, TimeLeft, in_words
from eval.sandbox.isolation import isolation
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains
from ray_jobs.generate import open_roles
from ray_jobs.run.config import Config
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import RunDir

log = logging.getLogger("wavecoder.ray_jobs")

LINE_EVERY_S = 10.0


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
    scope = [config.generate.identity(), config.codeocean.verify.model_dump(mode="json")]
    journal = Journal(run.fs, run.path("judge"))
    with run.alone("judge"), open_roles(config, tuple({"generator": 0, "discriminator": 0, tester: 0})) as opened:
        remembered = Remembered(journal, scope)
        progress = JudgingProgress(sum(map(len, cases.values())) + len(faults))
        roles = {role: (progress.asking(chat, remembered), name) for role, (chat, name) in opened.items()}
        judges = Judges(config.generate, tasks, roles["discriminator"], roles[tester], _sandbox(config),
                        roles["generator"], remembered)  # fmt: skip
        result, decided = asyncio.run(_ask_all(judges, cases, faults, progress))
    model, asked = config.generate.discriminator.model, getattr(config.generate, tester)
    found = figures(faults, decided, {"discriminator": config.generate.discriminator, "tester": asked})
    rows = [{"task": case.task, "language": case.language, "sound": case.sound, "fault": case.fault}
            | {name: row[name] for name in ("discriminator", "proof", "why")}
            for case, row in zip(faults, decided, strict=True)]  # fmt: skip
    run.write_json({"model": model, "tasks": result, "tester": asked.model, "faults": found, "instances": rows},
                   "judge", "golden.json")  # fmt: skip
    journal.forget()
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(golden_table(model, result))
    console.print(faults_table(f"{model} and the tests of {asked.model}", found))


class JudgingProgress:
    """A line now and then: how many instances are decided, and how many answers have come."""

    def __init__(self, instances: int) -> None:
        """Args: instances: that are to be decided."""
        self._instances, self._ended, self._answers = instances, 0, 0

    def ended(self) -> None:
        """One more is decided."""
        self._ended += 1

    def asking(self, chat: Chat, remembered: Remembered) -> Chat:
        """A chat whose answers are counted and kept; what a killed run was answered is not asked again."""

        async def ask(request: ChatRequest) -> ChatAnswer:
            answer: ChatAnswer = await remembered.make(
                asdict(request), lambda: chat(request), lambda answer: not answer["error"]
            )
            self._answers += 1
            return answer

        return ask

    async def report(self) -> None:
        """Log for ever."""
        began, left, due = time.monotonic(), TimeLeft(), NowAndThen(LINE_EVERY_S)
        remaining = None
        while True:
            seconds = time.monotonic() - began
            if due.is_due(seconds):
                log.info("judge: %d of %d instances decided, %d answers%s",
                         self._ended, self._instances, self._answers, in_words(remaining))  # fmt: skip
            await asyncio.sleep(1.0)  # what an earlier run left comes at once, and says nothing of the speed
            remaining = left.update(time.monotonic() - began, self._ended, self._instances)


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


async def _ask_all(
    judges: Judges, cases: dict[str, list[GoldenCase]], faults: list[FaultCase], progress: JudgingProgress
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Agreement by task and rule, and what each way says of each instance with a fault."""
    reporter = asyncio.create_task(progress.report())
    try:
        # The client's own pace bounds what is in flight.
        return await asyncio.gather(_ask(cases, judges, progress), decide(faults, judges, progress.ended))
    finally:
        reporter.cancel()


async def _ask(cases: dict[str, list[GoldenCase]], judges: Judges, progress: JudgingProgress) -> dict[str, Any]:
    async def verdict(task: Task, id_: str, case: GoldenCase) -> dict[str, Any]:
        answer = await judge_one(case.as_generation(id_), task, judges.config, *judges.discriminator)
        progress.ended()
        return answer["rows"][-1]

    async def agreement(name: str) -> dict[str, Any]:
        task, golden = judges.tasks[name], cases[name]
        asked = [verdict(task, f"golden {name} {number}", case) for number, case in enumerate(golden)]
        return calibrate(task, golden, await asyncio.gather(*asked))

    return dict(zip(cases, await asyncio.gather(*map(agreement, cases)), strict=True))


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
