"""Rows → packed rows: bin packing, and the tensors of a packed row. No Ray here.

Rows that stand behind each other are called documents. Positions restart with each, attention is confined to each
(`training/attention.py`), so that packing changes the cost and not the result.

Method: minimum bin slack (Gupta and Ho 1999): each row is filled as full as any choice of the waiting documents makes
it, found by an exact subset sum. Where best-fit decreasing (Johnson 1973; Ding et al. 2024 use it for language models)
already reaches the bound sum / capacity, or needs fewer rows, its rows are taken.

Shapes: S tokens of the packed row · K positions that predict a response token.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.examples import IGNORED, Example

_MOST_SHIFTS = 4_000_000
"""Bound of the exact filling's cost, for lengths that fill no row to the last token; the rest is packed by best fit."""


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
    """Put documents into as few rows as we can find: never more than best-fit decreasing, mostly the least possible.

    Args:
        lengths: tokens of each document, each 1 to `capacity`.
        capacity: tokens of a row.

    Returns:
        Document numbers of each row; the same lengths give the same rows.

    Cost: at most `_MOST_SHIFTS` shifts of `capacity` bits beside best fit. With lengths spread log-normally, mean 380:
    0.2 s for 10,000 documents and 1.9 s for 100,000 at capacity 2,048, 0.2 s and 1.3 s at 4,096 (one core).
    """
    assert not lengths or max(lengths) <= capacity
    fitted = best_fit(lengths, capacity)
    if len(fitted) * capacity - sum(lengths) < capacity:  # no packing has fewer rows
        return fitted
    filled = _least_slack(lengths, capacity)
    return filled if len(filled) < len(fitted) else fitted


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Best-fit decreasing: longest first, each document goes where the least room is left.

    Ties go to the document and the row that came first. Cost: O(n log n) comparisons and O(n) moves an insertion.
    """
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


def _least_slack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Each row is the longest waiting document and those that fill its room best, while `_MOST_SHIFTS` last."""
    waiting: dict[int, list[int]] = {}  # length → documents, the first one last
    for number in reversed(range(len(lengths))):
        waiting.setdefault(lengths[number], []).append(number)
    ascending = sorted(waiting)
    rows: list[list[int]] = []
    shifts = 0
    while ascending and shifts < _MOST_SHIFTS:
        longest = ascending[-1]
        row = [waiting[longest].pop()]
        room = capacity - longest
        counts = [(length, len(waiting[length])) for length in ascending[: bisect_right(ascending, room)]]
        chosen, taken = _fullest(counts[::-1], room)
        shifts += taken
        row += [waiting[length].pop() for length in chosen]
        rows.append(row)
        for length in {longest, *chosen}:
            if not waiting[length]:
                del ascending[bisect_left(ascending, length)]
    rest = sorted(number for length in ascending for number in waiting[length])
    return rows + [[rest[number] for number in row] for row in best_fit([lengths[number] for number in rest], capacity)]


def _fullest(counts: Sequence[tuple[int, int]], room: int) -> tuple[list[int], int]:
    """The multiset of lengths whose sum comes closest to `room` from below, preferring lengths that come first.

    Dynamic programme over the sums: bit t of an integer says that t can be reached. A length that is there c times
    enters in portions of 1, 2, 4 ... times, so that a row costs O(kinds of lengths · log(room / length)) shifts of
    `room` bits, and mostly far fewer: it ends when the room can be filled to the last token.

    Args:
        counts: (length, how many there are), the preferred ones first.
        room: tokens to fill.

    Returns:
        The lengths chosen, and the number of shifts made.
    """
    reached, whole = 1, (2 << room) - 1
    portions: list[tuple[int, int, int]] = []  # sums reached before, length, times
    for length, count in counts:
        if reached >> room:
            break
        left, times = min(count, room // length), 1
        while left:
            times = min(times, left)
            portions.append((reached, length, times))
            reached |= (reached << length * times) & whole
            left -= times
            times *= 2
    total, chosen = reached.bit_length() - 1, []
    for before, length, times in reversed(portions):
        if not before >> total & 1:
            chosen += [length] * times
            total -= length * times
    return chosen, len(portions)


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
