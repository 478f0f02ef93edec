"""CodeOcean → model on Ray Train: workers that shard the model, checkpoints that survive workers and driver."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
import ray.data
import ray.train
import torch

from core.node_copy import node_copy
from core.object_store import join_url, open_url
from core.storage import copy_up
from training.batches import global_batches, split_holdout
from training.checkpoint import CheckpointWriter, identity_of, load_checkpoint
from training.examples import Example
from training.export import export_model
from training.loss import Learner
from training.model import build_learner, check_model, load_tokenizer, mesh_of_workers
from training.optimizers import make_optimizer
from training.scoring import Score
from training.services.trackers import Tracking
from training.settings import TrainConfig, read_prompt
from training.step import held_out_losses, saves_after, train_steps
from training.token_table import TokenizedRows, digest_of, sort_out, tokenize_table
from training.workers.flow import Places, report_checkpoint, run_workers, telling_the_driver

log = logging.getLogger("wavecoder.training")

_ROWS_PER_TASK = 2_000
"""So many rows take a second or two. A worker of Ray's needs nine, of CPU time, to import what it tokenizes with."""

_COUNTED = {
    "truncated": "cut at train.max_length {}",
    "prompt_too_long": "left out: their prompt alone fills train.max_length {}",
    "changed_by_tokenizer": "left out: the tokenizer does not give their text back",
    "unclean_split": "left out: the chat template does not tell their answers from the rest",
}


def fit(
    config: TrainConfig,
    *,
    rows: pa.Table,
    storage_path: str,
    output: str,
    lineage: dict[str, Any],
    tracking: Tracking | None = None,
    score: Score | None = None,
) -> dict[str, Any]:
    """Fine-tune and export; a run that was cut off goes on from its last checkpoint.

    Args:
        config: model, batch, schedule, workers.
        rows: instances, `instruction, input, output`, and `task` where it is known; of conversations also `messages`.
        storage_path: where checkpoints are kept: a path or URL that every worker reaches.
        output: Hugging Face folder to write: a path or URL that worker 0 reaches.
        lineage: what made the data, for the model card.
        tracking: where curves are kept; None keeps none.
        score: scores the model every `config.evaluate_every` steps, while training goes on; None does not.

    Returns:
        `{steps: a record for each, model, workers, rows, held_out_rows, first_loss, last_loss, held_out, tokens,
        response_tokens, scores, truncated, prompt_too_long}` and, where there are any, the other `REASONS`;
        `held_out` maps each task, and "" for all, to its loss before training and its last, `scores` the number of
        steps taken to that model's figures.

    Raises:
        ValueError: the model or its tokenizer cannot be used, no row fits, a loss is not finite, the memory does not
            suffice, or the checkpoint found is of another run.
    """
    config = config.model_copy(update={"prompt": read_prompt(config.prompt)})  # workers may not see the file
    check_here(config)
    tokens, counts = sort_out(_tokenize(rows, config), config.max_length)
    learnt, held_out = split_holdout(tokens.num_rows, config.holdout, config.seed)
    total = len(global_batches(len(learnt), config.global_batch, config.epochs, config.seed))
    log.info("train: %d rows, %d held out, %d steps on %d workers", len(learnt), len(held_out), total, config.workers)
    for name, count in counts.items():
        if count:
            log.info("train: %d of %d rows %s", count, rows.num_rows, _COUNTED[name].format(config.max_length))
    steps, scores = run_workers(
        config, _train_worker, {"tokens": ray.put(tokens), "output": output, "lineage": lineage},
        Places(storage_path, total, tracking, score),
    )  # fmt: skip
    counted = {"rows": len(learnt), "held_out_rows": len(held_out), "scores": scores} | counts
    return summarise(steps, config) | counted


def check_here(config: TrainConfig) -> None:
    """Refuse what cannot be trained; raises `ValueError`."""
    described = node_copy(config.model, weights=False)
    try:
        check_model(config.model_copy(update={"model": described}), load_tokenizer(described, config.prompt))
    except ValueError as error:
        raise ValueError(str(error).replace(described, config.model)) from None


def _tokenize(rows: pa.Table, config: TrainConfig) -> pa.Table:
    """All rows as tokens, made here where they are few, else by Ray Data's tasks."""
    if "task" not in rows.column_names:
        rows = rows.append_column("task", pa.array([""] * rows.num_rows))
    names = ["instruction", "input", "output", "task", *({"messages"} & set(rows.column_names))]
    numbered = rows.select(names).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    if rows.num_rows <= _ROWS_PER_TASK:
        return _tokenize_batch(numbered, config)
    options = {"config": config}
    dataset = ray.data.from_arrow(numbered).repartition(-(-rows.num_rows // _ROWS_PER_TASK))
    blocks = dataset.map_batches(_tokenize_batch, batch_format="pyarrow", batch_size=None, fn_kwargs=options)
    return pa.concat_tables(ray.get(blocks.to_arrow_refs()))


def _tokenize_batch(batch: pa.Table, config: TrainConfig) -> pa.Table:
    return tokenize_table(batch, _tokenizer(config.model, config.prompt), config.max_length, config.loss_on)


@cache
def _tokenizer(model: str, prompt: str) -> Any:
    return load_tokenizer(node_copy(model, weights=False), prompt)


def summarise(steps: list[dict[str, Any]], config: TrainConfig) -> dict[str, Any]:
    """What the manifest says of a run, from the records of its steps."""
    measured = [record for record in steps if record["held_out_loss"] is not None]
    names = [name for name in steps[0] if name.startswith("held_out_loss")] if measured else []
    return {
        "steps": steps,
        "model": config.model,
        "workers": config.workers,
        "first_loss": steps[0]["loss"],
        "last_loss": steps[-1]["loss"],
        "held_out": {
            name.removeprefix("held_out_loss").lstrip("."): [steps[0][f"before.{name}"], measured[-1][name]]
            for name in names
        },
        "tokens": sum(record["tokens"] for record in steps),
        "response_tokens": sum(record["response_tokens"] for record in steps),
    }


def _train_worker(arguments: dict[str, Any]) -> None:
    telling_the_driver(_train_and_export, arguments)


def _train_and_export(arguments: dict[str, Any]) -> None:
    """Loads, shards, resumes, trains, exports."""
    config: TrainConfig = arguments["config"]
    config = config.model_copy(update={"model": node_copy(config.model)})
    torch.set_num_threads(config.cpus_per_worker)
    device = ray.train.torch.get_device()
    tokenizer = load_tokenizer(config.model, config.prompt)
    tokens = ray.get(arguments["tokens"])
    learnt, held_out = (
        TokenizedRows(tokens, numbers) for numbers in split_holdout(tokens.num_rows, config.holdout, config.seed)
    )
    learner = build_learner(config, tokenizer, device, mesh_of_workers(config, device))
    optimizer = make_optimizer(learner, config)
    identity = identity_of(learner, config, len(learnt)) | {"data": digest_of(tokens)}
    records: list[dict[str, Any]] = []
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            records = load_checkpoint(folder, learner, optimizer, identity)
    total = len(global_batches(len(learnt), config.global_batch, config.epochs, config.seed))
    untrained = _held_out(learner, held_out, config, tokenizer.pad_token_id, measures=bool(held_out) and not records)
    writer = CheckpointWriter()
    for record in train_steps(learner, optimizer, learnt, config, tokenizer.pad_token_id, len(records)):
        done = len(records) + 1
        saves = saves_after(done, total, config)
        measures = bool(held_out) and (saves or done % config.validate_every == 0)
        losses = _held_out(learner, held_out, config, tokenizer.pad_token_id, measures=measures)
        before = {} if records else {f"before.{name}": loss for name, loss in untrained.items()}
        records.append(record | losses | before)
        if saves:
            folder = tempfile.mkdtemp(prefix="checkpoint")
            writing = writer.save(folder, learner, optimizer, {"identity": identity, "records": records})
            report_checkpoint(records[-1], folder, writing)
        first = ray.train.get_context().get_world_rank() == 0
        if first:
            arguments["records"].put(records[-1])
        every = config.evaluate_every if arguments["snapshots"] else None
        if every and done % every == 0 and done < total:
            name = f"step-{done}-{time.time_ns()}"  # a step taken again gets another
            snapshot = join_url(arguments["snapshots"], name)
            export_as_told(learner, tokenizer, arguments, records, snapshot)
            if first:
                arguments["records"].put({"snapshot": snapshot, "step": done})
    writer.close()
    export_as_told(learner, tokenizer, arguments, records, arguments["output"])


def _held_out(
    learner: Learner, held_out: Sequence[Example], config: TrainConfig, pad_id: int, *, measures: bool
) -> dict[str, float | None]:
    """The record's columns of held-out losses: the same for every step, None where nothing is measured."""
    tasks = sorted({example.task for example in held_out} - {""})
    names = {"": "held_out_loss"} | {task: f"held_out_loss.{task}" for task in tasks}
    if not measures:
        return dict.fromkeys(names.values())
    losses = held_out_losses(learner, held_out, range(len(held_out)), config, pad_id)
    return {name: losses[task] for task, name in names.items()}


def export_as_told(
    learner: Learner, tokenizer: Any, arguments: dict[str, Any], records: list[dict[str, Any]], output: str
) -> None:
    """Export with the losses on the card, to a path or URL; called by every worker."""
    config: TrainConfig = arguments["config"]
    base = node_copy(config.model, weights=False)
    held_out = {name: value for name, value in records[-1].items() if name.startswith("held_out_loss")}
    lineage = arguments["lineage"] | {
        "first_loss": round(records[0]["loss"], 4),
        "last_loss": round(records[-1]["loss"], 4),
        "held_out": {name: round(value, 4) for name, value in held_out.items() if value is not None},
        "config": config.model_dump(mode="json"),
    }
    if "://" not in output:
        export_model(learner, tokenizer, base, output, lineage)
        return
    with tempfile.TemporaryDirectory() as scratch:
        export_model(learner, tokenizer, base, f"{scratch}/model", lineage)
        if ray.train.get_context().get_world_rank() == 0:
            fs, path = open_url(output)
            copy_up(Path(scratch, "model"), fs, path)
