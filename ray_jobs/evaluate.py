"""Base and tuned model → benchmark scores, through the endpoint that serves them; or any endpoint, or given samples."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import pyarrow as pa

from eval.answers.sources import EndpointAnswers
from eval.flow import compare, evaluate, load_problems
from ray_jobs.run.command_line import as_json
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.results import write_results
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage
from ray_jobs.serve import client_of, model_source, record_serving, serving

log = logging.getLogger("wavecoder.ray_jobs")


def run_evaluate(config: Config, run: RunDir) -> Manifest:
    """Score the models, one engine at a time, so that the job fits where one engine fits."""

    def work() -> StageResult:
        scores: list[dict[str, Any]] = []
        samples: dict[str, dict[str, pa.Table]] = {}
        for label in config.evaluate_models:
            found, samples[label] = _score(config, run, label)
            scores += found
        differences = []
        if {"base", "tuned"} <= set(samples):
            differences = compare(samples["base"], samples["tuned"], ("base", "tuned"), config.evaluate.seed)
        write_results(run.fs, run.path("evaluate"), scores, differences)
        num_samples = sum(table.num_rows for tables in samples.values() for table in tables.values())
        return StageResult(num_samples, num_samples, details={"scores": scores, "differences": differences})

    inputs = {"train": required(run, "train")["digest"]} if "tuned" in config.evaluate_models else {}
    return run_stage(run, "evaluate", covered_by("evaluate", config), inputs, work)


def evaluate_and_tell(config: Config, run: RunDir, *, json: bool = False) -> None:
    """The stage as a command."""
    found = run_evaluate(config, run)["details"]
    if json:
        print(as_json({name: found[name] for name in ("scores", "differences")}))


def _score(config: Config, run: RunDir, label: str) -> tuple[list[dict[str, Any]], dict[str, pa.Table]]:
    sets = load_problems(config.evaluate)
    name, source = model_source(config, run, label)
    begun = time.monotonic()
    with serving(config, {name: source}) as upstream:
        if label == "tuned":
            record_serving(config, run, upstream, time.monotonic() - begun)
        answers = EndpointAnswers(config.evaluate, client_of(upstream, name), name)
        return evaluate(config.evaluate, sets, answers=answers, label=label, fs=run.fs, folder=run.path("evaluate"))


main = main_of("evaluate")

if __name__ == "__main__":
    sys.exit(main())
