"""Select: embeddings → coreset, by greedy k-center, exact and block-wise.

Greedy k-center (Gonzalez 1985; Sener & Savarese 2018; WaveCoder, section 2.2.1) picks, k times, the row farthest from
all picks so far. Done literally it reads the whole matrix k times and is bound by memory. The same picks come from
blocks:

1. `nearest_N` holds every row's squared distance to its nearest pick, in float32, known to within `error`. The
   candidates are the B largest and every row that may tie with the largest; τ is the most that any other row can have.
2. The candidates' distances are computed again in float64. Among them alone pick greedily while the best one still
   has more than τ: distances only ever fall, so nobody outside can beat it.
3. Lower `nearest_N` for all rows against the block's picks in one float32 matrix product, and repeat.

So every pick is decided in float64, while all but a few per cent of the arithmetic is a float32 matrix product. Ties
go to the smallest row. Rows are centred on one row of the data and scaled by a power of two, which loses nothing on a
lattice and keeps tiny and huge values in range.

Cost: 2·N·k·D FLOP in float32 products, about 3·k²·D in float64 (more where rows tie), N·k/P reads, P the picks of a
block (tens to hundreds). Memory: one float32 copy of the matrix, 16 bytes a row of state, one tile of scratch.

Not covered here: several devices (`codeocean/coreset.py` when it comes) and pruning by bounds.

Shapes: N rows · D dimensions · B candidates of a block · P picks of a block · T rows of a tile · M rows asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

BLOCK = 512
"""Candidates of a block: enough picks for a matrix product, few enough that their B × B distances cost nothing."""

TILE_ROWS = 8_192
"""Rows of one float32 matrix product: T × P floats of scratch instead of N × P."""

TILE_ELEMENTS = 8_000_000
"""Distances of one float64 matrix product, 64 MB of scratch."""


class Coreset(NamedTuple):
    """The picks in order, and each one's distance to its nearest earlier pick (+inf for the first)."""

    indices: Tensor
    """int64 (k,), on the CPU."""
    radii: Tensor
    """float64 (k,), on the CPU."""


def k_center_greedy(
    x: Tensor | np.ndarray[Any, Any],
    k: int,
    *,
    first: int | None = None,
    on_block: Callable[[int, float], None] | None = None,
) -> Coreset:
    """Pick `k` rows of `x`, each the farthest from all earlier ones (Euclidean distance).

    Args:
        x: (N, D), any float type, on any device; read, never written.
        k: how many rows to pick, 0 to N.
        first: row of the first pick; None takes the row nearest the mean, so that no seed is needed.
        on_block: called after each block with the number of picks so far and the last radius.

    Returns:
        The picks and radii. Deterministic; every prefix of it is the answer for a smaller `k`.

    Raises:
        ValueError: `x` is not a matrix of finite floats, or `k` or `first` is out of range.
    """
    x_ND = _checked(x, k, first)
    if k == 0:
        return Coreset(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.float64))
    rows = _Rows(x_ND, centre=_most_central(x_ND))
    pick = rows.centre if first is None else first
    picks, squared = [pick], [float("inf")]
    nearest_N = torch.full((len(x_ND),), float("inf"), dtype=torch.float32, device=x_ND.device)
    block = torch.tensor([pick], device=x_ND.device)
    while len(picks) < k:
        update_nearest(nearest_N, rows.scaled_ND, rows.norms_N, rows.scaled_ND[block])
        nearest_N[block] = -1.0  # a pick is never a candidate again, not even at distance zero
        candidates_B, limit = _choose_candidates(nearest_N, rows.error)
        exact_B = rows.nearest_squared(candidates_B, torch.tensor(picks, device=x_ND.device))
        chosen, values = _pick_block(rows, candidates_B, exact_B, limit, k - len(picks))
        block = candidates_B[chosen]
        picks += block.tolist()
        squared += values
        if on_block is not None:
            on_block(len(picks), squared[-1] ** 0.5 / rows.scale)
    radii = torch.tensor(squared, dtype=torch.float64).sqrt() / rows.scale
    return Coreset(torch.tensor(picks, dtype=torch.int64), radii)


def update_nearest(nearest_N: Tensor, x_ND: Tensor, norms_N: Tensor, picks_PD: Tensor) -> None:
    """Lower each row's squared distance to its nearest pick, in place.

    Args:
        nearest_N: float32, squared Euclidean distance to the nearest pick so far; +inf before the first.
        x_ND: float32 rows, read once.
        norms_N: float32, squared norms of `x_ND`.
        picks_PD: the block's new picks, same type and device as `x_ND`.

    Cost: 2·N·P·D FLOP in matrix products, N·D reads. Memory: T·P floats of scratch. Idempotent.
    """
    picks_DP = picks_PD.T.contiguous()
    norms_P = (picks_PD * picks_PD).sum(1)
    for start in range(0, len(x_ND), TILE_ROWS):
        tile = slice(start, start + TILE_ROWS)
        lowest_T = torch.addmm(norms_P, x_ND[tile], picks_DP, alpha=-2.0).amin(1)
        torch.minimum(nearest_N[tile], lowest_T.add_(norms_N[tile]).clamp_(min=0.0), out=nearest_N[tile])


class _Rows:
    """The matrix centred on one of its rows and scaled by a power of two: float32 at hand, float64 on demand."""

    def __init__(self, x_ND: Tensor, centre: int) -> None:
        self._x_ND = x_ND
        self.centre = centre
        n, d = x_ND.shape
        widest = max(float((tile - x_ND[centre].double()).abs().max()) for tile in _tiles_float64(x_ND)) if d else 0.0
        self.scale = float(2.0 ** -np.frexp(widest)[1]) if widest > 0.0 else 1.0
        self.scaled_ND = torch.empty((n, d), dtype=torch.float32, device=x_ND.device)
        self.norms_N = torch.empty(n, dtype=torch.float32, device=x_ND.device)
        for start in range(0, n, TILE_ROWS):
            tile_TD = (x_ND[start : start + TILE_ROWS].double() - x_ND[centre].double()) * self.scale
            self.scaled_ND[start : start + TILE_ROWS] = tile_TD
            self.norms_N[start : start + TILE_ROWS] = (tile_TD * tile_TD).sum(1)
        largest = float(self.norms_N.max())
        # |a|² + |b|² - 2ab: the product's D rounding errors add up like a random walk (Higham & Mary 2019, λ = 4).
        self.error = largest * _unit_roundoff(torch.float32) * (8.0 * d**0.5 + 16.0)
        self.error64 = largest * _unit_roundoff(torch.float64) * (8.0 * d**0.5 + 16.0)
        self._exact_N = torch.full((n,), float("inf"), dtype=torch.float64, device=x_ND.device)
        self._seen_N = torch.zeros(n, dtype=torch.int32, device=x_ND.device)

    def float64(self, indices_M: Tensor) -> Tensor:
        """(M, D) float64: the rows, centred and scaled."""
        return (self._x_ND[indices_M].double() - self._x_ND[self.centre].double()) * self.scale

    def nearest_squared(self, rows_M: Tensor, picks: Tensor) -> Tensor:
        """(M,) float64 squared distance of each row to its nearest pick; a row's earlier answer is built upon.

        A matrix product finds the nearest pick, differences measure it: equal rows get equal answers, to the last bit.
        Cost: 2·M·D FLOP in float64 for each pick that a row has not met yet.
        """
        seen_M = self._seen_N[rows_M]
        for group in (seen_M == 0, seen_M > 0):  # newcomers meet all picks, the others only the newest
            members = rows_M[group]
            if len(members) == 0:
                continue
            new_PD = self.float64(picks[int(self._seen_N[members].min()) :])
            for tile in members.split(max(64, TILE_ELEMENTS // len(new_PD))):
                tile_TD = self.float64(tile)
                nearest_T = self._nearest_pick(tile_TD, new_PD)
                squared_T = torch.from_numpy(_squared_differences(tile_TD, new_PD[nearest_T])).to(tile.device)
                self._exact_N[tile] = torch.minimum(self._exact_N[tile], squared_T)
        self._seen_N[rows_M] = len(picks)
        return self._exact_N[rows_M]

    def _nearest_pick(self, a_TD: Tensor, picks_PD: Tensor) -> Tensor:
        squared_T, nearest_T = self.product_squared(a_TD, picks_PD).min(1)
        near_T = squared_T < 1e6 * self.error64
        if bool(near_T.any()):  # too near for the product to tell picks apart
            differences = torch.cdist(a_TD[near_T], picks_PD, compute_mode="donot_use_mm_for_euclid_dist")
            nearest_T[near_T] = differences.argmin(1)
        return nearest_T

    @staticmethod
    def product_squared(a_MD: Tensor, b_PD: Tensor) -> Tensor:
        """(M, P) float64 squared distances by one matrix product, each within `error64` of the truth."""
        squared_MP = torch.addmm((b_PD * b_PD).sum(1), a_MD, b_PD.T, alpha=-2.0)
        return squared_MP.add_((a_MD * a_MD).sum(1)[:, None])


def _choose_candidates(nearest_N: Tensor, error: float) -> tuple[Tensor, float]:
    """Rows that can be the farthest, ascending, and the most squared distance that any row outside them can have."""
    top = torch.topk(nearest_N, min(BLOCK + 1, len(nearest_N))).values
    # Every row that rounding may have put below the largest is a candidate, or a tie would not go to the smallest row.
    threshold = max(0.0, min(float(top[-1]), float(top[0]) - 2.0 * error))
    outside_N = nearest_N < threshold
    largest_outside = float(torch.where(outside_N, nearest_N, -1.0).max())
    inside = torch.nonzero(nearest_N >= threshold).flatten()
    return inside, largest_outside + error if largest_outside >= 0.0 else -1.0


def _pick_block(
    rows: _Rows, candidates_B: Tensor, exact_B: Tensor, limit: float, most: int
) -> tuple[Tensor, list[float]]:
    """Greedy picks among the candidates while no other row can be farther, nor as far and smaller.

    Args:
        rows: the matrix.
        candidates_B: candidate rows, ascending.
        exact_B: float64, their squared distances to their nearest picks.
        limit: the most that a row outside the candidates can have.
        most: how many picks at most.

    Returns:
        Positions of the picks within `candidates_B`, and their squared distances. At least one pick.
    """
    inner, rival, rival_squared = torch.arange(len(candidates_B), device=candidates_B.device), -1, -1.0
    if len(inner) > 2 * BLOCK:  # many ties: go on with the farthest, the smallest rows first; the next one is the rival
        order = torch.argsort(exact_B, descending=True, stable=True)
        rival, rival_squared = int(order[BLOCK]), float(exact_B[order[BLOCK]])
        inner = order[:BLOCK].sort().values
    positions = inner.tolist()
    inner_BD = rows.float64(candidates_B[inner])
    between_BB = rows.product_squared(inner_BD, inner_BD).sub_(rows.error64).cpu().numpy()
    inner_BD = inner_BD.cpu()
    values = exact_B[inner].cpu().numpy()
    chosen: list[int] = []
    squared: list[float] = []
    while len(chosen) < min(most, len(inner)):
        best = int(values.argmax())  # the first of equals, and candidates ascend: ties go to the smallest row
        beats_rival = values[best] > rival_squared or (values[best] == rival_squared and positions[best] < rival)
        if chosen and not (values[best] > limit and beats_rival):
            break
        chosen.append(best)
        squared.append(float(values[best]))
        values[best] = -1.0  # below every distance, for good
        nearer = np.flatnonzero(between_BB[best] < values)  # the product says which may change, differences by how much
        values[nearer] = np.minimum(values[nearer], _squared_differences(inner_BD[nearer], inner_BD[best]))
    return inner[torch.tensor(chosen, device=inner.device)], squared


def _most_central(x_ND: Tensor) -> int:
    """Row nearest the mean, the smallest of equals; in float64."""
    total_D = torch.zeros(x_ND.shape[1], dtype=torch.float64, device=x_ND.device)
    for tile_TD in _tiles_float64(x_ND):
        total_D += tile_TD.sum(0)
    mean_D = total_D / len(x_ND)
    return int(torch.cat([((tile_TD - mean_D) ** 2).sum(1) for tile_TD in _tiles_float64(x_ND)]).argmin())


def _squared_differences(a_MD: Tensor, b_MD: Tensor) -> np.ndarray[Any, Any]:
    """(M,) float64. NumPy adds up each row alone, so that a row's answer does not depend on the rows beside it."""
    return np.ascontiguousarray((a_MD - b_MD).square_().cpu().numpy()).sum(1)


def _tiles_float64(x_ND: Tensor) -> Iterator[Tensor]:
    for tile_TD in x_ND.split(TILE_ROWS):
        yield tile_TD.double()


def _unit_roundoff(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps / 2.0


def _checked(x: Tensor | np.ndarray[Any, Any], k: int, first: int | None) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # it is only read
        x_ND = torch.as_tensor(x)
    if x_ND.ndim != 2:
        raise ValueError(f"x has shape {tuple(x_ND.shape)}; k-center needs a matrix of one row for each point")
    n = len(x_ND)
    if not 0 <= k <= n:
        raise ValueError(f"k is {k} but x holds {n} rows; choose k between 0 and {n}")
    if first is not None and not 0 <= first < n:
        raise ValueError(f"first is {first} but x holds {n} rows; choose a row between 0 and {n - 1}")
    if not x_ND.is_floating_point():
        x_ND = x_ND.double()
    for start in range(0, n, TILE_ROWS):
        finite_T = torch.isfinite(x_ND[start : start + TILE_ROWS]).all(1)
        if not bool(finite_T.all()):
            row = start + int(torch.nonzero(~finite_T)[0])
            raise ValueError(f"row {row} of x holds NaN or infinity; drop the row or embed it again")
    return x_ND
