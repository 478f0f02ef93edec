"""One worker's preference optimisation by trl: DPO (Rafailov et al. 2023) and KTO (Ethayarajh et al. 2024).

trl computes the losses; model, optimizer, schedule, order of the rows and checkpoints are ours, as in fine-tuning. The
reference is the model as it was before the first step: its log-probabilities are computed once, so that no second model
is held. Several workers are data parallel (DDP): each holds the whole model. No Ray here.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

from training.flops import Workload, peak_flops, peak_memory
from training.loss import Learner
from training.optimizers import learning_rate_factor
from training.preference.pairs import Row, in_order, lengths_of, with_mismatched
from training.settings import TrainConfig

REWARDS = ("chosen", "rejected", "margins", "accuracies")
"""trl's `rewards/…`: β times how much likelier an answer became. `accuracies` is DPO's alone."""


def num_steps(rows: Sequence[Row], config: TrainConfig) -> int:
    """Optimizer steps of all epochs."""
    return math.ceil(len(rows) * config.epochs / config.global_batch)


def take_steps(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    rows: Sequence[Row],
    config: TrainConfig,
    tokenizer: Any,
    *,
    resume: Callable[[], int] = lambda: 0,
    told: Callable[[dict[str, Any]], None],
) -> None:
    """Take all optimizer steps that are left.

    Args:
        learner: whole, at the state of the reference.
        optimizer: over its trained parameters.
        rows: of `dpo_rows` or `kto_rows`, all of them.
        config: objective, batch, schedule.
        tokenizer: the model's.
        resume: loads a checkpoint into learner and optimizer when the reference is computed; returns the steps done.
        told: is given the record of each step, and may save. The record has what `train_steps` yields, and trl's
            rewards.

    Raises:
        FloatingPointError: loss or gradient is not finite.
    """
    from datasets import Dataset
    from transformers.trainer_callback import PrinterCallback

    ordered = in_order(rows, config.global_batch, config.epochs, config.seed)
    if config.objective == "kto":
        ordered = with_mismatched(ordered, config.micro_batch)
    first = 0
    trainer_class, settings = _trainer_of(config, on_gpu=next(learner.parameters()).is_cuda)
    total = num_steps(rows, config)
    schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(min(first + step, total - 1), total, config))
    trainer = trainer_class(
        model=learner.causal, args=settings, train_dataset=Dataset.from_list(ordered), processing_class=tokenizer,
        optimizers=(optimizer, schedule),
    )  # fmt: skip
    first = resume()
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * learning_rate_factor(first, total, config)
    if first >= total:
        return
    left = ordered[first * config.global_batch :]
    trainer.train_dataset = trainer.train_dataset.select(range(first * config.global_batch, len(ordered)))
    trainer.add_callback(_records(learner, config, left, first, told))
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def _trainer_of(config: TrainConfig, *, on_gpu: bool) -> tuple[Any, Any]:
    """The trainer of trl, for rows that are tokenised already, and its settings."""
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

    dpo = config.objective == "dpo"
    trainer_class, settings_class = (DPOTrainer, DPOConfig) if dpo else (KTOTrainer, KTOConfig)

    class Trainer(trainer_class):  # type: ignore[misc, valid-type]
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, _: str, batch_size: int) -> Any:
            return _with_reference(self, dataset, batch_size)

        def _send_telemetry(self) -> None:
            """Tell nobody."""

    settings = settings_class(
        output_dir=tempfile.gettempdir(), per_device_train_batch_size=config.micro_batch, num_train_epochs=1,
        gradient_accumulation_steps=config.global_batch // (config.micro_batch * _world()),
        max_length=config.max_length, beta=config.preference_beta, precompute_ref_log_probs=True,
        train_sampling_strategy="sequential", max_grad_norm=config.max_grad_norm, seed=config.seed, logging_steps=1,
        logging_nan_inf_filter=False, save_strategy="no", report_to=[], disable_tqdm=True, gradient_checkpointing=False,
        bf16=config.dtype == "bfloat16", use_cpu=not on_gpu, dataloader_pin_memory=on_gpu,
        ddp_find_unused_parameters=False,
    )  # fmt: skip
    return Trainer, settings


def _world() -> int:
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def _with_reference(trainer: Any, dataset: Any, batch_size: int) -> Any:
    """The dataset with the log-probabilities of the model as it is; on every worker, without a file between them."""
    loader = trainer.accelerator.prepare(
        torch.utils.data.DataLoader(dataset, batch_size=batch_size, collate_fn=trainer.data_collator, shuffle=False)
    )
    names = ("ref_logps", "ref_KL_logps") if "label" in dataset.column_names else (
        "ref_chosen_logps", "ref_rejected_logps")  # fmt: skip
    parts: list[list[Any]] = [[], []]
    for batch in loader:
        found = trainer.accelerator.gather_for_metrics(trainer.compute_ref_log_probs(trainer.model, batch))
        for part, values in zip(parts, found, strict=True):
            part.append(values.float().cpu())
    for name, part in zip(names, parts, strict=True):
        dataset = dataset.add_column(name, torch.cat(part).tolist())
    return dataset


def _records(
    learner: Learner, config: TrainConfig, left: Sequence[Row], first: int, told: Callable[[dict[str, Any]], None]
) -> Any:
    """A callback of transformers' trainer that makes a record of each step, as `train_steps` does."""
    from transformers import TrainerCallback

    world = _world()
    device = next(learner.parameters()).device
    workload, peak = Workload(learner.causal), peak_flops(device, getattr(torch, config.dtype))
    rates = {"rate": 0.0, "begun": 0.0}

    class Records(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002
            rates["rate"], rates["begun"] = float(given["optimizer"].param_groups[0]["lr"]), time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002
            logs: dict[str, float] = given["logs"]
            if "loss" not in logs:  # the last words of the whole run
                return
            number = first + state.global_step - 1
            if not all(math.isfinite(logs[name]) for name in ("loss", "grad_norm")):
                raise FloatingPointError(f"step {number} has loss {logs['loss']} and gradient {logs['grad_norm']}; "
                                         "lower train.learning_rate. The last checkpoint is kept")  # fmt: skip
            start = (number - first) * config.global_batch
            batch = left[start : start + config.global_batch]
            counted = [length for row in batch for length in lengths_of(row)]
            lengths, learnt = [tokens for tokens, _ in counted], sum(tokens for _, tokens in counted)
            seconds = time.monotonic() - rates["begun"]
            told({
                "step": number, "loss": logs["loss"], "learning_rate": rates["rate"], "grad_norm": logs["grad_norm"],
                "tokens": sum(lengths), "response_tokens": learnt, "fill": sum(lengths) / _paid(batch, config),
                "seconds": seconds, "mfu": workload.flop(lengths, learnt) / seconds / (peak * world),
                "memory_bytes": peak_memory(device), "workers": world, "ended": time.time(),
            } | {f"reward_{name}": logs.get(f"rewards/{name}") for name in REWARDS})  # fmt: skip

    return Records()


def _paid(batch: Sequence[Row], config: TrainConfig) -> int:
    """Positions computed for a global batch: each forward pass is padded to its longest sequence."""
    paid = 0
    for start in range(0, len(batch), config.micro_batch):
        lengths = [tokens for row in batch[start : start + config.micro_batch] for tokens, _ in lengths_of(row)]
        paid += max(lengths) * len(lengths)
    return paid
