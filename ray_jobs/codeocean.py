"""Accepted generations → `<run>/codeocean`: verified, without duplicates and benchmarks; Parquet, JSONL, a card."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from codeocean.decontaminate.benchmark_problems import BenchmarkText
from codeocean.decontaminate.leakage import Leakage
from codeocean.export.flow import Export, accepted, export
from codeocean.select.picked_rows import picked_rows
from eval.sandbox.proof import prove
from eval.sandbox.run import run_program
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.leakage import benchmark_texts, check_rows, gate_inputs
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, output_digest, required, run_stage
from report.explore.marks import marks_digest, read_marks

log = logging.getLogger("wavecoder.ray_jobs")


def run_codeocean(config: Config, run: RunDir) -> Manifest:
    """Write the data set."""
    generated, rows = required(run, "generate"), picked_rows(run.fs, run.root)
    benchmarks, marks = benchmark_texts(config, "instances"), read_marks(run.fs, run.root)

    def work() -> StageResult:
        job = export_job(config, run, {row["id"]: row for row in rows}, benchmarks)
        return export(job, accepted(job))

    inputs = {"generate": output_digest(generated)} | gate_inputs(config, benchmarks)
    if marks:
        inputs["marks"] = marks_digest(marks)
    return run_stage(run, "codeocean", covered_by("codeocean", config), inputs, work)


def export_job(config: Config, run: RunDir, raw: dict[str, dict[str, Any]], benchmarks: list[BenchmarkText]) -> Export:
    """What the room is told and handed; `raw` is id → RAW_CODE row of the coreset."""
    return Export(
        config=config.codeocean,
        generate=config.generate,
        fs=run.fs,
        root=run.root,
        raw=raw,
        marks={id_: mark.mark for id_, mark in read_marks(run.fs, run.root).items()},
        sandbox=find_sandbox(config),
        prove=prove,
        connect=lambda: connect(config.ray),
        gate=lambda kept: check_rows(config, run, "codeocean", benchmarks, kept) if benchmarks else Leakage(),
    )


def find_sandbox(config: Config) -> Callable[..., Any] | None:
    """What runs programs; None, and a line in the log, where verification is not to run any or this machine cannot."""
    if not config.codeocean.verify.execute:
        log.info("codeocean: codeocean.verify.execute is false, so instances are not run")
        return None
    try:
        run_program("", language="python", timeout=30.0, memory_mb=512)
    except PermissionError as error:
        log.warning("codeocean: instances are not run: %s", error)
        return None
    return run_program


main = main_of("codeocean")

if __name__ == "__main__":
    sys.exit(main())
