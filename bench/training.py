"""Training: tokens learnt from a second, packed against padded, and Ray Train against a bare loop.

`python -m bench.training --data FILE` prints one JSON object. FILE holds instances in the Alpaca form (`instruction,
input, output`), JSON or gzipped JSON. All run on the same rows and model in float32 on the CPU, or bfloat16 on CUDA,
and take turns step by step, so that a busy machine slows all alike; each figure is the median over the steps.

- `packed`: our step: best-fit packing, attention within documents, logits for response tokens alone.
- `padded`: the authors' way: micro-batches of 4 rows padded to their longest, full logits, the model's own loss.
- `ray` (`--ray`): our step on Ray Train with one worker, checkpoint and all, beside the same steps in a bare loop.

`possible` is what the positions saved allow at most: FLOP of the padded step over FLOP of the packed one.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from transformers import AutoModelForCausalLM

from bench.machine import describe_machine
from ray_jobs.models import resolve_model
from training.batches import PaddedBatch, global_batches, micro_batches, num_response_tokens
from training.examples import Example, tokenize_instances
from training.model import build_learner, load_tokenizer
from training.optimizers import make_optimizer
from training.packing import fill_of, pack
from training.settings import TrainConfig
from training.speed import Workload, peak_memory
from training.step import train_steps


def read_rows(file: Path) -> list[dict[str, str]]:
    """Instances of a JSON file, gzipped or not."""
    content = file.read_bytes()
    rows: list[dict[str, str]] = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
    return rows


def packed_steps(config: TrainConfig, examples: list[Example]) -> Iterator[None]:
    """Our steps."""
    tokenizer = load_tokenizer(config.model)
    learner = build_learner(config, tokenizer, _device())
    for _ in train_steps(learner, make_optimizer(learner, config), examples, config, tokenizer.pad_token_id, 0):
        yield


def padded_steps(config: TrainConfig, examples: list[Example]) -> Iterator[None]:
    """The authors' steps: `transformers`' own model and loss on padded rows, logits of all positions."""
    model = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32).to(_device()).train()
    optimizer = make_optimizer(model, config)
    for rows in global_batches(len(examples), config.global_batch, config.epochs, config.seed):
        count = num_response_tokens(examples, rows)
        for batch in _padded(config, examples, rows):
            tensors = (batch.input_ids_BS, batch.attention_mask_BS, batch.labels_BS)
            ids, mask, labels = (tensor.to(_device()) for tensor in tensors)
            with torch.autocast("cuda", torch.bfloat16, enabled=config.dtype == "bfloat16"):
                loss = model(
                    input_ids=ids, attention_mask=mask, labels=labels, use_cache=False, num_items_in_batch=count
                ).loss
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        yield


def _padded(config: TrainConfig, examples: list[Example], rows: list[int]) -> list[PaddedBatch]:
    wide = config.model_copy(update={"packing": False, "micro_batch": 4})
    found = micro_batches(examples, rows, wide, rank=0, world=1, pad_id=0)
    return [batch for batch in found if isinstance(batch, PaddedBatch)]


WAYS = {"packed": packed_steps, "padded": padded_steps}


def in_turns(running: dict[str, Iterator[None]], steps: int) -> dict[str, list[float]]:
    """Seconds of each step of each way, one step of each in turn; the first of each warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in running}
    for number in range(steps + 1):
        for name, taking in running.items():
            begun = time.perf_counter()
            next(taking)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def compare_padding(config: TrainConfig, examples: list[Example], steps: int) -> dict[str, Any]:
    """Packed against padded."""
    seconds = in_turns({name: way(config, examples) for name, way in WAYS.items()}, steps)
    batches = global_batches(len(examples), config.global_batch, config.epochs, config.seed)[1 : steps + 1]
    learnt = [num_response_tokens(examples, rows) for rows in batches]
    padded = [batch for rows in batches for batch in _padded(config, examples, rows)]
    lengths = [[len(examples[row].input_ids) for row in rows] for rows in batches]
    workload = Workload(AutoModelForCausalLM.from_pretrained(config.model))
    wide = [length for batch in padded for length in [batch.input_ids_BS.shape[1]] * len(batch.input_ids_BS)]
    possible = workload.flop(wide, sum(wide)) / sum(map(workload.flop, lengths, learnt))
    rates = {name: [count / taken for count, taken in zip(learnt, taken_by, strict=True)]
             for name, taken_by in seconds.items()}  # fmt: skip
    ratio = statistics.median(theirs / ours for ours, theirs in zip(seconds["packed"], seconds["padded"], strict=True))
    return {
        "packed_learnt_tokens_per_second": round(statistics.median(rates["packed"]), 1),
        "padded_learnt_tokens_per_second": round(statistics.median(rates["padded"]), 1),
        "times_padded": round(ratio, 3),
        "possible": round(possible, 3),
        "fill_of_padded": round(sum(map(sum, lengths)) / sum(batch.num_tokens for batch in padded), 4),
        "learnt_share": round(sum(learnt) / sum(map(sum, lengths)), 4),
        "seconds": {name: [round(value, 2) for value in values] for name, values in seconds.items()},
    }


def memory_of(way: str, arguments: list[str]) -> int:
    """Peak bytes of two steps of one way, in a process of its own."""
    command = [sys.executable, "-m", "bench.training", *arguments, "--memory-of", way]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1])


def compare_ray(config: TrainConfig, rows: list[dict[str, str]], examples: list[Example], steps: int) -> dict[str, Any]:
    """Seconds of a step on Ray Train, from the end of the first to the end of the last, against a bare loop."""
    import ray

    from training.trainer import fit

    few = rows[: config.global_batch * (steps + 1)]
    timed = list(_timed_loop(config, examples[: len(few)]))
    gc.collect()
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    with tempfile.TemporaryDirectory() as folder:
        result = fit(config, rows=pa.Table.from_pylist(few), storage_path=f"{folder}/checkpoints",
                     output=f"{folder}/model", lineage={})  # fmt: skip
    ends = [record["ended"] for record in result["steps"]]
    bare, on_ray = ((times[-1] - times[0]) / (len(times) - 1) for times in (timed, ends))
    ray.shutdown()
    return {"bare_seconds_per_step": round(bare, 3), "ray_seconds_per_step": round(on_ray, 3),
            "times_bare": round(bare / on_ray, 4)}  # fmt: skip


def _timed_loop(config: TrainConfig, examples: list[Example]) -> Iterator[float]:
    for _ in packed_steps(config, examples):
        yield time.time()


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="instances in the Alpaca form, JSON or JSON.gz")
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    parser.add_argument("--batch", type=int, default=16, help="rows of a step")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--ray", action="store_true", help="compare Ray Train with the bare loop instead")
    parser.add_argument("--memory-of", choices=WAYS, help="print the peak bytes of this way's first steps alone")
    options = parser.parse_args()
    on_gpu = torch.cuda.is_available()
    config = TrainConfig(
        model=resolve_model(options.model, "--model"), global_batch=options.batch, max_length=options.max_length,
        dtype="bfloat16" if on_gpu else "float32", use_gpu=on_gpu, workers=1,
        cpus_per_worker=torch.get_num_threads(),
    )  # fmt: skip
    rows = read_rows(options.data)
    examples, _ = tokenize_instances(rows, load_tokenizer(config.model), config.max_length)
    if options.memory_of:
        for _ in zip(WAYS[options.memory_of](config, examples), range(2), strict=False):
            pass
        print(peak_memory(_device()))
        return
    lengths = [len(example.input_ids) for example in examples]
    found: dict[str, Any] = {
        "bench": "training", "model": options.model, "machine": describe_machine(), "rows": len(rows),
        "mean_length": round(statistics.mean(lengths), 1),
        "fill": {size: round(fill_of(pack(lengths, size), lengths, size), 4) for size in (1024, 2048, 4096)},
    }  # fmt: skip
    if options.ray:
        found |= compare_ray(config, rows, examples, options.steps)
    else:
        found |= compare_padding(config, examples, options.steps)
        gc.collect()
        found["peak_bytes"] = {way: memory_of(way, sys.argv[1:]) for way in WAYS}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
