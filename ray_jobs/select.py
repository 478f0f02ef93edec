"""`<run>/embed` → `<run>/select/coreset.parquet`."""

from __future__ import annotations

import sys

from codeocean.coreset import choose_coreset
from codeocean.embedding import as_matrix
from codeocean.parts import read_parts, write_part
from ray_jobs.cli import run_job
from ray_jobs.config import Config
from ray_jobs.rundir import Manifest, RunDir, StageResult, required, run_stage


def run_select(config: Config, run: RunDir) -> Manifest:
    """Choose the coreset."""
    embedded = required(run, "embed")

    def work() -> StageResult:
        embeddings = read_parts(run.fs, run.path("embed"))
        coreset = choose_coreset(embeddings["id"].to_pylist(), as_matrix(embeddings), config.select)
        write_part(run.fs, run.path("select", "coreset.parquet"), coreset)
        radii = coreset["radius"].to_pylist()
        details = {
            "size": len(radii),
            "first_radius": radii[1] if len(radii) > 1 else None,  # the very first pick has no earlier one
            "last_radius": radii[-1] if len(radii) > 1 else None,
        }
        dropped = {"not selected": embeddings.num_rows - len(radii)}
        return StageResult(embeddings.num_rows, len(radii), dropped, details=details)

    return run_stage(run, "select", config.section("select"), {"embed": embedded["digest"]}, work)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("select", run_select, arguments)


if __name__ == "__main__":
    sys.exit(main())
