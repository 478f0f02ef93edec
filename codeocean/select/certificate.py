"""Select: a check of a coreset by plain float64 arithmetic, apart from the code that chose it. No Ray here.

Shapes: M rows in the sample · K picks · D dimensions.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

TILE = 1_024
"""Rows and picks whose distances are held at a time."""


class Certificate(NamedTuple):
    """What a coreset is worth."""

    worst_ratio: float
    """Smallest ratio of a pick's distance to the largest of a sampled row at that moment; 1 is exact greedy."""
    radius_error: float
    """Largest relative error of a pick's own radius."""
    sampled_rows: int


def certify(sample_MD: Tensor, picks_KD: Tensor, radii_K: Tensor, given: int = 1) -> Certificate:
    """Check each pick against a sample of rows: none was farther from the earlier picks than the row that was picked.

    Args:
        sample_MD: rows of the corpus, any float type.
        picks_KD: the picked rows, in order.
        radii_K: float64, each pick's distance to its nearest earlier pick, as claimed.
        given: picks at the head that were not chosen greedily; at least the very first.

    Distances below a millionth of the widest are not checked. Cost: about 2·(M + K/2)·K·D FLOP in float64, a thread for
    each TILE rows. Memory: TILE² float64 a thread.
    """
    centre_D = picks_KD[0].double()
    picks_KD, sample_MD = picks_KD.double() - centre_D, sample_MD.double() - centre_D
    noise = 1e-6 * float(torch.cat([sample_MD, picks_KD]).norm(dim=1).max())  # a product cannot tell less from zero
    tiles: list[tuple[Tensor, int | None]] = [(tile, None) for tile in sample_MD.split(TILE)]
    tiles += [(tile, TILE * number) for number, tile in enumerate(picks_KD.split(TILE))]
    with ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,)) as threads:
        checked = list(threads.map(partial(_check_rows, picks_KD), tiles))
    farthest_K = torch.stack([farthest for farthest, _ in checked]).amax(0)
    true_K = torch.cat([own for _, own in checked])
    order_K = torch.arange(len(picks_KD))
    ratios = (radii_K / farthest_K)[(order_K >= given) & (farthest_K > noise)]
    errors = ((radii_K - true_K).abs() / true_K)[(order_K >= 1) & (true_K > noise)]
    return Certificate(min([1.0, *ratios.tolist()]), max([0.0, *errors.tolist()]), len(sample_MD))


def _check_rows(picks_KD: Tensor, tile: tuple[Tensor, int | None]) -> tuple[Tensor, Tensor]:
    """The largest distance of some rows to the picks before each pick; and of rows that are picks, their own then.

    Args:
        picks_KD: the picks.
        tile: rows, and number of the first where they are picks.
    """
    rows_MD, first = tile
    nearest_M = torch.full((len(rows_MD),), float("inf"), dtype=torch.float64)
    farthest_K, own_M = torch.zeros(len(picks_KD), dtype=torch.float64), nearest_M[:0]
    for start in range(0, len(picks_KD) if first is None else first + 1, TILE):  # behind it, these are picked
        distances_MP = torch.cdist(rows_MD, picks_KD[start : start + TILE])
        before_MP = torch.cat([nearest_M[:, None], distances_MP[:, :-1]], 1).cummin(1).values
        farthest_K[start : start + TILE] = before_MP.amax(0)
        if start == first:
            own_M = before_MP.diagonal().clone()
        nearest_M = torch.minimum(before_MP[:, -1], distances_MP[:, -1])
    return farthest_K, own_M
