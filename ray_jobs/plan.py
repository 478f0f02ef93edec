"""What each stage would do, and everything that can be refused, before anything is spent.

What generation will take is predicted from the rounds that are done in the run directory: to have a sample, run
`generate` with a small `generate.spending.max_tokens`, which the full run then goes on from. Not covered: the hours of
other stages.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from rich.console import Console
from rich.table import Table

from codeocean.collect.filters import load_custom
from codeocean.collect.readers import list_units
from codeocean.generate.few_shot import plan_rounds
from codeocean.generate.ledger import Ledger, describe_cache, forecast, token_cost
from codeocean.generate.round_store import Rounds
from codeocean.generate.tasks import load_tasks, task_shares
from codeocean.generate.turns import roles_of
from eval.flow import load_problems
from ray_jobs.cluster.node_types import LaunchedType, Prices, StagePlace, load_launcher_file, load_prices, place
from ray_jobs.cluster.waiting import in_words
from ray_jobs.mix import check_mix
from ray_jobs.run.command_line import as_json
from ray_jobs.run.config import Config
from ray_jobs.run.leakage import check_benchmarks
from ray_jobs.run.model_checks import check_models
from ray_jobs.run.models import served_name
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import RunDir
from ray_jobs.run.standing import Standing, standings, told_again
from ray_jobs.serve import TUNED
from serve.engines.rebalance import begin_with
from serve.settings import check_port_free


@dataclass(frozen=True)
class PlannedStage:
    """One line of the plan."""

    stage: str
    what: str
    workers: int = 0
    """How many actors or tasks at a time, at least."""
    each: Mapping[str, float] = field(default_factory=dict)
    """What each of them asks of one node, as Ray names resources."""
    beside: int = 0
    """CPUs for short tasks beside them."""

    @property
    def cpus(self) -> float:
        """In all."""
        return self.workers * self.each.get("CPU", 0.0) + self.beside

    @property
    def gpus(self) -> float:
        """In all."""
        return self.workers * self.each.get("GPU", 0.0)


def plan_stages(config: Config, *, reach_out: bool = True, here: bool = True) -> list[PlannedStage]:
    """The stages with what they read, make and ask of Ray at a time.

    Args:
        config: the whole configuration.
        reach_out: open sources that are URLs too.
        here: this machine does the work, so that models and their caches are looked for on it.

    Raises:
        ValueError, FileNotFoundError: an input is missing or unusable; the key is named.
    """
    config.require("collect", "generate", "train")
    sources = config.collect.sources
    opened = [source for source in sources if reach_out or "://" not in getattr(source, "path", "")]
    units = [unit for source in opened for unit in list_units(source)]
    unopened = f", {len(sources) - len(opened)} URLs not opened" if len(opened) < len(sources) else ""
    for name in config.collect.filters.custom:
        load_custom(name)
    check_models(config, here=here)
    hosted = [
        role.model for role in (config.generate.generator, config.generate.discriminator) if role.endpoint is None
    ]
    tasks = load_tasks(config.generate.task_folder)
    task_shares(tasks, config.generate.tasks)
    problem_sets = load_problems(config.evaluate)
    num_problems = sum(len(each.problems) for each in problem_sets)
    check_mix(config)
    check_benchmarks(config)
    embed, train = config.embed, config.train
    encoders = 1 if embed.actors == "all" else embed.actors  # "all" is known on the cluster; it starts with one
    scored = " and ".join(config.evaluate_models)
    roles = f"{config.generate.generator.model}, judged by {config.generate.discriminator.model}"
    names = ", ".join(each.name for each in problem_sets)
    tuned = config.serve.engine_of(TUNED)
    shards = config.select.shards if config.select.shards > 1 else 0  # one shard is the job's own process
    return [
        PlannedStage("collect", f"{len(units)} units of {len(opened)} sources{unopened}", 1, {"CPU": 1.0}),
        PlannedStage("embed", embed.model, encoders, {"CPU": embed.cpus_per_actor, "GPU": embed.gpus_per_actor}),
        PlannedStage("select", f"{config.select.size} rows by k-center", shards,
                     {"CPU": config.select.cpus_per_shard, "GPU": config.select.gpus_per_shard}),
        *_generate_lines(config, f"{len(tasks)} tasks by {roles}", sorted({served_name(model) for model in hosted})),
        PlannedStage("codeocean", "verified, without duplicates and benchmarks", 1,
                     {"CPU": config.codeocean.verify.cpus_per_program}),
        *([PlannedStage("mix", "with other instruction sets or new answers")] if config.mix.wanted else []),
        PlannedStage("train", f"{train.model}, {train.epochs} epochs on {train.workers} workers", train.workers,
                     {"CPU": train.cpus_per_worker, "GPU": float(train.use_gpu)}),
        PlannedStage("evaluate", f"{num_problems} problems of {names}, {scored}", tuned.min_replicas,
                     {"CPU": float(tuned.cpus), "GPU": tuned.gpus}, 1),
        PlannedStage("report", "one HTML page"),
    ]  # fmt: skip


def _generate_lines(config: Config, what: str, hosted: list[str]) -> list[PlannedStage]:
    """A line for all models served here whose replicas ask for the same; the first counts the tasks beside them."""
    begin = begin_with(hosted, config.serve.replicas)
    replicas: Counter[tuple[float, float]] = Counter()
    for name in hosted:
        engine = config.serve.engine_of(name)
        replicas[float(engine.cpus), engine.gpus] += begin.get(name, engine.min_replicas)
    lines = [
        PlannedStage("generate", what, count, {"CPU": cpus, "GPU": gpus}) for (cpus, gpus), count in replicas.items()
    ]
    first = lines[0] if lines else PlannedStage("generate", what)
    return [replace(first, beside=1), *lines[1:]]


def check_resources(config: Config, stages: list[PlannedStage]) -> None:
    """Raise `ValueError` when a stage asks for more than the local Ray is given."""
    if config.ray.num_cpus is None:
        return
    asked: dict[str, float] = {}
    for stage in stages:
        asked[stage.stage] = asked.get(stage.stage, 0.0) + stage.cpus
    for name, cpus in asked.items():
        if cpus > config.ray.num_cpus:
            raise ValueError(
                f"stage {name} asks for {cpus:g} CPUs but ray.num_cpus is {config.ray.num_cpus}; "
                "raise it (they are logical) or run on a larger cluster"
            )


def check_encoders(config: Config, kinds: list[LaunchedType], cluster: str) -> None:
    """Raise `ValueError` where the encoders would wait for GPUs that nobody has asked for yet."""
    standing = any(kind.resources.get("GPU", 0) and (kind.min_workers or kind.head) for kind in kinds)
    if config.embed.actors == "all" and config.embed.gpus_per_actor and not standing:
        raise ValueError(f"embed.actors is 'all' but {cluster} begins without a GPU; name a number of actors, and the "
                         "autoscaler adds their nodes")  # fmt: skip


def run_plan(
    config: Config,
    run: RunDir,
    *,
    reach_out: bool = False,
    cluster: str | None = None,
    prices: str | None = None,
    json: bool = False,
) -> None:
    """Print the plan; refuse what cannot work.

    Args:
        config: the whole configuration.
        run: the run directory.
        reach_out: open sources that are URLs too.
        cluster: a launcher's file; the plan then says on which of its node types each stage runs.
        prices: a file of prices, instead of `deploy/prices.yaml`.
        json: print one line of JSON instead.

    Raises:
        ValueError, FileNotFoundError: an input or a file is missing or unusable, or a stage fits nowhere.
    """
    if cluster is not None:
        kinds, region = load_launcher_file(cluster)
        price_list = load_prices(prices, region)
        check_encoders(config, kinds, cluster)
    stages = plan_stages(config, reach_out=reach_out, here=cluster is None)
    if cluster is None:
        check_resources(config, stages)
    stand = standings(config, run, dict.fromkeys(stage.stage for stage in stages))
    if stand["evaluate"].state != "done" and config.serve.port_named:
        check_port_free("127.0.0.1", config.serve.port, "serve.port")
    places = [place(stage.stage, stage.workers, stage.each, kinds, price_list)
              for stage in stages if stage.workers] if cluster is not None else []  # fmt: skip
    if json:
        lines = [asdict(stage) | stand[stage.stage]._asdict() for stage in stages]
        told = _generation(config, run, stand["generate"])
        placed = list(map(asdict, places))
        print(as_json({"run_dir": run.shown(), "stages": lines, "generation": told, "places": placed}))
        _refuse_missing(cluster, places)
        return
    table = Table(title=run.shown(), title_justify="left")
    for heading in ("stage", "state", "what", "CPUs", "GPUs"):
        table.add_column(heading, justify="right" if heading.endswith("s") else "left")
    for stage in stages:
        table.add_row(stage.stage, stand[stage.stage].state, stage.what, f"{stage.cpus:g}", f"{stage.gpus:g}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    if told := told_again(stand):
        console.print(told, soft_wrap=True)
    if told := _generation(config, run, stand["generate"]):
        console.print(told)
    if cluster is not None:
        _print_places(console, cluster, kinds, places, price_list)
        _refuse_missing(cluster, places)


def _print_places(
    console: Console, cluster: str, kinds: list[LaunchedType], places: list[StagePlace], prices: Prices
) -> None:
    """Which stage runs on which node type of the launcher's file, and what that costs an hour."""
    table = Table(title=f"on {cluster}, {prices.region}", title_justify="left")
    for heading in ("stage", "asks for", "runs on", "nodes", f"{prices.currency} an hour"):
        table.add_column(heading, justify="right" if heading == "nodes" or "hour" in heading else "left")
    for each in places:
        asked = f"{each.workers} × {in_words({name: amount for name, amount in each.each.items() if amount})}"
        cost = "unknown" if each.per_hour is None else f"{each.per_hour:.2f}"
        table.add_row(each.stage, asked, each.missing or each.on, str(each.nodes or ""), cost if each.on else "")
    console.print(table)
    head = prices.of(kinds[0])
    console.print(
        f"beside that the head node, {'unknown' if head is None else f'{head:.2f}'} an hour; prices of {prices.date}, "
        "spot nodes without a spot price counted as on demand (--prices FILE takes yours); an engine adds nodes up to "
        "serve.engine.max_replicas under load"
    )


def _refuse_missing(cluster: str | None, places: list[StagePlace]) -> None:
    missing = [f"{each.stage}: {each.missing}" for each in places if each.missing]
    if missing:
        raise ValueError(f"--cluster {cluster} cannot run {'; '.join(missing)}")


def _generation(config: Config, run: RunDir, standing: Standing) -> str:
    """What is left of it to pay for; nothing where it is done."""
    if standing.state == "done":
        return ""
    if standing.state == "again":
        return "generate: tokens and cost cannot be predicted from rounds of other settings or inputs"
    return predict_generation(config, run)


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
    roles = {role: getattr(config.generate, role) for role in roles_of(config.generate)}
    cost = token_cost(whole, roles)
    cost += rest.wall_s / 3600 * config.generate.spending.per_hour
    return (
        f"generate: {sum(left.values()):,} rows left; by the {done.rows:,} that are done, about {prompt:,} tokens in "
        f"({describe_cache(whole, roles)}), {whole.tokens - prompt:,} out, "
        f"{whole.accepted:,} accepted instances, {rest.wall_s / 3600:.2f} h as so far, cost {cost:.2f}"
    )


main = main_of("plan")

if __name__ == "__main__":
    sys.exit(main())
