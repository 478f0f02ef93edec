"""CodeOcean → model on Ray Train: workers that shard the model, checkpoints that survive workers and driver."""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from queue import Empty
from typing import Any

import pyarrow as pa
import ray
import ray.data
import ray.train
import torch
from pyarrow import fs as pafs
from ray.train import (
    Checkpoint,
    CheckpointConfig,
    CheckpointConsistencyMode,
    CheckpointUploadMode,
    FailureConfig,
    RunConfig,
    ScalingConfig,
)
from ray.train.torch import TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError
from ray.util.queue import Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from core.node_copy import node_copy
from core.object_store import join_url, open_url
from training.batches import global_batches, split_holdout
from training.checkpoint import RECORDS, CheckpointWriter, identity_of, load_checkpoint
from training.examples import Example
from training.export import export_model
from training.loss import Learner
from training.model import build_learner, check_model, load_tokenizer, mesh_of_workers
from training.optimizers import make_optimizer
from training.reporting import Progress
from training.scoring import Score, Scorer
from training.settings import TrainConfig, read_prompt
from training.step import held_out_losses, saves_after, train_steps
from training.token_table import TokenizedRows, digest_of, sort_out, tokenize_table

log = logging.getLogger("wavecoder.training")

_LESS_MEMORY = {
    # glibc's own threshold grows to 32 MB, and what is freed below it stays: a third of a gigabyte in the demo. A small
    # one costs page faults (docs/benchmarks.md): for those who trade time for memory anyway.
    "MALLOC_MMAP_THRESHOLD_": str(2 * 2**20),
}

_ROWS_PER_TASK = 2_000

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
    tensorboard: str | None = None,
    score: Score | None = None,
) -> dict[str, Any]:
    """Fine-tune and export; a run that was cut off goes on from its last checkpoint.

    Args:
        config: model, batch, schedule, workers.
        rows: instances, `instruction, input, output`, and `task` where it is known; of conversations also `messages`.
        storage_path: where checkpoints are kept: a path or URL that every worker reaches.
        output: Hugging Face folder to write: a path or URL that worker 0 reaches.
        lineage: what made the data, for the model card.
        tensorboard: local folder for TensorBoard's files; None writes none.
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
    _check_here(config)
    tokens, counts = sort_out(_tokenize(rows, config), config.max_length)
    learnt, held_out = split_holdout(tokens.num_rows, config.holdout, config.seed)
    total = len(global_batches(len(learnt), config.global_batch, config.epochs, config.seed))
    log.info("train: %d rows, %d held out, %d steps on %d workers", len(learnt), len(held_out), total, config.workers)
    for name, count in counts.items():
        if count:
            log.info("train: %d of %d rows %s", count, rows.num_rows, _COUNTED[name].format(config.max_length))
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    # Beside this process: a queue on another node would end with that node.
    records, fatal = (Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here}) for _ in range(2))
    arguments = {
        "config": config, "tokens": ray.put(tokens), "output": output, "lineage": lineage, "records": records,
        "fatal": fatal, "snapshots": join_url(storage_path, "snapshots") if score and config.evaluate_every else None,
    }  # fmt: skip
    follower = _Follower(records, Progress(total, tensorboard), Scorer(score))
    try:
        make_trainer = partial(_trainer, config, arguments, storage_path)
        steps = _fit_and_follow(make_trainer, follower, fatal, 1 + config.max_failures)
    finally:
        follower.close()
    counted = {"rows": len(learnt), "held_out_rows": len(held_out), "scores": follower.scores} | counts
    return _summary(steps, config) | counted


def _check_here(config: TrainConfig) -> None:
    """Refuse what cannot be trained; raises `ValueError`."""
    described = node_copy(config.model, weights=False)
    try:
        check_model(config.model_copy(update={"model": described}), load_tokenizer(described, config.prompt))
    except ValueError as error:
        raise ValueError(str(error).replace(described, config.model)) from None


def _tokenize(rows: pa.Table, config: TrainConfig) -> pa.Table:
    """All rows as tokens, made by Ray Data's tasks."""
    if "task" not in rows.column_names:
        rows = rows.append_column("task", pa.array([""] * rows.num_rows))
    names = ["instruction", "input", "output", "task", *({"messages"} & set(rows.column_names))]
    numbered = rows.select(names).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    options = {"config": config}
    dataset = ray.data.from_arrow(numbered).repartition(-(-rows.num_rows // _ROWS_PER_TASK))
    blocks = dataset.map_batches(_tokenize_batch, batch_format="pyarrow", batch_size=None, fn_kwargs=options)
    return pa.concat_tables(ray.get(blocks.to_arrow_refs()))


def _tokenize_batch(batch: pa.Table, config: TrainConfig) -> pa.Table:
    return tokenize_table(batch, _tokenizer(config.model, config.prompt), config.max_length, config.loss_on)


@cache
def _tokenizer(model: str, prompt: str) -> Any:
    return load_tokenizer(node_copy(model, weights=False), prompt)


def _trainer(config: TrainConfig, arguments: dict[str, Any], storage_path: str) -> TorchTrainer:
    scored = {"checkpoint_score_attribute": "held_out_loss", "checkpoint_score_order": "min"}
    fs, path = open_url(storage_path) if "://" in storage_path else (None, storage_path)
    return TorchTrainer(
        _train_worker,
        train_loop_config=arguments,
        scaling_config=ScalingConfig(
            num_workers=(config.min_workers, config.workers) if config.min_workers else config.workers,
            elastic_resize_monitor_interval_s=config.resize_every_s,
            use_gpu=config.use_gpu,
            resources_per_worker={"CPU": config.cpus_per_worker} | ({"GPU": 1} if config.use_gpu else {}),
        ),
        run_config=RunConfig(
            name="run",
            storage_path=path,
            storage_filesystem=fs,
            checkpoint_config=CheckpointConfig(
                num_to_keep=config.keep_checkpoints, **(scored if config.holdout else {})
            ),
            failure_config=FailureConfig(max_failures=config.max_failures),
            worker_runtime_env={"env_vars": _LESS_MEMORY if config.activation_checkpointing == "full" else {}},
        ),
    )


class _Follower:
    """Shows what worker 0 tells of, and has snapshots scored."""

    def __init__(self, records: Queue, progress: Progress, scorer: Scorer) -> None:
        self._records, self._progress, self._scorer = records, progress, scorer
        self.scores: dict[str, dict[str, float]] = {}  # keys as JSON has them

    def follow(self, running: Future[Any]) -> None:
        """Until the training has ended and everything is told."""
        while not running.done() or not self._records.empty():
            self._show_scores()
            try:
                told = self._records.get(timeout=1.0)
            except Empty:
                continue
            if "snapshot" in told:
                self._scorer.take(told["snapshot"], told["step"])
            else:
                self._progress.show(told)

    def close(self) -> None:
        """Wait for the last scores and show them."""
        self._scorer.close()
        self._show_scores()
        self._progress.close()

    def _show_scores(self) -> None:
        for step, scores in self._scorer.finished():
            self.scores[str(step)] = scores
            self._progress.show_scores(step, scores)


def _fit_and_follow(
    make_trainer: Callable[[], TorchTrainer], follower: _Follower, fatal: Queue, tries: int
) -> list[dict[str, Any]]:
    """Run a trainer and show each step as worker 0 tells of it; returns the records of all steps.

    Ray Train replaces workers that it loses while they train. One that it loses while they start, as long as they
    import what they need, ends its run instead, and a new trainer goes on from the last checkpoint.
    """
    for left in reversed(range(tries)):
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(make_trainer().fit)
            follower.follow(running)
        try:
            result, failure = running.result(), None
            break
        except TrainingFailedError as error:
            failure = error
            if not left or not isinstance(getattr(error, "controller_failure", None), ray.exceptions.RayActorError):
                break
            log.info("train: a worker was lost while it started; all start again, %d more times if need be", left - 1)
    _raise_failure(failure, fatal)
    with result.checkpoint.as_directory() as folder:  # it also knows the steps of earlier attempts
        steps: list[dict[str, Any]] = json.loads((Path(folder) / RECORDS).read_text())["records"]
    return steps


def _raise_failure(error: TrainingFailedError | None, fatal: Queue) -> None:
    """Raise what is behind a run's failure; a run whose workers were told to give up may end without one."""
    failures = getattr(error, "worker_failures", None)
    failure = next(iter(failures.values())) if failures else error
    if not fatal.empty():
        raise ValueError(fatal.get()) from failure
    if isinstance(failure, ray.exceptions.OutOfMemoryError):  # Ray killed the worker before the system did
        raise ValueError(unmendable(failure)) from None
    if failure is not None:
        raise failure


def _summary(steps: list[dict[str, Any]], config: TrainConfig) -> dict[str, Any]:
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
    """One worker. What no new attempt would mend is told to the driver, and later attempts end at once."""
    if not arguments["fatal"].empty():
        return
    try:
        _train_and_export(arguments)
    except (ValueError, FloatingPointError, MemoryError, RuntimeError) as error:
        line = unmendable(error)
        if line is not None:
            arguments["fatal"].put(line)
            _wait_for_checkpoint()
        raise


def _wait_for_checkpoint() -> None:
    """Let the last checkpoint reach its place before this worker ends with an error."""
    with contextlib.suppress(TimeoutError, ray.exceptions.RayError):
        ray.train.get_all_reported_checkpoints(CheckpointConsistencyMode.COMMITTED, timeout_s=60)


def unmendable(error: Exception) -> str | None:
    """The line for a failure that a new attempt would only repeat; None for one that it may mend."""
    if isinstance(error, ValueError | FloatingPointError):
        return str(error)
    if isinstance(
        error, MemoryError | torch.OutOfMemoryError | ray.exceptions.OutOfMemoryError
    ) or "allocate memory" in str(error):
        reason = str(error).splitlines()[0][:200] if str(error) else "MemoryError"
        return (
            f"training ran out of memory ({reason}); lower train.micro_batch or train.max_length, set "
            "train.activation_checkpointing: full or train.lora_rank: 8, or take more train.workers"
        )
    return None


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
            _report(records[-1], folder, writing)
        first = ray.train.get_context().get_world_rank() == 0
        if first:
            arguments["records"].put(records[-1])
        every = config.evaluate_every if arguments["snapshots"] else None
        if every and done % every == 0 and done < total:
            name = f"step-{done}-{time.time_ns()}"  # a step taken again gets another
            snapshot = join_url(arguments["snapshots"], name)
            _export(learner, tokenizer, arguments, records, snapshot)
            if first:
                arguments["records"].put({"snapshot": snapshot, "step": done})
    writer.close()
    _export(learner, tokenizer, arguments, records, arguments["output"])


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


def _report(record: dict[str, Any], folder: str, writing: Future[None]) -> None:
    """Hand a checkpoint to Ray Train, which takes it up when all workers have written and copied theirs."""
    storage = ray.train.get_context().get_storage()

    def upload(checkpoint: Checkpoint, name: str) -> Checkpoint:
        writing.result()
        return storage.persist_current_checkpoint(checkpoint, name)

    ray.train.report(
        record, checkpoint=Checkpoint.from_directory(folder), checkpoint_upload_mode=CheckpointUploadMode.ASYNC,
        checkpoint_upload_fn=upload,
    )  # fmt: skip


def _export(
    learner: Learner, tokenizer: Any, arguments: dict[str, Any], records: list[dict[str, Any]], output: str
) -> None:
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
            pafs.copy_files(f"{scratch}/model", path, destination_filesystem=fs)
