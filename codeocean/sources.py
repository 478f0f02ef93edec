"""Sources → rows of raw code, in units that are read independently and in bounded memory.

CodeSearchNet in both published forms (Hugging Face Parquet and the original `jsonl.gz`), and folders of source code,
out of which documented functions are taken. A row that cannot be used is still a row, with a reason. Damage drops rows;
a network that fails raises, so that nothing is lost to it. How to bring your own code: docs/data.md.
"""

import glob
import gzip
import hashlib
import inspect
import io
import json
import os
import platform
import shutil
import sysconfig
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import fsspec
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, PositiveInt

from codeocean.languages import GRAMMARS, extract_documented, language_of, strip_docstring
from codeocean.records import RAW_CODE, row_id

BATCH_ROWS = 1000
FILES_PER_UNIT = 64
READ_SCHEMA = RAW_CODE.append(pa.field("reason", pa.string()))
SUFFIXES = (".parquet", ".jsonl.gz", ".jsonl")

SKIPPED_FOLDERS = frozenset({".git", "node_modules", "__pycache__", ".venv"})
STDLIB_SKIPPED = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3"})

LanguageName = Literal["python", "javascript", "java", "go", "php", "ruby"]
LANGUAGES: tuple[LanguageName, ...] = get_args(LanguageName)


class FolderSource(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """A folder of source code, such as a git checkout."""

    kind: Literal["folder"]
    path: str
    """The folder; "stdlib" is the standard library of the Python that runs this."""

    languages: tuple[LanguageName, ...] = LANGUAGES
    """Languages to take."""

    license: str = ""
    """Licence of the code, as its repository names it."""

    repository: str = ""
    """Name of the repository."""

    max_file_bytes: PositiveInt = 1_000_000
    """Larger files are data or generated."""


class CodeSearchNetSource(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """CodeSearchNet (Husain et al. 2019), the paper's raw code."""

    kind: Literal["codesearchnet"]
    path: str
    """A .parquet, .jsonl.gz or .jsonl file, a folder of them, a glob, or the URL of one file."""

    languages: tuple[LanguageName, ...] = LANGUAGES
    """Languages to take."""


SourceConfig = Annotated[FolderSource | CodeSearchNetSource, Field(discriminator="kind")]


@dataclass(frozen=True)
class Unit:
    """What one worker reads at a time."""

    source: FolderSource | CodeSearchNetSource
    files: tuple[str, ...]
    """A bundle of source files relative to the folder, or one CodeSearchNet file."""
    root: str = ""
    row_group: int | None = None
    fingerprint: str = ""
    """Changes when the input does: names, sizes and times."""


def list_units(source: FolderSource | CodeSearchNetSource) -> list[Unit]:
    """The units of a source, in a fixed order.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: nothing to read is there.
    """
    return _folder_units(source) if isinstance(source, FolderSource) else _dataset_units(source)


def read_unit(unit: Unit) -> Iterator[pa.RecordBatch]:
    """Rows of RAW_CODE and `reason`, at most `BATCH_ROWS` at a time."""
    rows = _folder_rows(unit) if isinstance(unit.source, FolderSource) else _dataset_rows(unit)
    batch: list[dict[str, str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield pa.RecordBatch.from_pylist(batch, schema=READ_SCHEMA)
            batch = []
    if batch:
        yield pa.RecordBatch.from_pylist(batch, schema=READ_SCHEMA)


def _folder_units(source: FolderSource) -> list[Unit]:
    stdlib = source.path == "stdlib"
    root = Path(sysconfig.get_path("stdlib") if stdlib else source.path).expanduser().absolute()
    if not root.is_dir():
        raise FileNotFoundError(f"collect.sources: the folder {source.path!r} does not exist")
    if stdlib:
        source = source.model_copy(update={"license": "PSF-2.0", "repository": "python/cpython"})
    suffixes = tuple(suffix for language in source.languages for suffix in GRAMMARS[language].suffixes)
    files = sorted(_source_files(root, suffixes, SKIPPED_FOLDERS | (STDLIB_SKIPPED if stdlib else frozenset())))
    if not files:
        raise ValueError(f"collect.sources: {source.path!r} holds no file of {', '.join(source.languages)}")
    bundles = [tuple(files[start : start + FILES_PER_UNIT]) for start in range(0, len(files), FILES_PER_UNIT)]
    return [Unit(source, bundle, str(root), None, _fingerprint(root, bundle)) for bundle in bundles]


def _source_files(root: Path, suffixes: tuple[str, ...], skipped: frozenset[str]) -> Iterator[str]:
    """Files by suffix, relative to the root; of links only those that leave it, for what the others show is there."""
    for folder, folders, names in os.walk(root):  # does not follow linked folders: they may run in circles
        folders[:] = [name for name in folders if name not in skipped]
        for name in names:
            path = Path(folder) / name
            if name.lower().endswith(suffixes) and path.is_file() and not (path.is_symlink() and _inside(path, root)):
                yield path.relative_to(root).as_posix()


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _fingerprint(root: Path, files: tuple[str, ...]) -> str:
    text = "\n".join(f"{file} {(stat := (root / file).stat()).st_size} {stat.st_mtime_ns}" for file in files)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _folder_rows(unit: Unit) -> Iterator[dict[str, str]]:
    source = unit.source
    assert isinstance(source, FolderSource)
    for file in unit.files:
        row = dict.fromkeys(READ_SCHEMA.names, "") | {"path": file, "license": source.license}
        row |= {"repository": source.repository, "source": f"folder:{source.path}", "language": language_of(file) or ""}
        if source.path == "stdlib":
            row["url"] = f"https://github.com/python/cpython/blob/v{platform.python_version()}/Lib/{file}"
        content = _read_source(Path(unit.root), file, source.max_file_bytes)
        if isinstance(content, str):
            yield row | {"reason": content}
            continue
        for function in extract_documented(content, row["language"]):
            texts = {"code": function.code, "docstring": function.docstring, "name": function.name}
            yield row | texts | {"id": row_id(function.code)}


def _read_source(root: Path, file: str, max_bytes: int) -> bytes | str:
    """A file's UTF-8 with lines that end in a line feed, or the reason why there is none."""
    path = root / file
    try:
        if not _inside(path, root):
            return "link leaves the folder"
        if path.stat().st_size > max_bytes:
            return "file too large"
        content = path.read_bytes()
        if b"\0" in content:
            return "binary file"
        return content.decode("utf-8-sig").replace("\r\n", "\n").encode()
    except UnicodeDecodeError:
        return "not UTF-8"
    except OSError:
        return "unreadable file"


def _dataset_units(source: CodeSearchNetSource) -> list[Unit]:
    if "://" in source.path:
        files = [source.path]
    else:
        path = Path(source.path).expanduser().absolute()  # a worker's current folder is another
        pattern = f"{glob.escape(str(path))}/**/*" if path.is_dir() else str(path)
        # Path.glob takes no absolute pattern.
        found = [str(path)] if path.is_file() else glob.glob(pattern, recursive=True)  # noqa: PTH207
        files = sorted(file for file in found if file.endswith(SUFFIXES))
        if not found:
            raise FileNotFoundError(f"collect.sources: {source.path!r} does not exist")
    if not files or not files[0].endswith(SUFFIXES):
        raise ValueError(f"collect.sources: {source.path!r} holds no {', '.join(SUFFIXES)} file")
    return [unit for file in files for unit in _file_units(source, file)]


def _file_units(source: CodeSearchNetSource, file: str) -> list[Unit]:
    """A Parquet file's row groups, so that a huge file streams; other files whole."""
    stamp = _url_stamp(file) if "://" in file else _fingerprint(Path(file).parent, (Path(file).name,))
    whole = Unit(source, (file,), "", None, stamp)
    if not file.endswith(".parquet"):
        return [whole]
    try:
        with _open(file) as stream:
            groups = pq.ParquetFile(stream).metadata.num_row_groups
    except (pa.ArrowException, OSError):
        return [whole]  # read_unit counts it as corrupt
    return [Unit(source, (file,), "", group, f"{stamp} {group}") for group in range(groups)] or [whole]


def _filesystem(url: str) -> tuple[pafs.FileSystem, str]:
    """Pyarrow's own file system where it has one, fsspec's for the others, such as https."""
    scheme = url.split("://")[0]
    if scheme in ("file", "s3", "gs", "abfs", "hdfs"):
        return pafs.FileSystem.from_uri(url)
    files = fsspec.filesystem(scheme)
    return pafs.PyFileSystem(pafs.FSSpecHandler(files)), files._strip_protocol(url)


def _url_stamp(url: str) -> str:
    """What `_fingerprint` is for a local file: the address, size and time."""
    try:
        fs, path = _filesystem(url)
        info = fs.get_file_info([path])[0]
    except (OSError, ValueError, ImportError) as error:
        raise OSError(f"collect.sources: {url} cannot be reached: {' '.join(str(error).split())}") from None
    if info.type != pafs.FileType.File:
        raise FileNotFoundError(f"collect.sources: {url} does not exist or cannot be reached")
    return f"{url} {info.size} {info.mtime_ns}"


def _open(file: str) -> Any:
    """A seekable stream of bytes."""
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


def _dataset_rows(unit: Unit) -> Iterator[dict[str, str]]:
    assert isinstance(unit.source, CodeSearchNetSource)
    file = unit.files[0]
    base = dict.fromkeys(READ_SCHEMA.names, "") | {"source": "codesearchnet", "path": file}
    records = _parquet_records(unit) if file.endswith(".parquet") else _json_records(file)
    for record in records:
        row = base | record
        if not row["reason"] and row["language"] not in unit.source.languages:
            row["reason"] = "language not asked for"
        if not row["reason"]:
            row["code"] = (strip_docstring(row["code"]) if row["language"] == "python" else None) or row["code"]
            row["docstring"] = inspect.cleandoc(row["docstring"])
            row["id"] = row_id(row["code"])
        yield row


_HUB_COLUMNS = {
    "repository_name": "repository", "func_path_in_repository": "path", "func_name": "name", "language": "language",
    "func_code_string": "code", "func_documentation_string": "docstring", "split_name": "split", "func_code_url": "url",
}  # fmt: skip
_ORIGINAL_KEYS = {
    "repo": "repository", "path": "path", "func_name": "name", "language": "language", "code": "code",
    "docstring": "docstring", "partition": "split", "url": "url",
}  # fmt: skip
_NEEDED = ("language", "code", "docstring")


def _parquet_records(unit: Unit) -> Iterator[dict[str, str]]:
    with _open(unit.files[0]) as stream:
        try:
            file = pq.ParquetFile(stream)
            columns = [name for name in _HUB_COLUMNS if name in file.schema_arrow.names]
            if {"language", "func_code_string", "func_documentation_string"} - set(columns):
                yield {"reason": "not CodeSearchNet's columns"}
                return
            groups = None if unit.row_group is None else [unit.row_group]
            for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=columns):
                for record in batch.to_pylist():
                    yield _mapped(record, _HUB_COLUMNS)
        except (pa.ArrowException, OSError) as error:
            yield _damage(unit.files[0], error)


def _json_records(file: str) -> Iterator[dict[str, str]]:
    with _open(file) as stream:
        lines = gzip.GzipFile(fileobj=stream) if file.endswith(".gz") else io.BufferedReader(stream)
        try:
            for line in lines:
                if line.strip():
                    yield _parsed(line)
        except (OSError, EOFError, zlib.error) as error:
            yield _damage(file, error)  # the rows before the damage went on


def _damage(file: str, error: Exception) -> dict[str, str]:
    """The row of a damaged file; raises what may be the network's fault, so that the work is tried again."""
    ours = isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile)
    if ours and "://" in file and not file.startswith("file:"):
        raise error
    return {"reason": "corrupt file"}


def _parsed(line: bytes) -> dict[str, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {"reason": "corrupt row"}
    return _mapped(record, _ORIGINAL_KEYS) if isinstance(record, dict) else {"reason": "corrupt row"}


def _mapped(record: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    row = {ours: record.get(theirs) or "" for theirs, ours in names.items()}
    if not all(isinstance(value, str) and _encodable(value) for value in row.values()):
        return {"reason": "corrupt row"}
    missing = [name for name in _NEEDED if not row[name]]
    return row | ({"reason": "missing field"} if missing else {})


def _encodable(text: str) -> bool:
    """Whether text is Unicode that can be stored: JSON can carry half a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
