"""Training: tokens learnt from a second, packed against padded, and Ray Train against a bare loop.

`python -m bench.training [--data FILE]` prints one JSON object. FILE holds instances in the Alpaca form (`instruction,
input, output`), JSON or gzipped JSON; without it they are made of the standard library's documented functions. `--model
random:135m` takes random weights of a size of `bench/random_llama.py`, which needs no packaged model. All run on the
same rows and model in float32 on the CPU, or bfloat16 on CUDA, and the same optimizer, and take turns step by step, so
that a busy machine slows all alike; each figure is the median over the steps.

- `packed`: our step: rows packed, attention within documents, logits for response tokens alone.
- `padded`: the authors' way: micro-batches of 4 rows padded to their longest, full logits, the model's own loss.
- `trl` (`--against trl`): its SFTTrainer with packing, a step for as many learnt tokens as ours has; where it is
  installed (it is not among our requirements: `pip install trl`).
- `llama_factory` (`--llama-factory PYTHON`): LLaMA-Factory's trainer with packing, in the environment of that Python,
  a step for as many packed rows as hold ours (`bench/trainers/llama_factory.py`).

`possible` is what the positions saved allow: FLOP of the padded step over FLOP of the packed one.

`--measure memory` tells the peak bytes of two steps of each way in a process of its own. `--measure ray` compares
the step on Ray Train with one worker to the same step in a bare loop, which runs before and behind it; both leave one
core to Ray's own processes unless `--threads` says otherwise.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from transformers import AutoModelForCausalLM

from bench.machine import describe_machine
from bench.random_llama import alpaca_rows, write_random_llama
from bench.trainers.llama_factory import llama_factory_steps
from ray_jobs.run.models import resolve_model
from training.batches import PaddedBatch, global_batches, micro_batches, num_response_tokens
from training.examples import IGNORED, Example, tokenize_instances
from training.flops import Workload, peak_memory
from training.model import build_learner, load_tokenizer
from training.optimizers import make_optimizer
from training.packing import fill_of, pack
from training.settings import TrainConfig
from training.step import train_steps


def read_rows(file: Path) -> list[dict[str, str]]:
    """Instances of a JSON file, gzipped or not."""
    content = file.read_bytes()
    rows: list[dict[str, str]] = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
    return rows


def packed_steps(config: TrainConfig, examples: list[Example]) -> Iterator[int]:
    """Our steps; each way yields how many tokens the step learnt from."""
    tokenizer = load_tokenizer(config.model)
    learner = build_learner(config, tokenizer, _device())
    optimizer = make_optimizer(learner, config)
    for record in train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0):
        yield int(record["response_tokens"])


def padded_steps(config: TrainConfig, examples: list[Example]) -> Iterator[int]:
    """The authors' steps: `transformers`' own model and loss on padded rows, logits of all positions."""
    model: Any = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32)
    model.to(_device()).train()
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
        yield count


def trl_steps(config: TrainConfig, examples: list[Example]) -> Iterator[int]:
    """Steps of `trl`'s SFTTrainer with its packing: rows of `max_length` until as much is learnt from as in ours."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = [{"input_ids": example.input_ids, "completion_mask": [int(label != IGNORED) for label in example.labels]}
            for example in examples]  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder, packing=True, max_length=config.max_length, per_device_train_batch_size=1,
            completion_only_loss=True, gradient_checkpointing=False, bf16=config.dtype == "bfloat16", report_to=[],
            use_cpu=not torch.cuda.is_available(), dataloader_pin_memory=False, disable_tqdm=True,
        )  # fmt: skip
        trainer = SFTTrainer(
            model, settings, train_dataset=Dataset.from_list(rows), processing_class=load_tokenizer(config.model)
        )
        trainer.current_gradient_accumulation_steps = 1  # which its `train` would set
        optimizer = make_optimizer(trainer.model, config)
        batches = global_batches(len(examples), config.global_batch, config.epochs, config.seed)
        wanted = statistics.mean(num_response_tokens(examples, rows) for rows in batches)
        learnt = 0
        for batch in trainer.get_train_dataloader():
            trainer.model.train()
            trainer.training_step(trainer.model, batch)
            learnt += int((batch["labels"] != IGNORED).sum())
            if learnt < wanted:
                continue
            torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            yield learnt
            learnt = 0


def _padded(config: TrainConfig, examples: list[Example], rows: list[int]) -> list[PaddedBatch]:
    wide = config.model_copy(update={"packing": False, "micro_batch": 4})
    found = micro_batches(examples, rows, wide, rank=0, world=1, pad_id=0)
    return [batch for batch in found if isinstance(batch, PaddedBatch)]


WAYS = {"packed": packed_steps, "padded": padded_steps, "trl": trl_steps}


def in_turns(running: dict[str, Iterator[int]], steps: int) -> dict[str, list[float]]:
    """Tokens learnt from a second of each way, one step of each in turn; the first of each warms up, uncounted."""
    rates: dict[str, list[float]] = {name: [] for name in running}
    for number in range(steps + 1):
        for name, taking in running.items():
            begun = time.perf_counter()
            learnt = next(taking)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if number:
                rates[name].append(learnt / (time.perf_counter() - begun))
        print(f"turn {number} of {steps}:", {name: found[-1:] for name, found in rates.items()}, file=sys.stderr)
    return rates


def compare_ways(
    config: TrainConfig, examples: list[Example], steps: int, others: list[str], more: dict[str, Iterator[int]]
) -> dict[str, Any]:
    """Packed against other ways, and against `more` that run already."""
    rates = in_turns({name: WAYS[name](config, examples) for name in ("packed", *others)} | more, steps)
    rounded = {name: [round(rate, 1) for rate in rates[name]] for name in rates}
    found: dict[str, Any] = {"learnt_tokens_per_second": rounded}
    for other in (*others, *more):
        ratios = [ours / theirs for ours, theirs in zip(rates["packed"], rates[other], strict=True)]
        found[f"times_{other}"] = round(statistics.median(ratios), 3)
    if "padded" in others:
        found |= _possible(config, examples, steps)
    return found


def _possible(config: TrainConfig, examples: list[Example], steps: int) -> dict[str, float]:
    """What the padded way wastes, counted and not timed."""
    batches = global_batches(len(examples), config.global_batch, config.epochs, config.seed)[1 : steps + 1]
    learnt = [num_response_tokens(examples, rows) for rows in batches]
    padded = [batch for rows in batches for batch in _padded(config, examples, rows)]
    lengths = [[len(examples[row].input_ids) for row in rows] for rows in batches]
    workload = Workload(AutoModelForCausalLM.from_pretrained(config.model))
    wide = [length for batch in padded for length in [batch.input_ids_BS.shape[1]] * len(batch.input_ids_BS)]
    return {
        "possible": round(workload.flop(wide, sum(wide)) / sum(map(workload.flop, lengths, learnt)), 3),
        "fill_of_padded": round(sum(map(sum, lengths)) / sum(wide), 4),
        "learnt_share": round(sum(learnt) / sum(map(sum, lengths)), 4),
    }


def compare_ray(config: TrainConfig, rows: list[dict[str, str]], examples: list[Example], steps: int) -> dict[str, Any]:
    """Seconds of a step on Ray Train against a bare loop before and behind it; the first step is not counted."""
    import ray

    from training.flow import fit

    few = rows[: config.global_batch * (steps + 1)]
    bare = _bare_seconds(config, examples[: len(few)])
    os.environ |= {"RAY_worker_niceness": "0"}  # as urgent as the bare loop; Ray's default gives way to all else
    ray.init(address="local", num_cpus=config.cpus_per_worker + 2, include_dashboard=False, log_to_driver=False,
             object_store_memory=256 * 2**20)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        result = fit(config, rows=pa.Table.from_pylist(few), storage_path=f"{folder}/checkpoints",
                     output=f"{folder}/model", lineage={})  # fmt: skip
    ray.shutdown()
    on_ray = _between([record["ended"] for record in result["steps"]])
    behind = _bare_seconds(config, examples[: len(few)])
    return {
        "bare_seconds_per_step": [round(seconds, 3) for seconds in bare],
        "ray_seconds_per_step": [round(seconds, 3) for seconds in on_ray],
        "bare_seconds_per_step_again": [round(seconds, 3) for seconds in behind],
        "times_bare": round(statistics.median(bare + behind) / statistics.median(on_ray), 4),
    }


def _bare_seconds(config: TrainConfig, examples: list[Example]) -> list[float]:
    found = _between([time.time() for _ in packed_steps(config, examples)])
    gc.collect()
    return found


def _between(ends: list[float]) -> list[float]:
    return [end - begun for begun, end in itertools.pairwise(ends)]


def peak_of_each(ways: list[str]) -> dict[str, Any]:
    """Peak bytes of each way, each measured by this command in a process of its own."""
    command = [sys.executable, "-m", "bench.training", *sys.argv[1:], "--memory-of"]
    peaks = {way: int(subprocess.run([*command, way], check=True, capture_output=True, text=True).stdout.split()[-1])
             for way in ways}  # fmt: skip
    return {"peak_bytes": peaks}


def _fill(lengths: list[int], size: int) -> float:
    cut = [min(length, size) for length in lengths]
    return fill_of(pack(cut, size), cut, size)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="instances in the Alpaca form, JSON or JSON.gz")
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    parser.add_argument("--batch", type=int, default=16, help="rows of a step")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--threads", type=int, help="of a worker and of the bare loop; all, but one less on Ray")
    parser.add_argument("--against", nargs="+", choices=["padded", "trl"], default=["padded"])
    parser.add_argument("--llama-factory", metavar="PYTHON", help="an interpreter that has LLaMA-Factory")
    parser.add_argument("--measure", choices=["speed", "memory", "ray"], default="speed")
    parser.add_argument("--memory-of", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if "trl" in options.against and find_spec("trl") is None:
        sys.exit("--against trl: trl is not installed here, so nothing was measured; pip install trl, or leave it out")
    spared = 1 if options.measure == "ray" else 0  # Ray's own processes need somewhere to run
    threads = options.threads or max(1, torch.get_num_threads() - spared)
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(measure(options, threads, Path(scratch))))


def measure(options: argparse.Namespace, threads: int, scratch: Path) -> dict[str, Any] | int:
    """What `--measure` asks for; the peak bytes alone with `--memory-of`."""
    on_gpu = torch.cuda.is_available()
    random_size = options.model.removeprefix("random:") if options.model.startswith("random:") else None
    config = TrainConfig(
        model=write_random_llama(scratch, random_size) if random_size else resolve_model(options.model, "--model"),
        global_batch=options.batch, max_length=options.max_length,
        dtype="bfloat16" if on_gpu else "float32", use_gpu=on_gpu, workers=1,
        cpus_per_worker=threads,
    )  # fmt: skip
    rows = read_rows(options.data) if options.data else alpaca_rows()
    examples, _ = tokenize_instances(rows, load_tokenizer(config.model), config.max_length)
    if options.memory_of:
        for _ in zip(WAYS[options.memory_of](config, examples), range(2), strict=False):
            pass
        return peak_memory(_device())
    lengths = [len(example.input_ids) for example in examples]
    found: dict[str, Any] = {
        "bench": "training", "model": options.model, "machine": describe_machine(), "threads": threads,
        "rows": len(rows), "mean_length": round(statistics.mean(lengths), 1),
        "fill": {size: round(_fill(lengths, size), 4) for size in (512, 1024, 2048, 4096)},
    }  # fmt: skip
    if options.measure == "ray":
        found |= compare_ray(config, rows, examples, options.steps)
    elif options.measure == "memory":
        found |= peak_of_each(["packed", *options.against])
    else:
        more = dict[str, Iterator[int]]()
        if options.llama_factory:
            packed_rows = max(1, round(options.batch * statistics.mean(lengths) / config.max_length))
            more["llama_factory"] = llama_factory_steps(
                options.llama_factory, config.model, rows, config.max_length, packed_rows
            )
        found |= compare_ways(config, examples, options.steps, options.against, more)
    return found


if __name__ == "__main__":
    main()
