"""Folders of weights by URL → a copy on this node's disk: whole or not at all, fetched once however many ask.

A copy's name is the digest of what the store lists: address, names, sizes, times in seconds. Changed weights are
another copy. It is made under a hidden name and then moved. A lock lets one process of a node fetch while others wait.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import posixpath
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from core.object_store import check_there, explain, open_url, shown_url

log = logging.getLogger("wavecoder.core")

AT_A_TIME = 8
"""Files that are fetched at a time."""

UNUSED_S = 24 * 3600.0
"""A copy that nobody asked for in so long goes when another one is made."""

SAFE = ".safetensors"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".ot")
"""Other forms of the same weights: left where they are if there are safetensors."""


@dataclass(frozen=True)
class StoredFile:
    """A file below a folder in a store."""

    name: str
    """Relative to the folder."""
    size: int
    changed_ns: int


def is_url(source: str) -> bool:
    """Whether a model's name says where it lies in a store, and is no folder here and no id."""
    return "://" in source


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/wavecoder`, by default under `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "wavecoder"


def stored_files(url: str) -> tuple[pafs.FileSystem, str, list[StoredFile]]:
    """The filesystem of a URL, the path in it, and the files below it in order; one request for each thousand.

    Raises:
        OSError: the store refuses, in one line; `FileNotFoundError` where there is no file.
        ValueError: no such URL is opened, or a name would leave the folder.
    """
    try:
        fs, path = open_url(url)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{shown_url(url)!r} is no URL of an object store that is opened here: {reason}") from None
    try:
        infos = fs.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
    except OSError as error:
        raise OSError(explain(str(error)) or str(error)) from None
    files = [StoredFile(posixpath.relpath(info.path, path), info.size, info.mtime_ns or 0)
             for info in infos if info.is_file]  # fmt: skip
    if not files:
        check_there(fs, path, url)
        raise FileNotFoundError(f"{shown_url(url)} holds no file; correct the URL, or copy there what it should hold")
    for file in files:
        if ".." in file.name.split("/") or "\\" in file.name or file.name.startswith("/"):
            raise ValueError(
                f"{shown_url(url)} holds {file.name!r}, a name that would leave its folder; it is not fetched"
            )
    return fs, path, sorted(files, key=lambda file: file.name.split("/"))  # as paths are sorted


def node_copy(source: str, *, weights: bool = True) -> str:
    """A folder of this node that holds what `source` does: itself, or the copy of a URL.

    Args:
        source: path, hub id or URL. Only URLs are fetched.
        weights: whether weights are wanted, or only what describes them: configuration and tokenizer.

    Raises:
        OSError, ValueError: as `stored_files`, or this node's disk is full.
    """
    if not is_url(source):
        return source
    fs, path, files = stored_files(source)
    safe = any(file.name.endswith(SAFE) for file in files)
    left = (SAFE, *PICKLED, ".gguf") if not weights else PICKLED if safe else ()
    files = [file for file in files if not file.name.endswith(left)]
    listing = json.dumps([source, [[file.name, file.size, file.changed_ns] for file in files]])
    home = cache_folder() / "fetched"
    # The last part is a model's name to those who look at a path.
    copy = home / hashlib.sha256(listing.encode()).hexdigest()[:16] / posixpath.basename(path)
    if _is_there(copy):
        return str(copy)
    home.mkdir(parents=True, exist_ok=True)
    with (home / f".{copy.parent.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_there(copy):
            _forget_unused(home)
            _fetch(fs, path, files, copy, source)
    return str(copy)


def _is_there(copy: Path) -> bool:
    if not copy.is_dir():
        return False
    with suppress(OSError):  # a cache that may only be read
        os.utime(copy.parent)
    return True


def _fetch(fs: pafs.FileSystem, path: str, files: list[StoredFile], copy: Path, source: str) -> None:
    begun, size = time.monotonic(), sum(file.size for file in files)
    making = Path(tempfile.mkdtemp(prefix=f".{copy.parent.name}.making", dir=copy.parent.parent))
    target = making / copy.name
    try:
        for file in files:
            (target / file.name).parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda file: _fetch_file(fs, f"{path}/{file.name}", target / file.name, file.size), files))
        shutil.rmtree(copy.parent, ignore_errors=True)
        making.rename(copy.parent)
    except OSError as error:
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise OSError(f"{source} takes {size / 1e9:.1f} GB, for which the disk of {copy.parent.parent} has no "
                          "room; free some, or set XDG_CACHE_HOME to a larger disk") from None  # fmt: skip
        raise OSError(explain(str(error)) or str(error)) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
    log.info("fetched %s: %d files, %.1f MB, %.0f s", source, len(files), size / 1e6, time.monotonic() - begun)


def _fetch_file(fs: pafs.FileSystem, path: str, target: Path, size: int) -> None:
    with fs.open_input_file(path) as stream, target.open("wb") as out:
        while block := stream.read(8 * 2**20):
            out.write(block)
        if out.tell() != size:
            raise OSError(f"{path} changed while it was fetched ({out.tell()} bytes for {size}); run the same again")


def _forget_unused(home: Path) -> None:
    """Remove copies that nobody asked for in a day, and what killed processes left half-made for as long."""
    for folder in home.iterdir():
        with suppress(OSError):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > UNUSED_S:
                shutil.rmtree(folder, ignore_errors=True)


def read_stored(fs: pafs.FileSystem, path: str) -> Any:
    """A small JSON file of a store.

    Raises:
        ValueError: it is none.
    """
    with fs.open_input_stream(path) as stream:
        return json.loads(stream.read())
