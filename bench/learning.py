"""Learning: does the demo's model learn from real instances? Held-out loss before, during and after training.

`python -m bench.learning --data FILE --folder DIR` prints one JSON object. FILE holds instances in the Alpaca form,
JSON or gzipped JSON. It trains on Ray Train with all weights; cut off and started again with the same folder, it
goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import pyarrow as pa
import ray
import torch

from bench.machine import describe_machine
from bench.training import read_rows
from ray_jobs.models import resolve_model
from training.batches import split_holdout
from training.examples import tokenize_instances
from training.model import build_learner, load_tokenizer
from training.settings import TrainConfig
from training.step import held_out_losses
from training.trainer import fit


def loss_before(config: TrainConfig, rows: list[dict[str, str]]) -> float:
    """Held-out loss of the base model."""
    tokenizer = load_tokenizer(config.model)
    examples, _ = tokenize_instances(rows, tokenizer, config.max_length)
    _, held_out = split_holdout(len(examples), config.holdout, config.seed)
    learner = build_learner(config, tokenizer, torch.device("cpu"))
    return held_out_losses(learner, examples, held_out, config, tokenizer.pad_token_id)[""]


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="instances in the Alpaca form, JSON or JSON.gz")
    parser.add_argument("--folder", type=Path, required=True, help="for checkpoints and the model")
    parser.add_argument("--rows", type=int, default=320, help="the first so many instances")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("wavecoder").setLevel(logging.INFO)
    config = TrainConfig(
        model=resolve_model("package:smollm2-135m-instruct", "model"), workers=1, cpus_per_worker=2, max_length=512,
        global_batch=8, holdout=0.1, learning_rate=options.learning_rate, checkpoint_every=6, validate_every=6,
        keep_checkpoints=1,
    )  # fmt: skip
    rows = read_rows(options.data)[: options.rows]
    before = loss_before(config, rows)
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    result = fit(
        config, rows=pa.Table.from_pylist(rows), storage_path=str(options.folder.resolve() / "checkpoints"),
        output=str(options.folder / "model"), lineage={"data": options.data.name},
    )  # fmt: skip
    curve = {step["step"] + 1: round(step["held_out_loss"], 4) for step in result["steps"] if step["held_out_loss"]}
    print(json.dumps({
        "bench": "learning", "machine": describe_machine(), "rows": result["rows"],
        "held_out_rows": result["held_out_rows"], "learning_rate": options.learning_rate,
        "held_out_loss_before": round(before, 4), "held_out_loss_after_step": curve,
        "first_loss": round(result["first_loss"], 4), "last_loss": round(result["last_loss"], 4),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
