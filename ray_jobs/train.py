"""`<run>/codeocean`, or `<run>/mix` → `<run>/train/model`, a Hugging Face folder."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.parts import read_parts, write_part
from ray_jobs.cli import run_job
from ray_jobs.cluster import connect
from ray_jobs.config import Config
from ray_jobs.mix import training_stage
from ray_jobs.models import model_digest, resolve_model
from ray_jobs.rundir import Manifest, RunDir, StageResult, required, run_stage


def run_train(config: Config, run: RunDir) -> Manifest:
    """Fine-tune the base model on CodeOcean, or on the mix where one is configured."""
    stage = training_stage(config)
    ocean = required(run, stage)
    if ocean["rows_out"] == 0:
        raise ValueError(f"{run.path(stage)} holds no instance to train on; generate from a larger coreset")
    model = resolve_model(config.train.model, "train.model")

    def work() -> StageResult:
        from training.trainer import fit

        connect(config.ray)
        rows = read_parts(run.fs, run.path(stage))
        lineage = {stage: ocean["digest"], "instances": rows.num_rows, "base_model": config.train.model}
        settings = config.train.model_copy(update={"model": model})
        with tempfile.TemporaryDirectory() as scratch:
            output = run.path("train", "model") if run.local else str(Path(scratch) / "model")
            result = fit(settings, rows=rows, storage_path=_storage(run), output=output, lineage=lineage)
            if run.local is None:
                pafs.copy_files(output, run.path("train", "model"), destination_filesystem=run.fs)
        steps = result.pop("steps")
        write_part(run.fs, run.path("train", "steps.parquet"), pa.Table.from_pylist(steps))
        return StageResult(rows.num_rows, rows.num_rows, details=result)

    inputs = {stage: ocean["digest"], "model": model_digest(model)}
    return run_stage(run, "train", config.section("train"), inputs, work)


def _storage(run: RunDir) -> str:
    """Where Ray Train keeps checkpoints: inside the stage's folder, hidden from its list of files."""
    return run.path("train", ".checkpoints") if run.local else f"{run.url.rstrip('/')}/train/.checkpoints"


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("train", run_train, arguments)


if __name__ == "__main__":
    sys.exit(main())
