"""Greedy k-center: ours against the literal algorithm, naive torch, and the machine's matrix-product rate.

`python -m bench.kcenter [--sizes N …] [--dimensions D] [--picks K …] [--shards S]` prints one JSON object. The rows
follow a model fitted to MiniLM's vectors of real functions (`bench/minilm_spectrum.json`): their mean, their variance
along each principal direction, and families of five rows that share 80 % of it; not white noise, which decides how far
the radius falls. On real vectors the radius after 1,000 of 10,000 picks is 1.064, on the model's 1.094.

The literal algorithm is the paper's: scikit-learn's `pairwise_distances`, one centre at a time; naive torch is the same
with one matrix-vector product. Both are timed over fewer picks and scaled up: every pick costs them the same. The bound
is that of the dense block algorithm, 2·N·K·D FLOP at the rate of one large product, measured between our runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the jobs do; read when torch is imported

import numpy as np
import torch
from sklearn.metrics import pairwise_distances

from bench.machine import describe_machine
from codeocean.select.kcenter import choose_frame, extend_picks, k_center_greedy, start_picks
from codeocean.select.shard import Shard

BASELINE_PICKS = 20
FAMILY_ROWS, FAMILY_SHARE = 5, 0.8
MODEL_ROWS = 100_000
"""Rows that are drawn at a time, so that the data costs no second matrix."""


def embedding_like(n: int, d: int = 384, seed: int = 0, device: str = "cpu") -> torch.Tensor:
    """(n, d) float32 unit vectors like those of real functions; `d` other than 384 stretches the spectrum."""
    fitted = json.loads((Path(__file__).parent / "minilm_spectrum.json").read_text(encoding="utf-8"))
    places = np.linspace(0, 383, d)
    deviation_D = torch.tensor(np.interp(places, range(384), fitted["variances"])).sqrt().float().to(device)
    mean_D = torch.tensor(np.interp(places, range(384), fitted["mean"])).float().to(device)
    generator = torch.Generator(device).manual_seed(seed)
    families = torch.randn(max(1, n // FAMILY_ROWS), d, generator=generator, device=device) * deviation_D
    x_ND = torch.empty(n, d, device=device)
    for start in range(0, n, MODEL_ROWS):
        rows = x_ND[start : start + MODEL_ROWS]
        family = torch.randint(len(families), (len(rows),), generator=generator, device=device)
        own = torch.randn(rows.shape, generator=generator, device=device) * deviation_D
        rows.copy_(mean_D + FAMILY_SHARE**0.5 * families[family] + (1 - FAMILY_SHARE) ** 0.5 * own)
        rows.div_(rows.norm(dim=1, keepdim=True))
    return x_ND


def literal_seconds(x: np.ndarray[Any, Any], k: int) -> float:
    """Seconds that the literal algorithm needs for `k` picks, from `BASELINE_PICKS` of them."""
    nearest = np.full(len(x), np.inf)
    pick, begun = 0, time.perf_counter()
    for _ in range(BASELINE_PICKS):
        nearest = np.minimum(nearest, pairwise_distances(x, x[pick : pick + 1])[:, 0])
        pick = int(nearest.argmax())
    return (time.perf_counter() - begun) * k / BASELINE_PICKS


def naive_torch_seconds(x_ND: torch.Tensor, k: int) -> float:
    """Seconds for `k` picks by one matrix-vector product each, from `BASELINE_PICKS` of them."""
    norms_N = x_ND.square().sum(1)
    nearest_N = torch.full((len(x_ND),), float("inf"), device=x_ND.device)
    pick, begun = 0, time.perf_counter()
    for _ in range(BASELINE_PICKS):
        squared_N = norms_N - 2.0 * (x_ND @ x_ND[pick]) + norms_N[pick]
        nearest_N = torch.minimum(nearest_N, squared_N)
        pick = int(nearest_N.argmax())
    return (time.perf_counter() - begun) * k / BASELINE_PICKS


def gemm_flops(x_ND: torch.Tensor) -> float:
    """FLOP/s of a float32 matrix product of 20,000 of these rows with 512 others, the best of five."""
    rows, other = x_ND[:20_000], x_ND[:512].T.contiguous()
    seconds = min(_seconds(lambda: _synchronised(rows @ other)) for _ in range(5))
    return 2.0 * rows.shape[0] * rows.shape[1] * 512 / seconds


def sharded_seconds(x_ND: torch.Tensor, k: int, num_shards: int) -> float:
    """Seconds for `k` picks by shards in Ray actors on the same cores, reading from Parquet left out."""
    import tempfile

    import pyarrow as pa
    import pyarrow.parquet as pq
    import ray
    from pyarrow import fs as pafs

    from codeocean.embed.vectors import list_parts
    from codeocean.select.flow import Corpus, open_shards
    from codeocean.select.settings import CoresetConfig

    with tempfile.TemporaryDirectory() as folder:
        for number, rows in enumerate(x_ND.split(MODEL_ROWS)):
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.numpy().reshape(-1)), rows.shape[1])
            pq.write_table(pa.table({"embedding": vectors}), f"{folder}/part-{number:05d}.parquet")
        if not ray.is_initialized():
            ray.init(address="local", num_cpus=num_shards + 1, include_dashboard=False, log_to_driver=False)
        fs = pafs.LocalFileSystem()
        shards = open_shards(CoresetConfig(size=k, shards=num_shards), Corpus(fs, list_parts(fs, folder)))
        shards.vectors(torch.tensor([0]))  # all are loaded
        begun = time.perf_counter()
        frame = choose_frame(shards, unit=False)
        extend_picks(shards, frame, start_picks(shards, frame, []), k)
        return time.perf_counter() - begun


def memory_and_pairs(x_ND: torch.Tensor, k: int) -> tuple[float, float]:
    """Peak memory in sizes of the float32 matrix, which is counted in, and the share of the N·k pairs that were met.

    Of the process (Linux) or of the GPU.
    """
    before = _memory(x_ND, peak=False)
    shard = Shard(x_ND)
    frame = choose_frame(shard, unit=False)
    extend_picks(shard, frame, start_picks(shard, frame, []), k)
    added = max(0, _memory(x_ND, peak=True) - before)
    return 1.0 + added / (4 * x_ND.numel()), shard.pairs_met / len(x_ND) / k


def _memory(x_ND: torch.Tensor, *, peak: bool) -> int:
    """Bytes in use now, or at the most since this was asked with `peak=False`."""
    if x_ND.is_cuda:
        if not peak:
            torch.cuda.reset_peak_memory_stats()
        return torch.cuda.max_memory_allocated() if peak else torch.cuda.memory_allocated()
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    return _status("VmHWM" if peak else "VmRSS")


def _status(name: str) -> int:
    """Bytes of an entry of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def measure(n: int, d: int, k: int, options: argparse.Namespace) -> dict[str, Any]:
    """One size: ours, the baselines and the bound, one after another in each run."""
    x_ND = embedding_like(n, d, device=options.device)
    memory, met = memory_and_pairs(x_ND, k)
    runs = []
    for _ in range(options.runs):
        ours = _seconds(lambda: k_center_greedy(x_ND, k))
        runs.append({
            "seconds": ours,
            "gemm_bound_seconds": 2.0 * n * k * d / gemm_flops(x_ND),
            "naive_torch_seconds": naive_torch_seconds(x_ND, k),
            "literal_seconds": literal_seconds(x_ND.cpu().numpy(), k),
        })  # fmt: skip
    found: dict[str, Any] = {"n": n, "d": d, "k": k}
    found |= {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    for name in ("literal", "naive_torch", "gemm_bound"):
        ratios = [run[f"{name}_seconds"] / run["seconds"] for run in runs]
        found[f"times_faster_than_{name}"] = round(statistics.median(ratios), 2)
    found["pairs_met_share"] = round(met, 3)
    found["peak_memory_of_matrix"] = round(memory, 3)
    if options.shards > 1:
        found[f"seconds_in_{options.shards}_shards"] = round(sharded_seconds(x_ND, k, options.shards), 3)
    return found


def _synchronised(result: torch.Tensor) -> torch.Tensor:
    if result.is_cuda:
        torch.cuda.synchronize()
    return result


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_500, 25_000, 50_000])
    parser.add_argument("--picks", type=int, nargs="+", default=[1000], help="one for all sizes, or one for each")
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shards", type=int, default=1, help="measure that many Ray actors too")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    picks = options.picks * len(options.sizes) if len(options.picks) == 1 else options.picks
    sizes = [measure(n, options.dimensions, k, options) for n, k in zip(options.sizes, picks, strict=True)]
    print(json.dumps({"bench": "kcenter", "machine": describe_machine(), "sizes": sizes}))


if __name__ == "__main__":
    main()
