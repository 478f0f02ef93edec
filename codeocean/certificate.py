"""Select: a check of a coreset by plain float64 arithmetic, apart from the code that chose it. No Ray here.

Shapes: M rows in the sample · K picks · D dimensions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

TILE_PICKS = 1_024
"""Picks whose distances to the sample are held at a time."""


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

    Distances below a millionth of the widest are not checked. Cost: 2·(M + K)·K·D FLOP in float64. Memory:
    (M + K)·TILE_PICKS float64.
    """
    centre_D = picks_KD[0].double()
    picks_KD = picks_KD.double() - centre_D
    rows_MD = torch.cat([sample_MD.double() - centre_D, picks_KD])
    noise = 1e-6 * float(rows_MD.norm(dim=1).max())  # a product cannot tell smaller distances from zero
    nearest_M = torch.full((len(rows_MD),), float("inf"), dtype=torch.float64)
    worst, error = 1.0, 0.0
    for start in range(0, len(picks_KD), TILE_PICKS):
        distances_MP = torch.cdist(rows_MD, picks_KD[start : start + TILE_PICKS])
        before_MP = torch.cat([nearest_M[:, None], distances_MP[:, :-1]], 1).cummin(1).values
        own_P = torch.arange(start, start + distances_MP.shape[1])
        farthest_P, true_P = before_MP.amax(0), before_MP[len(sample_MD) + own_P, own_P - start]
        claimed_P = radii_K[own_P]
        ratios = (claimed_P / farthest_P)[(own_P >= given) & (farthest_P > noise)]
        errors = ((claimed_P - true_P).abs() / true_P)[(own_P >= 1) & (true_P > noise)]
        worst = min([worst, *ratios.tolist()])
        error = max([error, *errors.tolist()])
        nearest_M = torch.minimum(before_MP[:, -1], distances_MP[:, -1])
    return Certificate(worst, error, len(sample_MD))
