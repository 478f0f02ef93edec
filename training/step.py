"""One optimizer step, and the loop of them. No Ray here; with or without `torch.distributed`, on CPU or CUDA.

The loss is the sum over the global batch's response tokens divided by their number, so that it does not depend on
padding, micro-batches or workers. Logits are computed only at positions that predict a response token.

Shapes: B rows of a micro-batch · S tokens of its longest row · K predicted positions · V vocabulary.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional

from training.batches import MicroBatch, global_batches, micro_batches, num_response_tokens
from training.examples import IGNORED, Example
from training.settings import TrainConfig


def summed_loss(model: Any, batch: MicroBatch, device: torch.device) -> Tensor:
    """Sum of the cross-entropy over the response tokens of a micro-batch; float32 scalar.

    Memory: B·K·V logits, K the positions at which any row has a response.
    """
    labels_BS = batch.labels_BS.to(device)
    next_BS = torch.full_like(labels_BS, IGNORED)
    next_BS[:, :-1] = labels_BS[:, 1:]
    predicted_K = torch.nonzero((next_BS != IGNORED).any(0)).flatten()
    if len(predicted_K) == 0:
        predicted_K = torch.zeros(1, dtype=torch.long, device=device)  # the backward pass still meets every parameter
    logits_BKV = model(
        input_ids=batch.input_ids_BS.to(device),
        attention_mask=batch.attention_mask_BS.to(device),
        logits_to_keep=predicted_K,
    ).logits
    targets = next_BS[:, predicted_K].flatten()
    loss = functional.cross_entropy(logits_BKV.float().flatten(0, 1), targets, ignore_index=IGNORED, reduction="sum")
    return torch.where((targets != IGNORED).any(), loss, logits_BKV.float().sum() * 0.0)


def learning_rate_factor(step: int, num_steps: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step, 0 to 1."""
    warmup = math.ceil(config.warmup_ratio * num_steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, num_steps - warmup)
    if config.schedule == "constant":
        return 1.0
    return 1.0 - done if config.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))


def make_optimizer(model: Any, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW over all parameters, as the paper uses."""
    return torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.999), foreach=False
    )


def train_steps(
    model: Any,
    optimizer: torch.optim.Optimizer,
    examples: Sequence[Example],
    config: TrainConfig,
    pad_id: int,
    first: int,
) -> Iterator[dict[str, float]]:
    """Take the optimizer steps from `first` on; yields each one's record.

    Args:
        model: whole, or sharded by `shard_model`.
        optimizer: over its parameters.
        examples: all rows.
        config: batch, schedule, clipping.
        pad_id: token to pad with.
        first: number of the first step to take; earlier ones are in the model already.

    Yields:
        `step, loss, learning_rate, grad_norm, response_tokens, seconds`; the loss is the global batch's.

    Raises:
        FloatingPointError: the loss is not finite; the model is as before the step.
    """
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    device = next(model.parameters()).device
    steps = global_batches(len(examples), config.global_batch, config.epochs, config.seed)
    model.train()
    for number in range(first, len(steps)):
        begun = time.monotonic()
        torch.manual_seed(config.seed * 1_000_003 + number)  # dropout, where a model has it, resumes exactly
        num_tokens = max(1, num_response_tokens(examples, steps[number]))
        total = torch.zeros((), device=device)
        for batch in micro_batches(examples, steps[number], rank, world, config.micro_batch, pad_id):
            loss = summed_loss(model, batch, device) / num_tokens
            (loss * world).backward()  # FSDP averages over the workers: the sum is wanted
            total += loss.detach()
        if world > 1:
            dist.all_reduce(total)
        if not math.isfinite(float(total)):
            raise FloatingPointError(f"the loss of step {number} is {float(total)}; lower train.learning_rate. "
                                     "The last checkpoint is kept")  # fmt: skip
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        rate = config.learning_rate * learning_rate_factor(number, len(steps), config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        grad_norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        yield {"step": number, "loss": float(total), "learning_rate": rate, "grad_norm": float(grad_norm),
               "response_tokens": num_tokens, "seconds": time.monotonic() - begun}  # fmt: skip
