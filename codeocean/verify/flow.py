"""Verify: accepted instances → what was checked of each, on Ray tasks that each run one program at a time.

Results are written part by part; a run that was cut off does not run their programs again.
"""

from __future__ import annotations

import json
import logging
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import ray
from pyarrow import fs as pafs

from codeocean.generate.tasks import Task
from codeocean.verify.checks import NO_SANDBOX, VerifyConfig, check_instance
from codeocean.verify.columns import proof_of_checks
from codeocean.verify.edits import prove_edit
from codeocean.verify.proof import check_arguments, columns_of_proof
from core.metrics import RowMetrics
from core.storage import part_names, read_part, write_part

log = logging.getLogger("wavecoder.codeocean")

Row = dict[str, Any]
ROWS_PER_PART = 256


@dataclass
class Proofs:
    """The tests of instances, and what they show."""

    of: Mapping[str, Row] = field(default_factory=dict)
    """`raw_id` → PROOFS row."""
    prove: Callable[..., Row] | None = None
    """The sandbox's, which runs solutions against tests."""
    columns: list[Row] = field(default_factory=list)
    """Of each instance that was verified, in order, the columns of proof; `{}` where there are no tests."""


def verify(
    config: VerifyConfig,
    tasks: Mapping[str, Task],
    pairs: Sequence[tuple[Row, Row]],
    run_program: Callable[..., Any] | None,
    fs: pafs.FileSystem,
    folder: str,
    proofs: Proofs | None = None,
) -> list[dict[str, str]]:
    """Check → result, for each instance in order.

    Args:
        config: limits of a program.
        tasks: by name.
        pairs: GENERATIONS row and the RAW_CODE row that it was made from.
        run_program: the sandbox's; None runs nothing.
        fs: filesystem of the run directory.
        folder: where parts are kept.
        proofs: the tests of these instances; takes what they show. None where there are none.
    """
    run = None
    if run_program is not None and config.execute:
        run = partial(_run, run_program, config.timeout_s, config.memory_mb)
    proofs = proofs or Proofs()
    prove = None if run is None or proofs.prove is None else partial(
        proofs.prove, timeout=config.timeout_s / 2, memory_mb=config.memory_mb
    )  # fmt: skip
    done = set(part_names(fs, folder))
    check = ray.remote(num_cpus=config.cpus_per_program, max_retries=3)(_check)
    results: list[dict[str, str]] = []
    metrics = RowMetrics("codeocean")
    for number, start in enumerate(range(0, len(pairs), ROWS_PER_PART)):
        part, name = pairs[start : start + ROWS_PER_PART], f"part-{number:05d}.parquet"
        if name not in done:
            found = ray.get([
                check.remote(tasks[row["task"]], row, source, run, proofs.of.get(row["raw_id"]), prove)
                for row, source in part
            ])  # fmt: skip
            checks, columns = ([json.dumps(one[which]) for one in found] for which in (0, 1))
            table = pa.table({"id": [row["id"] for row, _ in part], "verified": checks, "columns": columns})
            write_part(fs, posixpath.join(folder, name), table)
            metrics.tell(verified=start + len(part))
            log.info("codeocean: verified %d of %d instances", start + len(part), len(pairs))
        table = read_part(fs, posixpath.join(folder, name))
        results += map(json.loads, table["verified"].to_pylist())
        written = table["columns"].to_pylist() if "columns" in table.column_names else ["{}"] * table.num_rows
        proofs.columns += map(json.loads, written)
    return results


def _run(
    run_program: Callable[..., Any], timeout: float, memory_mb: int, source: str, language: str, stdin: str
) -> Any:
    return run_program(source, language=language, timeout=timeout, memory_mb=memory_mb, stdin=stdin)


def _check(
    task: Task, row: Row, source: Row, run: Any, proof: Row | None = None, prove: Any = None
) -> tuple[dict[str, str], Row]:
    """Check → result, and the columns of proof; `{}` where there are no tests."""
    try:
        checks = check_instance(task, row, source, run)
        if proof is None:
            return checks, {}
        columns, word = columns_of_proof(proof)
        if json.loads(proof["found"])["outcomes"]:
            checks |= {"tests": word} | check_arguments(proof)
        elif prove is not None:
            retold = json.loads(proof["found"]).get("retold", "")
            columns, more = prove_edit(task, row, source, json.loads(proof["tests"]), prove, retold)
            checks |= more or {"tests": word}
        if columns["proof"] == "none":
            columns["proof"] = proof_of_checks(checks)
    except PermissionError:  # this node offers no isolation: the instance says so
        return {"run": NO_SANDBOX}, {}
    return checks, columns
