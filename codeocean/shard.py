"""Select: one slice of the matrix, and what greedy k-center asks of it. PyTorch only: no Ray, CPU or CUDA.

The slice keeps an upper bound on each row's squared distance to its nearest pick. Distances only ever fall, so a bound
that has not met the newest picks is still a bound: only rows whose bound reaches the top are brought up to date, and a
row falls out again at the first pick that is near enough. On embeddings of code that is about a seventh of all
(row, pick) pairs; the others are never computed (docs/architecture.md).

Bounds are float32 matrix products. The rows at the top, the candidates, are measured in float64 by differences: what a
candidate's distance is does not depend on blocks, tiles or shards, to the last bit.

Shapes: N rows of the slice · D dimensions · K picks so far · B candidates · P picks of a block · M rows in hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

TILE_ROWS = 2_048
"""Rows of one matrix product: its TILE_ROWS × CHUNK_PICKS distances stay in the processor's cache."""

CHUNK_PICKS = 128
"""Picks that a row meets before it is asked whether it is still among the farthest."""

MARGIN = 0.1
"""Share of the distance between the top bounds and the candidates' lowest by which more rows are brought up to date."""

MEASURED_PAIRS = 4_096
"""Pairs measured by differences at a time."""

_DONE = torch.iinfo(torch.int32).max


@dataclass(frozen=True)
class Frame:
    """The coordinates in which distances are computed: (rows, of length 1 if so asked, minus a centre) · scale.

    Rows stay as they are unless they lie far from the origin or their squares would leave float32's range.
    """

    unit: bool = False
    """Rows are scaled to length 1 (rows of zeros stay), for the cosine metric."""
    centre_D: Tensor | None = None
    """float64 on the CPU; one row of the data, so that a lattice stays one."""
    scale: float = 1.0
    """A power of two: scaling loses nothing."""
    largest: float = 0.0
    """Largest squared norm of a row in these coordinates; both errors follow from it."""
    mean_D: Tensor | None = None
    """float64 on the CPU, mean of the rows, rounded to float32: in what order shards add up must not break a tie."""

    @property
    def plain(self) -> bool:
        """Whether rows stay as they are."""
        return not self.unit and self.centre_D is None and self.scale == 1.0

    def error(self, dtype: torch.dtype, dimensions: int) -> float:
        """Most by which a matrix product in `dtype` misses a squared distance |a|² + |b|² - 2ab.

        The product's D rounding errors add up like a random walk (Higham & Mary 2019, λ = 4).
        """
        return self.largest * torch.finfo(dtype).eps / 2.0 * (8.0 * dimensions**0.5 + 16.0)

    def float64(self, x_MD: Tensor) -> Tensor:
        """(M, D) float64: rows in these coordinates."""
        moved_MD = x_MD.double()
        if self.unit:
            norms_M1 = moved_MD.norm(dim=1, keepdim=True)
            moved_MD = moved_MD / torch.where(norms_M1 > 0.0, norms_M1, 1.0)
        if self.centre_D is not None:
            moved_MD = moved_MD - self.centre_D.to(x_MD.device)
        return moved_MD if self.scale == 1.0 else moved_MD * self.scale

    def float32(self, x_MD: Tensor) -> Tensor:
        """(M, D) float32: rows in these coordinates, without a copy where they are that already."""
        return x_MD.float() if self.plain else self.float64(x_MD).float()


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
        self.pairs_met = 0
        """(row, pick) pairs whose bound was computed, of N·K."""

    def extent(self, frame: Frame) -> Extent:
        """Sums and largest values of the rows in a frame; their norms are kept.

        Raises:
            ValueError: a value is NaN or infinite; the row is named.
        """
        total_D = torch.zeros(self._x_ND.shape[1], dtype=torch.float64, device=self._x_ND.device)
        ones_M = total_D.new_ones(TILE_ROWS)
        widest, squares = 0.0, 0.0
        for start, tile in self._tiles():
            if tile.numel():
                low, high = torch.aminmax(tile)
                if not bool(torch.isfinite(low) & torch.isfinite(high)):
                    row = self._start + start + int((~torch.isfinite(tile).all(1)).nonzero()[0])
                    raise ValueError(f"row {row} of x holds NaN or infinity; drop the row or embed it again")
                widest = max(widest, -float(low), float(high))
            total_D += ones_M[: len(tile)] @ frame.float64(tile)  # half the time of a sum over rows
            norms = self._norms_N[start : start + len(tile)]
            norms.copy_(torch.linalg.vecdot(single := frame.float32(tile), single))
            squares += float(norms.sum(dtype=torch.float64))
        largest = float(self._norms_N.max()) if len(self._norms_N) else 0.0
        return Extent(len(self._x_ND), total_D.cpu(), widest, largest, squares)

    def set_frame(self, frame: Frame) -> None:
        """Fix the coordinates, those of the last `extent`, and the errors; before the first pick."""
        self._frame = frame
        self._error, self._error64 = (
            frame.error(dtype, self._x_ND.shape[1]) for dtype in (torch.float32, torch.float64)
        )

    def nearest_row(self, point_D: Tensor) -> tuple[float, int]:
        """Squared distance and number of the row nearest a point of the frame (float64), the smallest of equals."""
        point_D = point_D.to(self._x_ND.device)
        best = (float("inf"), -1)
        for start, tile in self._tiles():
            squared_M = self._norms_N[start : start + len(tile)] - 2.0 * (self._frame.float32(tile) @ point_D.float())
            near = (squared_M <= squared_M.min() + 2.0 * self._error).nonzero().flatten()
            exact = squared_differences(_numpy(self._frame.float64(tile[near])), _numpy(point_D))
            row = int(exact.argmin())
            best = min(best, (float(exact[row]), self._start + start + int(near[row])))
        return best

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
        error = self._error
        self._bring_up_to_date(expected)
        while True:
            top = torch.topk(self._bound_N, min(most + 1, len(self._bound_N))).values.tolist() or [-1.0]
            # Every row that rounding may have put below the largest is in, or a tie would not go to the smallest row.
            threshold = max(0.0, min(top[-1], top[0] - 2.0 * error))
            inside_N = self._bound_N >= threshold
            if bool((self._seen_N[inside_N] >= self._num_picks).all()):
                break
            self._bring_up_to_date(threshold - MARGIN * (top[0] - threshold))
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

    def _bring_up_to_date(self, wanted: float) -> None:
        """Let every row whose bound reaches `wanted` meet the picks that it has not met, until it falls below."""
        rows = ((self._bound_N >= wanted) & (self._seen_N < self._num_picks)).nonzero().flatten()
        missed = self._num_picks - self._seen_N[rows]
        # Rows that missed about as many picks go together: within a factor of two, so that little is computed twice.
        binned = torch.log2(missed.float()).int()
        for exponent in binned.unique().tolist():
            members = binned == exponent
            first = self._num_picks - int(missed[members].max())
            for tile in rows[members].split(TILE_ROWS):
                self._meet_picks(tile, first, wanted)

    def _meet_picks(self, rows_M: Tensor, first: int, wanted: float) -> None:
        """Lower the bounds of rows against the picks from `first` on; a row that falls below `wanted` stops there.

        Cost: 2·D FLOP for each pair, one gather of the rows.
        """
        low, high = (
            int(rows_M[0]),
            int(rows_M[-1]) + 1,
        )  # ascending: a run of rows needs no gathering
        x_MD = self._x_ND[low:high] if high - low == len(rows_M) else self._x_ND.index_select(0, rows_M)
        x_MD = self._frame.float32(x_MD)
        bound_M, norms_M = self._bound_N[rows_M], self._norms_N[rows_M]
        while True:
            end = min(first + CHUNK_PICKS, self._num_picks)
            squared_MP = torch.addmm(self._squares_K[first:end], x_MD, self._single_KD[first:end].T, alpha=-2.0)
            self.pairs_met += squared_MP.numel()
            bound_M = torch.minimum(bound_M, squared_MP.amin(1).add_(norms_M).clamp_(min=0.0))
            self._bound_N.index_copy_(0, rows_M, bound_M)
            self._seen_N.index_fill_(0, rows_M, end)
            first = end
            if first == self._num_picks:
                break
            kept = (bound_M >= wanted).nonzero().flatten()
            if len(kept) == 0:
                break
            if len(kept) < 0.75 * len(rows_M):
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
            picks_PD = self._picks_KD[int(self._measured_N[members].min()) : self._num_picks]
            for tile in members.split(max(64, TILE_ROWS * CHUNK_PICKS // max(1, len(picks_PD)))):
                rows_MD = self._frame.float64(self._x_ND[tile])
                dtype = torch.float64 if coarse else torch.float32
                error = self._error64 if coarse else self._error
                nearest_M = nearest_squared(rows_MD, picks_PD, dtype, error)
                self._exact_N[tile] = torch.minimum(self._exact_N[tile], nearest_M)
        self._measured_N[rows_B] = self._num_picks
        return self._exact_N[rows_B]

    def _tiles(self) -> Iterator[tuple[int, Tensor]]:
        for start in range(0, len(self._x_ND), TILE_ROWS):
            yield start, self._x_ND[start : start + TILE_ROWS]


def _with_room(tensor: Tensor, length: int) -> Tensor:
    """The same values in a tensor that has room for `length` rows; it doubles, so that growth costs little."""
    if length <= len(tensor):
        return tensor
    grown = tensor.new_empty((max(length, 2 * len(tensor)), *tensor.shape[1:]))
    grown[: len(tensor)] = tensor
    return grown


def nearest_squared(rows_MD: Tensor, picks_PD: Tensor, dtype: torch.dtype, error: float) -> Tensor:
    """(M,) float64 squared distance of each row to its nearest pick, measured by differences.

    Args:
        rows_MD: float64.
        picks_PD: float64, at least one.
        dtype: of the matrix product that tells which picks can be the nearest.
        error: most by which that product misses a squared distance.
    """
    a_MD, b_PD = rows_MD.to(dtype), picks_PD.to(dtype)
    squared_MP = torch.addmm(b_PD.square().sum(1), a_MD, b_PD.T, alpha=-2.0)  # without |a|², which orders nothing
    lowest_M, nearest_M = squared_MP.min(1)
    found = squared_differences(_numpy(rows_MD), _numpy(picks_PD[nearest_M]))
    near_MP = squared_MP <= (lowest_M + 2.0 * error)[:, None]
    near_MP[torch.arange(len(rows_MD), device=near_MP.device), nearest_M] = False
    near_MP[torch.from_numpy(found == 0.0).to(near_MP.device)] = False
    for pairs in near_MP.nonzero().split(MEASURED_PAIRS):
        rows, picks = pairs.T
        np.minimum.at(found, _numpy(rows), squared_differences(_numpy(rows_MD[rows]), _numpy(picks_PD[picks])))
    return torch.from_numpy(found).to(rows_MD.device)


Float64Array = np.ndarray[Any, np.dtype[np.float64]]


def squared_differences(a_MD: Float64Array, b_MD: Float64Array) -> Float64Array:
    """(M,) float64 squared distances of float64 rows.

    NumPy adds up each row alone, so that a row's answer does not depend on the rows beside it.
    """
    difference = np.ascontiguousarray(a_MD - b_MD)
    squared: Float64Array = np.square(difference, out=difference).sum(1)
    return squared


def _numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = tensor.cpu().numpy()
    return array
