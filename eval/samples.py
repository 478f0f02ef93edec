"""Finished samples of one model on one benchmark, kept as they come: a kill loses only what was in flight. No Ray here.

While an evaluation runs, small part files are added, each whole or not at all; at its end they become one file. Object
stores cannot append, and this works on any filesystem that pyarrow opens.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import time
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from core.storage import write_table
from eval.scores import SAMPLES

FLUSH_SECONDS = 1.0
"""Longest that a finished sample waits in memory."""

_KEY = b"wavecoder"

Sample = tuple[str, int]
"""`task_id` and number of the sample."""


class Journal:
    """The samples of `<folder>/<name>.parquet`, while they are being made in `<folder>/<name>.parts/`."""

    def __init__(self, fs: pafs.FileSystem, folder: str, name: str, depends_on: dict[str, Any]) -> None:
        """Read back what is there.

        Args:
            fs: filesystem of the folder.
            folder: where results go.
            name: of these samples, such as base-humaneval.
            depends_on: everything that a sample depends on, as JSON values.

        Raises:
            ValueError: there are finished samples of other settings.
        """
        self._fs, self._file = fs, posixpath.join(folder, f"{name}.parquet")
        self._parts = posixpath.join(folder, f"{name}.parts")
        self._key = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]
        self._waiting: list[dict[str, Any]] = []
        self._flushed = time.monotonic()
        found = fs.get_file_info(pafs.FileSelector(self._parts, allow_not_found=True))
        paths = sorted(info.path for info in found if info.is_file and not info.base_name.startswith("."))
        self._next = 1 + max((int(posixpath.basename(path)[5:-8]) for path in paths), default=-1)
        if fs.get_file_info(self._file).is_file:
            paths.insert(0, self._file)
        self.rows: dict[Sample, dict[str, Any]] = {}
        self._finished = paths == [self._file]
        for path in paths:
            self._read_back(path)

    def _read_back(self, path: str) -> None:
        try:
            table = pq.read_table(path, filesystem=self._fs)
        except (pa.ArrowInvalid, OSError):  # damaged: its samples are made again
            self._finished = False
            return
        if (table.schema.metadata or {}).get(_KEY) != self._key.encode():
            raise ValueError(f"{path} holds samples of other settings, another model or another data set; choose "
                             "another folder for the results, or delete it")  # fmt: skip
        for row in table.to_pylist():
            if row["outcome"] != "refused":  # an endpoint that refused may have been set up better since
                self.rows[row["task_id"], row["sample"]] = row

    def add(self, row: dict[str, Any]) -> None:
        """Keep a finished sample; it is on disk after `FLUSH_SECONDS` if somebody calls `flush` as often."""
        self.rows[row["task_id"], row["sample"]] = row
        self._waiting.append(row)
        self._finished = False
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            self._write(posixpath.join(self._parts, f"part-{self._next:05d}.parquet"), self._waiting)
            self._next, self._waiting = self._next + 1, []
        self._flushed = time.monotonic()

    def finish(self, order: Iterable[Sample]) -> pa.Table:
        """Make one file of all samples, in this order; returns those that the order names."""
        wanted = list(dict.fromkeys(order))
        rest = sorted(set(self.rows) - set(wanted))  # of an earlier run with more problems: kept, not scored
        if not self._finished:
            self._write(self._file, [self.rows[sample] for sample in [*wanted, *rest]])
        if self._fs.get_file_info(self._parts).type == pafs.FileType.Directory:
            self._fs.delete_dir(self._parts)
        self._waiting = []
        return pa.Table.from_pylist([self.rows[sample] for sample in wanted], schema=SAMPLES)

    def _write(self, path: str, rows: list[dict[str, Any]]) -> None:
        table = pa.Table.from_pylist(rows, schema=SAMPLES).replace_schema_metadata({_KEY: self._key.encode()})
        write_table(self._fs, path, table)
