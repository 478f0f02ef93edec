"""Files that are written whole or not at all, so that a stage that was cut off resumes behind the last one."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from core.manifest import MADE_AGAIN, Part, written_files
from core.object_store import is_object_store, upload

_NOTE = b"wavecoder"
_SAMPLES, _SAMPLE_BYTES = 64, 2**16
_REQUESTS = 16
"""Small files that are read, copied or deleted at a time: their cost is waiting for the store."""


def write_bytes(fs: pafs.FileSystem, path: str, content: bytes) -> None:
    """Write a file atomically: under a hidden name, then moved, or by one upload. Missing folders are made."""
    with _whole_or_not(fs, path) as stream:
        stream.write(content)


def write_table(fs: pafs.FileSystem, path: str, table: pa.Table) -> None:
    """Write a Parquet file atomically, compressed by zstd."""
    with _whole_or_not(fs, path) as stream:
        pq.write_table(table, stream, compression="zstd")


@contextmanager
def _whole_or_not(fs: pafs.FileSystem, path: str) -> Iterator[pa.NativeFile]:
    if is_object_store(fs):
        # A stream that fails half-way would end as a short object, so the content is complete before it is sent. No
        # other name, no folder: moving is copying there, and each would be requests that cost time and money.
        content = pa.BufferOutputStream()
        yield content
        upload(fs, path, content.getvalue())
        return
    folder, name = posixpath.split(path)
    fs.create_dir(folder, recursive=True)
    making = posixpath.join(folder, f".{name.removeprefix('.')}.making")
    with fs.open_output_stream(making, compression=None) as stream:
        yield stream
    fs.move(making, path)


def move_folder(fs: pafs.FileSystem, source: str, target: str, records: Sequence[str]) -> None:
    """Move a folder, so that a kill at any moment leaves one that is whole.

    Args:
        fs: the filesystem of both.
        source: the folder.
        target: its new path.
        records: names of the files that make a folder valid: where there are no folders, copied last, deleted first.

    Raises:
        OSError: the store refuses, does not answer, or did not copy what it said it had; the source is whole then.
    """
    if not is_object_store(fs):
        fs.create_dir(posixpath.dirname(target), recursive=True)
        fs.move(source, target)
        return
    # A folder may be an empty object of its own, and nothing in it.
    infos = fs.get_file_info(pafs.FileSelector(source, recursive=True, allow_not_found=True))
    names = [posixpath.relpath(info.path, source) for info in infos if info.is_file]
    last = [name for name in records if name in names]
    with ThreadPoolExecutor(_REQUESTS) as pool:  # the store copies by itself
        for group in ([name for name in names if name not in last], last):
            list(pool.map(lambda name: fs.copy_file(posixpath.join(source, name), posixpath.join(target, name)), group))
    # Whoever answers 200 in the store's place has copied nothing: only what is seen there is deleted here.
    there = {
        info.path: info.size
        for info in fs.get_file_info(pafs.FileSelector(target, recursive=True, allow_not_found=True))
    }
    for info in infos:
        if info.is_file and there.get(posixpath.join(target, posixpath.relpath(info.path, source))) != info.size:
            raise OSError(f"{info.path} was copied to {target} and is not there; run the same command again")
    for name in last:
        fs.delete_file(posixpath.join(source, name))
    if infos:
        fs.delete_dir(source)


def copy_up(folder: Path, fs: pafs.FileSystem, target: str) -> None:
    """Copy a local folder to an object store; what the store then lacks is sent again.

    Raises:
        OSError: the store refuses, does not answer, or does not keep what it takes.
    """
    pafs.copy_files(str(folder), target, destination_filesystem=fs)
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        path = posixpath.join(target, file.relative_to(folder).as_posix())
        if fs.get_file_info(path).size != file.stat().st_size:
            with pa.memory_map(str(file)) as stream:
                upload(fs, path, stream.read_buffer())


def delete_files(fs: pafs.FileSystem, paths: Sequence[str]) -> None:
    """Delete files, several at a time."""
    if not is_object_store(fs):
        for path in paths:
            fs.delete_file(path)
        return
    with ThreadPoolExecutor(_REQUESTS) as pool:
        list(pool.map(fs.delete_file, paths))


def read_files(fs: pafs.FileSystem, paths: Sequence[str]) -> list[bytes]:
    """The content of files, in their order; several are read at a time."""

    def read(path: str) -> bytes:
        with fs.open_input_stream(path, compression=None) as stream:
            return bytes(stream.read())

    if not is_object_store(fs):
        return [read(path) for path in paths]
    with ThreadPoolExecutor(_REQUESTS) as pool:
        return list(pool.map(read, paths))


def write_part(fs: pafs.FileSystem, path: str, table: pa.Table, note: dict[str, Any] | None = None) -> None:
    """Write a Parquet file atomically; `note` travels in its schema metadata."""
    if note is not None:
        table = table.replace_schema_metadata({_NOTE: json.dumps(note).encode()})
    write_table(fs, path, table)


def read_part(fs: pafs.FileSystem, path: str, columns: list[str] | None = None, needs: Sequence[str] = ()) -> pa.Table:
    """Read a Parquet file.

    Args:
        fs: its filesystem.
        path: of the file.
        columns: to read; None takes all.
        needs: columns that have to be among all.

    Raises:
        ValueError: it is none, is not there, or lacks a column; the line names it and says what to do.
    """
    with _readable(fs, path):
        if not is_object_store(fs) and fs.get_file_info(path).type == pafs.FileType.Directory:
            raise IsADirectoryError  # pyarrow would read what lies in it
        table = pq.read_table(path, filesystem=fs, columns=columns)
        if lacking := [name for name in needs if name not in table.column_names]:
            raise pa.ArrowKeyError(f"it has no column {lacking[0]!r}")
        return table


def open_part(fs: pafs.FileSystem, path: str) -> pq.ParquetFile:
    """A Parquet file to read piece by piece; raises `ValueError` as `read_part` does."""
    with _readable(fs, path):
        return pq.ParquetFile(path, filesystem=fs)


@contextmanager
def _readable(fs: pafs.FileSystem, path: str) -> Iterator[None]:
    """What cannot be read as Parquet, in words."""
    again = "delete it, and its stage's manifest.json if that is there, and run the stage again"
    try:
        yield
    except FileNotFoundError:
        more = "delete its stage's manifest.json, and run the stage again"
        raise ValueError(f"{path} is not there; put it back, or {more}") from None
    except OSError:
        is_folder = not is_object_store(fs) and fs.get_file_info(path).type == pafs.FileType.Directory
        if not is_folder:
            raise
        raise ValueError(f"{path} is a folder and should be a file; {again}") from None
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        said = str(error).strip("'\"").splitlines()[0]
        raise ValueError(f"{path} cannot be read ({said}); {again}") from None


def read_footers(fs: pafs.FileSystem, paths: Sequence[str]) -> list[pq.FileMetaData]:
    """What Parquet files say of themselves: rows, columns, notes. Several are read at a time from an object store.

    Raises:
        ValueError: as `read_part`.
    """

    def read(path: str) -> pq.FileMetaData:
        with _readable(fs, path):
            return pq.read_metadata(path, filesystem=fs)

    if not is_object_store(fs):
        return [read(path) for path in paths]
    with ThreadPoolExecutor(_REQUESTS) as pool:
        return list(pool.map(read, paths))


def note_in(footer: pq.FileMetaData) -> dict[str, Any]:
    """What the writer of a part said of it."""
    note: dict[str, Any] = json.loads((footer.metadata or {}).get(_NOTE, b"{}"))
    return note


def read_note(fs: pafs.FileSystem, path: str) -> dict[str, Any]:
    """What the writer of a part said of it; raises `ValueError` as `read_part` does."""
    return note_in(read_footers(fs, [path])[0])


def part_names(fs: pafs.FileSystem, folder: str) -> list[str]:
    """Names of the finished `part-*.parquet` files of a folder, in order."""
    infos = fs.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
    names = (info.base_name for info in infos)
    return sorted(name for name in names if name.startswith("part-") and name.endswith(".parquet"))


def written_parts(fs: pafs.FileSystem, folder: str) -> list[Part]:
    """The `part-*.parquet` that a finished stage wrote, in order; where none is named, those that are listed.

    Raises:
        ValueError: as `read_manifest`.
    """
    named = [part for part in written_files(fs, folder) or [] if _is_main(part.name)]
    return named or [Part(name) for name in part_names(fs, folder)]


def _is_main(name: str) -> bool:
    return name.startswith("part-") and "/" not in name


def read_parts(
    fs: pafs.FileSystem, folder: str, columns: list[str] | None = None, needs: Sequence[str] = ()
) -> pa.Table:
    """All parts of a stage's folder as one table, in order.

    Raises:
        ValueError: there is none, one cannot be read, is not there, or has other rows than were written.
    """
    parts = written_parts(fs, folder)
    if not parts:
        raise ValueError(f"{folder} holds no part-*.parquet; run the stage that writes it first")
    tables = []
    for part in parts:
        path = posixpath.join(folder, part.name)
        tables.append(read_part(fs, path, columns, needs))
        check_rows(path, tables[-1].num_rows, part)
    return pa.concat_tables(tables)


def check_rows(path: str, rows: int, part: Part) -> None:
    """Refuse a part that has other rows than were written; raises `ValueError`."""
    if part.rows is not None and rows != part.rows:
        raise ValueError(f"{path} has {rows:,} rows, and {part.rows:,} were written; {MADE_AGAIN}")


def sample_digest(file: Path) -> str:
    """SHA-256 of a local file's size and of `_SAMPLES` evenly spread blocks; a small file is read whole."""
    with file.open("rb") as opened:
        return stream_digest(opened, file.stat().st_size)


def stream_digest(stream: Any, size: int) -> str:
    """The same of anything that seeks and reads."""
    content = hashlib.sha256(str(size).encode())
    if size <= _SAMPLES * _SAMPLE_BYTES:
        content.update(stream.read())
    else:
        for number in range(_SAMPLES):
            stream.seek(number * (size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            content.update(stream.read(_SAMPLE_BYTES))
    return content.hexdigest()
