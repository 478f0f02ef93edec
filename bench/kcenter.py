"""Greedy k-center: ours against the literal algorithm and against the machine's matrix-product rate.

`python -m bench.kcenter [--sizes N …] [--dimensions D] [--picks K]` prints one JSON object. The rows have the spectrum
of real embeddings of code (variance of the i-th principal direction falling as i^-1, norm 1), not white noise: that
decides how far the radius falls. The literal algorithm is the paper's: scikit-learn's `pairwise_distances`, one centre
at a time; it is timed over fewer picks and scaled up, as its cost is the same for every pick.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.metrics import pairwise_distances

from bench.machine import describe_machine
from codeocean.kcenter import k_center_greedy

LITERAL_PICKS = 20


def embedding_like(n: int, d: int, seed: int = 0) -> torch.Tensor:
    """(n, d) float32 unit vectors with the falling spectrum of code embeddings."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator) * torch.arange(1, d + 1).rsqrt()
    return x / x.norm(dim=1, keepdim=True)


def literal_seconds(x: np.ndarray[Any, Any], k: int) -> float:
    """Seconds that the literal algorithm needs for `k` picks, from `LITERAL_PICKS` of them."""
    nearest = np.full(len(x), np.inf)
    pick, begun = 0, time.perf_counter()
    for _ in range(LITERAL_PICKS):
        nearest = np.minimum(nearest, pairwise_distances(x, x[pick : pick + 1])[:, 0])
        pick = int(nearest.argmax())
    return (time.perf_counter() - begun) * k / LITERAL_PICKS


def gemm_flops(x: torch.Tensor) -> float:
    """FLOP/s of a float32 matrix product of these rows with 512 others, the best of five."""
    other = x[:512].T.contiguous()
    times = [_seconds(lambda: x @ other) for _ in range(5)]
    return 2.0 * x.shape[0] * x.shape[1] * 512 / min(times)


def measure(n: int, d: int, k: int, runs: int) -> dict[str, Any]:
    """One size: ours, the literal algorithm and the matrix-product bound, in the same minute."""
    x = embedding_like(n, d)
    ours = [_seconds(lambda: k_center_greedy(x, k)) for _ in range(runs)]
    rate = gemm_flops(x)
    literal = literal_seconds(x.numpy(), k)
    seconds, bound = statistics.median(ours), 2.0 * n * k * d / rate
    return {
        "n": n,
        "d": d,
        "k": k,
        "seconds": round(seconds, 3),
        "literal_seconds": round(literal, 1),
        "speedup": round(literal / seconds, 1),
        "gemm_bound_seconds": round(bound, 3),
        "share_of_bound": round(bound / seconds, 3),
        "gemm_gflops": round(rate / 1e9, 1),
    }


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_500, 25_000, 50_000])
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--picks", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sizes = [measure(n, options.dimensions, options.picks, options.runs) for n in options.sizes]
    print(json.dumps({"bench": "kcenter", "machine": describe_machine(), "sizes": sizes}))


if __name__ == "__main__":
    main()
