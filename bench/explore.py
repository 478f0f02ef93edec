"""The explorer over a run of a million rows: seconds of the first rows, of the index, a page and filters; memory.

The run is made up (DuckDB writes it, about 600 MB); the texts are code of our own, repeated with other names and
numbers. The explorer runs in a process of its own, so that its memory is its own: `peak_mb` is the most that it and the
processes that make its indexes held together (proportional set size, read ten times a second), until the page is there,
while texts are indexed with searches beside it, and afterwards. Each answer is asked three times over HTTP; the median
counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import duckdb
import psutil

FILTERS = {
    "task": {"task": "repair"},
    "reason": {"reason": "rejected by the discriminator"},
    "rule and language": {"rule": "faithful", "language": "go"},
    "kept, of a licence": {"state": "kept", "license": "mit"},
    "radius": {"least": "0.9"},
    "sorted by radius": {"task": "generation", "sort": "radius"},
    "a deep page": {"task": "generation", "start": "400000"},
}
SEARCHES = ("any+size", "f123456(", "function+777", "values%5B42]", "no+such+words")
FILES = 100


def make_run(root: Path, rows: int, dimensions: int) -> None:
    """Write a run of so many raw codes, all of them picked, with one attempt each."""
    for name in ("collect", "embed", "select", "codeocean"):
        (root / name).mkdir(parents=True)
    database = duckdb.connect(config={"memory_limit": "2GB", "threads": 2})
    database.execute("SET enable_progress_bar=false")
    database.execute(_BASE.format(rows=rows))
    per_file = -(-rows // FILES)
    for number in range(FILES):
        where = f"WHERE n >= {number * per_file} AND n < {(number + 1) * per_file}"
        folder = root / "generate" / f"round-{number:05d}"
        folder.mkdir(parents=True)
        for query, path in (
            (_RAW, root / "collect" / f"part-{number:05d}.parquet"),
            (_EMBEDDED.format(dimensions=dimensions), root / "embed" / f"part-{number:05d}.parquet"),
            (_GENERATED, folder / "generations.parquet"),
            (_JUDGED, folder / "verdicts.parquet"),
        ):
            database.execute(f"COPY ({query} {where}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    database.execute(f"COPY ({_PICKED}) TO '{root}/select/coreset.parquet' (FORMAT parquet)")
    database.execute(f"COPY ({_KEPT}) TO '{root}/codeocean/part-00000.parquet' (FORMAT parquet, COMPRESSION zstd)")


_BASE = """
CREATE TABLE base AS SELECT n, left(sha256('r' || n), 16) AS raw_id, left(sha256('g' || n), 16) AS id,
  ['generation', 'summarization', 'repair', 'translation'][1 + CAST(hash(n) % 4 AS INT)] AS task,
  ['python', 'java', 'go', 'php', 'ruby', 'javascript'][1 + CAST(hash(n, 1) % 6 AS INT)] AS language,
  ['mit', 'apache-2.0', 'bsd-3-clause', ''][1 + CAST(hash(n, 2) % 4 AS INT)] AS license,
  hash(n, 3) % 10 AS luck
FROM range({rows}) t(n)
"""
_CODE = "'def f' || n || '(values, limit):' || repeat(chr(10) || '    total = total + values[' || n % 97 || ']', 8)"
_RAW = f"SELECT raw_id AS id, language, {_CODE} AS code, 'Adds up value ' || n AS docstring, license FROM base"
_EMBEDDED = """
SELECT raw_id AS id,
  list_transform(range({dimensions}), lambda i: CAST(hash(n, i) % 1000 AS FLOAT) / 1000) AS embedding FROM base
"""
_PICKED = "SELECT n AS rank, raw_id AS id, 2.0 / sqrt(1 + n) + 0.5 AS radius FROM base"
_GENERATED = f"""
SELECT id, raw_id, task, task AS task_name,
  'Do what function ' || n || ' says, for numbers of any size.' AS instruction,
  {_CODE} AS information, {_CODE} AS solution, '' AS target_language, CAST(n // 10000 AS INT) AS round,
  CAST(0 AS INT) AS attempt,
  CAST([] AS VARCHAR[]) AS shots, 'teacher' AS generator, 'v1' AS prompt_version, n AS seed,
  '' AS raw_text, '' AS reasoning, CASE WHEN luck = 9 THEN 'not JSON' ELSE '' END AS error FROM base
"""
_JUDGED = """
SELECT id, [{'rule': 'faithful', 'reason': 'because', 'answer': CASE WHEN luck = 8 THEN 'no' ELSE 'yes' END},
            {'rule': 'complete', 'reason': 'because', 'answer': 'yes'}] AS rules,
  CASE WHEN luck = 8 THEN 'no' ELSE 'yes' END AS overall, '' AS reasons,
  'judge' AS discriminator, '' AS raw_text, '' AS error FROM base
"""
_KEPT = f"""
SELECT id, raw_id, task, language, 'Do what function ' || n || ' says.' AS instruction, '' AS input, {_CODE} AS output,
  '{{}}' AS provenance, '[]' AS tests, ['parses', 'tests', 'none'][1 + CAST(hash(n, 4) % 3 AS INT)] AS proof
FROM base WHERE luck < 7
"""


def main() -> None:
    """Measure, and print one JSON object in the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=32)
    parser.add_argument("--keep", type=Path, help="make the run here, or use the one that is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder) / "run"
        if not (root / "select").exists():
            make_run(root, options.rows, options.dimensions)
        print(json.dumps({"rows": options.rows, "dimensions": options.dimensions} | measure(root)))


def measure(root: Path) -> dict[str, object]:
    """Start the explorer on a run, and time what a browser asks it."""
    command = [sys.executable, "-m", "ray_jobs.standalone.explore", "--run-dir", str(root)]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            memory = Memory(process.pid)
            memory.start()
            url = next(line.split()[-1] for line in process.stdout if "http://" in line)
            found: dict[str, object] = {"start_s": round(time.monotonic() - begun, 2)}
            found["first_s"] = round(sum(_timed(url + path) for path in ("", "api/counts", "api/rows")), 3)
            while not json.loads(_get(f"{url}api/about"))["whole"]:
                time.sleep(0.1)
            found["all_rows_s"] = round(time.monotonic() - begun, 2)
            memory.phase = "asked while texts are indexed"
            found["page_s"] = round(sum(_timed(url + path) for path in ("", "api/counts", "api/rows")), 3)
            for name, values in FILTERS.items():
                asked = urllib.parse.urlencode(values)
                times = [_timed(f"{url}api/rows?{asked}") for _ in range(3)]
                counts = [_timed(f"{url}api/counts?{asked}") for _ in range(3)]
                found[name] = {
                    "rows_s": round(statistics.median(times), 3),
                    "counts_s": round(statistics.median(counts), 3),
                }
            memory.phase = "searched while texts are indexed"
            found["searches"] = _searches(url, begun, memory)
            first = json.loads(_get(f"{url}api/rows"))["rows"][0]["raw_id"]
            for name in ("row", "neighbours"):
                found[f"{name}_s"] = round(_timed(f"{url}api/{name}?raw_id={first}"), 3)
            found["map_s"] = round(_timed(f"{url}api/map?color=task"), 3)
            found["peak_mb"] = memory.stop()
        finally:
            process.terminate()
    return found


def _searches(url: str, begun: float, memory: Memory) -> dict[str, object]:
    """Seconds of searches while the index of texts is made and with it; counts at once, exact, and again."""
    found: dict[str, object] = {}
    if json.loads(_get(f"{url}api/about"))["indexed"] is not None:
        found["scan"] = {text: round(_timed(f"{url}api/rows?text={text}"), 3) for text in SEARCHES}
    while (share := json.loads(_get(f"{url}api/about"))["indexed"]) is not None and share < 1:
        time.sleep(1)
    memory.phase = "indexed"
    found["indexed_s"] = round(time.monotonic() - begun, 1)
    for text in SEARCHES:
        asked = [f"{what}text={text}" for what in ("rows?", "counts?at_once=1&", "counts?", "counts?at_once=1&")]
        times = [_timed(f"{url}api/{what}") for what in asked]
        found[text] = dict(
            zip(("rows_s", "counts_s", "exact_s", "again_s"), (round(one, 3) for one in times), strict=True)
        )
    return found


class Memory(threading.Thread):
    """Watches a process and all that it starts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self._over = psutil.Process(pid), threading.Event()
        self.phase = "start"
        self.peak_mb: dict[str, int] = {}
        """Phase → the most that all processes held together, MB."""

    def run(self) -> None:
        """Look ten times a second until the process has ended, or `stop`."""
        while not self._over.wait(0.1):
            try:
                processes = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            held = sum(map(_held, processes)) // 2**20
            self.peak_mb[self.phase] = max(held, self.peak_mb.get(self.phase, 0))

    def stop(self) -> dict[str, int]:
        """End it; what it has seen."""
        self._over.set()
        self.join()
        return self.peak_mb


def _held(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310 - our own server
        content: bytes = answer.read()
        return content


def _timed(url: str) -> float:
    begun = time.monotonic()
    _get(url)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
