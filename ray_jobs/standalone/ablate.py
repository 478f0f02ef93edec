"""`wavecoder ablate`: one recipe varied, everything common made once, one table with paired intervals and a plot.

All variants run in one run directory, one after the other. A stage whose settings or inputs change is moved aside and
comes back when they do (`ray_jobs/run/rundir.py`), so that a variant makes only what differs, and a study that was cut
off goes on.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.strict_yaml import read_yaml_file
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import RECIPE, flag, option, parse
from ray_jobs.run.config import OFFLINE, Config, load_config
from ray_jobs.run.rundir import RunDir

log = logging.getLogger("wavecoder.ray_jobs")

FOLDER = "ablation"
SPELLINGS = {"select.method": {"kcenter": "k-center", "kmeans++": "k-means++"}}
"""Values that may be written without their hyphen."""


@dataclass(frozen=True)
class Variant:
    """One way to run the recipe."""

    label: str
    overrides: tuple[str, ...]


def variants(vary: Sequence[str], config: Config) -> list[Variant]:
    """Every combination of the axes, the first values first.

    Args:
        vary: axes `section.key=value,value`, or `tasks=` and `languages=` with `all` and `-name`, which leaves one out
            of the data set.
        config: the recipe.

    Raises:
        ValueError: an axis has another form, or names a task or language that there is not.
    """
    axes = []
    for axis in vary:
        key, _, values = axis.partition("=")
        found = [value.strip() for value in values.split(",") if value.strip()]
        if not key or not found:
            raise ValueError(f"--vary {axis!r} should read section.key=value,value")
        axes.append([(f"{key}={value}", _override(key, value, config)) for value in found])
    return [
        Variant(", ".join(label for label, _ in each) or "recipe", tuple(one for _, made in each for one in made))
        for each in itertools.product(*axes)
    ]


def _override(key: str, value: str, config: Config) -> tuple[str, ...]:
    column = {"tasks": "task", "languages": "language"}.get(key)
    if column is None:
        return (f"{key}={SPELLINGS.get(key, {}).get(value, value)}",)
    if value == "all":
        return ()
    there = _tasks(config) if column == "task" else _languages()
    left_out = value.removeprefix("-")
    if not value.startswith("-") or left_out not in there:
        raise ValueError(f"--vary {key}={value}: it takes all, or -NAME of {', '.join(there)}")
    kept = [name for name in there if name != left_out]
    return (f"codeocean.require.{column}=[{', '.join(kept)}]",)


def _tasks(config: Config) -> list[str]:
    from codeocean.generate.tasks import load_tasks

    return sorted(load_tasks(config.generate.task_folder))


def _languages() -> list[str]:
    from core.languages import LANGUAGES

    return sorted(LANGUAGES)


def run_ablate(path: str, overrides: Sequence[str], run_dir: str | None, study: Study, *, dry_run: bool) -> None:
    """Run every variant with every seed, and write the table after each.

    Args:
        path: the recipe.
        overrides: of it.
        run_dir: instead of the recipe's.
        study: what to vary.
        dry_run: only say what would run.

    Raises:
        ValueError: a variant is no valid recipe, or there is only one.
    """
    base = load_config(path, list(overrides), run_dir)
    chosen = variants(study.vary, base)
    plan = []
    for variant, seed in itertools.product(chosen, range(base.train.seed, base.train.seed + study.seeds)):
        more = [*variant.overrides, f"train.seed={seed}", "evaluate_models=[tuned]"]
        plan.append((variant, seed, load_config(path, [*overrides, *more], run_dir)))
    if len(plan) < 2:
        raise ValueError("there is nothing to compare: vary a setting, such as --vary select.method=k-center,random, "
                         "or take more seeds (--seeds 3)")  # fmt: skip
    for variant, seed, _ in plan:
        log.info("ablate: %s, seed %d", variant.label, seed)
    if dry_run:
        return
    if base.ray.offline:
        os.environ |= OFFLINE
    run = RunDir(base.run_dir)
    run.write_text(base.as_yaml(), "config.yaml")
    found: list[dict[str, Any]] = []
    for number, (variant, seed, config) in enumerate(plan):
        log.info("ablate: %d of %d: %s, seed %d", number + 1, len(plan), variant.label, seed)
        found.append({"label": variant.label, "seed": seed, "overrides": list(variant.overrides)}
                     | run_variant(config, run))  # fmt: skip
        write_study(run, found)
    print(run.shown(FOLDER, "table.md"))


def run_variant(config: Config, run: RunDir) -> dict[str, Any]:
    """All stages but the report; returns digests, losses, and pass@1 of each problem of each benchmark."""
    from core.storage import read_part
    from eval.scores import counts_of, values_at
    from ray_jobs.run.stages import PIPELINE

    for step in PIPELINE:
        if step.stage != "report" and step.wanted(config):
            step.run(config, run)
    manifests = run.manifests()
    scores = {}
    for score in manifests["evaluate"]["details"]["scores"]:
        name = score["benchmark"]
        counts = counts_of(read_part(run.fs, run.path("evaluate", f"tuned-{name}.parquet")))
        scores[name] = dict(zip(counts, values_at(counts, 1).tolist(), strict=True))
    trained = manifests["train"]["details"]
    return {
        "digests": {stage: manifest["digest"] for stage, manifest in manifests.items()},
        "instances": trained.get("rows"), "last_loss": trained.get("last_loss"), "scores": scores,
    }  # fmt: skip


def write_study(run: RunDir, found: Sequence[Mapping[str, Any]]) -> None:
    """`ablation/results.json`, `table.md` and `plot.svg` of the variants so far."""
    from report.plots import plot_differences

    rows = compare_variants(found)
    run.write_json({"runs": found, "rows": rows}, FOLDER, "results.json")
    run.write_text(table_of(rows), FOLDER, "table.md")
    run.write_text(plot_differences(rows), FOLDER, "plot.svg")


def compare_variants(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each benchmark and variant: its score, and its paired difference from the first variant.

    A problem's value is the mean over the seeds; problems are resampled in pairs. `seeds_low` and `seeds_high` are the
    lowest and highest score of one seed.
    """
    import numpy as np

    from eval.intervals import paired_difference

    rows = []
    labels = list(dict.fromkeys(each["label"] for each in found))
    for benchmark in dict.fromkeys(name for each in found for name in each["scores"]):
        means: dict[str, dict[str, float]] = {}
        for label in labels:
            runs = [each["scores"][benchmark] for each in found
                    if each["label"] == label and benchmark in each["scores"]]  # fmt: skip
            if not runs:
                continue
            means[label] = {task: float(np.mean([run[task] for run in runs])) for task in runs[0]}
            first = means[next(iter(means))]
            shared = [task for task in first if task in means[label]]
            pairs = [np.array([values[task] for task in shared]) for values in (first, means[label])]
            alone = [float(np.mean(list(run.values()))) for run in runs]
            rows.append({
                "benchmark": benchmark, "label": label, "seeds": len(runs), "n": len(shared),
                "pass_at_1": float(np.mean(list(means[label].values()))), "seeds_low": min(alone),
                "seeds_high": max(alone), **paired_difference(*pairs),
            })  # fmt: skip
    return rows


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "| benchmark | variant | pass@1 | of its seeds | minus the first variant | 95 % interval, paired | p |",
        "|---|---|---:|---|---:|---|---:|",
    ]
    for row in rows:
        percent = {name: f"{100 * row[name]:.1f}" for name in ("pass_at_1", "seeds_low", "seeds_high")}
        change = {name: f"{100 * row[name]:+.1f}" for name in ("difference", "low", "high")}
        lines.append(
            f"| {row['benchmark']}, {row['n']} | {row['label']} | {percent['pass_at_1']} | {percent['seeds_low']} to "
            f"{percent['seeds_high']} ({row['seeds']}) | {change['difference']} | {change['low']} to {change['high']} "
            f"| {row['p_value']:.3f} |"
        )
    return "\n".join([*lines, ""])


@dataclass(frozen=True)
class Study:
    """What a study varies."""

    vary: tuple[str, ...] = ()
    seeds: int = 1
    recipe: str | None = None
    overrides: tuple[str, ...] = ()


def read_study(file: str) -> Study:
    """A study of configs/ablations/: `recipe` (beside the file), `set`, `vary` (axis → values), `seeds`.

    Raises:
        ValueError: it has another form.
    """
    path = Path(file)
    try:
        tree = read_yaml_file(path, "it").value
        vary = tuple(f"{key}={','.join(map(str, values))}" for key, values in tree["vary"].items())
        unknown = set(tree) - {"recipe", "set", "vary", "seeds"}
        overrides = tuple(f"{key}={value}" for key, value in (tree.get("set") or {}).items())
        seeds, recipe = int(tree.get("seeds", 1)), str((path.parent / tree["recipe"]).resolve())
    except (OSError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"--study {file}: it should hold recipe, vary (setting: [values]) and seeds; "
                         f"{type(error).__name__}: {error}") from None  # fmt: skip
    if unknown:
        raise ValueError(f"--study {file}: {', '.join(sorted(unknown))} is no part of a study")
    return Study(vary, seeds, recipe, overrides)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("ablate", JOBS["ablate"], {
        "config": option(str | None, "recipe", metavar="RECIPE"),
        "set": RECIPE["set"],
        "run_dir": RECIPE["run_dir"],
        "study": option(str | None, "file that names recipe, axes and seeds, such as configs/ablations/table-6.yaml"),
        "vary": option(list[str], "an axis; again for another. tasks and languages take all and -NAME", [],
                       metavar="SECTION.KEY=VALUE,VALUE"),
        "seeds": option(int | None, "training seeds of each variant", metavar="N"),
        "dry_run": flag("dry_run", "only list the variants"),
    }, arguments)  # fmt: skip

    def work(_: list[RunDir]) -> None:
        study = read_study(options.study) if options.study else Study()
        recipe = options.config or study.recipe
        if recipe is None:
            raise ValueError("ablate needs --config RECIPE or --study FILE")
        seeds = options.seeds or study.seeds
        if seeds < 1:
            raise ValueError(f"--seeds is {seeds}; it should be 1 or more")
        wanted = Study((*study.vary, *options.vary), seeds)
        run_ablate(recipe, [*study.overrides, *options.set], options.run_dir, wanted, dry_run=options.dry_run)

    return run_guarded("ablate", work)


if __name__ == "__main__":
    sys.exit(main())
