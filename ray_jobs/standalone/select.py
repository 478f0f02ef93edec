"""`wavecoder select --embeddings FILE --k K --out FILE`: the selection alone, for vectors of any origin.

Its picks are kept in a hidden file beside the result while it works: the same command goes on from them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from codeocean.select.settings import CoresetConfig
from core.storage import read_part, write_part
from ray_jobs.cli import run_guarded
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import RayConfig
from ray_jobs.run.named_paths import check_file

log = logging.getLogger("wavecoder.ray_jobs")


def select_standalone(options: argparse.Namespace) -> None:
    """Vectors → coreset.

    Raises:
        FileNotFoundError: there are no vectors.
        ValueError: they cannot be read, or `k` is larger than their number.
    """
    from codeocean.embed.vectors import open_vectors
    from codeocean.select.flow import Corpus, choose_coreset, coreset_table  # imports torch

    path = check_file(options.embeddings, "--embeddings").absolute()
    out = Path(options.out).expanduser().absolute()
    fs = pafs.LocalFileSystem()
    file = open_vectors(fs, str(path))
    if not 1 <= options.k <= file.num_rows:
        raise ValueError(f"--k is {options.k} but {path} holds {file.num_rows} rows; choose k between 1 and that")
    if options.first is not None and not 0 <= options.first < file.num_rows:
        raise ValueError(f"--first is {options.first} but the rows of {path} are 0 to {file.num_rows - 1}")
    if options.shards < 1:
        raise ValueError(f"--shards is {options.shards}; choose 1 or more")
    first: int | Literal["central"] = "central" if options.first is None else options.first
    config = CoresetConfig(size=options.k, metric=options.metric, first=first, shards=options.shards)
    if config.shards > 1:
        connect(RayConfig(num_cpus=config.shards + 1, dashboard=False))
    picks = _picks_file(path, out, config)
    selection = choose_coreset(config, Corpus(fs, [file]), checkpoint=str(picks))
    write_part(fs, str(out), coreset_table(selection, _ids(fs, file.path, file.num_rows)), selection.details())
    picks.unlink(missing_ok=True)
    certificate = selection.certificate
    assert certificate is not None
    radius = selection.picks.farthest
    log.info("select: %d of %d rows, radius %.6g; no other %d rows have less than half of it",
             options.k, file.num_rows, radius, options.k)  # fmt: skip
    log.info("select: on %d sampled rows each pick has at least %.7f of the largest distance",
             certificate.sampled_rows, certificate.worst_ratio)  # fmt: skip
    log.info("select: %s", out)


def _picks_file(path: Path, out: Path, config: CoresetConfig) -> Path:
    """Where the picks are kept: a name for these vectors, as they are now, and what is asked of them."""
    info, asked = path.stat(), json.dumps(config.identity())
    digest = hashlib.sha256(f"{path} {info.st_size} {info.st_mtime_ns} {asked}".encode()).hexdigest()[:16]
    return out.parent / f".{out.name}.{digest}.picks"


def _ids(fs: pafs.FileSystem, path: str, num_rows: int) -> pa.ChunkedArray:
    """The column `id`, or the rows' numbers."""
    if path.endswith(".parquet") and "id" in pq.read_schema(path, filesystem=fs).names:
        return read_part(fs, path, ["id"])["id"].cast(pa.string())
    return pa.chunked_array([pa.array(range(num_rows)).cast(pa.string())])


def run_select_standalone(arguments: list[str]) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="wavecoder select", description="vectors → coreset, by exact k-center")
    parser.add_argument("--embeddings", required=True, metavar="FILE", help=".npy or .parquet with a column of vectors")
    parser.add_argument("--k", required=True, type=int, help="rows to pick")
    parser.add_argument("--out", required=True, metavar="FILE", help="coreset.parquet to write: rank, id, radius")
    parser.add_argument("--metric", choices=["euclidean", "cosine"], default="euclidean")
    parser.add_argument("--first", type=int, help="row of the first pick; by default the one nearest the mean")
    parser.add_argument("--shards", type=int, default=1, help="Ray actors to share the rows among (1)")
    options = parser.parse_args(arguments)
    return run_guarded("select", lambda _: select_standalone(options))
