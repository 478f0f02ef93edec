"""Sources of code → `<run>/collect/part-*.parquet`."""

from __future__ import annotations

import hashlib
import sys

from codeocean.flow import collect
from codeocean.sources import Unit, list_units
from ray_jobs.cli import run_job
from ray_jobs.cluster import connect
from ray_jobs.config import Config
from ray_jobs.rundir import Manifest, RunDir, StageResult, run_stage


def run_collect(config: Config, run: RunDir) -> Manifest:
    """Collect raw code."""
    units = [unit for source in config.collect.sources for unit in list_units(source)]

    def work() -> StageResult:
        connect(config.ray)
        kept, account = collect(config.collect, units, run.fs, run.path("collect"))
        if kept == 0:
            reasons = ", ".join(f"{reason} {count}" for reason, count in account.dropped.most_common(5))
            raise ValueError(
                f"collect kept none of {account.rows_in} rows ({reasons}); check collect.sources and filters"
            )
        details = {"languages": dict(account.languages), "sources": config.section("collect")["sources"]}
        return StageResult(account.rows_in, kept, dict(account.dropped), account.examples, details)

    return run_stage(run, "collect", config.section("collect"), {"sources": _digest(units)}, work)


def _digest(units: list[Unit]) -> str:
    return hashlib.sha256("\n".join(unit.fingerprint for unit in units).encode()).hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("collect", run_collect, arguments)


if __name__ == "__main__":
    sys.exit(main())
