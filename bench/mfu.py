"""MFU of our training step: a Llama from configuration with random weights on one card, in bfloat16.

`python -m bench.mfu --size 1b` (all weights, AdamW) or `--size 7b` (LoRA of rank 64) prints one JSON object. Rows have
CodeOcean-like lengths (log-normal, mean 380 tokens), 60 % of each learnt from, packed to 2,048 tokens. It needs a CUDA
card; `--size tiny` runs the same in float32 on a CPU, to see that it works: its figure means nothing. `--profile FILE`
takes one more step under torch's profiler and writes the operations that cost most: the JSON object then says how many
kernels a step starts and for which share of the step the card has one to run.

MFU = FLOP of the model / seconds / peak FLOP per second of the card, dense bfloat16, from its data sheet
(`training/flops.py` has formula and peaks): 6·N·T + 6·D·V·K + 6·L·A·Σn², frozen weights 4 instead of 6, nothing that
checkpointing computes again. The first two steps warm up, uncounted.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import HashStore
from torch.distributed.device_mesh import DeviceMesh
from torch.profiler import ProfilerActivity, profile

from bench.machine import describe_machine
from bench.random_llama import SIZES, write_random_llama
from training.examples import IGNORED, Example
from training.model import build_learner, load_tokenizer, mesh_of_workers
from training.optimizers import make_optimizer
from training.settings import TrainConfig
from training.step import train_steps

_WARM_UP = 2


def random_examples(count: int, vocabulary: int, longest: int) -> list[Example]:
    """Rows of random tokens with CodeOcean-like lengths."""
    rng = random.Random(0)
    found = []
    for _ in range(count):
        length = min(longest, max(30, round(rng.lognormvariate(5.7, 0.7))))
        ids = [rng.randrange(vocabulary) for _ in range(length)]
        prompt = round(0.4 * length)
        found.append(Example(ids, [IGNORED] * prompt + ids[prompt:], truncated=False))
    return found


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Steps of one model; MFU, tokens a second and memory."""
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    model = write_random_llama(folder, options.size, torch.bfloat16 if on_gpu else torch.float32)
    rank = (64 if options.size == "7b" else 0) if options.lora_rank is None else options.lora_rank
    config = TrainConfig(
        model=model, max_length=2048, micro_batch=options.micro_batch, global_batch=options.batch, use_gpu=on_gpu,
        dtype="bfloat16" if on_gpu else "float32", lora_rank=rank,
        activation_checkpointing=options.activation_checkpointing, compile=options.compile,
    )  # fmt: skip
    tokenizer = load_tokenizer(model)
    learner = build_learner(config, tokenizer, device, _mesh_of_one(config, device) if on_gpu else None)
    count = options.batch * (options.steps + _WARM_UP + bool(options.profile))
    examples = random_examples(count, len(tokenizer), config.max_length)
    steps = train_steps(learner, make_optimizer(learner, config), examples, config, tokenizer.pad_token_id, 0)
    records = [next(steps) for _ in range(_WARM_UP + options.steps)][_WARM_UP:]
    return {
        "mfu": [round(record["mfu"], 4) for record in records],
        "mfu_median": round(statistics.median(record["mfu"] for record in records), 4),
        "tokens_per_second": round(statistics.median(record["tokens"] / record["seconds"] for record in records)),
        "peak_bytes": max(record["memory_bytes"] for record in records),
        "weights": sum(weight.numel() for weight in learner.parameters()),
        "trained_weights": sum(weight.numel() for weight in learner.parameters() if weight.requires_grad),
    } | (profiled(steps, Path(options.profile), on_gpu=on_gpu) if options.profile else {})


def _mesh_of_one(config: TrainConfig, device: torch.device) -> DeviceMesh | None:
    """One worker as Ray Train starts it: FSDP hands layers their weights in bfloat16, and all between is bfloat16."""
    if not dist.is_initialized():
        dist.init_process_group("nccl", store=HashStore(), rank=0, world_size=1)
    return mesh_of_workers(config, device)


def profiled(steps: Iterator[dict[str, float]], file: Path, *, on_gpu: bool) -> dict[str, Any]:
    """One step under the profiler: its costliest operations go to the file."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as found:
        begun = time.perf_counter()
        next(steps)
        seconds = time.perf_counter() - begun
    costs = found.key_averages()
    order = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    file.write_text(costs.table(sort_by=order, row_limit=50, max_name_column_width=70), encoding="utf-8")
    kernels = [event for event in found.events() if event.device_type.name == "CUDA"]
    busy = sum(event.self_device_time_total for event in kernels) / 1e6
    copies = sum(event.count for event in costs if event.key in {"aten::copy_", "aten::_to_copy"})
    operations = sum(event.count for event in costs if event.key.startswith("aten::"))
    return {
        "profile": str(file), "profiled_seconds": round(seconds, 3), "kernels": len(kernels),
        "busy_share": round(busy / seconds, 3), "operations": operations, "copies": copies,
    }  # fmt: skip


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--batch", type=int, default=96, help="rows of a step")
    parser.add_argument("--micro-batch", type=int, default=4, help="times 2,048 tokens of a forward pass")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--activation-checkpointing", choices=["none", "selective", "full"], default="selective")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--lora-rank", type=int, help="of adapters; by default 64 for 7b and none for the others")
    parser.add_argument("--profile", help="file for the costliest operations of one more step")
    options = parser.parse_args()
    if not torch.cuda.is_available() and options.size != "tiny":
        sys.exit(f"--size {options.size}: there is no CUDA card here, so nothing was measured; take --size tiny")
    with tempfile.TemporaryDirectory() as folder:
        found = {"bench": "mfu", "size": options.size, "machine": describe_machine()} | measure(options, Path(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
