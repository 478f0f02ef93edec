"""Rows → packed rows: best-fit packing, and the tensors of a packed row. No Ray here.

Rows that stand behind each other are called documents. Positions restart with each, attention is confined to each
(`training/attention.py`), so that packing changes the cost and not the result.

Method: best-fit decreasing (Johnson 1973), the nearly optimal heuristic of bin packing; Ding et al. 2024 use it for
language models without cutting documents.

Shapes: S tokens of the packed row · K positions that predict a response token.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.examples import IGNORED, Example


@dataclass(frozen=True)
class PackedBatch:
    """One packed row: the input of one forward pass."""

    input_ids_S: Tensor
    positions_S: Tensor
    """Restart at 0 with each document."""
    lengths: tuple[int, ...]
    """Tokens of each document; together S."""
    predicted_K: Tensor
    """Positions whose next token is learnt from; never the last of a document."""
    targets_K: Tensor
    """Those next tokens."""

    @property
    def num_tokens(self) -> int:
        """Positions that are computed."""
        return len(self.input_ids_S)


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Put documents into as few rows as best-fit decreasing finds; each goes where the least room is left.

    Args:
        lengths: tokens of each document, none above `capacity`.
        capacity: tokens of a row.

    Returns:
        Document numbers of each row. Ties go to the document and the row that came first.

    Cost: O(n log n) comparisons and O(n) moves for each insertion.
    """
    assert not lengths or max(lengths) <= capacity
    rows: list[list[int]] = []
    rooms: list[tuple[int, int]] = []  # (tokens left, row), sorted
    for number in sorted(range(len(lengths)), key=lambda document: -lengths[document]):
        place = bisect_left(rooms, (lengths[number], -1))
        if place == len(rooms):
            room, row = capacity, len(rows)
            rows.append([])
        else:
            room, row = rooms.pop(place)
        rows[row].append(number)
        insort(rooms, (room - lengths[number], row))
    return rows


def pack_evenly(lengths: Sequence[int], capacity: int, multiple: int) -> list[list[int]]:
    """As few rows as `pack` finds, rounded up to a multiple, and about equally long.

    Workers that compute in step wait for the longest row, so the last row should not be short. Longest first,
    each document goes to the shortest row; where that breaks the capacity, best fit stands, with empty rows behind.

    Args:
        lengths: tokens of each document, none above `capacity`.
        capacity: tokens of a row.
        multiple: of the number of rows: the number of workers.
    """
    rows = pack(lengths, capacity)
    count = -(-len(rows) // multiple) * multiple
    even: list[list[int]] = [[] for _ in range(count)]
    shortest = [(0, row) for row in range(count)]
    for number in sorted(range(len(lengths)), key=lambda document: -lengths[document]):
        filled, row = shortest[0]
        if filled + lengths[number] > capacity:
            return rows + [[] for _ in range(count - len(rows))]
        heapq.heapreplace(shortest, (filled + lengths[number], row))
        even[row].append(number)
    return even


def fill_of(rows: Sequence[Sequence[int]], lengths: Sequence[int], capacity: int) -> float:
    """Share of the rows' capacity that is documents, 0 to 1."""
    return sum(lengths[number] for row in rows for number in row) / max(1, len(rows) * capacity)


def packed_batch(examples: Sequence[Example]) -> PackedBatch:
    """The tensors of one packed row."""
    ids = [token for example in examples for token in example.input_ids]
    # The token behind each position; a document's last position and prompts have none to learn.
    following = [label for example in examples for label in (*example.labels[1:], IGNORED)]
    predicted = [position for position, label in enumerate(following) if label != IGNORED]
    return PackedBatch(
        torch.tensor(ids),
        torch.cat([torch.arange(len(example.input_ids)) for example in examples]),
        tuple(len(example.input_ids) for example in examples),
        torch.tensor(predicted, dtype=torch.long),
        torch.tensor([following[position] for position in predicted], dtype=torch.long),
    )
