"""A packed row shared by several workers: context parallelism by heads (Ulysses, Jacobs et al. 2023). No Ray here.

Each worker computes its stretch of the row's tokens. In attention the workers of a row exchange: each gets all tokens
of its share of the heads, so every kernel of `training/attention.py` sees whole documents, and gives back each
stretch. torch's own `context_parallel` (2.13) runs on CUDA alone and knows no documents.

Shapes: S tokens of the row · T of a worker's stretch, S / parts · H heads · G heads of keys and values · D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed._functional_collectives import all_to_all_single_autograd
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from training.packing import PackedBatch


@dataclass(frozen=True)
class Share:
    """Which stretch of a row a worker computes, and with whom."""

    group: dist.ProcessGroup
    part: int
    """0 to `parts` - 1."""
    parts: int


def share_of(mesh: DeviceMesh | None, parts: int) -> Share | None:
    """This worker's share; None where rows are not shared. Every worker must ask at the same time.

    Args:
        mesh: one dimension, all workers; neighbours share a row.
        parts: workers that share a row.
    """
    if parts == 1 or mesh is None:
        return None
    rows = init_device_mesh(mesh.device_type, (mesh.size() // parts, parts), mesh_dim_names=("row", "part"))
    return Share(rows["part"].get_group(), rows["part"].get_local_rank(), parts)


def stretch_of(batch: PackedBatch, share: Share | None) -> PackedBatch:
    """A worker's tokens of a packed row, whose positions divide by the parts; `lengths` stay the whole row's."""
    if share is None:
        return batch
    size = batch.num_tokens // share.parts
    assert size * share.parts == batch.num_tokens, "the row is not filled up to a multiple of the parts"
    begin = share.part * size
    mine_K = (batch.predicted_K >= begin) & (batch.predicted_K < begin + size)
    return replace(
        batch, input_ids_S=batch.input_ids_S[begin : begin + size], positions_S=batch.positions_S[begin : begin + size],
        predicted_K=batch.predicted_K[mine_K] - begin, targets_K=batch.targets_K[mine_K],
    )  # fmt: skip


def to_heads(tensor: Tensor, share: Share) -> Tensor:
    """All tokens of a share of the heads: (1, H, T, D) in, (1, H / parts, S, D) out; differentiable."""
    heads = tensor.shape[1]
    if heads % share.parts:  # fewer heads of keys and values than workers
        assert share.parts % heads == 0, f"{heads} heads cannot be shared by {share.parts} workers"
        tensor = tensor.repeat_interleave(share.parts // heads, 1)
    _, heads, stretch, width = tensor.shape
    found = _exchanged(tensor.squeeze(0), share).view(share.parts, heads // share.parts, stretch, width)
    return found.transpose(0, 1).reshape(1, heads // share.parts, share.parts * stretch, width)


def to_tokens(tensor: Tensor, share: Share) -> Tensor:
    """The way back: (1, S, H / parts, D) in, (1, T, H, D) out."""
    _, size, heads, width = tensor.shape
    found = _exchanged(tensor.squeeze(0), share).view(share.parts, size // share.parts, heads, width)
    return found.transpose(0, 1).reshape(1, size // share.parts, share.parts * heads, width)


def _exchanged(tensor: Tensor, share: Share) -> Tensor:
    """Equal chunks of the first dimension, one to each worker and one from each."""
    sizes = [tensor.shape[0] // share.parts] * share.parts
    received: Any = all_to_all_single_autograd(tensor.contiguous(), sizes, sizes, share.group)
    waited: Tensor = torch.ops._c10d_functional.wait_tensor(received)
    return waited
