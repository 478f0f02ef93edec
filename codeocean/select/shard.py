"""Select: one slice of the matrix, and what greedy k-center asks of it. PyTorch only: no Ray, CPU or CUDA.

The slice keeps an upper bound on each row's squared distance to its nearest pick. Distances only ever fall, so a bound
that has not met the newest picks is still a bound: only rows whose bound reaches the top are brought up to date, and a
row falls out again at the first pick that is near enough. On embeddings of code that is about a sixth of all
(row, pick) pairs; the others are never computed (docs/architecture.md).

Bounds are float32 matrix products. The rows at the top, the candidates, are measured in float64 by differences: what a
candidate's distance is does not depend on blocks, tiles or shards, to the last bit.

Shapes: N rows of the slice · D dimensions · K picks so far · B candidates · P picks of a block · M rows in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from codeocean.select.distances import Frame, MeasuringPicks, as_numpy, nearest_squared, squared_differences

TILE_ROWS = 1_024
"""Most rows of one matrix product, the work of one thread: they and their distances stay in the processor's cache."""

TILES = 8
"""Fewer rows than that many tiles are cut into about so many, of at least a quarter of TILE_ROWS each."""

CHUNK_PICKS = 192
"""Picks that a row meets before it is asked whether it is still among the farthest."""

GPU_TILE_ROWS, GPU_CHUNK_PICKS = 65_536, 512
"""The same on a GPU, which one product must fill; 128 MB of distances."""

SHARE = 4
"""At most a quarter of the rows, or eight for each candidate, are brought up to date on the guess of what is expected.
After that twice as many as there are candidates, and twice as many again until no candidate is out of date."""

Tile = TypeVar("Tile")
Result = TypeVar("Result")

_DONE = torch.iinfo(torch.int32).max


@dataclass(frozen=True)
class Candidates:
    """The rows of a shard that can be the farthest."""

    rows_B: Tensor
    """int64, ascending, numbered over all shards."""
    squared_B: Tensor
    """float64, squared distance to the nearest pick."""
    vectors_BD: Tensor
    """The rows, as they were given."""
    groups_B: Tensor
    """int64, their groups."""
    limit: float
    """The most that any row that is not a candidate can have."""
    rival: tuple[float, int]
    """The best candidate that was left out for their number: squared distance and row; (-1, -1) if none was."""


@dataclass(frozen=True)
class Extent:
    """What a shard tells of its rows before the first pick."""

    num_rows: int
    total_D: Tensor
    """float64 sum of the rows."""
    widest: float
    """Largest absolute value as given."""
    largest: float
    """Largest squared norm."""
    squares: float
    """Sum of the squared norms."""


class Shard:
    """Rows `start` to `start + N` of the matrix, which is read and never written.

    Memory: 24 bytes a row beside the matrix, one tile of scratch.
    """

    def __init__(self, x_ND: Tensor, *, start: int = 0, groups_N: Tensor | None = None) -> None:
        """Args: x_ND: any float type, any device. start: number of its first row. groups_N: int64 group of each row."""
        n, device = len(x_ND), x_ND.device
        self._x_ND, self._start = x_ND, start
        self._groups_N = torch.zeros(n, dtype=torch.int64) if groups_N is None else groups_N
        self._bound_N = torch.full((n,), float("inf"), dtype=torch.float32, device=device)
        self._seen_N = torch.zeros(n, dtype=torch.int32, device=device)  # picks that the bound has met
        self._exact_N = torch.full((n,), float("inf"), dtype=torch.float64, device=device)
        self._measured_N = torch.zeros(n, dtype=torch.int32, device=device)  # picks that the exact distance has met
        self._norms_N = torch.empty(n, dtype=torch.float32, device=device)
        self._frame, self._error, self._error64 = Frame(), 0.0, 0.0
        self._picks_KD = torch.empty((0, x_ND.shape[1]), dtype=torch.float64, device=device)
        self._single_KD = self._picks_KD.float()  # what bounds are computed from: converted once, not for every tile
        self._squares_K = torch.empty(0, dtype=torch.float32, device=device)
        self._num_picks = 0
        self._num_threads = 1 if x_ND.is_cuda else torch.get_num_threads()
        self._tile_rows, self._chunk_picks = (
            (GPU_TILE_ROWS, GPU_CHUNK_PICKS) if x_ND.is_cuda else (TILE_ROWS, CHUNK_PICKS)
        )
        self.pairs_met = 0
        """(row, pick) pairs whose bound was computed, of N·K."""

    def extent(self, frame: Frame) -> Extent:
        """Sums and largest values of the rows in a frame; their norms are kept.

        Raises:
            ValueError: a value is NaN or infinite; the row is named.
        """
        num_tiles = -(-len(self._x_ND) // self._tile_rows)
        # One tensor for the sums of all tiles: small ones, made between the large ones that a tile needs and frees,
        # would keep the allocator from giving those back (a third of the matrix).
        totals_TD = torch.zeros((num_tiles, self._x_ND.shape[1]), dtype=torch.float64, device=self._x_ND.device)
        parts = self._each(lambda tile: self._extent_of_tile(frame, totals_TD, *tile), self._tiles())
        largest = float(self._norms_N.max()) if len(self._norms_N) else 0.0
        return Extent(
            num_rows=len(self._x_ND),
            total_D=totals_TD.sum(0).cpu(),
            widest=max((widest for widest, _ in parts), default=0.0),
            largest=largest,
            squares=sum(squares for _, squares in parts),
        )

    def _extent_of_tile(self, frame: Frame, totals_TD: Tensor, start: int, tile: Tensor) -> tuple[float, float]:
        """Largest absolute value and sum of the squared norms; the sum of the rows goes to `totals_TD`."""
        widest = 0.0
        if tile.numel():
            low, high = torch.aminmax(tile)
            if not bool(torch.isfinite(low) & torch.isfinite(high)):
                row = self._start + start + int((~torch.isfinite(tile).all(1)).nonzero()[0])
                raise ValueError(f"row {row} of x holds NaN or infinity; drop the row or embed it again")
            widest = max(-float(low), float(high))
        ones = torch.ones(len(tile), dtype=torch.float64, device=tile.device)
        torch.mv(frame.float64(tile).T, ones, out=totals_TD[start // self._tile_rows])
        norms = self._norms_N[start : start + len(tile)]
        norms.copy_(torch.linalg.vecdot(single := frame.float32(tile), single))
        return widest, float(norms.sum(dtype=torch.float64))

    def set_frame(self, frame: Frame) -> None:
        """Fix the coordinates, those of the last `extent`, and the errors; before the first pick."""
        self._frame = frame
        self._error, self._error64 = (
            frame.error(dtype, self._x_ND.shape[1]) for dtype in (torch.float32, torch.float64)
        )

    def nearest_row(self, point_D: Tensor) -> tuple[float, int]:
        """Squared distance and number of the row nearest a point of the frame (float64), the smallest of equals."""
        point_D = point_D.to(self._x_ND.device)
        nearest = self._each(lambda tile: self._nearest_row_of_tile(point_D, *tile), self._tiles())
        return min(nearest, default=(float("inf"), -1))

    def _nearest_row_of_tile(self, point_D: Tensor, start: int, tile: Tensor) -> tuple[float, int]:
        products_M = torch.linalg.vecdot(self._frame.float32(tile), point_D.float())
        squared_M = self._norms_N[start : start + len(tile)] - 2.0 * products_M
        near = (squared_M <= squared_M.min() + 2.0 * self._error).nonzero().flatten()
        exact = squared_differences(as_numpy(self._frame.float64(tile[near])), as_numpy(point_D))
        row = int(exact.argmin())
        return float(exact[row]), self._start + start + int(near[row])

    def vectors(self, rows: Tensor) -> Tensor:
        """Rows of this shard by their numbers over all shards, as they were given."""
        return self._x_ND[(rows - self._start).to(self._x_ND.device)]

    def groups(self, rows: Tensor) -> list[int]:
        """Groups of rows of this shard by their numbers over all shards."""
        groups: list[int] = self._groups_N[rows - self._start].tolist()
        return groups

    def add_picks(self, position: int, rows: Tensor, vectors_PD: Tensor) -> None:
        """Note new picks; no distance is computed before it is needed. Idempotent.

        Args:
            position: how many picks came before these.
            rows: int64 (P,), numbered over all shards.
            vectors_PD: the rows, as they were given.
        """
        inside = rows[(rows >= self._start) & (rows < self._start + len(self._x_ND))] - self._start
        self._retire(inside.to(self._x_ND.device))
        picks_PD = self._frame.float64(vectors_PD.to(self._x_ND.device))
        single_PD = picks_PD.float()
        end = position + len(rows)
        self._picks_KD = _with_room(self._picks_KD, end)
        self._single_KD, self._squares_K = _with_room(self._single_KD, end), _with_room(self._squares_K, end)
        self._picks_KD[position:end], self._single_KD[position:end] = picks_PD, single_PD
        self._squares_K[position:end] = single_PD.square().sum(1)
        self._num_picks = max(self._num_picks, end)

    def exclude(self, groups: list[int]) -> None:
        """Rows of these groups are candidates no more. Idempotent."""
        excluded_N = torch.isin(self._groups_N, torch.tensor(groups, dtype=torch.int64))
        self._retire(excluded_N.nonzero().flatten().to(self._x_ND.device))

    def _retire(self, rows_M: Tensor) -> None:
        self._bound_N[rows_M] = -1.0  # below every distance, for good
        self._seen_N[rows_M] = _DONE

    def candidates(self, most: int, expected: float) -> Candidates:
        """The rows that can be the farthest, measured, and a limit for all others.

        Args:
            most: how many candidates at most.
            expected: squared distance that they are expected to reach; any value gives the same picks.
        """
        error, near = self._error, most
        self._bring_up_to_date(max(expected, self._bound_at(max(8 * most, len(self._bound_N) // SHARE))))
        while True:
            top = torch.topk(self._bound_N, min(most + 1, len(self._bound_N))).values.tolist() or [-1.0]
            # Every row that rounding may have put below the largest is in, or a tie would not go to the smallest row.
            threshold = max(0.0, min(top[-1], top[0] - 2.0 * error))
            inside_N = self._bound_N >= threshold
            if bool((self._seen_N[inside_N] >= self._num_picks).all()):
                break
            near *= 2
            self._bring_up_to_date(min(threshold, self._bound_at(near)))
        outside = float(torch.where(inside_N, -1.0, self._bound_N).max()) if len(inside_N) else -1.0
        rows_B = inside_N.nonzero().flatten()
        squared_B = self._measure(rows_B, coarse=threshold < 64.0 * error)
        rival = (-1.0, -1)
        if len(rows_B) > most:  # many ties: go on with the farthest, the smallest rows first
            order = torch.argsort(squared_B, descending=True, stable=True)
            rival = (float(squared_B[order[most]]), self._start + int(rows_B[order[most]]))
            kept = order[:most].sort().values
            rows_B, squared_B = rows_B[kept], squared_B[kept]
        return Candidates(
            rows_B.cpu() + self._start,
            squared_B.cpu(),
            self._x_ND[rows_B].cpu(),
            self._groups_N[rows_B.cpu()],
            outside + error if outside >= 0.0 else -1.0,
            rival,
        )

    def _bound_at(self, rank: int) -> float:
        """The `rank`-th largest bound; the least of all where there are fewer rows."""
        if rank >= len(self._bound_N):
            return -1.0
        if self._bound_N.is_cuda:
            return float(torch.topk(self._bound_N, rank, sorted=False).values.min())
        return float(np.partition(self._bound_N.numpy(), -rank)[-rank])  # much faster than torch's on a CPU

    def _bring_up_to_date(self, wanted: float) -> None:
        """Let every row whose bound reaches `wanted` meet the picks that it has not met, until it falls below."""
        rows = ((self._bound_N >= wanted) & (self._seen_N < self._num_picks)).nonzero().flatten()
        # Rows that have met about as many picks go together, or they would meet again what they have met.
        seen, order = torch.sort(self._seen_N[rows], stable=True)
        num_rows = min(self._tile_rows, max(self._tile_rows // 4, len(rows) // TILES, 1))
        tiles = zip(rows[order].split(num_rows), seen[::num_rows].tolist(), strict=True) if len(rows) else ()
        self.pairs_met += sum(self._each(lambda tile: self._meet_picks(tile[0].sort().values, tile[1], wanted), tiles))

    def _meet_picks(self, rows_M: Tensor, first: int, wanted: float) -> int:
        """Lower the bounds of rows against the picks from `first` on; a row that falls below `wanted` stops there.

        Returns:
            How many pairs met. Cost: 2·D FLOP for each, one gather of the rows.
        """
        pairs = 0
        low, high = int(rows_M[0]), int(rows_M[-1]) + 1  # ascending: a run of rows needs no gathering
        x_MD = self._x_ND[low:high] if high - low == len(rows_M) else self._x_ND.index_select(0, rows_M)
        x_MD = self._frame.float32(x_MD)
        bound_M, norms_M = self._bound_N[rows_M], self._norms_N[rows_M]
        while True:
            end = min(first + self._chunk_picks, self._num_picks)
            squared_MP = torch.addmm(self._squares_K[first:end], x_MD, self._single_KD[first:end].T, alpha=-2.0)
            pairs += squared_MP.numel()
            bound_M = torch.minimum(bound_M, squared_MP.amin(1).add_(norms_M).clamp_(min=0.0))
            first = end
            kept = (bound_M >= wanted).nonzero().flatten()
            done = first == self._num_picks or len(kept) == 0
            if done or len(kept) < 0.75 * len(rows_M):
                self._bound_N.index_copy_(0, rows_M, bound_M)
                self._seen_N.index_fill_(0, rows_M, end)
                if done:
                    return pairs
                x_MD = x_MD.index_select(0, kept)
                rows_M, bound_M, norms_M = rows_M[kept], bound_M[kept], norms_M[kept]

    def _measure(self, rows_B: Tensor, *, coarse: bool) -> Tensor:
        """(B,) float64 squared distance of each row to its nearest pick; a row's earlier answer is built upon.

        Args:
            rows_B: rows of this shard.
            coarse: distances may be too small for a float32 product to tell picks apart.
        """
        measured_B = self._measured_N[rows_B]
        for group in (measured_B == 0, measured_B > 0):  # newcomers meet all picks, the others only the newest
            members = rows_B[group]
            members = members[self._exact_N[members] > 0.0]  # nothing is nearer than a pick that is the same
            if len(members) == 0:
                continue
            picks = self._picks_from(int(self._measured_N[members].min()), coarse=coarse)
            num_rows = max(64, self._tile_rows * self._chunk_picks // max(1, len(picks.vectors_PD)))
            self._each(partial(self._measure_tile, picks), members.split(num_rows))
        self._measured_N[rows_B] = self._num_picks
        return self._exact_N[rows_B]

    def _measure_tile(self, picks: MeasuringPicks, rows_M: Tensor) -> None:
        nearest_M = nearest_squared(self._frame.float64(self._x_ND[rows_M]), picks)
        self._exact_N[rows_M] = torch.minimum(self._exact_N[rows_M], nearest_M)

    def _picks_from(self, first: int, *, coarse: bool) -> MeasuringPicks:
        vectors_PD = self._picks_KD[first : self._num_picks]
        if coarse:
            return MeasuringPicks(vectors_PD, vectors_PD, vectors_PD.square().sum(1), self._error64)
        single_PD, squares_P = (whole[first : self._num_picks] for whole in (self._single_KD, self._squares_K))
        return MeasuringPicks(vectors_PD, single_PD, squares_P, self._error)

    def _tiles(self) -> Iterator[tuple[int, Tensor]]:
        for start in range(0, len(self._x_ND), self._tile_rows):
            yield start, self._x_ND[start : start + self._tile_rows]

    def _each(self, work: Callable[[Tile], Result], tiles: Iterable[Tile]) -> list[Result]:
        """The work of every tile, in order; tiles share no row.

        A thread for each tile, not all threads for one: products of this size share cores badly, and threads that wait
        for one another at every product stand still when one of them has lost its core.
        """
        tiles = list(tiles)
        if self._num_threads == 1 or len(tiles) == 1:
            return [work(tile) for tile in tiles]
        return list(self._threads.map(work, tiles))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._num_threads, initializer=torch.set_num_threads, initargs=(1,))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """PyTorch uses so many cores in this thread; one is right for what is too little to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _with_room(tensor: Tensor, length: int) -> Tensor:
    """The same values in a tensor that has room for `length` rows; it doubles, so that growth costs little."""
    if length <= len(tensor):
        return tensor
    grown = tensor.new_empty((max(length, 2 * len(tensor)), *tensor.shape[1:]))
    grown[: len(tensor)] = tensor
    return grown
