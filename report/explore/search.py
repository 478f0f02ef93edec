"""The texts of a run → an index of their trigrams: a search reads only the texts that may hold what is sought.

Two Arrow files beside the explorer's index, made once for each state of the run's files: `search-….texts`, the texts in
small letters, `GROUP` to a batch; and `search-….bits`, for each block of `BLOCK` texts and each of `BUCKETS` hashes of
three bytes the bits of the texts that hold such three bytes (a bit-sliced signature file, as in BitFunnel, Goodwin et
al. 2017, over the trigrams of Cox 2012). A text that holds what is sought holds its trigrams, so no row is missed; what
may match is read, so none is found by mistake. A search thus finds the rows that a scan by `ILIKE` finds.
"""

from __future__ import annotations

import fcntl
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from report.explore.index import MAKING_MEMORY, RunFiles, connect, listed, quoted

GROUP = 256
"""Texts that are read together."""
BLOCK = 32 * GROUP
"""Texts whose bits are kept together."""
BUCKETS = 8192
STEP = 4 * GROUP
"""Texts whose bits are set together: `BUCKETS` × `STEP` bytes of memory."""
BYTES_HASHED = 256_000
"""Of texts whose trigrams are hashed together, each byte of which takes 24 bytes of memory."""
TRIGRAMS = 24
"""Of what is sought, at most."""
BYTES_AT_ONCE = 16_000_000
"""Of texts that are compared at once."""
PARTS = 8
"""Parts of what may match; rows that one part shows are not looked up in the next."""
FIRST_ROWS = 128
REMEMBERED = 8
"""Searches whose rows are kept, for the counts, the next page and another filter."""

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

TEXTS = pa.schema([("n", pa.int32()), ("a", pa.string()), ("b", pa.string()), ("c", pa.string())])
"""`n` of the explorer's row, and its texts: of one raw code, or of one attempt."""
BITS = pa.schema([("owners", pa.list_(pa.int32())), ("slices", pa.list_(pa.binary()))])
"""One row a block: `n` of each text, and for each bucket the compressed bits of the texts."""


class TextIndex:
    """An index that is there."""

    def __init__(self, index: Path, rows: int) -> None:
        """Open the files that `build_text_index` made for an index of so many rows.

        Raises:
            OSError, pa.ArrowException: a file is gone or damaged.
        """
        self._rows = rows
        self._texts, bits = (str(path) for path in text_index_paths(index))
        self._bits = pa.ipc.open_file(pa.memory_map(bits))
        self.num_blocks: int = self._bits.num_record_batches
        self.owners = np.full(self.num_blocks * BLOCK, -1, np.int32)
        """`n` of the row that each text belongs to; -1 behind the last text of a block."""
        for block in range(self.num_blocks):
            owners = self._bits.get_batch(block)["owners"].values.to_numpy()
            self.owners[block * BLOCK :][: len(owners)] = owners
        self._searches: OrderedDict[str, TextSearch] = OrderedDict()
        self._lock = threading.Lock()

    def search(self, text: str) -> TextSearch:
        """What is known of a text in small letters, as DuckDB's `lower` makes them."""
        with self._lock:
            found = self._searches.pop(text, None) or TextSearch(self, text, self._rows)
            self._searches[text] = found
            while len(self._searches) > REMEMBERED:
                self._searches.popitem(last=False)
            return found

    def candidates(self, text: bytes) -> Ints:
        """Places of the texts that hold all trigrams of a text, in order."""
        buckets = np.unique(_buckets(np.frombuffer(text, np.uint8)))
        wanted = buckets[:: -(-len(buckets) // TRIGRAMS)] if len(buckets) else buckets
        found = [np.zeros(0, np.int64)]
        for block in range(self.num_blocks):
            batch = self._bits.get_batch(block)
            slices, bits = batch["slices"].values, np.full(BLOCK // 8, 255, np.uint8)
            for bucket in wanted.tolist():
                bits &= np.frombuffer(pa.decompress(slices[bucket].as_buffer(), BLOCK // 8, "zstd"), np.uint8)
                if not bits.any():
                    break
            found.append(np.flatnonzero(np.unpackbits(bits)) + block * BLOCK)
        places = np.concatenate(found)
        return places[self.owners[places] >= 0]

    def batches(self, groups: Ints) -> Iterator[pa.Table]:
        """The texts of some groups, within a bound of bytes."""
        with pa.OSFile(self._texts) as source:
            reader = pa.ipc.open_file(source)
            batches, size = list[pa.RecordBatch](), 0
            for group in groups.tolist():
                batches.append(reader.get_batch(group))
                size += batches[-1].nbytes
                if size > BYTES_AT_ONCE:
                    yield pa.Table.from_batches(batches)
                    batches, size = [], 0
            if batches:
                yield pa.Table.from_batches(batches)


class TextSearch:
    """The rows in which a text occurs, as far as it was looked; safe to ask from many threads."""

    def __init__(self, index: TextIndex, text: str, rows: int) -> None:
        """Args: index: where; text: in small letters; rows: of the explorer's index."""
        self._index, self._text = index, text
        self._places = index.candidates(text.encode())
        self._open = np.zeros(index.num_blocks * BLOCK // GROUP, bool)
        self._open[self._places // GROUP] = True
        self._possible, self._found = np.zeros(rows, bool), np.zeros(rows, bool)
        self._possible[index.owners[self._places]] = True
        self._lock = threading.Lock()

    def first(self, database: duckdb.DuckDBPyConnection, rows_N: Ints, most: int) -> Ints:
        """The first of some rows, in their order, in which the text occurs.

        Args:
            database: compares texts.
            rows_N: `n` of rows.
            most: how many are wanted.
        """
        rows_N = rows_N[self._possible[rows_N]]
        start, step, kept, number = 0, FIRST_ROWS, [rows_N[:0]], 0
        while start < len(rows_N) and number < most:
            rows = rows_N[start : start + step]
            wanted = np.zeros(len(self._possible), bool)
            wanted[rows] = True
            self._read(database, self._places[wanted[self._index.owners[self._places]]] // GROUP)
            kept.append(rows[self._found[rows]])
            number += len(kept[-1])
            start, step = start + step, step * 2
        return np.concatenate(kept)[:most]

    def possible(self) -> tuple[Ints, bool]:
        """`n` of the rows in which the text was found or may occur, without a look at any; and whether it is in all."""
        with self._lock:
            unread = self._places[self._open[self._places // GROUP]]
            possible = self._found.copy()
        possible[self._index.owners[unread]] = True
        return np.flatnonzero(possible), not len(unread)

    def all(self, database: duckdb.DuckDBPyConnection) -> Ints:
        """`n` of all rows in which the text occurs."""
        for places in np.array_split(self._places, PARTS):
            unknown = ~self._found[self._index.owners[places]]  # another text of the row may have it
            self._read(database, places[unknown] // GROUP)
        self._open.fill(False)  # what was not read belongs to rows that are found
        return np.flatnonzero(self._found)

    def _read(self, database: duckdb.DuckDBPyConnection, groups: Ints) -> None:
        with self._lock:
            groups = np.unique(groups)
            groups = groups[self._open[groups]]
            if not len(groups):
                return
            for texts in self._index.batches(groups):
                database.register("texts", texts)
                found = database.execute(_OCCURS, [self._text]).fetchnumpy()["n"]
                database.unregister("texts")
                self._found[found] = True
            self._open[groups] = False


_OCCURS = "SELECT n FROM texts WHERE contains(a, $1) OR contains(b, $1) OR contains(c, $1)"


def text_index_paths(index: Path) -> tuple[Path, Path]:
    """Where the texts and the bits of an explorer's index are kept."""
    stem = index.name.split(".")[0].replace("index-", "search-")
    return index.with_name(f"{stem}.texts"), index.with_name(f"{stem}.bits")


def build_text_index(files: RunFiles, index: Path, tell: Callable[[float], bool]) -> bool:
    """Make the index of the texts if it is not there; one process at a time.

    Args:
        files: of the run.
        index: the explorer's, whose rows the texts belong to.
        tell: is told how much is done, from 0 to 1; its answer is whether to go on.

    Returns:
        Whether it is there. It is not where `tell` said so, or where another process makes it.

    Raises:
        OSError: the disk is full, say.
        ValueError: a file of the run cannot be read.
    """
    targets = text_index_paths(index)
    making = [path.with_suffix(f"{path.suffix}.making") for path in targets]
    with index.with_name("search.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        for old in index.parent.glob("search-*"):
            if old not in targets:
                old.unlink()
        if all(path.exists() for path in targets):
            return True
        database = connect(files.folder, MAKING_MEMORY)
        try:
            if not _write(database, files, index, making, tell):
                return False
        except duckdb.Error as error:
            raise ValueError(f"{files.root} cannot be read ({str(error).splitlines()[0]})") from None
        finally:
            database.close()
        for path, target in zip(making, targets, strict=True):
            path.replace(target)
    return True


def _write(database: duckdb.DuckDBPyConnection, files: RunFiles, index: Path, making: list[Path],
           tell: Callable[[float], bool]) -> bool:  # fmt: skip
    """Whether all was written."""
    sources, counts = list[str](), list[str]()
    for paths, key, columns in text_columns(files):
        texts_of = ", ".join(
            f"lower({name}) AS {short}" for name, short in zip_longest(columns, "abc", fillvalue="NULL")
        )
        sources.append(_TEXTS.format(columns=texts_of, source=listed(paths), index=quoted(index), key=key))
        counts.append(f"(SELECT count(*) FROM {listed(paths)})")
    number = database.execute(f"SELECT {' + '.join(counts)}").fetchall()[0][0]
    done, options = 0, pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        pa.OSFile(str(making[0]), "wb") as text_file,
        pa.OSFile(str(making[1]), "wb") as bit_file,
        pa.ipc.new_file(text_file, TEXTS, options=options) as texts,
        pa.ipc.new_file(bit_file, BITS) as bits,
    ):
        for batch in itertools.chain.from_iterable(database.sql(one).to_arrow_reader(BLOCK) for one in sources):
            for start in range(0, batch.num_rows, BLOCK):
                block = batch.slice(start, BLOCK).cast(TEXTS)
                for group in range(0, BLOCK, GROUP):
                    texts.write_batch(block.slice(min(group, block.num_rows), GROUP))
                bits.write_batch(_bits_of(block))
                done += block.num_rows
                if not tell(min(1.0, done / max(1, number))):
                    return False
    return True


def text_columns(files: RunFiles) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Where searchable texts are: files, the column that names the raw code, and columns of text."""
    places = (
        (files.generations, "raw_id", ("instruction", "information", "solution")),
        (files.raw, "id", ("code", "docstring")),
    )
    return [place for place in places if place[0]]


_TEXTS = """
SELECT rows.n::INTEGER AS n, {columns}
FROM {source} t JOIN (SELECT n, raw_id FROM read_parquet('{index}')) rows ON rows.raw_id = t.{key}
"""


def _buckets(data: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The bucket of each three bytes in a row; Knuth's multiplicative hash."""
    wide = data.astype(np.uint32)
    codes = np.asarray(wide[2:] | wide[1:-1] << 8 | wide[:-2] << 16 if len(wide) > 2 else wide[:0], np.uint32)
    codes *= np.uint32(2654435761)
    codes >>= np.uint32(32 - (BUCKETS - 1).bit_length())
    return codes


def _bits_of(block: pa.RecordBatch) -> pa.RecordBatch:
    """The row of `BITS` for a block of texts. Bytes across two texts set a bit more, which only costs a look."""
    packed = np.zeros((BUCKETS, BLOCK // 8), np.uint8)
    has = np.empty((BUCKETS, STEP), bool)
    for start in range(0, block.num_rows, STEP):
        has.fill(False)
        for column in ("a", "b", "c"):
            part = block[column].slice(start, STEP)
            offsets = np.frombuffer(part.buffers()[1], np.int32)[part.offset :][: len(part) + 1]
            if part.buffers()[2] is None:
                continue
            data = np.frombuffer(part.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
            places = np.repeat(np.arange(len(part), dtype=np.uint16), np.diff(offsets))
            for at in range(0, len(data), BYTES_HASHED):
                buckets = _buckets(data[at : at + BYTES_HASHED + 2])
                of = places[at : at + len(buckets)]
                has.reshape(-1)[(buckets * np.uint32(STEP) + of).astype(np.intp)] = True
        packed[:, start // 8 : (start + STEP) // 8] = np.packbits(has, axis=1)
    slices = [pa.compress(one.tobytes(), "zstd", asbytes=True) for one in packed]
    owners, bits = (pa.ListArray.from_arrays([0, len(values)], values) for values in (block["n"], pa.array(slices)))
    return pa.record_batch([owners, bits], BITS)
