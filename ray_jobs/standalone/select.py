"""`wavecoder select --embeddings FILE --k K --out FILE`: the selection alone, for vectors of any origin.

Its picks are kept in a hidden file beside the result while it works: the same command goes on from them.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

from pyarrow import fs as pafs

from codeocean.select.settings import CoresetConfig
from core.storage import write_part
from ray_jobs.cli import run_guarded
from ray_jobs.run.command_line import REQUIRED, Options, option, parse
from ray_jobs.run.config import RayConfig
from ray_jobs.run.named_paths import check_file

log = logging.getLogger("wavecoder.ray_jobs")


def select_standalone(options: SimpleNamespace) -> None:
    """Vectors → coreset.

    Raises:
        FileNotFoundError: there are no vectors.
        ValueError: they cannot be read, or `k` is larger than their number.
    """
    from codeocean.embed.vectors import check_alike, check_distinct, open_vectors, read_ids
    from codeocean.select.flow import Corpus, choose_coreset, coreset_table  # imports torch
    from ray_jobs.cluster.connect import connect  # imports Ray

    path, paths = _vector_files(options.embeddings)
    out = Path(options.out).expanduser().absolute()
    if out.is_dir():
        raise IsADirectoryError(f"--out {options.out} is a folder; name the file to write in it")
    fs = pafs.LocalFileSystem()
    corpus = Corpus(fs, check_alike([open_vectors(fs, str(file)) for file in paths]))
    if not 1 <= options.k <= corpus.num_rows:
        raise ValueError(f"--k is {options.k} but {path} holds {corpus.num_rows} rows; choose k between 1 and that")
    if options.first is not None and not 0 <= options.first < corpus.num_rows:
        raise ValueError(f"--first is {options.first} but the rows of {path} are 0 to {corpus.num_rows - 1}")
    if options.shards < 1:
        raise ValueError(f"--shards is {options.shards}; choose 1 or more")
    first: int | Literal["central"] = "central" if options.first is None else options.first
    config = CoresetConfig(size=options.k, metric=options.metric, first=first, shards=options.shards)
    ids = read_ids(fs, corpus.files)
    check_distinct(ids, str(path))
    if config.shards > 1:
        connect(RayConfig(num_cpus=config.shards + 1, dashboard=False))
    picks = _picks_file(paths, out, config)
    selection = choose_coreset(config, corpus, checkpoint=str(picks))
    write_part(fs, str(out), coreset_table(selection, ids), selection.details())
    picks.unlink(missing_ok=True)
    certificate = selection.certificate
    assert certificate is not None
    radius = selection.picks.farthest
    log.info("select: %d of %d rows, radius %.6g; no other %d rows have less than half of it",
             options.k, corpus.num_rows, radius, options.k)  # fmt: skip
    log.info("select: on %d sampled rows each pick has at least %.7f of the largest distance",
             certificate.sampled_rows, certificate.worst_ratio)  # fmt: skip
    log.info("select: %s", out)


def _vector_files(given: str) -> tuple[Path, list[Path]]:
    """The file, or the folder and its files of one form, as Ray Data and Spark write them."""
    from codeocean.collect.remote_files import refuse_tables  # imports fsspec

    path = Path(given).expanduser().absolute()
    if not path.is_dir():
        return path, [check_file(given, "--embeddings").absolute()]
    refuse_tables(path, "--embeddings")
    shown = (file for file in path.rglob("*") if not any(part[0] in "._" for part in file.relative_to(path).parts))
    files = sorted(file for file in shown if file.suffix in {".parquet", ".npy"})
    if not files:
        raise FileNotFoundError(f"--embeddings {given} is a folder without a .parquet or .npy file")
    if len({file.suffix for file in files}) > 1:
        raise ValueError(f"--embeddings {given} holds .npy and .parquet files; name a folder of one form")
    return path, files


def _picks_file(paths: list[Path], out: Path, config: CoresetConfig) -> Path:
    """Where the picks are kept: a name for these vectors, as they are now, and what is asked of them."""
    stamps = [f"{path} {(info := path.stat()).st_size} {info.st_mtime_ns}" for path in paths]
    asked = json.dumps(config.identity())
    digest = hashlib.sha256("\n".join([*stamps, asked]).encode()).hexdigest()[:16]
    return out.parent / f".{out.name}.{digest}.picks"


ALONE: Options = {
    "embeddings": option(
        str, ".npy, .parquet with a column of vectors, or a folder of these", REQUIRED, metavar="FILE"
    ),
    "k": option(int, "rows to pick", REQUIRED, name="--k", metavar="K"),
    "out": option(str, "coreset.parquet to write: rank, id, radius", REQUIRED, metavar="FILE"),
    "metric": option(Literal["euclidean", "cosine"], "distance", "euclidean"),
    "first": option(int | None, "row of the first pick; by default the one nearest the mean", metavar="ROW"),
    "shards": option(int, "Ray actors to share the rows among", 1, metavar="N"),
}


def run_select_standalone(arguments: list[str]) -> int:
    """Command line."""
    options = parse("select", "vectors → coreset, by exact k-center", ALONE, arguments)
    return run_guarded("select", lambda _: select_standalone(options))
