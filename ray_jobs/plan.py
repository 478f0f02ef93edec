"""What each stage would do, and everything that can be refused, before anything is spent.

What generation will take is predicted from the rounds that are done in the run directory: to have a sample, run
`generate` with a small `generate.spending.max_tokens`, which the full run then goes on from. Not covered: the hours of
other stages.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from codeocean.ledger import ROLES, Ledger, forecast, token_cost
from codeocean.roundfiles import Rounds
from codeocean.rounds import plan_rounds
from codeocean.sources import list_units
from codeocean.tasks import load_tasks, task_shares
from eval.flow import load_problems
from ray_jobs.cli import run_job
from ray_jobs.config import Config
from ray_jobs.leakage import check_benchmarks
from ray_jobs.mix import check_mix
from ray_jobs.models import check_model
from ray_jobs.rundir import RunDir
from serve.endpoint import check_port_free


@dataclass(frozen=True)
class PlannedStage:
    """One line of the plan."""

    stage: str
    what: str
    cpus: float = 0
    gpus: float = 0


def plan_stages(config: Config, *, reach_out: bool = True) -> list[PlannedStage]:
    """The stages with what they read, make and ask of Ray at a time.

    Args:
        config: the whole configuration.
        reach_out: open sources that are URLs too.

    Raises:
        ValueError, FileNotFoundError: an input is missing or unusable; the key is named.
    """
    sources = config.collect.sources
    opened = [source for source in sources if reach_out or "://" not in source.path]
    units = [unit for source in opened for unit in list_units(source)]
    unopened = f", {len(sources) - len(opened)} URLs not opened" if len(opened) < len(sources) else ""
    check_model(config.embed.model, "embed.model")
    hosted = []
    for role in ("generator", "discriminator"):
        settings = getattr(config.generate, role)
        if settings.endpoint is None:
            check_model(settings.model, f"generate.{role}.model", served=True)
            hosted.append(settings.model)
    check_model(config.train.model, "train.model")
    tasks = load_tasks(config.generate.task_folder)
    task_shares(tasks, config.generate.tasks)
    problem_sets = load_problems(config.evaluate)
    num_problems = sum(len(each.problems) for each in problem_sets)
    check_mix(config)
    check_benchmarks(config)
    engine, embed, train = config.serve.engine, config.embed, config.train
    engines = len(set(hosted)) * engine.min_replicas
    encoders = 1 if embed.actors == "all" else embed.actors  # "all" is known on the cluster; it starts with one
    scored = " and ".join(config.evaluate_models)
    return [
        PlannedStage("collect", f"{len(units)} units of {len(opened)} sources{unopened}", 1),
        PlannedStage("embed", embed.model, encoders * embed.cpus_per_actor, encoders * embed.gpus_per_actor),
        PlannedStage("select", f"{config.select.size} rows by k-center"),
        PlannedStage(
            "generate",
            f"{len(tasks)} tasks by {config.generate.generator.model}, judged by {config.generate.discriminator.model}",
            engines * engine.cpus + 1,
            engines * engine.gpus,
        ),
        PlannedStage(
            "train",
            f"{train.model}, {train.epochs} epochs on {train.workers} workers",
            train.workers * train.cpus_per_worker,
            train.workers * float(train.use_gpu),
        ),
        PlannedStage(
            "evaluate",
            f"{num_problems} problems of {', '.join(each.name for each in problem_sets)}, {scored}",
            engine.min_replicas * engine.cpus + 1,
            engine.min_replicas * engine.gpus,
        ),
        PlannedStage("report", "one HTML page"),
    ]


def check_resources(config: Config, stages: list[PlannedStage]) -> None:
    """Raise `ValueError` when a stage asks for more than the local Ray is given."""
    if config.ray.num_cpus is None:
        return
    for stage in stages:
        if stage.cpus > config.ray.num_cpus:
            raise ValueError(
                f"stage {stage.stage} asks for {stage.cpus:g} CPUs but ray.num_cpus is {config.ray.num_cpus}; "
                "raise it (they are logical) or run on a larger cluster"
            )


def run_plan(config: Config, run: RunDir, *, reach_out: bool = False) -> None:
    """Print the plan; refuse what cannot work."""
    stages = plan_stages(config, reach_out=reach_out)
    check_resources(config, stages)
    done = run.manifests()
    if "evaluate" not in done:
        check_port_free("127.0.0.1", config.serve.port, "serve.port")
    table = Table(title=f"{run.url}", title_justify="left")
    for heading in ("stage", "state", "what", "CPUs", "GPUs"):
        table.add_column(heading, justify="right" if heading.endswith("s") else "left")
    for stage in stages:
        state = "done" if stage.stage in done else "cut off" if run.exists(stage.stage, "stage.json") else "to do"
        table.add_row(stage.stage, state, stage.what, f"{stage.cpus:g}", f"{stage.gpus:g}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(predict_generation(config, run))


def predict_generation(config: Config, run: RunDir) -> str:
    """What the rest of generation will take, by the rounds that are done; says so when there are none."""
    files = Rounds(run.fs, run.path("generate"), {})
    planned = plan_rounds(config.select.size, config.generate.round_size)
    sample = Ledger()
    for number in range(len(planned)):
        if files.done(number):
            sample.add(files.ledger(number))
    done = sample.whole()
    if not done.rows:
        return "generate: no round is done here, so that tokens and cost cannot be predicted yet"
    shares = task_shares(load_tasks(config.generate.task_folder), config.generate.tasks)
    left = {name: max(0, round(share * config.select.size) - (sample.tasks[name].rows if name in sample.tasks else 0))
            for name, share in shares.items()}  # fmt: skip
    rest = forecast(sample, left)
    whole = rest.whole()
    prompt = sum(used.prompt_tokens for used in whole.used.values())
    cached = sum(used.cached_tokens for used in whole.used.values())
    cost = token_cost(whole, {role: getattr(config.generate, role) for role in ROLES})
    cost += rest.wall_s / 3600 * config.generate.spending.per_hour
    return (
        f"generate: {sum(left.values()):,} rows left; by the {done.rows:,} that are done, about {prompt:,} tokens in "
        f"({100 * cached / max(prompt, 1):.0f} % of them cached), {whole.tokens - prompt:,} out, "
        f"{whole.accepted:,} accepted instances, {rest.wall_s / 3600:.2f} h as so far, cost {cost:.2f}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("plan", run_plan, arguments)


if __name__ == "__main__":
    sys.exit(main())
