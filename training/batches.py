"""Rows → the micro-batches of one worker, the same global batches for any number of workers. No Ray here.

Shapes: B rows of a padded micro-batch · S tokens of its longest row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.examples import IGNORED, Example
from training.packing import PackedBatch, pack_evenly, packed_batch
from training.settings import TrainConfig


@dataclass(frozen=True)
class PaddedBatch:
    """Padded rows of one forward pass."""

    input_ids_BS: Tensor
    attention_mask_BS: Tensor
    labels_BS: Tensor

    @property
    def num_tokens(self) -> int:
        """Positions that are computed, padding included."""
        return self.input_ids_BS.numel()


Batch = PackedBatch | PaddedBatch


def global_batches(num_rows: int, batch_size: int, epochs: int, seed: int) -> list[list[int]]:
    """Row numbers of every optimizer step; each epoch is a permutation of its own, its last batch may be short.

    Args:
        num_rows: rows that are learnt from.
        batch_size: rows of a step, over all workers.
        epochs: times that each row is seen.
        seed: of the order, and with the epoch's number of each permutation.
    """
    steps: list[list[int]] = []
    for epoch in range(epochs):
        order = torch.randperm(num_rows, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch)).tolist()
        steps += [order[start : start + batch_size] for start in range(0, num_rows, batch_size)]
    return steps


def split_holdout(num_rows: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Row numbers to learn from and to hold out, both in order.

    At least one row is learnt from and, where a share is asked for and there are two rows, at least one held out.
    """
    order = torch.randperm(num_rows, generator=torch.Generator().manual_seed(seed * 1_000_003 + 999_983)).tolist()
    count = min(max(1, round(num_rows * share)), num_rows - 1) if share else 0
    return sorted(order[count:]), sorted(order[:count])


def micro_batches(
    examples: Sequence[Example], rows: Sequence[int], config: TrainConfig, *, rank: int, world: int, pad_id: int
) -> list[Batch]:
    """One worker's share of a global batch; every worker gets equally many micro-batches.

    Args:
        examples: all rows.
        rows: numbers of the global batch.
        config: packing, `micro_batch` and `max_length`.
        rank: this worker, 0 to `world` - 1.
        world: number of workers.
        pad_id: token to pad with; it is masked and not learnt from.
    """
    empty = Example([pad_id], [IGNORED], False)  # where a worker has fewer rows than the others: no loss, no gradient
    if config.packing:
        lengths = [len(examples[row].input_ids) for row in rows]
        parts = config.context_parallel  # neighbours share each row
        packed = pack_evenly(lengths, config.micro_batch * config.max_length, world // parts)
        mine = [[examples[rows[number]] for number in row] for row in packed[rank // parts :: world // parts]]
        return [packed_batch(_divisible(row or [empty], parts, pad_id)) for row in mine]
    own = [examples[row] for row in rows[rank::world]]
    count = math.ceil(math.ceil(len(rows) / world) / config.micro_batch)
    size = config.micro_batch
    return [_pad(own[number * size : (number + 1) * size] or [empty], pad_id) for number in range(count)]


def num_response_tokens(examples: Sequence[Example], rows: Sequence[int]) -> int:
    """Tokens of a global batch that are learnt from. The first token of a row is never predicted."""
    return sum(label != IGNORED for row in rows for label in examples[row].labels[1:])


def _divisible(row: list[Example], parts: int, pad_id: int) -> list[Example]:
    """A packed row's examples, and one of padding that makes its tokens divide by the parts."""
    lacking = -sum(len(example.input_ids) for example in row) % parts
    return [*row, Example([pad_id] * lacking, [IGNORED] * lacking, False)] if lacking else row


def _pad(group: Sequence[Example], pad_id: int) -> PaddedBatch:
    longest = max(len(example.input_ids) for example in group)
    shape = (len(group), longest)
    ids, labels = torch.full(shape, pad_id), torch.full(shape, IGNORED)
    mask = torch.zeros(shape, dtype=torch.long)
    for number, example in enumerate(group):
        length = len(example.input_ids)
        ids[number, :length] = torch.tensor(example.input_ids)
        labels[number, :length] = torch.tensor(example.labels)
        mask[number, :length] = 1
    return PaddedBatch(ids, mask, labels)
