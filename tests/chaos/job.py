"""Stages of a recipe in one job with one Ray: `python -m tests.chaos.job RECIPE RUN_DIR STAGE …`; see `tests.chaos`."""

import sys

from ray_jobs.cli import run_guarded
from ray_jobs.run.config import load_config
from ray_jobs.run.rundir import RunDir
from ray_jobs.run.stages import PIPELINE


def main():
    path, run_dir, *stages = sys.argv[1:]

    def work(opened):
        config = load_config(path, [], run_dir)
        opened.append(run := RunDir(run_dir))
        for step in PIPELINE:
            if step.stage in stages:
                step.run(config, run)

    return run_guarded("stages", work)


if __name__ == "__main__":
    sys.exit(main())
