"""pass@k, unbiased: the chance that at least one of k samples drawn from n passes (Chen et al. 2021, equation 1)."""

from __future__ import annotations

import math


def estimate_pass_at_k(n: int, c: int, k: int) -> float:
    """1 - C(n - c, k) / C(n, k), as a product that neither overflows nor cancels.

    Args:
        n: samples of one problem.
        c: how many of them passed.
        k: how many are drawn.

    Raises:
        ValueError: not 0 ≤ c ≤ n or not 1 ≤ k ≤ n.
    """
    if not 0 <= c <= n:
        raise ValueError(f"c is {c} of n = {n} samples; it must lie between 0 and n")
    if not 1 <= k <= n:
        raise ValueError(f"k is {k} but there are n = {n} samples; choose k between 1 and n")
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))
