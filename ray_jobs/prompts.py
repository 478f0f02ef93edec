"""`wavecoder prompts show TASK [--row ID]`: the exact messages that the two LLM roles are sent."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any, Literal

from codeocean.generate.few_shot import assign_tasks, plan_rounds
from codeocean.generate.jobs import generation_job
from codeocean.generate.prompts import Messages, discriminator_messages, generator_messages, prompt_version
from codeocean.generate.round_store import Rounds, draw_sets
from codeocean.generate.tasks import Case, Task, load_tasks, task_shares
from codeocean.select.picked_rows import picked_rows
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import RECIPE, argument, flag, option, parse
from ray_jobs.run.config import Config, load_config, recipe_of
from ray_jobs.run.rundir import RunDir, required
from report.artifact import visible

Shown = dict[str, Messages]


def example_prompts(task: Task, config: Config | None) -> Shown:
    """Role → messages for a task's first good case, as a run without judged cases would ask."""
    case = task.good[0]
    shots = [*task.good[1:], *task.bad[:1]][:3]
    if config is not None:
        shots = draw_sets(config.generate, task, 0, [])[0]
    row = {"language": case.language, "docstring": "", "code": case.code, "information": case.information}
    return {
        "generator": generator_messages(task, shots, row, case.target_language),
        "discriminator": discriminator_messages(task, case.model_dump()),
    }


def row_prompts(task: Task, config: Config, run: RunDir, row_id: str) -> Shown:
    """Role → messages for one raw code of a run's coreset; the discriminator's when its instance was made.

    Raises:
        ValueError: the row is not in the coreset, has another task, or the rounds before its own are not done.
    """
    required(run, "select")
    rows, tasks = picked_rows(run.fs, run.root), load_tasks(config.generate.task_folder)
    ranks = {row["id"]: rank for rank, row in enumerate(rows)}
    if row_id not in ranks:
        raise ValueError(
            f"--row {row_id} is not in {run.shown('select')}; it holds {len(rows)} rows such as {rows[0]['id']}"
        )
    shares = task_shares(tasks, config.generate.tasks)
    name = assign_tasks([row["language"] for row in rows], tasks, shares, config.generate.seed)[ranks[row_id]]
    if name != task.name:
        raise ValueError(
            f"--row {row_id} is a row of the task {name}; run: wavecoder prompts show {name} --row {row_id}"
        )
    planned = plan_rounds(len(rows), config.generate.round_size)
    number = next(number for number, places in enumerate(planned) if ranks[row_id] in places)
    files = Rounds(run.fs, run.path("generate"), {row["id"]: row for row in rows})
    cases: list[Case] = []
    for earlier in range(number - 1):
        if not files.done(earlier):
            raise ValueError(
                f"--row {row_id} is in round {number}, whose few-shot cases come from rounds up to {number - 2}; "
                f"round {earlier} is not done in {run.shown('generate')}"
            )
        cases += files.cases(earlier).get(name, [])
    sets = draw_sets(config.generate, task, number, cases)
    job = generation_job(config.generate, task, rows[ranks[row_id]], number, sets)
    if job.given is None:
        raise ValueError(f"--row {row_id} is never sent: it is too long, or no bug can be put into it")
    raw = job.raw | job.given
    shown = {"generator": generator_messages(task, job.shots, raw, job.target_language)}
    if files.done(number):
        made = [row for row in files.read(number, "generations") if row["raw_id"] == row_id and not row["error"]]
        if made:
            shown["discriminator"] = discriminator_messages(task, made[0])
    return shown


def show(task: Task, shown: Shown, *, as_json: bool) -> None:
    """Print the messages; as text, control characters of untrusted code are shown as escapes."""
    if as_json:
        print(json.dumps({"task": task.name, "prompt_version": prompt_version(task)} | shown, indent=1))
        return
    print(f"task {task.name} · prompt version {prompt_version(task)}")
    for role, messages in shown.items():
        for message in messages:
            print(f"\n── {role} · {message['role']} ──\n{visible(message['content'], sys.maxsize).plain}")


def run_prompts(options: SimpleNamespace) -> None:
    """Print what was asked for.

    Raises:
        ValueError: there is no such task or row.
    """
    config: Config | None = None
    if options.config or options.run_dir:
        config = load_config(recipe_of(options.config, options.run_dir), options.set, options.run_dir)
    tasks = load_tasks(config.generate.task_folder if config else None)
    if options.task not in tasks:
        raise ValueError(f"there is no task {options.task!r}; there are {', '.join(tasks)}")
    task = tasks[options.task]
    if options.row is None:
        shown: dict[str, Any] = example_prompts(task, config)
    elif config is None:
        raise ValueError("say which run the row is of: --run-dir DIR or --config RECIPE")
    else:
        shown = row_prompts(task, config, RunDir(config.run_dir, create=False), options.row)
    show(task, shown, as_json=options.json)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("prompts", JOBS["prompts"], {
        "action": argument(Literal["show"], "what to do"),
        "task": argument(str, "name of a task", metavar="TASK"),
        "row": option(str | None, "a raw code of the run's coreset, instead of the task's own example", metavar="ID"),
        "config": option(str | None, "recipe, for its settings and its run directory", metavar="RECIPE"),
        "run_dir": option(str | None, "run directory; without --config its own settings are taken", metavar="DIR"),
        "set": RECIPE["set"],
        "json": flag("json", "as JSON, exactly as sent"),
    }, arguments)  # fmt: skip
    return run_guarded("prompts", lambda _: run_prompts(options))


if __name__ == "__main__":
    sys.exit(main())
