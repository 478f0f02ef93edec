"""Command lines of the jobs that read a recipe. A job's own file, which imports Ray, is imported when the job begins.

So its help and the shell's completion cost what the settings cost. Imports neither Ray nor a stage.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, Literal

from ray_jobs.cli import run_job
from ray_jobs.run.command_line import flag, option, options_help, spread, words_of

COMPARING = "Without a recipe: --compare RUN RUN [--json] lays two runs side by side: settings, losses, scores, data."


def function_of(job: str, name: str = "") -> Callable[..., Any]:
    """A function of a job's file, `run_<job>` by default; the file is imported when it is called."""

    def run(*given: Any, **more: Any) -> Any:
        return getattr(importlib.import_module(f"ray_jobs.{job}"), name or f"run_{job}")(*given, **more)

    return run


def main_of(job: str) -> Callable[..., int]:
    """The command line of a job; called with its arguments, or without for those of the process."""

    def main(arguments: list[str] | None = None) -> int:
        given = sys.argv[1:] if arguments is None else arguments
        return _MORE[job](given) if job in _MORE else run_job(job, function_of(job), given)

    return main


def _names(arguments: list[str], option_name: str) -> bool:
    return any(argument.split("=")[0] == option_name for argument in arguments)


def _select(arguments: list[str]) -> int:
    from ray_jobs.standalone.select import ALONE, run_select_standalone

    if _names(arguments, "--embeddings"):
        return run_select_standalone(arguments)
    if _names(arguments, "--k"):
        print("wavecoder select: --k is for a selection alone: name --embeddings FILE; in a recipe it is select.size",
              file=sys.stderr)  # fmt: skip
        return 2
    below = options_help("Alone, for vectors of any origin:", ALONE)
    return run_job("select", function_of("select"), arguments, below=below)


def _train(arguments: list[str]) -> int:
    return run_job("train", function_of("train"), arguments, {
        "ablate": option(Literal["task"] | None, "train once without each task (docs/training.md)"),
        "push": option(str | None, "send the model and its card to this repository of the hub, made private",
                       metavar="OWNER/NAME"),
        "dry_run": flag("dry_run", "with --push: only say what would be sent"),
    }, only_looks=lambda given: bool(given.dry_run))  # fmt: skip


def _evaluate(arguments: list[str]) -> int:
    if _names(arguments, "--config") or _names(arguments, "--run-dir"):
        json = flag("json", "one line of JSON: the scores")
        return run_job("evaluate", function_of("evaluate", "evaluate_and_tell"), arguments, {"json": json})
    from ray_jobs.standalone.evaluate import run_evaluate_standalone

    return run_evaluate_standalone(arguments)


def _report(arguments: list[str]) -> int:
    if _names(arguments, "--compare"):
        from ray_jobs.standalone.compare import main as compare

        return compare(arguments)
    return run_job("report", function_of("report"), arguments, below=COMPARING)


def _pipeline(arguments: list[str]) -> int:
    dry_run = flag("dry_run", "check the configuration and its inputs, print the plan, stop")
    return run_job("pipeline", function_of("pipeline"), arguments, {"dry_run": dry_run},
                   only_looks=lambda given: bool(given.dry_run))  # fmt: skip


def _plan(arguments: list[str]) -> int:
    return run_job("plan", function_of("plan"), arguments, {
        "cluster": option(str | None, "launcher's file, such as cluster.yaml: which stage runs where, at what cost"),
        "prices": option(str | None, "file of prices, instead of deploy/prices.yaml"),
        "json": flag("json", "one line of JSON"),
    }, only_looks=lambda _: True)  # fmt: skip


def _judge(arguments: list[str]) -> int:
    from core.languages import EXECUTED

    named = option(
        words_of(*EXECUTED), "of instances with faults; without it all that run here", [], metavar="NAME[,NAME…]"
    )
    return run_job("judge", function_of("judge"), spread(arguments, ("--languages",)), {
        "golden": flag("golden", "by the hand-made instances that ship with the project"), "languages": named,
        "pairs": option(int, "most functions with faults of each language", 10),
    })  # fmt: skip


_MORE: dict[str, Callable[[list[str]], int]] = {
    "select": _select,
    "train": _train,
    "evaluate": _evaluate,
    "report": _report,
    "pipeline": _pipeline,
    "plan": _plan,
    "judge": _judge,
}
"""Jobs whose command line has more than the recipe."""
