"""Optimizer and learning rate of a step. No Ray here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from training.memory.quantised import dequantise, dynamic_table, quantise
from training.model import decoder_layers
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
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # takes no closure
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


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for the decoder's matrices, AdamW for all else; over plain or sharded parameters.

    The rules of `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"` (Liu et al. 2025), so that AdamW's learning
    rates fit; that one takes matrices alone. Of a sharded matrix each worker orthogonalises the whole update: one
    gather and 10·n²·m FLOP a step for n ≤ m, and half of AdamW's state.
    """

    def __init__(self, matrices: Iterable[Tensor], others: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        """Over two groups of parameters."""
        groups = [{"params": list(matrices), "muon": True}, {"params": list(others), "muon": False}]
        super().__init__([group for group in groups if group["params"]], {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # takes no closure
        """Take one step."""
        assert closure is None
        for group in self.param_groups:
            update = self._matrix if group["muon"] else self._other
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    update(parameter, parameter.grad, group["lr"])

    def _matrix(self, parameter: Tensor, grad: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(grad)
        state["momentum"].lerp_(grad, 1 - 0.95)
        whole = _whole_of(grad.lerp(state["momentum"], 0.95))
        update = orthogonalised(whole).to(parameter.dtype) * (0.2 * math.sqrt(max(whole.shape)))
        parameter.add_(_sharded_as(parameter, update), alpha=-rate)

    def _other(self, parameter: Tensor, grad: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["mean"], state["square"] = torch.zeros_like(grad), torch.zeros_like(grad)
        state["step"] += 1
        state["mean"].lerp_(grad, 1 - 0.9)
        state["square"].mul_(0.999).add_(grad * grad, alpha=1 - 0.999)
        step = float(state["step"])
        size = (state["square"] / (1 - 0.999**step)).sqrt() + 1e-8
        parameter.add_(state["mean"] / size, alpha=-rate / (1 - 0.9**step))


class AdamW8bit(torch.optim.Optimizer):
    """AdamW whose two moments take a byte each and a scale for 256 (Dettmers et al. 2022); plain or sharded parameters.

    Moments of vectors stay float32. A step makes one parameter's moments whole at a time.
    """

    _BLOCK = 256

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        """Over plain or sharded parameters."""
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # takes no closure
        """Take one step."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, _local(parameter.grad), group["lr"], group["weight_decay"])

    def _update(self, parameter: Tensor, grad: Tensor, rate: float, decay: float) -> None:
        state = self.state[parameter]
        state["step"] = state.get("step", torch.tensor(0.0)) + 1
        mean, square = (self._moment(state, name, grad) for name in ("mean", "square"))
        mean.lerp_(grad, 1 - 0.9)
        square.mul_(0.999).add_(grad * grad, alpha=1 - 0.999)
        step = float(state["step"])
        size = (square / (1 - 0.999**step)).sqrt() + 1e-8
        weight = _local(parameter)
        weight.mul_(1 - rate * decay).add_(mean / size, alpha=-rate / (1 - 0.9**step))
        self._keep(state, "mean", mean, parameter)
        self._keep(state, "square", square, parameter)

    def _moment(self, state: dict[str, Tensor], name: str, grad: Tensor) -> Tensor:
        if name not in state:
            return torch.zeros_like(grad)
        if grad.dim() == 1:
            return _local(state[name])
        table = dynamic_table(grad.device, signed=name == "mean")
        return dequantise(_local(state[name]), _local(state[f"{name}_scales"]), table, self._BLOCK)

    def _keep(self, state: dict[str, Tensor], name: str, values: Tensor, parameter: Tensor) -> None:
        if values.dim() == 1:
            state[name] = _sharded_like(parameter, values)
            return
        places, scales = quantise(values, dynamic_table(values.device, signed=name == "mean"), self._BLOCK)
        state[name], state[f"{name}_scales"] = _sharded_like(parameter, places), _sharded_like(parameter, scales)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a state of `state_dict`; torch's own would make floats of the bytes."""
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})
            for parameter, number in zip(group["params"], saved["params"], strict=True):
                found = state_dict["state"].get(number, {})
                self.state[parameter] = {
                    name: value if name == "step" else value.to(parameter.device) for name, value in found.items()
                }


def orthogonalised(matrix_NM: Tensor) -> Tensor:
    """The nearest matrix whose singular values are all about 1, by five Newton-Schulz steps in bfloat16.

    Source: Jordan et al. 2024; the coefficients are theirs, and `torch.optim.Muon`'s.
    """
    x = matrix_NM.bfloat16()
    if wide := x.shape[0] > x.shape[1]:
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.T if wide else x


def _whole_of(tensor: Any) -> Tensor:
    whole: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return whole


def _local(tensor: Any) -> Tensor:
    """This worker's part of a sharded tensor, or the tensor itself."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local


def _sharded_like(parameter: Any, local: Tensor) -> Tensor:
    """This worker's part of what is sharded by rows as a parameter is; columns may be others."""
    if not hasattr(parameter, "to_local"):
        return local
    from torch.distributed.tensor import DTensor

    shape = torch.Size([*parameter.shape[:-1], local.shape[-1]]) if local.dim() > 1 else parameter.shape
    stride = torch.empty(shape, device="meta").stride()
    sharded: Tensor = DTensor.from_local(
        local, parameter.device_mesh, parameter.placements, run_check=False, shape=shape, stride=stride
    )
    return sharded


def _sharded_as(parameter: Any, whole: Tensor) -> Tensor:
    if not hasattr(parameter, "full_tensor"):
        return whole
    from torch.distributed.tensor import distribute_tensor

    shard: Tensor = distribute_tensor(whole, parameter.device_mesh, parameter.placements)
    return shard


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
    if config.optimizer == "adamw_8bit":
        return AdamW8bit(trained, config.learning_rate, config.weight_decay)
    if config.optimizer == "muon":
        layers = {id(weight) for weight in decoder_layers(model).parameters() if weight.dim() == 2}
        matrices = [weight for weight in trained if id(weight) in layers]
        others = [weight for weight in trained if id(weight) not in layers]
        return Muon(matrices, others, config.learning_rate, config.weight_decay)
    return torch.optim.AdamW(
        trained, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.999), fused=True
    )


def learning_rate_factor(step: int, num_steps: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step, 0 to 1.

    Args:
        step: from 0.
        num_steps: of the whole run.
        config: warm-up, as a share of the steps, and schedule.
    """
    warmup = math.ceil(config.warmup_ratio * num_steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, num_steps - warmup)
    if config.schedule == "constant":
        return 1.0
    return 1.0 - done if config.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
