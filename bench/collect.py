"""Collect: rows a second and core, and memory, against a plain loop with the same rules.

`python -m bench.collect [--sizes N …] [--object-store-mb M]` prints one JSON object. The rows are the documented
functions of this Python's standard library and installed packages, in CodeSearchNet's Parquet form (row groups of
1,000). Where more rows are asked for than there are functions, each copy has its longer names changed throughout, so
that the rules and the search for duplicates have the same work as with new code; 1 row in 10 is a copy with one name
changed, 1 in 50 an exact one. Each size runs in a process of its own. Memory is sampled every 0.2 s over this process
tree: `private` leaves out shared pages (the object store, which is given apart, and libraries).
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import keyword
import logging
import multiprocessing
import random
import re
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from bench.machine import describe_machine
from codeocean.collect.accounting import CollectConfig
from codeocean.collect.duplicate_index import band_keys, rows_per_band
from codeocean.collect.duplicates import row_keys
from codeocean.collect.filters import FILTERS
from codeocean.collect.readers import list_units, read_unit
from codeocean.collect.settings import CodeSearchNetSource, FolderSource

ROW_GROUP = 1000
FUNCTIONS = 40_000
BASELINE_ROWS = 5000
_NAME = re.compile(r"\b[a-z][a-z_]{3,}\b")


def functions() -> Iterator[dict[str, str]]:
    """Documented functions of the standard library and the installed packages."""
    packages = [path for path in sys.path if path.endswith("-packages") and any(Path(path).glob("*/__init__.py"))]
    for path in ("stdlib", *packages):
        for unit in list_units(FolderSource(kind="folder", path=path, languages=("python",))):
            for batch in read_unit(unit):
                yield from (row for row in batch.to_pylist() if not row["reason"] and len(row["code"]) < 20_000)


def write_rows(count: int, path: str) -> int:
    """Write `count` rows of CodeSearchNet's form; returns the characters of code and documentation."""
    chance, total = random.Random(0), 0
    pool = list(itertools.islice(functions(), min(count, FUNCTIONS)))
    names = ("repository_name", "func_path_in_repository", "func_name", "language", "func_code_string",
             "func_documentation_string", "split_name", "func_code_url")  # fmt: skip
    schema = pa.schema([(name, pa.string()) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, count, ROW_GROUP):
            rows = []
            for number in range(start, min(start + ROW_GROUP, count)):
                row = pool[chance.randrange(len(pool)) if number % 10 == 9 else number % len(pool)]
                code = row["code"] if number % 50 == 49 else _renamed(row["code"], number, len(pool))
                head, _, body = code.partition("\n")
                code = f"{head}\n    {_literal(row['docstring'])}\n{body}" if body and head.endswith(":") else code
                total += len(code) + len(row["docstring"])
                rows.append((f"o/{number % 9000}", row["path"], row["name"], "python", code, row["docstring"], "train",
                             f"https://github.com/o/{number}"))  # fmt: skip
            columns = zip(*rows, strict=True)
            writer.write_table(pa.table(dict(zip(names, columns, strict=True)), schema=schema), ROW_GROUP)
    return total


def _literal(docstring: str) -> str:
    """A docstring as people write it, where that needs no escapes."""
    if any(sign in docstring for sign in ('"', "\\")):
        return json.dumps(docstring)
    return '"""' + docstring.replace("\n", "\n    ") + '"""'


def _renamed(code: str, number: int, pool: int) -> str:
    if number % 10 == 9:
        return _NAME.sub(lambda match: match[0] if keyword.iskeyword(match[0]) else f"{match[0]}_", code, count=1)
    if number < pool:
        return code
    suffix = number // pool
    return _NAME.sub(lambda match: match[0] if keyword.iskeyword(match[0]) else f"{match[0]}{suffix}", code)


class MemoryWatch:
    """Peak memory of this process and its children, while it is open."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.peak: dict[str, int] = Counter()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(0.2):
            now: Counter[str] = Counter()
            for process in (me, *me.children(recursive=True)):
                try:
                    info = process.memory_info()
                    name = process.name()
                except psutil.Error:
                    continue
                private = info.rss - info.shared
                kind = "driver" if process == me else "workers" if name.startswith("ray::") else "ray_services"
                now[f"{kind}_private"] += private
                now["rss"] += info.rss
                now["driver_and_workers_private"] += private if kind != "ray_services" else 0
            for key, value in now.items():
                self.peak[key] = max(self.peak[key], value)


def measure(path: str, count: int, object_store_mb: int) -> dict[str, Any]:
    """One size through the pipeline."""
    import ray
    from ray.data import DataContext

    from codeocean.collect.flow import collect

    logging.getLogger("ray").setLevel(logging.ERROR)
    DataContext.get_current().enable_progress_bars = False
    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
             object_store_memory=object_store_mb * 2**20)  # fmt: skip
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    config = settings(path)
    with tempfile.TemporaryDirectory() as folder, MemoryWatch() as memory:
        begun = time.perf_counter()
        done = collect(config, list_units(config.sources[0]), pafs.LocalFileSystem(), folder)
        seconds = time.perf_counter() - begun
    ray.shutdown()
    peak = {f"peak_{key}_mb": round(value / 2**20) for key, value in sorted(memory.peak.items())}
    rate = count / seconds
    return {
        "rows": count, "kept": done.kept, "dropped": dict(done.account.dropped.most_common()),
        "seconds": round(seconds, 1), "rows_per_s": round(rate, 1), "cores": done.cores,
        "rows_per_s_per_core": round(rate / done.cores, 1), **peak,
        "driver_max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def settings(path: str) -> CollectConfig:
    """The default rules."""
    return CollectConfig(sources=(CodeSearchNetSource(kind="codesearchnet", path=path),))


def baseline(path: str) -> float:
    """Rows a second of a plain loop over some of the row groups: one row, one rule at a time, sets and dicts."""
    config = settings(path)
    near = config.near_duplicates
    assert near is not None
    units = list_units(config.sources[0])
    spread = units[:: max(len(units) * ROW_GROUP // BASELINE_ROWS, 1)]
    rows = (row for unit in spread for batch in read_unit(unit) for row in batch.to_pylist())
    seen: set[bytes] = set()
    bands: dict[tuple[int, int], list[Any]] = {}
    kept, count, begun = [], 0, time.perf_counter()
    for row in rows:
        count += 1
        if row["reason"] or any(rule(row, config.filters) for rule in FILTERS.values()):
            continue
        key = hashlib.sha256("".join(row["code"].split()).encode()).digest()
        if key in seen:
            continue
        seen.add(key)
        _, signatures = row_keys([row["code"]], near.permutations)
        mine = list(enumerate(band_keys(signatures, rows_per_band(near))[0].tolist()))
        others = [other for band in mine for other in bands.get(band, ())]
        if any((other == signatures[0]).mean() >= near.threshold for other in others):
            continue
        for band in mine:
            bands.setdefault(band, []).append(signatures[0])
        kept.append(row)
    return count / (time.perf_counter() - begun)


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    parser.add_argument("--object-store-mb", type=int, default=512)
    options = parser.parse_args()
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        for count in options.sizes:
            path = str(Path(folder) / f"{count}.parquet")
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as process:
                characters = process.submit(write_rows, count, path).result()
                plain = process.submit(baseline, path).result()
                result = process.submit(measure, path, count, options.object_store_mb).result()
            Path(path).unlink()
            sizes.append(result | {
                "mb_of_text": round(characters / 1e6), "baseline_rows_per_s": round(plain, 1),
                "speedup": round(result["rows_per_s"] / plain, 2),
            })  # fmt: skip
    print(json.dumps({"bench": "collect", "machine": describe_machine(), "object_store_mb": options.object_store_mb,
                      "sizes": sizes}))  # fmt: skip


if __name__ == "__main__":
    main()
