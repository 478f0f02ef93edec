"""Training state → sharded files and back, through `torch.distributed.checkpoint`. No Ray here.

The order of the rows, the learning rate and the random numbers of a step follow from its number, so a checkpoint is the
model, the optimizer and the records of the steps taken.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

RECORDS = "steps.json"


def save_checkpoint(folder: str, model: Any, optimizer: torch.optim.Optimizer, records: list[dict[str, float]]) -> None:
    """Write this worker's shards into its folder; worker 0 adds the index and the records.

    The folders of all workers together are the checkpoint.
    """
    weights, state = get_state_dict(model, optimizer)
    dcp.save({"model": weights, "optimizer": state}, checkpoint_id=folder)
    if not dist.is_initialized() or dist.get_rank() == 0:
        (Path(folder) / RECORDS).write_text(json.dumps(records))


def load_checkpoint(folder: str, model: Any, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
    """Load a checkpoint of any number of workers, in place; returns the records of the steps taken."""
    weights, state = get_state_dict(model, optimizer)
    found = {"model": weights, "optimizer": state}
    dcp.load(found, checkpoint_id=folder)
    set_state_dict(model, optimizer, model_state_dict=found["model"], optim_state_dict=found["optimizer"])
    records: list[dict[str, float]] = json.loads((Path(folder) / RECORDS).read_text())
    return records
