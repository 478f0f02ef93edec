"""Select: the picks of other methods, for an ablation beside k-center. No Ray here."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np


def choose_baseline(
    method: Literal["random", "k-means++"], x_ND: np.ndarray[Any, Any] | None, num_rows: int, k: int, seed: int
) -> list[int]:
    """`k` different rows of `num_rows`, in the order in which they were drawn.

    "random" draws evenly; "k-means++" (Arthur & Vassilvitskii 2007, by scikit-learn) draws a row with a chance that
    grows with its squared distance to the nearest earlier one.

    Args:
        method: which.
        x_ND: (N, D) vectors, which only k-means++ reads.
        num_rows: N.
        k: how many.
        seed: of the draws.
    """
    if method == "random":
        return np.random.default_rng(seed).permutation(num_rows)[:k].tolist()
    from sklearn.cluster import kmeans_plusplus

    assert x_ND is not None
    _, drawn = kmeans_plusplus(np.asarray(x_ND, dtype=np.float32), k, random_state=seed)
    picks = list(dict.fromkeys(drawn.tolist()))  # rows that are all the same can be drawn twice
    unpicked = (row for row in range(num_rows) if row not in set(picks))
    return picks + [next(unpicked) for _ in range(k - len(picks))]
