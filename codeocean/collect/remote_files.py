"""Local files and URLs: which there are, what identifies their content, and a stream of their bytes."""

from __future__ import annotations

import glob
import io
import posixpath
import shutil
import tempfile
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.fs as pafs

from codeocean.collect.folders import fingerprint
from core.object_store import explain, join_url, open_url

READ_AHEAD_BYTES = 1 << 23
"""gzip asks for 8 KB at a time."""

STORES = ("s3://", "gs://", "abfs://")
"""Places whose folders can be listed."""


def list_files(path: str, suffixes: tuple[str, ...]) -> list[str]:
    """The files that a file, folder, glob or URL names, in order; in an object store a URL may name a folder.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: none of it has one of the suffixes.
    """
    if path.startswith(STORES):
        files = _stored(path, suffixes)
    elif "://" in path:
        files = [path]
    else:
        absolute = Path(path).expanduser().absolute()  # a worker's current folder is another
        pattern = f"{glob.escape(str(absolute))}/**/*" if absolute.is_dir() else str(absolute)
        # Path.glob takes no absolute pattern.
        found = [str(absolute)] if absolute.is_file() else glob.glob(pattern, recursive=True)  # noqa: PTH207
        files = sorted(file for file in found if file.lower().endswith(suffixes))
        if not found:
            raise FileNotFoundError(f"collect.sources: {path!r} does not exist")
    if not files or not name_of(files[0]).lower().endswith(suffixes):
        raise ValueError(f"collect.sources: {path!r} holds no {', '.join(suffixes)} file")
    return files


def _stored(url: str, suffixes: tuple[str, ...]) -> list[str]:
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
        raise FileNotFoundError(f"collect.sources: {url!r} does not exist")
    names = sorted(posixpath.relpath(info.path, path) for info in infos if info.is_file and info.size)
    return [join_url(url, name) for name in names if name.lower().endswith(suffixes)]


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
    try:
        fs, path = _filesystem(file)
        info = fs.get_file_info([path])[0]
    except (OSError, ValueError, ImportError) as error:
        reason = explain(str(error)) or " ".join(str(error).split())
        raise OSError(f"collect.sources: {file} cannot be reached: {reason}") from None
    if info.type != pafs.FileType.File:
        raise FileNotFoundError(f"collect.sources: {file} does not exist or cannot be reached")
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
