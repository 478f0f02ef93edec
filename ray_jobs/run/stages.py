"""The pipeline as one table: the jobs in the order of the paper's figure 1, and when each one is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ray_jobs.codeocean import run_codeocean
from ray_jobs.collect import run_collect
from ray_jobs.embed import run_embed
from ray_jobs.evaluate import run_evaluate
from ray_jobs.generate import run_generate
from ray_jobs.mix import run_mix
from ray_jobs.report import run_report
from ray_jobs.run.config import Config
from ray_jobs.run.rundir import RunDir
from ray_jobs.select import run_select
from ray_jobs.train import run_train


def _always(_: Config) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One job of the pipeline."""

    stage: str
    run: Callable[[Config, RunDir], Any]
    wanted: Callable[[Config], bool] = _always


PIPELINE = (
    Step("collect", run_collect),
    Step("embed", run_embed),
    Step("select", run_select),
    Step("generate", run_generate),
    Step("codeocean", run_codeocean),
    Step("mix", run_mix, lambda config: config.mix.wanted),
    Step("train", run_train),
    Step("evaluate", run_evaluate),  # serves the models, and writes down how that went
    Step("report", run_report),
)
