"""How sure a score is: bootstrap over the problems, seeded. Pure.

What varies is which problems the benchmark happened to hold; a problem's own samples are already averaged by pass@k.
"""

# N problems · R resamples · U different values

from __future__ import annotations

import math
from typing import Any

import numpy as np

RESAMPLES = 10_000


def bootstrap_interval(values_N: np.ndarray[Any, Any], *, seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of the mean (Efron 1979); of equal values, which no resample can vary, Wilson's.

    Args:
        values_N: one value of each problem, in [0, 1].
        seed: of the resampling; the same seed gives the same interval.
        level: how often the interval should hold the truth.
    """
    values_N = np.asarray(values_N, dtype=np.float64)
    if len(values_N) == 0:
        return 0.0, 1.0
    if np.ptp(values_N) == 0.0:
        return wilson_interval(float(values_N[0]), len(values_N))
    return _percentiles(_resampled_means(values_N, seed), level)


def paired_difference(
    first_N: np.ndarray[Any, Any], second_N: np.ndarray[Any, Any], *, seed: int = 0, level: float = 0.95
) -> dict[str, float]:
    """Second minus first on the same problems: `difference, low, high`, and `p_value`, two-sided.

    Problems are resampled in pairs, so what makes a problem hard for both takes nothing away from the difference.

    Raises:
        ValueError: the two do not have the same number of problems.
    """
    if len(first_N) != len(second_N):
        raise ValueError(f"{len(first_N)} problems cannot be paired with {len(second_N)}")
    changes_N = np.asarray(second_N, dtype=np.float64) - np.asarray(first_N, dtype=np.float64)
    difference = float(changes_N.mean()) if len(changes_N) else 0.0
    if len(changes_N) == 0 or np.ptp(changes_N) == 0.0:
        return {"difference": difference, "low": difference, "high": difference, "p_value": float(difference == 0.0)}
    means_R = _resampled_means(changes_N, seed)
    low, high = _percentiles(means_R, level)
    beyond = 1 + min(int((means_R <= 0).sum()), int((means_R >= 0).sum()))
    return {"difference": difference, "low": low, "high": high, "p_value": min(1.0, 2 * beyond / (RESAMPLES + 1))}


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """95 % confidence interval of a share of `n` trials (Wilson 1927)."""
    z = 1.959964
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _resampled_means(values_N: np.ndarray[Any, Any], seed: int) -> np.ndarray[Any, Any]:
    """(R,) means of as many values drawn with replacement; only how often each different value is drawn counts."""
    different_U, counts_U = np.unique(values_N, return_counts=True)
    n = len(values_N)
    drawn_RU = np.random.default_rng(seed).multinomial(n, counts_U / n, size=RESAMPLES)
    means_R: np.ndarray[Any, Any] = drawn_RU @ different_U / n
    return means_R


def _percentiles(means_R: np.ndarray[Any, Any], level: float) -> tuple[float, float]:
    low, high = np.quantile(means_R, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
