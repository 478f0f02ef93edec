"""Base and tuned model → benchmark scores, through the endpoint that serves them."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from eval.flow import evaluate
from ray_jobs.cli import run_job
from ray_jobs.config import Config
from ray_jobs.rundir import Manifest, RunDir, StageResult, required, run_stage
from ray_jobs.serve import model_source, record_serving, serving
from serve.client import ChatClient
from serve.endpoint import EndpointConfig

log = logging.getLogger("wavecoder.ray_jobs")


def run_evaluate(config: Config, run: RunDir) -> Manifest:
    """Score the models, one engine at a time, so that the job fits where one engine fits."""

    def work() -> StageResult:
        scores = [_score(config, run, label) for label in config.evaluate_models]
        num_samples = sum(score["n"] * score["samples_per_problem"] for score in scores)
        return StageResult(num_samples, num_samples, details={"scores": scores})

    settings = config.section("evaluate") | {"models": list(config.evaluate_models), "base": config.train.model}
    inputs = {"train": required(run, "train")["digest"]} if "tuned" in config.evaluate_models else {}
    return run_stage(run, "evaluate", settings, inputs, work)


def _score(config: Config, run: RunDir, label: str) -> dict[str, Any]:
    name, source = model_source(config, run, label)
    begun = time.monotonic()
    with serving(config, {name: source}) as url:
        if label == "tuned":
            record_serving(config, run, url, time.monotonic() - begun)
        chat = ChatClient(EndpointConfig(url=url))
        return evaluate(config.evaluate, chat=chat, model=name, label=label, fs=run.fs, folder=run.path("evaluate"))


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("evaluate", run_evaluate, arguments)


if __name__ == "__main__":
    sys.exit(main())
