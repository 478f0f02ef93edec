"""Learning: does the demo's model learn from real instances? Training and held-out loss over a few epochs.

`python -m bench.learning --data FILE --folder DIR` prints one JSON object. FILE holds instances in the Alpaca form,
JSON or gzipped JSON; the first `--rows` of them with at most `--longest` tokens are taken. It trains on Ray Train with
all weights; cut off and started again with the same folder, it goes on from its last checkpoint.

`first`: training loss of the first step, `converged`: mean over the last epoch. `halved_after_steps`: from which
step on the mean of the last `_WINDOW` steps is nearer to the converged one than half of that gap.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
from pathlib import Path

import pyarrow as pa
import ray
import torch

from bench.machine import describe_machine
from bench.training import read_rows
from ray_jobs.run.models import resolve_model
from training.batches import split_holdout
from training.examples import tokenize_instance, tokenize_instances
from training.flow import fit
from training.model import build_learner, load_tokenizer
from training.settings import TrainConfig
from training.step import held_out_losses

_WINDOW = 8


def short_rows(file: Path, config: TrainConfig, count: int) -> list[dict[str, str]]:
    """The first instances that `max_length` holds whole."""
    tokenizer = load_tokenizer(config.model)
    found = []
    for row in read_rows(file):
        example = tokenize_instance(row, tokenizer, config.max_length)
        if example is not None and not example.truncated:
            found.append(row)
    return found[:count]


def halved_after(losses: list[float], last_epoch: int) -> tuple[float, int | None]:
    """The converged loss, and the number of steps after which half of the gap to it was closed; None if never."""
    converged = statistics.mean(losses[-last_epoch:])
    middle = (losses[0] + converged) / 2
    windows = (statistics.mean(losses[end - _WINDOW : end]) for end in range(_WINDOW, len(losses) + 1))
    return converged, next((number + _WINDOW for number, mean in enumerate(windows) if mean <= middle), None)


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
    parser.add_argument("--rows", type=int, default=256, help="the first so many instances")
    parser.add_argument("--longest", type=int, default=96, help="tokens of an instance")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("wavecoder").setLevel(logging.INFO)
    config = TrainConfig(
        model=resolve_model("package:smollm2-135m-instruct", "model"), workers=1, cpus_per_worker=2,
        max_length=options.longest, micro_batch=8, global_batch=8, holdout=0.125, learning_rate=options.learning_rate,
        epochs=options.epochs, checkpoint_every=14, validate_every=7, keep_checkpoints=1,
    )  # fmt: skip
    rows = short_rows(options.data, config, options.rows)
    before = loss_before(config, rows)
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    result = fit(
        config, rows=pa.Table.from_pylist(rows), storage_path=str(options.folder.resolve() / "checkpoints"),
        output=str(options.folder / "model"), lineage={"data": options.data.name},
    )  # fmt: skip
    curve = {step["step"] + 1: round(step["held_out_loss"], 4) for step in result["steps"] if step["held_out_loss"]}
    losses = [step["loss"] for step in result["steps"]]
    converged, halved = halved_after(losses, len(losses) // options.epochs)
    print(json.dumps({
        "bench": "learning", "machine": describe_machine(), "rows": result["rows"],
        "held_out_rows": result["held_out_rows"], "learning_rate": options.learning_rate,
        "held_out_loss_before": round(before, 4), "held_out_loss_after_step": curve,
        "losses": [round(loss, 3) for loss in losses],
        "first": round(losses[0], 4), "converged": round(converged, 4), "halved_after_steps": halved,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
