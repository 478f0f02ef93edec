"""Training state → sharded files and back, through `torch.distributed.checkpoint`. No Ray here.

The order of the rows, the learning rate and the random numbers of a step follow from its number, so a checkpoint is the
trained weights, the optimizer and the records of the steps taken. Saving copies the state and writes it while training
goes on. A checkpoint of any number of workers loads on any other.
"""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.utils._pytree import tree_map_only

from training.adapters import adapter_digest
from training.batches import global_batches
from training.loss import Learner
from training.safetensors_reader import StoredWeights
from training.settings import TrainConfig

RECORDS = "steps.json"

_TRAINED = StateDictOptions(ignore_frozen_params=True, cpu_offload=True, strict=False)


class CheckpointWriter:
    """Writes checkpoints in a thread of its own, one after the other."""

    def __init__(self) -> None:
        """Set up; every worker must do so at the same time."""
        # The thread's messages between workers must not mix with those of the training step.
        self._group = dist.new_group(backend="gloo") if dist.is_initialized() else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")

    def save(
        self, folder: str, learner: Learner, optimizer: torch.optim.Optimizer, notes: dict[str, Any]
    ) -> Future[None]:
        """Copy the state and begin to write this worker's shards into its folder.

        Worker 0 adds the index and the notes. The folders of all workers together are the checkpoint.

        Args:
            folder: of this worker.
            learner: its trained weights are saved, frozen ones not.
            optimizer: over them.
            notes: `identity` of the run, and the `records` of the steps taken.
        """
        weights, state = get_state_dict(learner, optimizer, options=_TRAINED)
        copied = tree_map_only(torch.Tensor, lambda tensor: tensor.detach().clone(), {"model": weights, "optim": state})
        text = json.dumps(notes)
        return self._thread.submit(self._write, folder, copied, text)

    def close(self) -> None:
        """Wait for what is being written."""
        self._thread.shutdown(wait=True)

    def _write(self, folder: str, state: dict[str, Any], notes: str) -> None:
        save(state, checkpoint_id=folder, process_group=self._group)
        if not dist.is_initialized() or dist.get_rank() == 0:
            (Path(folder) / RECORDS).write_text(notes)


def identity_of(learner: Learner, config: TrainConfig, num_rows: int) -> dict[str, Any]:
    """What a checkpoint must share with the run that takes it up: the base, its sizes and the order of the rows."""
    causal = learner.causal
    return (
        {
            "architecture": type(causal).__name__,
            "trained weights": sum(weight.numel() for weight in learner.parameters() if weight.requires_grad),
            "vocabulary": causal.config.vocab_size,
            "lora_rank": config.lora_rank,
            "optimizer": config.optimizer,
            "rows": num_rows,
            "steps": len(global_batches(num_rows, config.global_batch, config.epochs, config.seed)),
            "seed": config.seed,
            "base model": StoredWeights(config.model).digest(),
        }
        | ({"scale of the adapters": config.lora_scale} if config.lora_rank_stabilized else {})
        | ({"lora_dora": True} if config.lora_dora else {})
        | ({"lora_base": config.lora_base} if config.lora_base != "float32" else {})
        | ({"first adapter": adapter_digest(config.lora_from)} if config.lora_from else {})
    )


def load_checkpoint(
    folder: str, learner: Learner, optimizer: torch.optim.Optimizer, identity: dict[str, Any]
) -> list[dict[str, float]]:
    """Load a checkpoint of any number of workers, in place; returns the records of the steps taken.

    Args:
        folder: that `CheckpointWriter` wrote.
        learner: takes its weights, in the shards of this worker.
        optimizer: takes its moments.
        identity: of this run, as `identity_of` has it.

    Raises:
        ValueError: it belongs to another model or other data, and the first difference is named; or it is damaged.
    """
    try:
        notes = json.loads((Path(folder) / RECORDS).read_text())
        known, records = dict(notes["identity"]), list(notes["records"])
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from None
    for name, ours in identity.items():
        theirs = known.get(name)
        if theirs != ours:
            raise ValueError(f"the checkpoint in {folder} is of another run: its {name} is {theirs}, this run's "
                             f"{ours}; delete it or take another run_dir")  # fmt: skip
    weights, state = get_state_dict(learner, optimizer, options=_TRAINED)
    found: dict[str, Any] = {"model": weights, "optim": state}
    try:
        load(found, checkpoint_id=folder)
    except CheckpointException as error:  # no Exception: Ray Train would not see why the worker ends
        reason = next(iter(error.failures.values()))[0]
        if isinstance(reason, OSError) and not isinstance(reason, FileNotFoundError):
            raise reason from None  # of the disk or the network, which a new attempt may mend
        raise _damaged(folder, reason) from None
    set_state_dict(
        learner, optimizer, model_state_dict=found["model"], optim_state_dict=found["optim"], options=_TRAINED
    )
    return records


def _damaged(folder: str, error: BaseException) -> ValueError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return ValueError(f"the checkpoint in {folder} is damaged ({reason}); delete the folder of all checkpoints, and "
                      "training begins anew")  # fmt: skip
