"""`<run>/codeocean` and other instruction sets → `<run>/mix`: what is trained on where `mix` is configured."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from codeocean.collect.remote_files import stamp
from codeocean.decontaminate.benchmark_problems import BenchmarkText
from codeocean.decontaminate.leakage import Leakage
from codeocean.export.formats import json_lines, write_format
from codeocean.export.instances import find_duplicates, without
from codeocean.export.mix import AnswerConfig, mix_card, mixed, read_sources, with_answers
from codeocean.export.reanswer import Answers, answer_rows
from core.storage import read_parts, write_part
from ray_jobs.cli import run_job
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.leakage import benchmark_texts, check_rows, gate_inputs
from ray_jobs.run.models import resolve_model, served_name
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage
from ray_jobs.serve import client_of, endpoint_client, serving


def training_stage(config: Config) -> str:
    """The stage that holds what is trained on."""
    return "mix" if config.mix.wanted else "codeocean"


def check_mix(config: Config) -> None:
    """Refuse sources that cannot be mixed before any work starts; raises as `run_mix` does."""
    for source in config.mix.sources:
        if "://" not in source.path:
            _file_digest(source.path)


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
        inputs[f"source {source.name}"] = _file_digest(source.path)
    return run_stage(run, "mix", covered_by("mix", config), inputs, lambda: _work(config, run, benchmarks))


def _work(config: Config, run: RunDir, benchmarks: list[BenchmarkText]) -> StageResult:
    ocean, foreign = read_parts(run.fs, run.path("codeocean")), read_sources(config.mix.sources)
    rows, dropped = mixed(ocean, foreign), Counter(foreign.dropped)
    repeated = find_duplicates(rows, config.mix.near_duplicates, [""] * rows.num_rows)
    rows, dropped = without(rows, repeated), dropped + Counter(reason for reason in repeated if reason)
    unanswered: list[str] = []
    details: dict[str, Any] = {}
    if config.mix.answers is not None:
        answers, learnt = _answered_again(config, config.mix.answers, run, rows)
        unanswered, details = answers.unanswered, {"endpoint": learnt} if learnt else {}
        rows, failed = with_answers(rows, answers.found, config.mix.answers.model)
        rows, dropped = without(rows, failed), dropped + Counter(reason for reason in failed if reason)
    leakage = check_rows(config, run, "mix", benchmarks, rows) if benchmarks else Leakage()
    rows = without(rows, [leakage.reasons.get(row, "") for row in range(rows.num_rows)])
    dropped += Counter(leakage.dropped)
    write_part(run.fs, run.path("mix", "part-00000.parquet"), rows)
    run.write_text("".join(json_lines(write_format("alpaca", rows, {}).records)), "mix", "mix.jsonl")
    answered_by = config.mix.answers.model if config.mix.answers else ""
    licenses = {source.name: source.license for source in config.mix.sources}
    run.write_text(mix_card(rows, dict(dropped), leakage.details(), answered_by, licenses), "mix", "README.md")
    details |= {
        "tasks": dict(Counter(rows["task"].to_pylist())),
        "answered_by": answered_by,
        "leakage": leakage.details(),
        "encoder_window": leakage.window,
    }
    return StageResult(
        ocean.num_rows + foreign.num_read, rows.num_rows, dict(dropped), details=details, unanswered=unanswered
    )


def _answered_again(
    config: Config, settings: AnswerConfig, run: RunDir, rows: pa.Table
) -> tuple[Answers, dict[str, list[str]]]:
    """The answers, and what the endpoint turned out not to take."""
    folder = run.path("mix", ".answers")
    if settings.endpoint is not None:
        chat = endpoint_client(settings, settings.concurrency)
        return asyncio.run(answer_rows(settings, rows, chat, settings.model, run.fs, folder)), chat.learnt
    name = served_name(settings.model)
    with serving(config, {name: resolve_model(settings.model, "mix.answers.model")}) as upstream:
        chat = client_of(upstream, name)
        return asyncio.run(answer_rows(settings, rows, chat, name, run.fs, folder)), chat.learnt


def _file_digest(path: str) -> str:
    """What identifies a source's content."""
    if "://" in path:
        return hashlib.sha256(stamp(path).encode()).hexdigest()[:16]
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"mix.sources: {path!r} is no file")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("mix", run_mix, arguments)


if __name__ == "__main__":
    sys.exit(main())
