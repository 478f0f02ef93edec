"""Local files and URLs: which there are and are rows, what identifies their content, and a stream of their bytes."""

from __future__ import annotations

import glob
import io
import posixpath
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.fs as pafs

from codeocean.collect.folders import fingerprint
from core.json_records import PACKINGS
from core.object_store import explain, join_url, open_url, shown_url

TABLES = (".parquet", ".arrow", ".feather")
_LINES = (".jsonl", ".json", ".ndjson")
SUFFIXES = {
    "codesearchnet": (*TABLES, *(".jsonl" + packed for packed in PACKINGS)),
    "jsonl": (*TABLES, *(name + packed for name in _LINES for packed in PACKINGS)),
}
"""What each kind of source reads."""
OTHER_FORM = "another form"
"""Reason of a file that holds data and is not read."""

_HOW = {
    ".csv": "read_csv(PATH).to_parquet(…)", ".tsv": 'read_csv(PATH, sep="\\t").to_parquet(…)',
    ".avro": "read_avro(PATH).write_parquet(…)", ".orc": "read_orc(PATH).to_parquet(…)",
    ".xlsx": "read_excel(PATH).to_parquet(…)", ".pq": "", ".parq": "", ".msgpack": "", ".tfrecord": "", ".sqlite": "",
    ".duckdb": "", ".ndjson": "", ".h5": "", ".lance": "", ".tar": "", ".tgz": "", ".zip": "",
    ".7z": "",
}  # fmt: skip
_ARCHIVES = (".tar", ".tgz", ".zip", ".7z")
_OTHERS = tuple(suffix + packed for suffix in _HOW for packed in PACKINGS)
_NO_ROWS = frozenset({"state.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json"})
"""What the datasets library writes about its rows."""
_TABLE_MARKS = {
    "_delta_log": ("Delta", 'deltalake.DeltaTable(PATH).to_pandas().to_parquet("rows.parquet")'),
    ".hoodie": ("Hudi", 'spark.read.format("hudi").load(PATH).write.parquet("rows")'),
    "_versions": ("Lance", 'lance.dataset(PATH).to_table().to_pandas().to_parquet("rows.parquet")'),
}

READ_AHEAD_BYTES = 1 << 23
"""gzip asks for 8 KB at a time."""

STORES = ("s3://", "gs://", "abfs://")
"""Places whose folders can be listed."""


def list_files(path: str, kind: str) -> list[str]:
    """The files that a file, folder, glob or URL names, in order; in an object store a URL may name a folder.

    Files of data in a form that is not read are among them.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: nothing that is there is read by this kind of source.
    """
    if path.startswith(STORES):
        files = _chosen(_stored(path), kind)
    elif "://" in path:
        files = [path]
    else:
        absolute = Path(path).expanduser().absolute()  # a worker's current folder is another
        if absolute.is_dir():
            refuse_tables(absolute)
        pattern = f"{glob.escape(str(absolute))}/**/*" if absolute.is_dir() else str(absolute)
        # Path.glob takes no absolute pattern.
        found = [str(absolute)] if absolute.is_file() else glob.glob(pattern, recursive=True)  # noqa: PTH207
        files = _chosen(sorted(found), kind)
        if not found:
            raise FileNotFoundError(f"collect.sources: {shown_url(path)!r} does not exist")
    if not any(is_read(name_of(file), kind) for file in files):
        raise ValueError(_nothing_to_read(path, kind, [name_of(file) for file in files]))
    return files


def _chosen(names: list[str], kind: str) -> list[str]:
    """The files of a folder that are read or counted: rows, and data of another form.

    Args:
        names: paths below the folder, or URLs.
        kind: of the source.
    """
    suffixes = (*SUFFIXES[kind], *_OTHERS)
    return [name for name in names if name_of(name).lower().endswith(suffixes) and not _is_no_row(name)]


def _is_no_row(name: str) -> bool:
    base = name_of(name)
    return base in _NO_ROWS or (base.startswith("cache-") and base.endswith(".arrow")) or "/_temporary/" in name


def is_read(name: str, kind: str) -> bool:
    """Whether a file's name is one of a form that the kind of source reads."""
    return name.lower().endswith(SUFFIXES[kind])


def refuse_tables(folder: Path, setting: str = "collect.sources") -> None:
    """Refuses folders whose files are not all rows of the table that they hold.

    Args:
        folder: a local one.
        setting: what names it, for the message.

    Raises:
        ValueError: it is one.
    """
    marks = [f"{mark}/" for mark in _TABLE_MARKS if (folder / mark).is_dir()]
    marks += [f"{file.parent.name}/{file.name}" for file in (folder / "metadata").glob("*.metadata.json")]
    _refuse_table(marks, str(folder), setting)


def _refuse_table(names: list[str], where: str, setting: str) -> None:
    """`refuse_tables` by the names of files below a folder or URL."""
    found = next((said for mark, said in _TABLE_MARKS.items() if any(name.startswith(f"{mark}/") for name in names)),
                 None)  # fmt: skip
    if found is None and any(re.fullmatch(r"metadata/[^/]*\.metadata\.json", name) for name in names):
        found = "Iceberg", 'table.scan().to_pandas().to_parquet("rows.parquet")'
    if found is None:
        return
    raise ValueError(
        f"{setting}: {where!r} is a {found[0]} table, whose files also hold rows that are no longer in it; "
        f"write its rows as Parquet, as by {found[1].replace('PATH', repr(where))}, and name those"
    )


def _nothing_to_read(path: str, kind: str, others: list[str]) -> str:
    """What to say where a path holds no file that is read.

    Args:
        path: the source's.
        kind: the source's.
        others: files of other forms that are there.
    """
    plain = [suffix for suffix in SUFFIXES[kind] if suffix in (*TABLES, *_LINES)]
    said = f"collect.sources: {shown_url(path)!r} holds no {', '.join(plain[:-1])} or {plain[-1]} file"
    if not others:
        return said
    name = posixpath.basename(others[0])
    suffix = next((each for each in _HOW if name.lower().endswith(tuple(each + packed for packed in PACKINGS))), "")
    if suffix in _ARCHIVES:
        return f"{said}, but {name}; unpack it and name the folder"
    call = f", as {'polars' if suffix == '.avro' else 'pandas'}.{_HOW[suffix]}" if _HOW.get(suffix) else ""
    return f"{said}, but {name}; write its rows as Parquet or JSON lines{call.replace('PATH', repr(name))}"


def _stored(url: str) -> list[str]:
    """The file or the files below a folder in an object store, as URLs with the options of this one."""
    try:
        fs, path = open_url(url)
        found = fs.get_file_info(path)
        if found.type == pafs.FileType.File:
            return [url]
        infos = fs.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
    except OSError as error:
        raise OSError(f"collect.sources: {explain(str(error)) or error}") from None
    if not infos:
        raise FileNotFoundError(f"collect.sources: {shown_url(url)!r} does not exist")
    names = sorted(posixpath.relpath(info.path, path) for info in infos if info.is_file and info.size)
    _refuse_table(names, shown_url(url), "collect.sources")
    return [join_url(url, name) for name in names]


def name_of(file: str) -> str:
    """The file's name, without what a URL says behind `?`."""
    return posixpath.basename(file.partition("?")[0] if "://" in file else file)


def stamp(file: str) -> str:
    """Changes when the file does: its name or address, size and time.

    Raises:
        OSError: a URL cannot be reached.
    """
    if "://" not in file:
        return fingerprint(Path(file).parent, (Path(file).name,))
    shown = shown_url(file)
    try:
        fs, path = _filesystem(file)
        info = fs.get_file_info([path])[0]
    except (OSError, ValueError, ImportError) as error:
        reason = explain(str(error)) or " ".join(str(error).split())
        raise OSError(f"collect.sources: {shown} cannot be reached: {reason.replace(file, shown)}") from None
    if info.type != pafs.FileType.File:
        raise FileNotFoundError(f"collect.sources: {shown} does not exist or cannot be reached")
    return f"{file} {info.size} {info.mtime_ns}"


def open_in_order(file: str) -> Any:
    """A stream that is read from its beginning to its end: of a URL `READ_AHEAD_BYTES` by each request."""
    stream = open_file(file)
    return io.BufferedReader(stream, READ_AHEAD_BYTES) if "://" in file else stream


def open_file(file: str) -> Any:
    """A seekable stream of bytes; of a URL each read is a request."""
    if "://" not in file:
        return Path(file).open("rb")
    fs, path = _filesystem(file)
    if not file.startswith(("http://", "https://")) or fs.handler.fs.info(path).get("partial"):
        return fs.open_input_file(path)
    with fs.handler.fs.open(path, block_size=0) as stream:  # a server that cannot send a part of a file
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


def _filesystem(url: str) -> tuple[pafs.FileSystem, str]:
    """Pyarrow's own file system where it has one, fsspec's for the others, such as https."""
    scheme = url.split("://")[0]
    if scheme in ("file", "s3", "gs", "abfs", "hdfs"):
        return open_url(url)
    files = fsspec.filesystem(scheme)
    return pafs.PyFileSystem(pafs.FSSpecHandler(files)), files._strip_protocol(url)
