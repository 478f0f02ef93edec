"""Rows → the micro-batches of one worker, the same global batches for any number of workers. No Ray here.

Shapes: B rows of a micro-batch · S tokens of its longest row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.examples import IGNORED, Example


@dataclass(frozen=True)
class MicroBatch:
    """Padded rows of one forward pass."""

    input_ids_BS: Tensor
    attention_mask_BS: Tensor
    labels_BS: Tensor


def global_batches(num_rows: int, batch_size: int, epochs: int, seed: int) -> list[list[int]]:
    """Row numbers of every optimizer step; each epoch is a permutation of its own, its last batch may be short."""
    steps: list[list[int]] = []
    for epoch in range(epochs):
        order = torch.randperm(num_rows, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch)).tolist()
        steps += [order[start : start + batch_size] for start in range(0, num_rows, batch_size)]
    return steps


def micro_batches(
    examples: Sequence[Example], rows: Sequence[int], rank: int, world: int, size: int, pad_id: int
) -> list[MicroBatch]:
    """One worker's share of a global batch; every worker gets equally many micro-batches.

    Args:
        examples: all rows.
        rows: numbers of the global batch.
        rank: this worker, 0 to `world` - 1.
        world: number of workers.
        size: most rows of a micro-batch.
        pad_id: token to pad with; it is masked and not learnt from.
    """
    mine = [examples[row] for row in rows[rank::world]]
    count = math.ceil(math.ceil(len(rows) / world) / size)
    empty = Example([pad_id], [IGNORED], False)  # where a worker has fewer rows than the others: no loss, no gradient
    groups = [mine[number * size : (number + 1) * size] or [empty] for number in range(count)]
    return [_pad(group, pad_id) for group in groups]


def num_response_tokens(examples: Sequence[Example], rows: Sequence[int]) -> int:
    """Tokens of a global batch that are learnt from. The first token of a row is never predicted."""
    return sum(label != IGNORED for row in rows for label in examples[row].labels[1:])


def _pad(group: Sequence[Example], pad_id: int) -> MicroBatch:
    longest = max(len(example.input_ids) for example in group)
    shape = (len(group), longest)
    ids, labels = torch.full(shape, pad_id), torch.full(shape, IGNORED)
    mask = torch.zeros(shape, dtype=torch.long)
    for number, example in enumerate(group):
        length = len(example.input_ids)
        ids[number, :length] = torch.tensor(example.input_ids)
        labels[number, :length] = torch.tensor(example.labels)
        mask[number, :length] = 1
    return MicroBatch(ids, mask, labels)
