"""Verify: accepted instances → what was checked of each, on Ray tasks that each run one program at a time.

Results are written part by part; a run that was cut off does not run their programs again.
"""

from __future__ import annotations

import json
import logging
import posixpath
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import ray
from pyarrow import fs as pafs

from codeocean.generate.tasks import Task
from codeocean.verify.checks import NO_SANDBOX, VerifyConfig, check_instance
from core.metrics import RowMetrics
from core.storage import part_names, read_part, write_part

log = logging.getLogger("wavecoder.codeocean")

Row = dict[str, Any]
ROWS_PER_PART = 256


def verify(
    config: VerifyConfig,
    tasks: Mapping[str, Task],
    pairs: Sequence[tuple[Row, Row]],
    run_program: Callable[..., Any] | None,
    fs: pafs.FileSystem,
    folder: str,
) -> list[dict[str, str]]:
    """Check → result, for each instance in order.

    Args:
        config: limits of a program.
        tasks: by name.
        pairs: GENERATIONS row and the RAW_CODE row that it was made from.
        run_program: the sandbox's; None runs nothing.
        fs: filesystem of the run directory.
        folder: where parts are kept.
    """
    run = None
    if run_program is not None and config.execute:
        run = partial(_run, run_program, config.timeout_s, config.memory_mb)
    done = set(part_names(fs, folder))
    check = ray.remote(num_cpus=config.cpus_per_program, max_retries=3)(_check)
    results: list[dict[str, str]] = []
    metrics = RowMetrics("codeocean")
    for number, start in enumerate(range(0, len(pairs), ROWS_PER_PART)):
        part, name = pairs[start : start + ROWS_PER_PART], f"part-{number:05d}.parquet"
        if name not in done:
            found = ray.get([check.remote(tasks[row["task"]], row, source, run) for row, source in part])
            table = pa.table({"id": [row["id"] for row, _ in part], "verified": list(map(json.dumps, found))})
            write_part(fs, posixpath.join(folder, name), table)
            metrics.tell(verified=start + len(part))
            log.info("codeocean: verified %d of %d instances", start + len(part), len(pairs))
        results += map(json.loads, read_part(fs, posixpath.join(folder, name))["verified"].to_pylist())
    return results


def _run(
    run_program: Callable[..., Any], timeout: float, memory_mb: int, source: str, language: str, stdin: str
) -> Any:
    return run_program(source, language=language, timeout=timeout, memory_mb=memory_mb, stdin=stdin)


def _check(task: Task, row: Row, source: Row, run: Any) -> dict[str, str]:
    try:
        return check_instance(task, row, source, run)
    except PermissionError:  # this node offers no isolation: the instance says so
        return {"run": NO_SANDBOX}
