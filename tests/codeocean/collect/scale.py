"""Duplicates past memory: what each shard of the index holds, and what a row costs, at synthetic signatures.

`python -m tests.codeocean.collect.scale [--rows N] [--shards S] [--decided M]` prints one JSON object. N random signatures are known
before; then M rows are decided, one in ten of them near to a known row, by one index and by S shards of it in the same
process: reaching shards in actors is left out. Both keep the same rows, or the bench fails.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from bench.machine import describe_machine
from codeocean.collect.duplicate_index import IndexShard, Keys, NearDuplicates, ShardedIndex, Signatures
from codeocean.collect.duplicates import Duplicates

FILLED_AT_A_TIME = 100_000


def synthetic(count: int, near: NearDuplicates, seed: int) -> tuple[Keys, Signatures]:
    """Random hashes and signatures."""
    random = np.random.default_rng(seed)
    signatures = random.integers(0, 256, (count, near.permutations), np.uint8)
    return random.integers(0, 2**64, count, np.uint64), signatures


def measure(rows: int, shards: int, decided: int) -> dict[str, Any]:
    """One index of so many shards: seconds, bytes of each shard, and which rows went on."""
    near = NearDuplicates()
    held = [IndexShard(near) for _ in range(shards)]

    def call(method: str, asked: dict[int, tuple[Any, ...]]) -> dict[int, Any]:
        return {number: getattr(held[number], method)(*given) for number, given in asked.items()}

    duplicates, begun = Duplicates(near, ShardedIndex(call, shards)), time.process_time()
    for number, start in enumerate(range(0, rows, FILLED_AT_A_TIME)):
        duplicates.add(*synthetic(min(FILLED_AT_A_TIME, rows - start), near, number))
    filled = time.process_time()
    keys, signatures = synthetic(decided, near, rows)
    known = synthetic(FILLED_AT_A_TIME, near, 0)[1][: len(signatures[::10])]
    signatures[::10] = known
    signatures[::10, ::16] += 1  # one byte of sixteen differs
    reasons = duplicates.decide(keys, signatures, np.ones(decided, bool))
    ended = time.process_time()
    return {
        "shards": shards,
        "bytes_a_row_of_the_largest_shard": round(max(shard.nbytes for shard in held) / rows, 1),
        "mb_of_each_shard": [round(shard.nbytes / 2**20) for shard in held],
        "known_rows_cpu_us": round(1e6 * (filled - begun) / rows, 2),
        "decided_rows_cpu_us": round(1e6 * (ended - filled) / decided, 1),
        "near": reasons.count("near duplicate"),
    }


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--decided", type=int, default=20_000)
    options = parser.parse_args()
    runs = [measure(options.rows, shards, options.decided) for shards in (1, options.shards)]
    assert runs[0]["near"] == runs[1]["near"]
    print(json.dumps({"bench": "duplicates", "machine": describe_machine(), "rows": options.rows, "runs": runs}))


if __name__ == "__main__":
    main()
