"""Embed on Ray Data: CPU tasks tokenise parts, a pool of encoders works batch by batch, this process writes vectors.

A batch is a block and a task of its own: a lost encoder is started again and costs the batches that it held, no part.
Batches come back in order and a part is written when its last one is there, so that memory holds one part and what Ray
Data lets be in flight.
"""

from __future__ import annotations

import logging
import os
import posixpath
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
import torch
from pyarrow import fs as pafs

from codeocean.embed.batches import TokenBatch
from codeocean.embed.compiled import check_backend
from codeocean.embed.encoder import Encoder, Tokenizer, embeddings_table, load_model, mean_of_rows
from codeocean.embed.settings import EmbedConfig
from core.metrics import RowMetrics
from core.progress import NowAndThen, TimeLeft, in_words
from core.storage import note_in, part_names, read_footers, read_part, write_part

log = logging.getLogger("wavecoder.codeocean")

PROGRESS_SECONDS = 10.0
COUNTED = ("cut", "without_code")
"""Rows of which the encoder does not see all, and rows of whose code it sees nothing (`SentTexts`)."""


class EncodeBatches:
    """An encoder in an actor, for as many threads as the pool sends calls."""

    def __init__(self, model: str, config: EmbedConfig) -> None:
        """Remember what to load: an error of loading would be lost in the text of Ray's own if it happened here."""
        self._load = cache(partial(Encoder, model, config))
        self._loading = threading.Lock()

    def __call__(self, block: pa.Table) -> pa.Table:
        """Encode the one batch of a block. Idempotent: the same batch gives the same vectors."""
        assert block.num_rows == 1, "a block holds one batch"
        with self._loading:
            encoder = self._load()
        torch.set_num_threads(1)  # of this call's thread: batches beside each other use the cores better than one does
        batch, kept = TokenBatch.from_arrow(block), ["part", "num_texts", "cut", "without_code", "rows"]
        encoded = {
            "tokens": pa.array([int(batch.lengths.sum())]),
            "dimensions": pa.array([encoder.dimensions]),
            "vectors": pa.array([encoder.vectors(batch).tobytes()], pa.large_binary()),
        }
        return pa.table(dict(zip(kept, block.select(kept).columns, strict=True)) | encoded)


class EncodeRows:
    """An encoder in an actor, for rows of somebody's own data set."""

    def __init__(self, model: str, config: EmbedConfig) -> None:
        """Load the model."""
        self._encoder, self._config = Encoder(model, config), config

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Add the vectors as a column of lists."""
        vectors = self._encoder.encode_rows(rows)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
        return rows.append_column("embedding", column)


def embed_rows(rows: ray.data.Dataset, config: EmbedConfig, model: str) -> ray.data.Dataset:
    """The same rows with a column `embedding`, (D,) float32 or float16, made by a pool of actors.

    Args:
        rows: with text columns `code` and `docstring`.
        config: what is encoded, and by how many actors.
        model: Hugging Face id or folder of a `sentence-transformers` model.
    """
    check_backend(config.backend)
    actors = num_actors(config, ray.cluster_resources().get("GPU", 0.0))
    return rows.map_batches(
        EncodeRows, fn_constructor_args=(model, config), batch_format="pyarrow", batch_size=256,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=config.cpus_per_actor, num_gpus=config.gpus_per_actor,
    )  # fmt: skip


def embed(
    config: EmbedConfig, model: str, fs: pafs.FileSystem, source: str, folder: str, names: Sequence[str] | None = None
) -> int:
    """Raw code parts → embedding parts of the same names; returns the number of rows encoded by this call.

    Args:
        config: model, batches and actor pool.
        model: the resolved model folder or id.
        fs: filesystem of the run directory.
        source: folder of the raw code.
        folder: the stage's folder.
        names: of the parts of raw code; None takes those that the folder lists.

    Raises:
        ValueError: a part cannot be read, the model cannot be loaded, or `embed.actors` is "all" of no GPU.
    """
    check_backend(config.backend)
    finished = set(part_names(fs, folder))
    pending = [name for name in names or part_names(fs, source) if name not in finished]
    if not pending:
        return 0
    progress, num_rows = Throughput(len(pending)), 0
    for name, blocks in groupby(_encoded(config, model, fs, source, pending), lambda block: block["part"][0].as_py()):
        rows: list[Any] = []
        vectors: list[Any] = []
        note = dict.fromkeys(COUNTED, 0)
        for block in blocks:
            rows.append(block["rows"][0].values.to_numpy())
            flat = np.frombuffer(block["vectors"][0].as_py(), dtype=config.dtype)
            vectors.append(flat.reshape(len(rows[-1]), block["dimensions"][0].as_py()))
            progress.add(len(rows[-1]), block["tokens"][0].as_py(), block["num_texts"][0].as_py())
            note = {count: note[count] + block[count][0].as_py() for count in COUNTED}
        ids = read_part(fs, posixpath.join(source, name), ["id"])["id"]
        matrix = mean_of_rows(rows, vectors, normalize=config.normalize)
        write_part(fs, posixpath.join(folder, name), embeddings_table(ids, matrix), note)
        num_rows += len(ids)
    return num_rows


def count_cut(footers: Iterable[pq.FileMetaData]) -> dict[str, int]:
    """Rows that did not fit the model's window, as the parts of the artifact note: `COUNTED` → rows."""
    notes = [note_in(footer) for footer in footers]
    return {count: sum(note.get(count, 0) for note in notes) for count in COUNTED}


def embedded_parts(fs: pafs.FileSystem, folder: str, names: Sequence[str]) -> list[pq.FileMetaData]:
    """The footers of parts; raises `ValueError` where one is not there or cannot be read."""
    return read_footers(fs, [posixpath.join(folder, name) for name in names])


def _encoded(config: EmbedConfig, model: str, fs: pafs.FileSystem, source: str, names: list[str]) -> Iterator[pa.Table]:
    """Encoded batches of the parts, one a table, in order."""
    actors = num_actors(config, ray.cluster_resources().get("GPU", 0.0))
    threads = batches_at_a_time(config, actors)
    dataset = (
        ray.data.from_items([{"part": name} for name in names], override_num_blocks=len(names))
        .map_batches(
            partial(_tokenise, config=config, model=model, fs=fs, source=source),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.TaskPoolStrategy(size=actors),
            num_cpus=0,  # little work beside encoding; with a ticket of its own it could wait for ever on one CPU
        )
        .map_batches(
            EncodeBatches,
            fn_constructor_args=(model, config),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                max_size=actors,
                max_tasks_in_flight_per_actor=2 * threads,
                max_concurrent_calls_per_actor=threads,
                enable_true_multi_threading=True,
            ),
            num_cpus=config.cpus_per_actor,
            num_gpus=config.gpus_per_actor or None,
        )
    )
    dataset.context.target_max_block_size = 1  # byte: each batch becomes a block, and so a task, of its own
    dataset.context.execution_options.preserve_order = True
    yield from dataset.iter_batches(batch_size=None, batch_format="pyarrow")


def _tokenise(batch: pa.Table, config: EmbedConfig, model: str, fs: pafs.FileSystem, source: str) -> Iterator[pa.Table]:
    """A part's token batches, one a table."""
    name = batch["part"][0].as_py()
    rows = read_part(fs, posixpath.join(source, name), ["docstring", "code"])
    batches, sent = _tokenizer(model, config).of_rows(rows)
    for number, tokens in enumerate(batches):
        counted = {"part": name, "num_texts": len(sent.texts), "cut": 0, "without_code": 0}
        if number == 0:  # counts of the part travel with its first batch
            counted |= {"cut": sent.cut, "without_code": sent.without_code}
        table = tokens.to_arrow()
        for column, value in counted.items():
            table = table.append_column(column, pa.array([value]))
        yield table


@cache
def _tokenizer(model: str, config: EmbedConfig) -> Tokenizer:
    """The worker process keeps it for its next part."""
    return Tokenizer(load_model(model, weights=False), config)


def num_actors(config: EmbedConfig, num_gpus: float) -> int:
    """Most encoders at a time on a cluster of so many GPUs.

    Raises:
        ValueError: "all" encoders of a cluster that has no GPU for one.
    """
    if config.actors != "all":
        return config.actors
    if not config.gpus_per_actor:
        return 1
    if num_gpus < config.gpus_per_actor:
        raise ValueError(
            f"embed.actors is 'all' and embed.gpus_per_actor is {config.gpus_per_actor:g} but the cluster has "
            f"{num_gpus:g} GPUs; name a number of actors (an autoscaler then adds nodes) or set gpus_per_actor to 0"
        )
    return int(num_gpus / config.gpus_per_actor + 1e-9)


def batches_at_a_time(config: EmbedConfig, actors: int) -> int:
    """Batches that one encoder works on at a time."""
    if config.batches_per_actor is not None:
        return config.batches_per_actor
    return 2 if config.gpus_per_actor else max(1, (os.cpu_count() or 1) // actors)


class Throughput:
    """Counts rows, tokens and shares of parts, and logs them now and then."""

    def __init__(self, num_parts: int) -> None:
        """Start the clock."""
        self._num_parts, self._parts = num_parts, 0.0
        self.num_rows, self._tokens = 0, 0
        self._begun, self._line, self._left = time.monotonic(), NowAndThen(PROGRESS_SECONDS), TimeLeft()
        self._metrics = RowMetrics("embed")

    def add(self, rows: int, tokens: int, rows_of_part: int) -> None:
        """Count a batch of a part; log the first, then every ten seconds, and the last."""
        self.num_rows, self._tokens = self.num_rows + rows, self._tokens + tokens
        self._parts += rows / rows_of_part if rows_of_part else 1.0
        seconds = time.monotonic() - self._begun
        share = min(1.0, self._parts / self._num_parts)
        last, left = share > 1 - 1e-9, self._left.update(seconds, share, 1.0)
        if not self._line.is_due(seconds, last=last):
            return
        self._metrics.tell(out=self.num_rows)
        log.info(
            "embed: %d rows, %.0f %% of %d parts, %.1f rows/s, %.0f tokens/s%s",
            self.num_rows, 100 * share, self._num_parts, self.num_rows / seconds, self._tokens / seconds,
            in_words(left),
        )  # fmt: skip
