"""CodeOcean → model on Ray Train: workers that shard the model, checkpoints that survive workers and driver."""

from __future__ import annotations

import json
import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pyarrow as pa
import ray.train
import torch
import torch.distributed as dist
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError
from ray.util.queue import Queue
from torch.distributed.device_mesh import init_device_mesh

from training.batches import global_batches
from training.checkpoint import RECORDS, load_checkpoint, save_checkpoint
from training.examples import tokenize_instances
from training.export import export_model
from training.model import load_model, load_tokenizer, shard_model
from training.settings import TrainConfig
from training.step import make_optimizer, train_steps

log = logging.getLogger("wavecoder.training")


_WORKER_ENVIRONMENT = {
    # glibc keeps the large tensors that are freed at every step: 2.8 GB a worker for a 135M model, 1.6 GB with this.
    "MALLOC_MMAP_THRESHOLD_": "1000000",
}


def fit(
    config: TrainConfig, *, rows: pa.Table, storage_path: str, output: str, lineage: dict[str, Any]
) -> dict[str, Any]:
    """Fine-tune and export; a run that was cut off goes on from its last checkpoint.

    Args:
        config: model, batch, schedule, workers.
        rows: instances, `instruction, input, output`.
        storage_path: where checkpoints are kept: a path or URL that every worker reaches.
        output: Hugging Face folder to write.
        lineage: what made the data, for the model card.

    Returns:
        `{steps: a record for each, model, workers, first_loss, last_loss, response_tokens, truncated,
        prompt_too_long}`.

    Raises:
        ValueError: the model or its tokenizer cannot be used, or no row fits.
    """
    columns = rows.select(["instruction", "input", "output"])
    examples, counts = tokenize_instances(columns.to_pylist(), load_tokenizer(config.model), config.max_length)
    total = len(global_batches(len(examples), config.global_batch, config.epochs, config.seed))
    log.info("train: %d rows, %d steps on %d workers", len(examples), total, config.workers)
    progress = Queue(actor_options={"num_cpus": 0})
    arguments = {"config": config, "rows": columns.to_pylist(), "output": output, "lineage": lineage}
    trainer = TorchTrainer(
        _train_worker,
        train_loop_config=arguments | {"progress": progress},
        scaling_config=ScalingConfig(
            num_workers=config.workers,
            use_gpu=config.use_gpu,
            resources_per_worker={"CPU": config.cpus_per_worker} | ({"GPU": 1} if config.use_gpu else {}),
        ),
        run_config=RunConfig(
            name="run",
            storage_path=storage_path,
            checkpoint_config=CheckpointConfig(num_to_keep=config.keep_checkpoints),
            failure_config=FailureConfig(max_failures=config.max_failures),
            worker_runtime_env={"env_vars": _WORKER_ENVIRONMENT},
        ),
    )
    records = _fit_and_follow(trainer, progress, total)
    return {
        "steps": records,
        "model": config.model,
        "workers": config.workers,
        "first_loss": records[0]["loss"],
        "last_loss": records[-1]["loss"],
        "response_tokens": sum(record["response_tokens"] for record in records),
    } | counts


def _fit_and_follow(trainer: TorchTrainer, progress: Queue, total: int) -> list[dict[str, float]]:
    """Run the trainer and log each step as worker 0 tells of it; returns the records of all steps."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(trainer.fit)
        while not running.done() or not progress.empty():
            try:
                record = progress.get(timeout=1.0)
            except Empty:
                continue
            left = (total - record["step"] - 1) * record["seconds"]
            log.info("train: step %d of %d, loss %.4f, %.1f tokens/s, about %.0f s left", record["step"] + 1, total,
                     record["loss"], record["response_tokens"] / record["seconds"], left)  # fmt: skip
    try:
        result = running.result()
    except TrainingFailedError as error:
        failures = getattr(error, "worker_failures", None)
        raise (next(iter(failures.values())) if failures else error) from error
    with result.checkpoint.as_directory() as folder:  # it also knows the steps of earlier attempts
        records: list[dict[str, float]] = json.loads((Path(folder) / RECORDS).read_text())
    return records


def _train_worker(arguments: dict[str, Any]) -> None:
    """One worker: loads, shards, resumes, trains, exports."""
    config: TrainConfig = arguments["config"]
    torch.set_num_threads(config.cpus_per_worker)
    context = ray.train.get_context()
    device = ray.train.torch.get_device()
    tokenizer = load_tokenizer(config.model)
    examples, _ = tokenize_instances(arguments["rows"], tokenizer, config.max_length)
    model = load_model(config.model, tokenizer).to(device)
    mesh = init_device_mesh(device.type, (context.get_world_size(),)) if dist.is_initialized() else None
    shard_model(model, mesh, getattr(torch, config.dtype), activation_checkpointing=config.activation_checkpointing)
    optimizer = make_optimizer(model, config)
    records: list[dict[str, float]] = []
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            records = load_checkpoint(folder, model, optimizer)
    steps = global_batches(len(examples), config.global_batch, config.epochs, config.seed)
    for record in train_steps(model, optimizer, examples, config, tokenizer.pad_token_id, len(records)):
        records.append(record)
        if len(records) == len(steps) or len(records) % config.checkpoint_every == 0:
            with tempfile.TemporaryDirectory() as folder:
                save_checkpoint(folder, model, optimizer, records)
                ray.train.report(record, checkpoint=Checkpoint.from_directory(folder))
        else:
            ray.train.report(record)
        if context.get_world_rank() == 0:
            arguments["progress"].put(record)
    export_model(model, tokenizer, config.model, arguments["output"], arguments["lineage"])
