"""Run directory → `<run>/report/index.html`."""

from __future__ import annotations

import logging
import sys

from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, run_stage

log = logging.getLogger("wavecoder.ray_jobs")


def run_report(config: Config, run: RunDir) -> Manifest:
    """Write the page from whatever stages there are."""
    manifests = {stage: manifest for stage, manifest in run.manifests().items() if stage != "report"}
    if not manifests:
        raise ValueError(f"{run.shown()} holds no finished stage to report on; run the pipeline first")

    def work() -> StageResult:
        from report.page import write_report

        write_report(run.fs, run.root, title=config.report.title)
        page = run.shown("report", "index.html")
        log.info("report: %s", page)
        return StageResult(len(manifests), 1, details={"page": page})

    inputs = {stage: manifest["digest"] for stage, manifest in manifests.items()}
    return run_stage(run, "report", covered_by("report", config), inputs, work)


main = main_of("report")

if __name__ == "__main__":
    sys.exit(main())
