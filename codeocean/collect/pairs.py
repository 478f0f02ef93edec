"""Files of (comment, code) pairs → rows: CodeSearchNet in both published forms, and JSON with mapped columns.

CodeSearchNet comes as Hugging Face Parquet and as the original `jsonl.gz`. Parquet is read by row group, JSON record by
record, so that memory does not grow with a file; gzip cannot be entered in the middle, so such a file is one unit.
"""

from __future__ import annotations

import gzip
import inspect
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from codeocean.collect.bare import bare_function, with_line_feeds
from codeocean.collect.licenses import license_names
from codeocean.collect.remote_files import list_files, name_of, open_file, stamp
from codeocean.collect.settings import READ_SCHEMA, CodeSearchNetSource, JsonlSource, Unit
from codeocean.records import row_id
from core.json_records import CORRUPT_FILE, CORRUPT_RECORD, json_records

ROWS_AT_A_TIME = 1000
MAX_CODE_CHARS = 1_000_000
"""No function is longer; the parser is not asked about it."""

_SUFFIXES = {"codesearchnet": (".parquet", ".jsonl.gz", ".jsonl"), "jsonl": (".jsonl.gz", ".jsonl", ".json")}
_HUB_COLUMNS = {
    "repository": "repository_name", "path": "func_path_in_repository", "name": "func_name", "language": "language",
    "code": "func_code_string", "docstring": "func_documentation_string", "split": "split_name", "url": "func_code_url",
}  # fmt: skip
_ORIGINAL_COLUMNS = {
    "repository": "repo", "path": "path", "name": "func_name", "language": "language", "code": "code",
    "docstring": "docstring", "split": "partition", "url": "url",
}  # fmt: skip
_NEEDED = ("language", "code", "docstring")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def pair_units(source: CodeSearchNetSource | JsonlSource) -> list[Unit]:
    """A Parquet file's row groups, so that a huge file streams; other files whole.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: nothing to read is there, or `licenses_file` cannot be used.
    """
    files = list_files(source.path, _SUFFIXES[source.kind])
    if isinstance(source, CodeSearchNetSource) and source.licenses_file:
        license_names(source.licenses_file)  # refused here, before any work starts
    return [unit for file in files for unit in _file_units(source, file)]


def _file_units(source: CodeSearchNetSource | JsonlSource, file: str) -> list[Unit]:
    whole = Unit(source, (file,), "", None, stamp(file))
    if not name_of(file).endswith(".parquet"):
        return [whole]
    try:
        with open_file(file) as stream:
            groups = pq.ParquetFile(stream).metadata.num_row_groups
    except (pa.ArrowException, OSError):
        return [whole]  # pair_rows counts it as corrupt
    return [Unit(source, (file,), "", group, f"{whole.fingerprint} {group}") for group in range(groups)] or [whole]


def pair_rows(unit: Unit, licenses: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Rows of READ_SCHEMA; `licenses` as in `sources.read_unit`."""
    source, file = unit.source, unit.files[0]
    assert isinstance(source, CodeSearchNetSource | JsonlSource)
    base = dict.fromkeys(READ_SCHEMA.names, "") | {"source": source.kind, "path": file}
    names: dict[str, str] = licenses or {}
    if isinstance(source, JsonlSource):
        base |= {"language": source.language or "", "license": source.license, "repository": source.repository}
    elif licenses is None and source.licenses_file:
        names = license_names(source.licenses_file)
    records = _parquet_records(unit) if name_of(file).endswith(".parquet") else _json_records(file, source)
    for record in records:
        row = base | record
        row["license"] = row["license"] or names.get(row["repository"], "")
        row["reason"] = row["reason"] or _reason(row, source.languages)
        if row["reason"]:
            row |= {"code": "", "docstring": ""}  # goes no further; may be large
        else:
            row["code"] = bare_function(row["code"], row["language"], row["name"])
            row["docstring"] = inspect.cleandoc(with_line_feeds(row["docstring"]))
            row["id"] = row_id(row["code"])
        yield row


def _reason(row: dict[str, str], languages: tuple[str, ...]) -> str:
    if not all(row[name] for name in _NEEDED):
        return "missing field"
    if row["language"] not in languages:
        return "language not asked for"
    return "row too large" if len(row["code"]) + len(row["docstring"]) > MAX_CODE_CHARS else ""


def _parquet_records(unit: Unit) -> Iterator[dict[str, str]]:
    folders = _folder_values(unit.files[0])
    with open_file(unit.files[0]) as stream:
        try:
            file = pq.ParquetFile(stream)
            columns = [name for name in _HUB_COLUMNS.values() if name in file.schema_arrow.names]
            if {_HUB_COLUMNS[name] for name in _NEEDED} - {*columns, *folders}:
                yield {"reason": "not CodeSearchNet's columns"}
                return
            groups = None if unit.row_group is None else [unit.row_group]
            for batch in file.iter_batches(ROWS_AT_A_TIME, row_groups=groups, columns=columns):
                for record in batch.to_pylist():
                    yield _mapped(folders | record, _HUB_COLUMNS)
        except (pa.ArrowException, OSError) as error:
            yield _damage(unit.files[0], error)


def _json_records(file: str, source: CodeSearchNetSource | JsonlSource) -> Iterator[dict[str, str]]:
    columns = dict(source.columns) if isinstance(source, JsonlSource) else _ORIGINAL_COLUMNS
    folders = _folder_values(file)
    with open_file(file) as stream:
        try:
            for value, _, _ in json_records(stream):
                yield {"reason": value} if isinstance(value, str) else _mapped(folders | value, columns)
        except (OSError, EOFError, zlib.error) as error:
            yield _damage(file, error)  # the rows before the damage went on


def _folder_values(file: str) -> dict[str, str]:
    """What the names of a file's folders say, as Hive and Spark write it: `…/language=go/part-0.parquet`."""
    pairs = (part.partition("=") for part in file.split("/")[:-1])
    return {name: unquote(value) for name, equals, value in pairs if name and equals and value != _HIVE_NULL}


def _damage(file: str, error: Exception) -> dict[str, str]:
    """The row of a damaged file; raises what may be the network's fault, so that the work is tried again."""
    ours = isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile)
    if ours and "://" in file and not file.startswith("file:"):
        raise error
    return {"reason": CORRUPT_FILE}


def _mapped(record: dict[str, Any], columns: dict[Any, str]) -> dict[str, str]:
    """Our columns of a record; those that it leaves empty are left out."""
    found = {ours: value for ours, theirs in columns.items() if (value := record.get(theirs))}
    row = {ours: value if ours in _NEEDED else _as_text(ours, value) for ours, value in found.items()}
    if columns is _ORIGINAL_COLUMNS and "url" not in row and all(record.get(name) for name in ("repo", "sha", "path")):
        row["url"] = f"https://github.com/{record['repo']}/blob/{record['sha']}/{record['path']}"
    return row if all(isinstance(value, str) and _encodable(value) for value in row.values()) else {
        "reason": CORRUPT_RECORD}  # fmt: skip


def _as_text(column: str, value: Any) -> str:
    """An optional column's value: several, such as The Stack's licences, as one text; what is no text is left out."""
    if isinstance(value, list):
        parts = [text for entry in value if (text := _as_text(column, entry))]
        return (" AND " if column == "license" else ", ").join(dict.fromkeys(parts))
    return str(value) if isinstance(value, str | int | float) else ""


def _encodable(text: str) -> bool:
    """Whether text is Unicode that can be stored: JSON can carry half a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
