"""`<run>/codeocean` or `<run>/mix` → `<run>/train/model`, a Hugging Face folder; `--ablate task`: one without each."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codeocean.export.formats import FORMATS
from core.storage import read_files, read_parts, write_part
from eval.answers.sources import EndpointAnswers
from eval.flow import evaluate, load_problems
from ray_jobs.cluster.connect import connect
from ray_jobs.mix import training_stage
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.models import model_digest, resolve_model
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, output_digest, required, run_stage
from ray_jobs.serve import client_of, serving
from training.services.hub import check_push, push_model
from training.services.trackers import Tracking


def run_train(
    config: Config, run: RunDir, *, ablate: str | None = None, push: str | None = None, dry_run: bool = False
) -> list[Manifest]:
    """Fine-tune the base model on CodeOcean, or on the mix where one is configured.

    Args:
        config: the whole configuration.
        run: holds the finished stage `codeocean` or `mix`.
        ablate: "task" trains once without each task, into `<run>/ablate/<task>` (the paper's table 6); None takes all.
        push: repository of the hub that the model is sent to in the end.
        dry_run: only say what would be sent of a model that is there.
    """
    if push is None and dry_run:
        raise ValueError("train --dry-run says what --push would send; what training would do: wavecoder plan")
    if push is not None and (ablate or not run.local):
        raise ValueError("train --push sends the one model of a local run directory, without --ablate")
    if push is not None and not dry_run:
        check_push(push)
    manifests = [] if dry_run else _train_all(config, run, ablate)
    if push is not None:
        push_model(Path(run.path("train", "model")), push, dry_run=dry_run)
    return manifests


def _train_all(config: Config, run: RunDir, ablate: str | None) -> list[Manifest]:
    data = training_stage(config) if config.train.objective == "sft" else "codeocean"  # which alone has pairs
    ocean = required(run, data)
    if ocean["rows_out"] == 0:
        raise ValueError(f"{run.shown(data)} holds no instance to train on; generate from a larger coreset")
    if ablate is None:
        return [_train_stage(config, run, ocean, "train", None)]
    tasks = sorted(set(read_parts(run.fs, run.path(data))["task"].to_pylist()))
    if len(tasks) < 2:
        raise ValueError(f"--ablate task needs instances of two tasks or more; {run.shown(data)} holds {tasks}")
    for task in tasks:
        if not re.fullmatch(r"[\w-]+", task):
            raise ValueError(f"--ablate task: {task!r} is no name for a folder; rename the task")
    return [_train_stage(config, run, ocean, f"ablate/{task}", task) for task in tasks]


def _train_stage(config: Config, run: RunDir, ocean: Manifest, stage: str, without: str | None) -> Manifest:
    """Train on all instances but those of one task, into the stage's folder."""
    model, data = resolve_model(config.train.model, "train.model"), ocean["stage"]

    def work() -> StageResult:
        from training.examples import REASONS
        from training.flow import fit
        from training.preference.flow import prefer

        tracking = tracking_of(config, run, stage)
        rows = read_parts(run.fs, run.path(data))
        connect(config.ray)
        kept = rows if without is None else rows.filter(pc.not_equal(rows["task"], without))
        lineage: dict[str, Any] = {
            data: ocean["digest"], "instances": kept.num_rows, "base_model": config.train.model,
        } | ({"without_task": without} if without else {})  # fmt: skip
        places: dict[str, Any] = {
            "storage_path": run.place(stage, ".checkpoints"), "output": run.place(stage, "model"), "lineage": lineage,
            "tracking": tracking,
        }  # fmt: skip
        settings = config.train.model_copy(update={"model": model})
        if config.train.objective == "sft":
            result = fit(settings, rows=kept, score=partial(_score_snapshot, config, run, stage), **places)
        else:
            result = prefer(settings, pairs=read_pairs(run, kept), **places)
        steps = result.pop("steps")
        write_part(run.fs, run.path(stage, "steps.parquet"), pa.Table.from_pylist(steps))
        left_out = {reason: result.pop(reason, 0) for reason in REASONS}
        dropped = left_out | {"without_task": rows.num_rows - kept.num_rows}
        dropped = {reason: count for reason, count in dropped.items() if count}
        return StageResult(rows.num_rows, rows.num_rows - sum(dropped.values()), dropped, details=result)

    from training.adapters import adapter_digest  # imports torch

    adapter = {"adapter": adapter_digest(config.train.lora_from)} if config.train.lora_from else {}
    inputs = {data: output_digest(ocean), "model": model_digest(model)} | adapter
    inputs |= {"without": without} if without else {}
    return run_stage(run, stage, covered_by("train", config), inputs, work)


def tracking_of(config: Config, run: RunDir, stage: str) -> Tracking | None:
    """Where the curves of a training are kept; None where the run directory is in an object store.

    Raises:
        ValueError: trackers are asked for there.
    """
    if not run.local:
        if config.train.track:
            raise ValueError(f"train.track keeps files beside the model, but {run.root} is in an object store; leave "
                             "it out: steps.parquet holds the same figures")  # fmt: skip
        return None
    settings = config.train.model_dump(mode="json")
    return Tracking(
        run.path(stage), f"{run.local.name}/{stage}", config.train.track, config.train.track_project, settings
    )


def read_pairs(run: RunDir, instances: pa.Table) -> list[dict[str, Any]]:
    """CodeOcean's preference pairs, asked as its instances are: `instruction, input, chosen, rejected`.

    Raises:
        ValueError: the data set has no pairs.
    """
    path = run.path("codeocean", FORMATS["preference"].file)
    if not run.exists("codeocean", FORMATS["preference"].file):
        raise ValueError(f"train.objective needs {path}, which is not there; set codeocean.formats to "
                         "[alpaca, preference] and run the codeocean job")  # fmt: skip
    asked = {row["id"]: row for row in instances.select(["id", "instruction", "input"]).to_pylist()}
    records = [json.loads(line) for line in read_files(run.fs, [path])[0].splitlines()]  # text would break at U+2028
    pairs = [
        {**asked[record["id"]], "chosen": record["chosen"][0]["content"], "rejected": record["rejected"][0]["content"]}
        for record in records
        if record["id"] in asked
    ]
    if not pairs:
        raise ValueError(f"{path} holds no pair to learn from; generate from a larger coreset, or with more attempts")
    return pairs


def _score_snapshot(config: Config, run: RunDir, stage: str, snapshot: str, step: int) -> dict[str, float]:
    """pass@1 of the model after so many steps on each configured benchmark; samples lie in `<stage>/scores`."""
    name = f"wavecoder-step-{step}"
    with serving(config, {name: snapshot}) as upstream:
        answers = EndpointAnswers(config.evaluate, client_of(upstream, name), name)
        scores, _ = evaluate(
            config.evaluate, load_problems(config.evaluate), answers=answers, label=f"step-{step}", fs=run.fs,
            folder=run.path(stage, "scores"),
        )  # fmt: skip
    return {score["benchmark"]: score["pass_at_1"] for score in scores}


main = main_of("train")

if __name__ == "__main__":
    sys.exit(main())
