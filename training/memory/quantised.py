"""Numbers as places in a table and a scale for each block: states of 8 bits, weights of 4. No Ray here.

Source: Dettmers et al. 2022 (blockwise dynamic quantisation) and 2023 (NF4, QLoRA); the tables are bitsandbytes'. There
a block may reach over two rows. Here it does not: a matrix that is sharded by rows has the same blocks on any number of
workers, so a checkpoint of two goes on with four.

Shapes: M columns · B blocks of a row, ceil(M / block) · `...` any dimensions before.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

NF4_BLOCK = 64
"""Weights that share a scale."""


@cache
def dynamic_table(device: torch.device, *, signed: bool) -> Tensor:
    """256 values from -1 (or 0) to 1 whose spacing grows with their size: float32, ascending."""
    values = [0.0, 1.0]
    for exponent in range(7):
        count = 2**exponent if signed else 2 ** (exponent + 1)
        edges = torch.linspace(0.1, 1.0, count + 1)
        middles = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (exponent - 6)
        values += middles.tolist() + ((-middles).tolist() if signed else [])
    return torch.tensor(sorted(values), device=device)


@cache
def nf4_table(device: torch.device) -> Tensor:
    """The 16 quantiles of a normal distribution, from -1 to 1 with 0 among them: float32, ascending."""
    normal = torch.distributions.Normal(0.0, 1.0)
    edge = 0.9677083
    above = normal.icdf(torch.linspace(edge, 0.5, 9, dtype=torch.float64))[:-1]
    below = -normal.icdf(torch.linspace(edge, 0.5, 8, dtype=torch.float64))[:-1]
    values = torch.cat([below, torch.zeros(1, dtype=torch.float64), above.flip(0)])
    return (values / values.max()).float().to(device)


def quantise(values: Tensor, table: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """The nearest value of the table for each number, as a share of its block's largest.

    Args:
        values: float (..., M).
        table: ascending, float32, at most 256 values.
        block: numbers of a row that share a scale.

    Returns:
        Places in the table, uint8 (..., M), and scales, float32 (..., B).
    """
    columns = values.shape[-1]
    blocks = functional.pad(values.float(), (0, -columns % block)).unflatten(-1, (-1, block))
    scales = blocks.abs().amax(-1)
    shares = blocks / scales.clamp(min=torch.finfo(torch.float32).tiny)[..., None]
    places = torch.bucketize(shares, (table[1:] + table[:-1]) / 2, out_int32=True).to(torch.uint8)
    return places.flatten(-2)[..., :columns].contiguous(), scales


def dequantise(places: Tensor, scales: Tensor, table: Tensor, block: int) -> Tensor:
    """What `quantise` was given, as nearly as it is kept: float32 (..., M)."""
    columns = places.shape[-1]
    blocks = functional.pad(table[places.int()], (0, -columns % block)).unflatten(-1, (-1, block))
    return (blocks * scales[..., None]).flatten(-2)[..., :columns]


class _Product(torch.autograd.Function):
    """`x @ weight.T` of a frozen weight that is made anew in the backward pass instead of kept."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, layer: Nf4Linear) -> Tensor:
        ctx.layer = layer  # type: ignore[attr-defined]  # no tensor: autograd need not see it
        return functional.linear(x, layer.weight.to(x.dtype))

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0] @ ctx.layer.weight.to(grads[0].dtype), None  # type: ignore[attr-defined]


class Nf4Linear(nn.Module):
    """A frozen linear layer of 4.5 bits a weight, its scales included; whole on every worker, in no checkpoint."""

    def __init__(self, linear: nn.Linear) -> None:
        """Quantise.

        Args:
            linear: on any device, its columns even in number.
        """
        super().__init__()
        self.in_features, self.out_features, self.bias = linear.in_features, linear.out_features, linear.bias
        weight = linear.weight.detach()
        places, scales = quantise(weight, nf4_table(weight.device), NF4_BLOCK)
        self.register_buffer("pairs", places[:, ::2] * 16 + places[:, 1::2], persistent=False)
        self.register_buffer("scales", scales, persistent=False)

    @property
    def weight(self) -> Tensor:
        """Float32 (outputs, inputs), made when it is asked for."""
        pairs, scales = self.get_buffer("pairs"), self.get_buffer("scales")
        places = torch.stack([pairs // 16, pairs % 16], -1).flatten(1)
        return dequantise(places, scales, nf4_table(pairs.device), NF4_BLOCK)

    def forward(self, x: Tensor) -> Tensor:
        """As `nn.Linear` with that weight, in the type of `x`."""
        product: Tensor = _Product.apply(x, self)  # type: ignore[no-untyped-call]  # torch gives it no types
        return product if self.bias is None else product + self.bias.to(product.dtype)
