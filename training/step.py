"""The loop of optimizer steps, and the loss on held-out rows. No Ray here; with or without `torch.distributed`.

The loss is the sum over the global batch's response tokens divided by their number, so that it does not depend on
padding, packing, micro-batches or workers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from training.batches import Batch, global_batches, micro_batches, num_response_tokens
from training.examples import Example
from training.flops import Workload, peak_flops, peak_memory
from training.loss import Learner
from training.optimizers import learning_rate_factor
from training.settings import TrainConfig


def train_steps(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    examples: Sequence[Example],
    config: TrainConfig,
    pad_id: int,
    first: int,
) -> Iterator[dict[str, float]]:
    """Take the optimizer steps from `first` on; yields each one's record.

    Args:
        learner: whole, or sharded over the workers.
        optimizer: over its parameters.
        examples: all rows to learn from.
        config: batch, schedule, clipping.
        pad_id: token to pad with.
        first: number of the first step to take; earlier ones are in the model already.

    Yields:
        `step, loss, learning_rate, grad_norm, tokens, response_tokens, fill, seconds, mfu, memory_bytes, workers,
        ended` (Unix time); loss and tokens are the global batch's. `fill` is the share of the positions paid for that
        hold a token, where workers wait for the longest row of their turn.

    Raises:
        FloatingPointError: the loss or a gradient is not finite, and the model is as before the step; or the step has
            made the model worthless, which is found before a checkpoint (`saves_after`) is made of it.
    """
    (rank, world), device = _place(), learner.device
    workload, peak = Workload(learner.causal), peak_flops(device, getattr(torch, config.dtype))
    steps = global_batches(len(examples), config.global_batch, config.epochs, config.seed)
    learner.train()
    for number in range(first, len(steps)):
        begun = time.monotonic()
        torch.manual_seed(config.seed * 1_000_003 + number)  # dropout, where a model has it, resumes exactly
        num_learnt = num_response_tokens(examples, steps[number])
        batches = micro_batches(examples, steps[number], config, rank=rank, world=world, pad_id=pad_id)
        total = _accumulate(learner, batches, max(1, num_learnt), world)
        if not math.isfinite(total):
            raise FloatingPointError(f"the loss of step {number} is {total}; lower train.learning_rate. "
                                     "The last checkpoint is kept")  # fmt: skip
        grad_norm = _clip(learner, config.max_grad_norm)
        if not math.isfinite(grad_norm):
            raise FloatingPointError(f"the gradient of step {number} is {grad_norm}, its loss {total:.4f}; lower "
                                     "train.learning_rate. The last checkpoint is kept")  # fmt: skip
        rate = config.learning_rate * learning_rate_factor(number, len(steps), config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if saves_after(number + 1, len(steps), config):
            _check_worth(learner, batches[0], number)
        seconds = time.monotonic() - begun
        lengths = [len(examples[row].input_ids) for row in steps[number]]
        yield {
            "step": number, "loss": total, "learning_rate": rate, "grad_norm": grad_norm, "tokens": sum(lengths),
            "response_tokens": num_learnt,
            "fill": sum(lengths) / _paid_positions(batches, device, world, config.context_parallel),
            "seconds": seconds, "mfu": workload.flop(lengths, num_learnt) / seconds / (peak * world),
            "memory_bytes": peak_memory(device), "workers": world, "ended": time.time(),
        }  # fmt: skip


def saves_after(num_done: int, total: int, config: TrainConfig) -> bool:
    """Whether a checkpoint is made after so many of all steps."""
    return num_done == total or num_done % config.checkpoint_every == 0


def held_out_losses(
    learner: Learner, examples: Sequence[Example], held_out: Sequence[int], config: TrainConfig, pad_id: int
) -> dict[str, float]:
    """Mean loss of a response token over held-out rows: of all under "", and of each task under its name.

    Args:
        learner: whole or sharded; its weights stay as they are.
        examples: all rows.
        held_out: numbers of those to measure on; at least one.
        config: packing and micro-batches.
        pad_id: token to pad with.
    """
    rank, world = _place()
    learner.eval()
    sums, counts = {}, {}
    for task in sorted({examples[row].task for row in held_out}):
        rows = [row for row in held_out if examples[row].task == task]
        with torch.no_grad():
            batches = micro_batches(examples, rows, config, rank=rank, world=world, pad_id=pad_id)
            total = torch.stack([learner(batch) for batch in batches]).double().sum()
        sums[task], counts[task] = float(_summed(total)), num_response_tokens(examples, rows)
    learner.train()
    losses = {task: sums[task] / max(1, counts[task]) for task in sums if task}
    return losses | {"": sum(sums.values()) / max(1, sum(counts.values()))}


def _accumulate(learner: Learner, batches: Sequence[Batch], num_learnt: int, world: int) -> float:
    """Add the gradients of a global batch; returns its loss, the same on every worker."""
    total = torch.zeros((), device=learner.device)
    for batch in batches:
        loss = learner(batch) / num_learnt
        (loss * world).backward()  # FSDP averages over the workers: the sum is wanted
        total += loss.detach()
    return float(_summed(total))


def _clip(learner: Learner, max_norm: float) -> float:
    """Clip the gradients in place; returns their norm before, the same on every worker."""
    norm: Any = torch.nn.utils.clip_grad_norm_(learner.parameters(), max_norm)
    return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)


def _check_worth(learner: Learner, batch: Batch, number: int) -> None:
    """Refuse weights whose loss or norm is not finite, before a checkpoint or export is made of them.

    The norm, as normalisation turns activations that overflow into zeros, whose loss is finite.
    """
    with torch.no_grad():
        loss = learner(batch).detach().double()
        for weight in learner.parameters():
            norm = torch.linalg.vector_norm(weight.to_local() if hasattr(weight, "to_local") else weight)
            loss += torch.where(norm.isfinite(), 0.0, math.inf)
    if not math.isfinite(float(_summed(loss))):
        raise FloatingPointError(f"step {number} has made the model worthless: its loss or weights are no longer "
                                 "finite; lower train.learning_rate. The last checkpoint is kept")  # fmt: skip


def _paid_positions(batches: Sequence[Batch], device: torch.device, world: int, parts: int) -> float:
    """Positions that all workers compute or wait for, where `parts` of them share each row."""
    longest = torch.tensor([float(batch.num_tokens) for batch in batches], device=device)
    if world > 1:
        dist.all_reduce(longest, dist.ReduceOp.MAX)
    return float(longest.sum()) * world / parts


def _place() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def _summed(value: Tensor) -> Any:
    if dist.is_initialized() and dist.get_world_size() > 1:
        dist.all_reduce(value)
    return value
