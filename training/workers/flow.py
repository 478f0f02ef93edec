"""Ray Train's workers: started, followed, replaced when lost; what each of them does is handed in."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any

import ray
import ray.train
import torch
from ray.train import (
    Checkpoint,
    CheckpointConfig,
    CheckpointConsistencyMode,
    CheckpointUploadMode,
    FailureConfig,
    RunConfig,
    ScalingConfig,
)
from ray.train.torch import TorchConfig, TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError
from ray.util.queue import Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from core.object_store import join_url, open_url
from training.checkpoint import RECORDS
from training.reporting import StepReporter
from training.scoring import Score, Scorer
from training.services.trackers import Tracking
from training.settings import TrainConfig

log = logging.getLogger("wavecoder.training")

Worker = Callable[[dict[str, Any]], None]

_LESS_MEMORY = {
    # glibc's own threshold grows to 32 MB, and what is freed below it stays: a third of a gigabyte in the demo. A small
    # one costs page faults (docs/benchmarks.md): for those who trade time for memory anyway.
    "MALLOC_MMAP_THRESHOLD_": str(2 * 2**20),
}


@dataclass(frozen=True)
class Places:
    """Where a run keeps and shows what it does."""

    storage_path: str
    """Of checkpoints: a path or URL that every worker reaches."""
    total: int
    """Steps of the whole run."""
    tracking: Tracking | None = None
    """Where curves are kept; None keeps none."""
    score: Score | None = None
    """Scores snapshots of the model; None does not."""


def run_workers(
    config: TrainConfig, worker: Worker, arguments: dict[str, Any], places: Places
) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """Run one function on all workers until all steps are taken; returns the records of all steps, and the scores.

    Args:
        config: workers, checkpoints, failures.
        worker: is called with the arguments, among them `config`, the queues `records` and `fatal`, and `snapshots`,
            a folder for models to score, or None. It reports a checkpoint with the last step.
        arguments: its own.
        places: where to keep and show.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    # Beside this process: a queue on another node would end with that node.
    records, fatal = (Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here}) for _ in range(2))
    scores = places.score and config.evaluate_every
    arguments = arguments | {
        "config": config, "records": records, "fatal": fatal,
        "snapshots": join_url(places.storage_path, "snapshots") if scores else None,
    }  # fmt: skip
    follower = _Follower(records, StepReporter(places.total, places.tracking), Scorer(places.score))
    try:
        make_trainer = partial(_trainer, config, worker, arguments, places.storage_path)
        steps = _fit_and_follow(make_trainer, follower, fatal, 1 + config.max_failures)
    finally:
        follower.close()
    return steps, follower.scores


def _trainer(config: TrainConfig, worker: Worker, arguments: dict[str, Any], storage_path: str) -> TorchTrainer:
    scored = {"checkpoint_score_attribute": "held_out_loss", "checkpoint_score_order": "min"}
    fs, path = open_url(storage_path) if "://" in storage_path else (None, storage_path)
    return TorchTrainer(
        worker,
        train_loop_config=arguments,
        torch_config=TorchConfig("cpu:gloo,cuda:nccl" if config.offload and config.use_gpu else None),
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

    def __init__(self, records: Queue, reporter: StepReporter, scorer: Scorer) -> None:
        self._records, self._reporter, self._scorer = records, reporter, scorer
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
                self._reporter.show(told)

    def close(self) -> None:
        """Wait for the last scores and show them."""
        self._scorer.close()
        self._show_scores()
        self._reporter.close()

    def _show_scores(self) -> None:
        for step, scores in self._scorer.finished():
            self.scores[str(step)] = scores
            self._reporter.show_scores(step, scores)


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


def telling_the_driver(work: Worker, arguments: dict[str, Any]) -> None:
    """One worker's work. What no new attempt would mend is told to the driver, and later attempts end at once."""
    if not arguments["fatal"].empty():
        return
    try:
        work(arguments)
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


def report_checkpoint(record: dict[str, Any], folder: str, writing: Future[None]) -> None:
    """Hand a checkpoint to Ray Train, which takes it up when all workers have written and copied theirs."""
    storage = ray.train.get_context().get_storage()

    def upload(checkpoint: Checkpoint, name: str) -> Checkpoint:
        writing.result()
        return storage.persist_current_checkpoint(checkpoint, name)

    ray.train.report(
        record, checkpoint=Checkpoint.from_directory(folder), checkpoint_upload_mode=CheckpointUploadMode.ASYNC,
        checkpoint_upload_fn=upload,
    )  # fmt: skip
