"""Local files and URLs: which there are, what identifies their content, and a stream of their bytes."""

from __future__ import annotations

import glob
import shutil
import tempfile
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.fs as pafs

from codeocean.collect.folders import fingerprint


def list_files(path: str, suffixes: tuple[str, ...]) -> list[str]:
    """The files that a file, folder, glob or URL names, in order.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: none of it has one of the suffixes.
    """
    if "://" in path:
        files = [path]
    else:
        absolute = Path(path).expanduser().absolute()  # a worker's current folder is another
        pattern = f"{glob.escape(str(absolute))}/**/*" if absolute.is_dir() else str(absolute)
        # Path.glob takes no absolute pattern.
        found = [str(absolute)] if absolute.is_file() else glob.glob(pattern, recursive=True)  # noqa: PTH207
        files = sorted(file for file in found if file.endswith(suffixes))
        if not found:
            raise FileNotFoundError(f"collect.sources: {path!r} does not exist")
    if not files or not files[0].endswith(suffixes):
        raise ValueError(f"collect.sources: {path!r} holds no {', '.join(suffixes)} file")
    return files


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
        raise OSError(f"collect.sources: {file} cannot be reached: {' '.join(str(error).split())}") from None
    if info.type != pafs.FileType.File:
        raise FileNotFoundError(f"collect.sources: {file} does not exist or cannot be reached")
    return f"{file} {info.size} {info.mtime_ns}"


def open_file(file: str) -> Any:
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


def _filesystem(url: str) -> tuple[pafs.FileSystem, str]:
    """Pyarrow's own file system where it has one, fsspec's for the others, such as https."""
    scheme = url.split("://")[0]
    if scheme in ("file", "s3", "gs", "abfs", "hdfs"):
        return pafs.FileSystem.from_uri(url)
    files = fsspec.filesystem(scheme)
    return pafs.PyFileSystem(pafs.FSSpecHandler(files)), files._strip_protocol(url)
