"""`<run>/codeocean` and other instruction sets → `<run>/mix`: what is trained on where `mix` is configured."""

from __future__ import annotations

import asyncio
import sys

import pyarrow as pa

from codeocean.decontaminate.benchmark_problems import BenchmarkText
from codeocean.decontaminate.leakage import Leakage
from codeocean.export.flow import Mix, mix
from codeocean.export.mix import AnswerConfig, source_digest
from codeocean.export.reanswer import Answers, answer_rows
from core.storage import read_parts
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.leakage import benchmark_texts, check_rows, gate_inputs
from ray_jobs.run.models import resolve_model, served_name
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage
from ray_jobs.serve import client_of, endpoint_client, endpoint_of, serving
from serve.client.batches import BatchChat
from serve.client.chat import ChatClient


def training_stage(config: Config) -> str:
    """The stage that holds what is trained on."""
    return "mix" if config.mix.wanted else "codeocean"


def check_mix(config: Config) -> None:
    """Refuse sources that cannot be mixed before any work starts; raises as `run_mix` does."""
    for source in config.mix.sources:
        if "://" not in source.path:
            source_digest(source.path)


def run_mix(config: Config, run: RunDir) -> Manifest:
    """Mix other sets into CodeOcean, have all instructions answered again, or both.

    Raises:
        ValueError: neither is configured.
    """
    if not config.mix.wanted:
        raise ValueError("mix.sources is empty and mix.answers is null, so there is nothing to mix; set one of them")
    ocean, benchmarks = required(run, "codeocean"), benchmark_texts(config, "training")
    inputs = {"codeocean": ocean["digest"]} | gate_inputs(config, benchmarks)
    for source in config.mix.sources:
        inputs[f"source {source.name}"] = source_digest(source.path)
    return run_stage(run, "mix", covered_by("mix", config), inputs, lambda: _mix(config, run, benchmarks))


def _mix(config: Config, run: RunDir, benchmarks: list[BenchmarkText]) -> StageResult:
    def answer(rows: pa.Table) -> tuple[Answers, dict[str, list[str]]]:
        assert config.mix.answers is not None
        return _answered_again(config, config.mix.answers, run, rows)

    def gate(rows: pa.Table) -> Leakage:
        return check_rows(config, run, "mix", benchmarks, rows) if benchmarks else Leakage()

    job = Mix(config.mix, run.fs, run.path("mix"), answer, gate)
    return mix(job, read_parts(run.fs, run.path("codeocean")))


def _answered_again(
    config: Config, settings: AnswerConfig, run: RunDir, rows: pa.Table
) -> tuple[Answers, dict[str, list[str]]]:
    """The answers, and what the endpoint turned out not to take."""
    folder = run.path("mix", ".answers")
    if settings.endpoint is not None:
        chat: ChatClient | BatchChat = endpoint_client(settings, settings.concurrency)
        if settings.batch:
            chat = BatchChat(endpoint_of(settings, 1), run.fs, run.path("mix", ".batches"))
        return asyncio.run(answer_rows(settings, rows, chat, settings.model, run.fs, folder)), chat.learnt
    name = served_name(settings.model)
    with serving(config, {name: resolve_model(settings.model, "mix.answers.model")}) as upstream:
        chat = client_of(upstream, name)
        return asyncio.run(answer_rows(settings, rows, chat, name, run.fs, folder)), chat.learnt


main = main_of("mix")

if __name__ == "__main__":
    sys.exit(main())
