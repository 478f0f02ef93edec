"""The gates of decontamination as the jobs call them: from the whole configuration to what the room is told."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa

from codeocean.decontaminate import flow
from codeocean.decontaminate.benchmark_problems import BenchmarkText, benchmark_digest
from codeocean.decontaminate.leakage import Gate, Leakage
from core.node_copy import cache_folder
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.fingerprint import InputDigest
from ray_jobs.run.models import model_digest, resolve_model
from ray_jobs.run.rundir import RunDir


def benchmark_texts(config: Config, gate: Gate) -> list[BenchmarkText]:
    """The problems that a gate keeps out; empty where it is off. Raises as the room's function does."""
    return flow.benchmark_texts(config.decontaminate, gate)


def check_benchmarks(config: Config) -> None:
    """Refuse benchmarks that cannot be read before any work starts; raises as `benchmark_texts` does."""
    for gate in config.decontaminate.gates:
        benchmark_texts(config, gate)


def gate_inputs(config: Config, texts: list[BenchmarkText]) -> dict[str, str]:
    """What a stage's digest needs to know of its gate; nothing where it is off."""
    if not texts:
        return {}
    settings = config.decontaminate.model_dump_json(exclude={"gates", "files", "humaneval"})
    model = model_digest(resolve_model(config.embed.model, "embed.model"))
    gate = InputDigest(_digest(settings, model), _digest(settings, getattr(model, "earlier", model)))
    return {"benchmarks": benchmark_digest(texts), "decontaminate": gate}


def check_raw_code(config: Config, run: RunDir, texts: list[BenchmarkText]) -> Leakage:
    """Raw code and its embeddings beside the benchmarks; writes `select/leakage.parquet`."""
    place = flow.Place(run.fs, run.root, "select")
    return flow.check_raw_code(config.decontaminate, _model(config), texts, place)


def check_rows(config: Config, run: RunDir, stage: str, texts: list[BenchmarkText], rows: pa.Table) -> Leakage:
    """INSTANCES rows beside the benchmarks; writes `<stage>/leakage.parquet`."""
    place = flow.Place(run.fs, run.root, stage)
    return flow.check_rows(config.decontaminate, _model(config), texts, place, rows)


def _model(config: Config) -> flow.EmbeddingModel:
    folder = resolve_model(config.embed.model, "embed.model")
    return flow.EmbeddingModel(
        config.embed, folder, model_digest(folder), cache_folder(), connect=lambda: connect(config.ray)
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
