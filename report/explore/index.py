"""A run directory → one Parquet file with a short row for each raw code: what the explorer filters, sorts and counts.

Long texts stay in the run's own files; the index holds the beginning of the instruction and where the rest is. It is
made by DuckDB within a memory limit, once for each state of the run's files, and kept in `<run>/.explore`. That of a
large run is made in a process of its own, whose memory goes back to the system when it ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from pyarrow import fs as pafs

from core.manifest import MADE_AGAIN, written_files
from core.node_copy import cache_folder

MAKING_MEMORY, ASKED_MEMORY, THREADS = "200MB", "128MB", 2
"""What DuckDB may use while it makes an index, and while it answers; it spills what does not fit."""
LARGE_BYTES = 64_000_000
"""Of a run's files, from which on its index is made in a process of its own; that takes 0.4 s to start."""
SNIPPET_CHARS = 160

FACETS = ("state", "task", "language", "license", "reason", "rule", "proof", "beside")
"""Columns by which rows are filtered, coloured and counted; `rule` holds the first rule that failed."""


@dataclass(frozen=True)
class RunFiles:
    """The Parquet files of a run that the explorer reads, as paths on this machine."""

    root: Path
    folder: Path
    """What the explorer makes is kept here."""
    generations: tuple[str, ...]
    verdicts: tuple[str, ...]
    proofs: tuple[str, ...]
    raw: tuple[str, ...]
    coreset: tuple[str, ...]
    instances: tuple[str, ...]
    dropped: tuple[str, ...]
    embeddings: tuple[str, ...]


def run_files(root: Path) -> RunFiles:
    """What there is in a run directory.

    Raises:
        ValueError: it holds neither judged rounds nor raw code.
    """

    def found(pattern: str) -> tuple[str, ...]:
        return tuple(sorted(str(path) for path in root.glob(pattern)))

    _check_whole(root)
    asked, raw = found("generate/round-*/generations.parquet"), found("collect/part-*.parquet")
    if not (asked or raw):
        raise ValueError(f"{root} holds no generate/round-*/generations.parquet and no collect/part-*.parquet; "
                         "name the directory of a run, or run the collect job first")  # fmt: skip
    return RunFiles(
        root,
        _own_folder(root),
        asked,
        found("generate/round-*/verdicts.parquet"),
        found("generate/round-*/proofs.parquet"),
        raw,
        found("select/coreset.parquet"),
        found("codeocean/part-*.parquet"),
        found("codeocean/dropped.parquet"),
        found("embed/part-*.parquet"),
    )


def _check_whole(root: Path) -> None:
    """Refuse a run of which a file is not there that a manifest names."""
    local = pafs.LocalFileSystem()
    for stage in ("collect", "embed", "select", "generate", "codeocean"):
        for part in written_files(local, str(root / stage)) or []:
            if _is_shown(part.name) and not (root / stage / part.name).is_file():
                raise ValueError(f"{root / stage / part.name} was written and is not there; {MADE_AGAIN}")


def _is_shown(name: str) -> bool:
    return re.fullmatch(r"part-\d+\.parquet|coreset\.parquet|round-\d+/\w+\.parquet", name) is not None


def _own_folder(root: Path) -> Path:
    """`<run>/.explore`; where nothing can be written there, a folder of the user's cache."""
    folder = root / ".explore"
    try:
        folder.mkdir(exist_ok=True)
        (folder / f"tried-{os.getpid()}").touch()
        (folder / f"tried-{os.getpid()}").unlink()
    except OSError:
        folder = cache_folder() / "explored" / f"index-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _spilled(folder: Path, pid: int) -> Path:
    return folder / f"spilled-{pid}"


def remove_spilled(folder: Path, pid: int) -> None:
    """Remove what a process's databases have spilled."""
    shutil.rmtree(_spilled(folder, pid), ignore_errors=True)


def connect(folder: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """A database in memory, within a limit, that spills into a folder."""
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "threads": THREADS,
        "temp_directory": str(_spilled(folder, os.getpid())),
    }
    database = duckdb.connect(config=settings)
    database.execute("SET autoinstall_known_extensions=false; SET autoload_known_extensions=false")
    database.execute("SET enable_progress_bar=false")
    return database


Write = Callable[["RunFiles", Path | None, Path], None]
"""As `write_index`."""


def build_index(files: RunFiles, beside: Path | None = None, write: Write | None = None) -> Path:
    """The index of a run, made if it is not there for these files.

    Args:
        files: of the run.
        beside: the index of another run, to whose rows of the same raw code this run's are compared.
        write: takes the place of `write_index`.

    Raises:
        ValueError: a file of the run cannot be read.
        OSError: the disk is full, say.
    """
    target = index_path(files, beside)
    if target.exists():
        return target
    making = target.with_suffix(f".{os.getpid()}.making")
    try:
        (write or write_index)(files, beside, making)
    except BaseException:
        making.unlink(missing_ok=True)
        raise
    for old in target.parent.glob("index-*.parquet"):
        if beside is None and ".beside" not in old.name:
            old.unlink()
    making.replace(target)
    return target


def index_path(files: RunFiles, beside: Path | None = None) -> Path:
    """Where the index of a run is, or will be; `beside` is that of another run."""
    return files.folder / f"index-{_digest(files, beside)}.parquet"


def takes_time(files: RunFiles, beside: Path | None = None) -> bool:
    """Whether the index has yet to be made, and is a large one."""
    return is_large(files) and not index_path(files, beside).exists()


def write_index(files: RunFiles, beside: Path | None, target: Path) -> None:
    """Write the index of a run.

    Raises:
        ValueError: a file of the run cannot be read.
    """
    database = connect(files.folder, MAKING_MEMORY)
    try:
        query = _rows_of(database, files, beside)
        database.execute(f"COPY ({query}) TO '{quoted(target)}' (FORMAT parquet, ROW_GROUP_SIZE 100000)")
    except duckdb.Error as error:
        raise _unread(files, error) from None
    finally:
        database.close()
        remove_spilled(files.folder, os.getpid())


def first_rows(database: duckdb.DuckDBPyConnection, files: RunFiles, rows: int) -> None:
    """Make the table `rows` of the index's first rows, which takes a second where the index takes twenty.

    Raises:
        ValueError: a file of the run cannot be read.
    """
    source, id_, order = next((listed(paths), id_, order) for paths, id_, order in (
        (files.coreset, "id", "rank"), (files.generations, "raw_id", "raw_id"), (files.raw, "id", "id")
    ) if paths)  # fmt: skip
    try:
        first = database.execute(f"SELECT DISTINCT {id_}, {order} FROM {source} ORDER BY {order} LIMIT {rows}")
        ids = ", ".join(f"'{quoted(row[0])}'" for row in first.fetchall())
        database.execute(f"CREATE TABLE rows AS {_rows_of(database, files, None, ids or 'NULL')}")
    except duckdb.Error as error:
        raise _unread(files, error) from None


def _unread(files: RunFiles, error: duckdb.Error) -> ValueError:
    reason = str(error).splitlines()[0]
    if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in reason:  # what does not fit is spilled
        return ValueError(f"the index cannot be made in {files.folder} ({reason}); free space there")
    return ValueError(f"{files.root} cannot be read ({reason}); run its stages again")


def is_large(files: RunFiles) -> bool:
    """Whether the index of a run is made in a process of its own."""
    return sum(Path(path).stat().st_size for path in _read(files)) >= LARGE_BYTES


def _read(files: RunFiles) -> list[str]:
    """What the index is made of."""
    parts = (files.generations, files.verdicts, files.raw, files.coreset, files.instances, files.dropped)
    return [path for part in parts for path in part]


def _digest(files: RunFiles, beside: Path | None) -> str:
    known = [(path, stat.st_size, stat.st_mtime_ns) for path in _read(files) for stat in (Path(path).stat(),)]
    made_by = [_ASKED, _UNASKED, _JUDGED, _INDEX, SNIPPET_CHARS]  # another version has another index
    digest = hashlib.sha256(json.dumps([known, made_by]).encode()).hexdigest()[:12]
    return digest if beside is None else f"{digest}.beside-{hashlib.sha256(str(beside).encode()).hexdigest()[:8]}"


def quoted(path: object) -> str:
    """A path inside of quotation marks of SQL."""
    return str(path).replace("'", "''")


def listed(paths: tuple[str, ...]) -> str:
    """DuckDB's reader of Parquet files, with the name of the file as a column."""
    names = ", ".join(f"'{quoted(path)}'" for path in paths)
    return f"read_parquet([{names}], union_by_name=true, filename=true)"


def _columns(database: duckdb.DuckDBPyConnection, paths: tuple[str, ...]) -> set[str]:
    return {row[0] for row in database.execute(f"DESCRIBE SELECT * FROM {listed(paths[:1])}").fetchall()}


def _rows_of(database: duckdb.DuckDBPyConnection, files: RunFiles, beside: Path | None, ids: str = "") -> str:
    """The query that makes the index, or only its rows of some raw codes."""
    where = f"WHERE {'raw_id' if files.generations else 'id'} IN ({ids})" if ids else ""
    source = listed(files.generations or files.raw)
    asked = (_ASKED if files.generations else _UNASKED).format(source=source, where=where, chars=SNIPPET_CHARS)
    judged = _JUDGED.format(verdicts=listed(files.verdicts)) if files.verdicts else _UNJUDGED
    raw = f"SELECT id, language, license, filename FROM {listed(files.raw)}" if files.raw else _NO_RAW
    coreset = f"SELECT id, rank, radius FROM {listed(files.coreset)}" if files.coreset else _NO_CORESET
    kept = "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS proof WHERE false"
    if files.instances:
        proof = "proof" if "proof" in _columns(database, files.instances) else "NULL::VARCHAR"
        kept = f"SELECT id, {proof} AS proof FROM {listed(files.instances)}"
    dropped = f"SELECT id, reason FROM {listed(files.dropped)}" if files.dropped else _NO_REASONS
    late = "'left out of the data set'" if files.instances else "''"
    other = "'no other run'"
    join = ""
    if beside is not None:
        other = "coalesce(other.state, 'not there')"
        join = f"LEFT JOIN read_parquet('{quoted(beside)}') other ON other.raw_id = asked.raw_id"
    parts = {"asked": asked, "judged": judged, "raw": raw, "coreset": coreset, "kept": kept, "dropped": dropped}
    return _INDEX.format(**parts, late=late, other=other, join=join)


_ASKED = """
SELECT id, raw_id, task, target_language, error, left(instruction, {chars}) AS instruction, round, attempt, filename
FROM {source} {where}
QUALIFY row_number() OVER (PARTITION BY raw_id ORDER BY attempt DESC, id) = 1
"""
_UNASKED = """
SELECT id, id AS raw_id, '' AS task, '' AS target_language, 'not generated yet' AS error,
       left(docstring, {chars}) AS instruction, -1 AS round, 0 AS attempt, filename
FROM {source} {where}
"""
_JUDGED = """
SELECT id, error, overall,
       list_transform(list_filter(coalesce(rules, []), lambda r: r.answer <> 'yes'), lambda r: r.rule) AS failed
FROM {verdicts}
"""
_UNJUDGED = "SELECT NULL::VARCHAR AS id, '' AS error, '' AS overall, []::VARCHAR[] AS failed WHERE false"
_NO_RAW = "SELECT NULL::VARCHAR AS id, '' AS language, '' AS license, '' AS filename WHERE false"
_NO_CORESET = "SELECT NULL::VARCHAR AS id, NULL::BIGINT AS rank, NULL::DOUBLE AS radius WHERE false"
_NO_REASONS = "SELECT NULL::VARCHAR AS id, '' AS reason WHERE false"
_INDEX = """
WITH joined AS (
  SELECT asked.id, asked.raw_id, asked.task, coalesce(nullif(asked.target_language, ''), raw.language, '') AS language,
         coalesce(nullif(raw.license, ''), 'unknown') AS license,
         CASE WHEN asked.error <> '' THEN asked.error WHEN judged.id IS NULL THEN 'not judged'
              WHEN judged.error <> '' THEN 'verdict: ' || judged.error
              WHEN judged.overall <> 'yes' OR len(judged.failed) > 0 THEN 'rejected by the discriminator'
              WHEN kept.id IS NOT NULL THEN ''
              ELSE coalesce(dropped.reason, {late}) END AS reason,
         kept.id IS NOT NULL AS kept, coalesce(kept.proof, 'none') AS proof,
         coalesce('|' || list_aggregate(judged.failed, 'string_agg', '|') || '|', '') AS rules,
         coreset.rank,
         CASE WHEN isfinite(coreset.radius) THEN coreset.radius END AS radius, asked.round, asked.attempt,
         asked.instruction, asked.filename AS asked_in, raw.filename AS raw_in, {other} AS beside
  FROM ({asked}) asked
  LEFT JOIN ({judged}) judged ON judged.id = asked.id
  LEFT JOIN ({raw}) raw ON raw.id = asked.raw_id
  LEFT JOIN ({coreset}) coreset ON coreset.id = asked.raw_id
  LEFT JOIN ({kept}) kept ON kept.id = asked.id
  LEFT JOIN ({dropped}) dropped ON dropped.id = asked.id
  {join}
)
SELECT row_number() OVER (ORDER BY rank NULLS LAST, raw_id) - 1 AS n,
       CASE WHEN kept THEN 'kept' WHEN reason = '' THEN 'accepted'
            WHEN reason IN ('not judged', 'not generated yet') THEN 'waiting' ELSE 'dropped' END AS state,
       split_part(rules, '|', 2) AS rule, * EXCLUDE (kept)
FROM joined ORDER BY n
"""
