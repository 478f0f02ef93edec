"""`<run>/collect` → `<run>/embed/part-*.parquet`."""

from __future__ import annotations

import logging
import sys

from codeocean.embed.flow import count_cut, embed, embedded_parts
from core.storage import written_parts
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.models import model_digest, resolve_model
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage

log = logging.getLogger("wavecoder.ray_jobs")


def run_embed(config: Config, run: RunDir) -> Manifest:
    """Embed the raw code."""
    raw = required(run, "collect")
    model = resolve_model(config.embed.model, "embed.model")

    def work() -> StageResult:
        connect(config.ray)
        folder = run.path("embed")
        names = [part.name for part in written_parts(run.fs, run.path("collect"))]
        embed(config.embed, model, run.fs, run.path("collect"), folder, names)
        footers = embedded_parts(run.fs, folder, names)
        dimensions = footers[0].schema.to_arrow_schema().field("embedding").type.list_size
        num_rows, counts = sum(footer.num_rows for footer in footers), count_cut(footers)
        log.info("embed: the encoder's window cut %d of %d rows, and left nothing of the code of %d (embed.text is %r)",
                 counts["cut"], num_rows, counts["without_code"], config.embed.text)  # fmt: skip
        details = {"model": config.embed.model, "dimensions": dimensions, "dtype": config.embed.dtype,
                   "rows_cut": counts["cut"], "rows_without_code": counts["without_code"]}  # fmt: skip
        return StageResult(raw["rows_out"], num_rows, details=details)

    inputs = {"collect": raw["digest"], "model": model_digest(model)}
    return run_stage(run, "embed", covered_by("embed", config), inputs, work)


main = main_of("embed")

if __name__ == "__main__":
    sys.exit(main())
