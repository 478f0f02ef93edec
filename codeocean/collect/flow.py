"""Collect on Ray Data: sources → `part-*.parquet` of RAW_CODE, with bounded memory, resumable, in one order.

Workers read units, apply the rules and compute the keys of duplicates; this process decides who is a duplicate, row by
row in the order of the input, and writes. Ray Data holds what workers are ahead of this process in its object store and
stops them when that is full. A part is written when it is full, and notes the first row that it does not account for:
there a cut-off run goes on. The files are the same for any number of workers.
"""

from __future__ import annotations

import logging
import os
import posixpath
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray
from pyarrow import fs as pafs

from codeocean.collect.accounting import (
    Account,
    CollectConfig,
    DroppedRows,
    Position,
    cut_parts,
    keys_of,
    read_filtered,
)
from codeocean.collect.duplicate_index import IndexShard, ShardedIndex
from codeocean.collect.duplicates import Duplicates
from codeocean.collect.filters import FilterConfig, filter_batch
from codeocean.collect.licenses import license_names
from codeocean.collect.settings import READ_SCHEMA, CodeSearchNetSource, Unit
from core.metrics import RowMetrics
from core.storage import part_names, read_note, read_part, write_part

log = logging.getLogger("wavecoder.codeocean")

MAX_BLOCKS = 1000
BLOCK_BYTES = 8 * 2**20
"""What a worker sends at a time."""
KEYS_FOLDER = ".keys"
"""Hashes and signatures of the parts, of the same names."""


@dataclass(frozen=True)
class Collected:
    """What came of it."""

    kept: int
    account: Account
    rows_read: int
    """By this attempt."""
    seconds: float
    cores: int

    @property
    def rate(self) -> float:
        """Rows read a second and core."""
        return self.rows_read / self.seconds / self.cores if self.seconds else 0.0


def collect(config: CollectConfig, units: list[Unit], fs: pafs.FileSystem, folder: str) -> Collected:
    """Sources → `part-*.parquet` of RAW_CODE, duplicates dropped, the first of them kept.

    Args:
        config: sources, filters, sample.
        units: what to read, in order.
        fs: filesystem of the run directory.
        folder: the stage's folder.

    Raises:
        ValueError: a shard of `dedup: sharded` was lost.
    """
    duplicates, total, kept = _open_duplicates(config), Account(), 0
    at: Position = (0, 0)
    names = _without_gaps(part_names(fs, folder))
    for name in names:  # what an earlier attempt finished
        note, keys = read_note(fs, posixpath.join(folder, name)), read_part(fs, _keys_path(folder, name))
        duplicates.add(*keys_of(keys))
        total.merge(Account.from_note(note))
        kept, at = kept + keys.num_rows, (note["behind"][0], note["behind"][1])
    before, begun, cores = total.rows_in, time.monotonic(), _cores()
    tables, metrics = _filtered_rows(config, units, at), RowMetrics("collect")
    dropped = DroppedRows(fs, folder, len(names), config.rows_per_part)
    see = dropped.add if config.keep_dropped else None
    parts = cut_parts(tables, duplicates, config.rows_per_part, (len(units), 0), see)
    for number, part in enumerate(parts, len(names)):
        dropped.end_part()
        name = _part_name(number)
        write_part(fs, _keys_path(folder, name), part.keys)  # first: a part without its keys could not be gone on from
        note = {"behind": part.behind} | part.account.to_note()
        write_part(fs, posixpath.join(folder, name), part.rows, note)
        total.merge(part.account)
        kept += part.rows.num_rows
        rate = (total.rows_in - before) / (time.monotonic() - begun) / cores
        metrics.tell(**{"in": total.rows_in, "out": kept})
        log.info("collect: in unit %d of %d, %d rows kept of %d, %.0f rows/s/core",
                 part.behind[0], len(units), kept, total.rows_in, rate)  # fmt: skip
    return Collected(kept, total, total.rows_in - before, time.monotonic() - begun, cores)


def _without_gaps(names: list[str]) -> list[str]:
    """The parts up to the first that is not listed: from there on they are made again, the same as before."""
    return [name for number, name in enumerate(names) if name == _part_name(number)]


def _part_name(number: int) -> str:
    return f"part-{number:05d}.parquet"


def _open_duplicates(config: CollectConfig) -> Duplicates:
    """An empty index in this process or in actors."""
    if config.dedup == "driver":
        return Duplicates(config.near_duplicates)
    shard = ray.remote(num_cpus=0, scheduling_strategy="SPREAD")(IndexShard)
    shards = [shard.remote(config.near_duplicates) for _ in range(config.dedup_shards)]

    def call(method: str, asked: dict[int, tuple[Any, ...]]) -> dict[int, Any]:
        answers = {number: getattr(shards[number], method).remote(*given) for number, given in asked.items()}
        try:
            return dict(zip(answers, ray.get(list(answers.values())), strict=True))
        except ray.exceptions.RayActorError as error:
            raise ValueError(
                "collect: a shard of the index of duplicates was lost, for want of memory or with its node; run again, "
                "with more collect.dedup_shards if memory ran out: finished parts are kept"
            ) from error

    return Duplicates(config.near_duplicates, ShardedIndex(call, config.dedup_shards))


def filter_rows(rows: ray.data.Dataset, config: FilterConfig) -> ray.data.Dataset:
    """The same rows with a column `reason`: the rule that stops a row, or empty where it goes on.

    Args:
        rows: with text columns `code`, `docstring` and `language`; other columns of RAW_CODE are read where there are.
        config: the rules.
    """

    def judged(batch: pa.Table) -> pa.Table:
        empty = pa.nulls(batch.num_rows, pa.string()).fill_null("")
        whole = {name: batch[name] if name in batch.column_names else empty for name in READ_SCHEMA.names}
        return batch.append_column("reason", filter_batch(pa.table(whole), config)["reason"])

    return rows.map_batches(judged, batch_format="pyarrow")


def _keys_path(folder: str, name: str) -> str:
    return posixpath.join(folder, KEYS_FOLDER, name)


def _cores() -> int:
    """CPUs that do the work: Ray's, which on one machine may be more tickets than there are cores."""
    tickets = int(ray.cluster_resources().get("CPU", 1))
    return tickets if len(ray.nodes()) > 1 else min(tickets, os.cpu_count() or 1)


def _filtered_rows(config: CollectConfig, units: list[Unit], at: Position) -> Iterator[pa.Table]:
    """Filtered rows behind a position, in order."""
    if at[0] >= len(units):
        return
    files = {unit.source.licenses_file for unit in units[at[0] :] if isinstance(unit.source, CodeSearchNetSource)}
    licenses = {file: ray.put(license_names(file)) for file in files if file}  # read once, not by every worker

    def read(batch: dict[str, list[object]]) -> Iterator[pa.Table]:
        for number, unit in zip(batch["number"], batch["unit"], strict=True):
            assert isinstance(unit, Unit)
            reference = licenses.get(getattr(unit.source, "licenses_file", None) or "")
            names = ray.get(reference) if reference else None
            position = (int(number), at[1] if number == at[0] else 0)  # type: ignore[call-overload]
            yield from read_filtered(unit, position, config, names)

    pending = [{"number": number, "unit": units[number]} for number in range(at[0], len(units))]
    dataset = ray.data.from_items(pending, override_num_blocks=min(len(pending), MAX_BLOCKS))
    dataset = dataset.map_batches(read, batch_size=1, batch_format="numpy")
    dataset.context.execution_options.preserve_order = True  # the same rows kept for any number of workers
    dataset.context.target_max_block_size = BLOCK_BYTES
    yield from dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)
