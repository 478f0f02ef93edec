"""A run in a bucket → a copy of its rows on this machine, for what reads from a disk. Weights and drafts stay there.

Only files that are new or changed are fetched, and what is gone there goes here. Not covered: a run that changes while
it is copied; each file is whole, but they may be of two moments.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.node_copy import AT_A_TIME, StoredFile, cache_folder, stored_files
from core.object_store import shown_url

BLOCK_BYTES = 8 * 2**20
ROWS = (
    "config.yaml", "collect/part-*.parquet", "embed/part-*.parquet", "select/coreset.parquet",
    "generate/round-*/generations.parquet", "generate/round-*/verdicts.parquet", "generate/round-*/proofs.parquet",
    "codeocean/part-*.parquet", "codeocean/dropped.parquet",
    *(f"{stage}/manifest.json" for stage in ("collect", "embed", "select", "generate", "codeocean")),
)  # fmt: skip
"""What is copied."""


def copy_rows(url: str) -> Path:
    """The folder that holds a copy of what `ROWS` names.

    Raises:
        OSError: the store refuses, or there is nothing; or the disk is full.
        ValueError: no such URL is opened.
    """
    fs, path, files = stored_files(url)
    folder = cache_folder() / "explored" / hashlib.sha256(shown_url(url).encode()).hexdigest()[:16]
    wanted = {file.name: file for file in files if any(fnmatch.fnmatch(file.name, pattern) for pattern in ROWS)}

    def fetch(file: StoredFile) -> None:
        target = folder / file.name
        if _is_same(target, file):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        making = target.with_name(f".{target.name}.making")
        with fs.open_input_file(f"{path}/{file.name}") as stream, making.open("wb") as out:
            while block := stream.read(BLOCK_BYTES):
                out.write(block)
        os.utime(making, ns=(file.changed_ns, file.changed_ns))
        making.replace(target)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(fetch, wanted.values()))
    for pattern in ROWS:
        for there in folder.glob(pattern):
            if there.relative_to(folder).as_posix() not in wanted:
                there.unlink()
    return folder


def _is_same(target: Path, file: StoredFile) -> bool:
    if not target.is_file():
        return False
    found = target.stat()
    return (found.st_size, found.st_mtime_ns) == (file.size, file.changed_ns)
