"""Optimizer and learning rate of a step. No Ray here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from training.settings import TrainConfig


class Adafactor(torch.optim.Optimizer):
    """Adafactor (Shazeer & Stern 2018) with the rules of `torch.optim.Adafactor`, which refuses sharded weights.

    The second moment of a matrix is kept as one row and one column. A step is the learning rate times the weights' own
    root mean square.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        """Over plain or sharded parameters."""
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Take one step."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"], group["weight_decay"])

    def _update(self, parameter: Tensor, grad: Tensor, rate: float, decay: float) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            if parameter.dim() > 1:
                state["rows"], state["columns"] = (_mean_square(torch.zeros_like(grad), dim) for dim in (-1, -2))
            else:
                state["all"] = torch.zeros_like(grad)
        state["step"] += 1
        share = float(state["step"]) ** -0.8
        tiny = torch.finfo(parameter.dtype).eps
        if parameter.dim() > 1:
            for name, dim in (("rows", -1), ("columns", -2)):
                state[name] = state[name] * (1 - share) + _mean_square(grad, dim) * share
            mean = _sum(state["rows"], -2) / state["rows"].shape[-2]
            variance = (state["rows"] @ state["columns"]) / mean.clamp(min=tiny)
        else:
            state["all"] = variance = state["all"] * (1 - share) + grad * grad * share
        update = grad * variance.clamp(min=tiny * tiny).rsqrt()
        size = max(1e-3, _rms(parameter)) * min(rate, float(state["step"]) ** -0.5)
        parameter.mul_(1 - rate * decay).add_(update, alpha=-size / max(1.0, _rms(update)))


def _sum(values: Tensor, dim: int) -> Tensor:
    """Sum over a dimension, whole on every worker where that dimension is sharded."""
    summed: Any = values.sum(dim, keepdim=True)
    if any(placement.is_partial() for placement in getattr(summed, "placements", ())):
        from torch.distributed.tensor import Replicate

        summed = summed.redistribute(placements=[Replicate()] * summed.device_mesh.ndim)
    whole: Tensor = summed
    return whole


def _mean_square(values: Tensor, dim: int) -> Tensor:
    return _sum(values * values, dim) / values.shape[dim]


def _rms(values: Any) -> float:
    total = (values * values).sum()
    return math.sqrt(float(total.full_tensor() if hasattr(total, "full_tensor") else total) / values.numel())


def make_optimizer(model: Any, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimizer over all parameters that are trained."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if config.optimizer == "adafactor":
        return Adafactor(trained, config.learning_rate, config.weight_decay)
    return torch.optim.AdamW(
        trained, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.999), fused=True
    )


def learning_rate_factor(step: int, num_steps: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step, 0 to 1."""
    warmup = math.ceil(config.warmup_ratio * num_steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, num_steps - warmup)
    if config.schedule == "constant":
        return 1.0
    return 1.0 - done if config.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
