"""CodeOcean's preference pairs → model on Ray Train, by trl's trainers; checkpoints and export as in fine-tuning."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from typing import Any

import ray
import ray.train
import torch

from core.node_copy import node_copy
from training.checkpoint import CheckpointWriter, identity_of, load_checkpoint
from training.flow import check_here, export_as_told, summarise
from training.model import build_learner, load_tokenizer
from training.optimizers import make_optimizer
from training.preference.pairs import Row, check_trl, dpo_rows, kto_rows, tokenize_pairs
from training.preference.steps import num_steps, take_steps
from training.services.trackers import Tracking
from training.settings import TrainConfig, read_prompt
from training.step import saves_after
from training.workers.flow import Places, report_checkpoint, run_workers, telling_the_driver

log = logging.getLogger("wavecoder.training")


def prefer(
    config: TrainConfig,
    *,
    pairs: Sequence[dict[str, Any]],
    storage_path: str,
    output: str,
    lineage: dict[str, Any],
    tracking: Tracking | None = None,
) -> dict[str, Any]:
    """Learn to prefer accepted answers, and export; a run that was cut off goes on from its last checkpoint.

    Args:
        config: objective, model, batch (of pairs with `dpo`, of answers with `kto`), schedule, workers.
        pairs: `instruction, input, chosen, rejected`.
        storage_path: where checkpoints are kept: a path or URL that every worker reaches.
        output: Hugging Face folder to write.
        lineage: what made the data, for the model card.
        tracking: where curves are kept; None keeps none.

    Returns:
        As `fit`, without scores and held-out rows; the records of the steps have trl's rewards.

    Raises:
        ValueError: trl is missing, the model or its tokenizer cannot be used, no pair fits, or the checkpoint found is
            of another run.
    """
    check_trl()
    # trl pads the rows of a forward pass, and its forward pass is the library's own.
    config = config.model_copy(update={"prompt": read_prompt(config.prompt), "packing": False})
    check_here(config)
    tokenizer = load_tokenizer(node_copy(config.model, weights=False), config.prompt)
    kept, counts = tokenize_pairs(pairs, tokenizer, config.max_length)
    rows = dpo_rows(kept) if config.objective == "dpo" else kto_rows(kept)
    total = num_steps(rows, config)
    log.info("train: %s on %d rows of %d pairs, %d steps on %d workers", config.objective, len(rows), len(kept), total,
             config.workers)  # fmt: skip
    steps, _ = run_workers(
        config, _prefer_worker, {"rows": ray.put(rows), "output": output, "lineage": lineage | {"pairs": len(kept)}},
        Places(storage_path, total, tracking),
    )  # fmt: skip
    return summarise(steps, config) | {"rows": len(kept), "held_out_rows": 0, "scores": {}} | counts


def _prefer_worker(arguments: dict[str, Any]) -> None:
    telling_the_driver(_prefer_and_export, arguments)


def _prefer_and_export(arguments: dict[str, Any]) -> None:
    """Loads, resumes, learns, exports."""
    config: TrainConfig = arguments["config"]
    config = config.model_copy(update={"model": node_copy(config.model)})
    torch.set_num_threads(config.cpus_per_worker)
    tokenizer = load_tokenizer(config.model, config.prompt)
    rows: list[Row] = ray.get(arguments["rows"])
    learner = build_learner(config, tokenizer, ray.train.torch.get_device())
    optimizer = make_optimizer(learner, config)
    total, records = num_steps(rows, config), list[dict[str, Any]]()
    identity = identity_of(learner, config, len(rows)) | {"objective": config.objective}
    writer = CheckpointWriter()

    def resume() -> int:
        checkpoint = ray.train.get_checkpoint()
        if checkpoint is not None:
            with checkpoint.as_directory() as folder:
                records.extend(load_checkpoint(folder, learner, optimizer, identity))
        return len(records)

    def told(record: dict[str, Any]) -> None:
        records.append(record | {"held_out_loss": None})
        if saves_after(len(records), total, config):
            folder = tempfile.mkdtemp(prefix="checkpoint")
            writing = writer.save(folder, learner, optimizer, {"identity": identity, "records": records})
            report_checkpoint(records[-1], folder, writing)
        if ray.train.get_context().get_world_rank() == 0:
            arguments["records"].put(records[-1])

    take_steps(learner, optimizer, rows, config, tokenizer, resume=resume, told=told)
    writer.close()
    export_as_told(learner, tokenizer, arguments, records, arguments["output"])
