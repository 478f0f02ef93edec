"""Files of (comment, code) pairs → rows: CodeSearchNet in both published forms, and files with mapped columns.

CodeSearchNet comes as Hugging Face Parquet and as the original `jsonl.gz`. Parquet is read by row group, Arrow by
batch, JSON record by record, so that memory does not grow with a file; gzip cannot be entered in the middle, so such a
file is one unit.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codeocean.collect.bare import bare_function, with_line_feeds
from codeocean.collect.licenses import license_names
from codeocean.collect.remote_files import (
    OTHER_FORM,
    TABLES,
    is_read,
    list_files,
    name_of,
    open_file,
    open_in_order,
    stamp,
)
from codeocean.collect.settings import BATCH_CHARS, BATCH_ROWS, READ_SCHEMA, CodeSearchNetSource, JsonlSource, Unit
from codeocean.records import row_id
from core.class_labels import class_names, named
from core.json_records import CORRUPT_FILE, CORRUPT_RECORD, STREAM_ERRORS, json_records
from core.languages import canonical
from core.store_address import shown_url
from core.text import is_storable

MAX_CODE_CHARS = 1_000_000
"""No function is longer; the parser is not asked about it."""

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
        ValueError: nothing to read is there, the first file lacks the columns, or `licenses_file` cannot be used.
    """
    files = list_files(source.path, source.kind)
    if isinstance(source, JsonlSource):
        _check_columns(source, next(file for file in files if is_read(name_of(file), source.kind)))
    if isinstance(source, CodeSearchNetSource) and source.licenses_file:
        license_names(source.licenses_file)  # refused here, before any work starts
    return [unit for file in files for unit in _file_units(source, file)]


def _file_units(source: CodeSearchNetSource | JsonlSource, file: str) -> list[Unit]:
    whole = Unit(source, (file,), "", None, stamp(file))
    if not name_of(file).lower().endswith(".parquet"):
        return [whole]
    try:
        with open_file(file) as stream:
            groups = TableFile(stream, name_of(file)).num_row_groups
    except (pa.ArrowException, OSError):
        return [whole]  # pair_batches counts it as corrupt
    return [Unit(source, (file,), "", group, f"{whole.fingerprint} {group}") for group in range(groups)] or [whole]


def pair_batches(unit: Unit, licenses: dict[str, str] | None = None) -> Iterator[pa.RecordBatch]:
    """Rows of READ_SCHEMA, at most `BATCH_ROWS` at a time; `licenses` as in `readers.read_unit`."""
    source, file = unit.source, unit.files[0]
    assert isinstance(source, CodeSearchNetSource | JsonlSource)
    names = {} if isinstance(source, JsonlSource) else licenses
    if names is None and isinstance(source, CodeSearchNetSource):
        names = license_names(source.licenses_file) if source.licenses_file else {}
    if not is_read(name_of(file), source.kind):
        found: Iterator[Columns] = iter([{"reason": pa.array([OTHER_FORM])}])
    elif name_of(file).lower().endswith(TABLES):
        found = _table_columns(unit, source)
    else:
        found = _json_columns(file, source)
    for columns in found:
        if len(next(iter(columns.values()))):
            yield _as_rows(columns, source, file, names or {})


Columns = dict[str, pa.Array]
"""Our column → its values, all text; null where a row says nothing."""


def _as_rows(columns: Columns, source: CodeSearchNetSource | JsonlSource, file: str, names: dict[str, str]) -> Any:
    """Columns as rows of READ_SCHEMA: what the source says of all rows filled in, code and documentation bare."""
    count = len(next(iter(columns.values())))
    base = {"source": source.kind, "path": shown_url(file)}
    if isinstance(source, JsonlSource):
        base |= {"language": source.language or "", "license": source.license, "repository": source.repository}
    whole = {name: _filled(columns.get(name), base.get(name, ""), count) for name in READ_SCHEMA.names}
    whole["language"] = _canonical(whole["language"])
    if names:
        found = pa.array([names.get(each, "") for each in whole["repository"].to_pylist()], pa.string())
        whole["license"] = pc.if_else(pc.equal(whole["license"], ""), found, whole["license"])
    whole["reason"] = pc.if_else(pc.equal(whole["reason"], ""), _reasons(whole, source.languages), whole["reason"])
    stopped = [reason != "" for reason in whole["reason"].to_pylist()]
    texts = [whole[name].to_pylist() for name in ("code", "language", "name", "docstring")]
    bare = [("", "", "") if stop else bare_pair(*values) for stop, *values in zip(stopped, *texts, strict=True)]
    for name, values in zip(("id", "code", "docstring"), zip(*bare, strict=True), strict=True):
        whole[name] = pa.array(values, pa.string())
    return pa.RecordBatch.from_arrays([whole[name] for name in READ_SCHEMA.names], schema=READ_SCHEMA)


def _canonical(languages: pa.Array) -> pa.Array:
    """The names used here, as other data sets write `Python`, `C++` and `golang`."""
    names = languages.dictionary_encode()
    return pa.array([canonical(name.lower()) for name in names.dictionary.to_pylist()], pa.string()).take(names.indices)


def _filled(values: pa.Array | None, otherwise: str, count: int) -> pa.Array:
    if values is None:
        return pa.repeat(pa.scalar(otherwise, pa.string()), count)
    return values.cast(pa.string()).fill_null(otherwise)


def bare_pair(code: str, language: str, name: str, docstring: str) -> tuple[str, str, str]:
    """Id, code and documentation of a pair, as a folder gives them."""
    code, docstring = bare_function(code, language, name), with_line_feeds(docstring)
    return row_id(code), code, _clean(docstring)


_AT_FIRST_COLUMN = re.compile(r"\n\S")


def _clean(docstring: str) -> str:
    """`inspect.cleandoc`, which is asked only where it changes more than the beginning."""
    if "\t" in docstring:
        return inspect.cleandoc(docstring)
    if "\n" not in docstring:
        return docstring.lstrip()
    clean = _AT_FIRST_COLUMN.search(docstring) and not docstring[0].isspace() and docstring[-1] != "\n"
    return docstring if clean else inspect.cleandoc(docstring)


def _reasons(rows: Columns, languages: tuple[str, ...]) -> pa.Array:
    """Why a row goes no further; empty for those that do."""
    missing = pc.or_(pc.or_(*(pc.equal(rows[name], "") for name in _NEEDED[:2])), pc.equal(rows[_NEEDED[2]], ""))
    asked = pc.is_in(rows["language"], pa.array(languages, pa.string()))
    size = pc.add(pc.utf8_length(rows["code"]), pc.utf8_length(rows["docstring"]))
    reasons = pc.if_else(pc.greater(size, MAX_CODE_CHARS), "row too large", "")
    return pc.if_else(missing, "missing field", pc.if_else(asked, reasons, "language not asked for"))


class TableFile:
    """A table in an open file: Parquet, or Arrow (Feather, `save_to_disk` of the datasets library).

    Raises:
        pa.ArrowException: it is none.
    """

    def __init__(self, stream: Any, name: str) -> None:
        """Args: stream: of its bytes, seekable. name: the file's."""
        self._parquet = pq.ParquetFile(stream) if name.lower().endswith(".parquet") else None
        if self._parquet is not None:
            self.schema: pa.Schema = self._parquet.schema_arrow
            return
        magic = stream.read(6)
        stream.seek(0)
        self._reader = pa.ipc.open_file(stream) if magic == b"ARROW1" else pa.ipc.open_stream(stream)
        self.schema = self._reader.schema

    @property
    def num_row_groups(self) -> int:
        """Parts that can be read alone; 0 where there are none."""
        return self._parquet.metadata.num_row_groups if self._parquet is not None else 0

    def batches(self, columns: list[str], group: int | None) -> Iterator[pa.RecordBatch]:
        """At most `BATCH_ROWS` rows at a time; of one row group, or all."""
        if self._parquet is not None:
            yield from self._parquet.iter_batches(BATCH_ROWS, None if group is None else [group], columns)
            return
        for batch in self._record_batches():
            chosen = batch.select(columns)
            yield from (chosen.slice(start, BATCH_ROWS) for start in range(0, chosen.num_rows, BATCH_ROWS))

    def _record_batches(self) -> Iterator[pa.RecordBatch]:
        if isinstance(self._reader, pa.ipc.RecordBatchFileReader):
            yield from map(self._reader.get_batch, range(self._reader.num_record_batches))
        else:
            yield from self._reader


def _table_columns(unit: Unit, source: CodeSearchNetSource | JsonlSource) -> Iterator[Columns]:
    folders = _folder_values(unit.files[0])
    with open_file(unit.files[0]) as stream:
        try:
            file = TableFile(stream, name_of(unit.files[0]))
            columns = _columns_in({*file.schema.names, *folders}, source)
            if columns is None:
                yield {"reason": pa.array([NOT_ASKED if isinstance(source, JsonlSource) else NOT_CODESEARCHNET])}
                return
            wanted = {*columns.values(), *(theirs.partition(".")[0] for theirs in columns.values())}
            names = [name for name in file.schema.names if name in wanted]
            numbered = class_names(file.schema)
            for batch in file.batches(names, unit.row_group):
                batch.validate(full=True)
                if all(map(_is_text, batch.schema.types)):
                    whole = {name: pa.repeat(value, batch.num_rows) for name, value in folders.items()}
                    whole |= {name: pc.if_else(pc.equal(batch[name], ""), None, batch[name]) for name in names}
                    yield {ours: whole[theirs] for ours, theirs in columns.items() if theirs in whole}
                else:
                    records = (named(_decoded(record), numbered) for record in batch.to_pylist())
                    yield _as_columns([_mapped(folders | record, columns) for record in records])
        except (pa.ArrowException, OSError) as error:
            yield _as_columns([_damage(unit.files[0], error)])


NOT_CODESEARCHNET, NOT_ASKED = "not CodeSearchNet's columns", "not the columns asked for"
"""Reasons of tables of something else."""


def _columns_in(have: set[str], source: CodeSearchNetSource | JsonlSource) -> dict[Any, str] | None:
    """Our column → the table's; None where it lacks one that is needed."""
    if isinstance(source, JsonlSource):
        return None if _lacking(have, source, _NEEDED) else dict(source.columns)
    forms = (_HUB_COLUMNS, _ORIGINAL_COLUMNS)
    return next((each for each in forms if have.issuperset(each[name] for name in _NEEDED)), None)


def _lacking(have: set[str], source: JsonlSource, needed: tuple[str, ...]) -> tuple[str, str] | None:
    """The first of our columns, and what it is called, that is needed and not there."""
    asked = (pair for pair in source.columns.items() if pair[0] in needed)
    return next((pair for pair in asked if have.isdisjoint({pair[1], pair[1].partition(".")[0]})), None)


def _check_columns(source: JsonlSource, file: str) -> None:
    """Raises `ValueError` where a local file has none of what `columns` names, for all that its beginning shows."""
    if "://" in file:
        return
    have = set[str]()
    needed: tuple[str, ...] = _NEEDED
    with open_file(file) as stream:
        try:
            if file.lower().endswith(TABLES):
                have = {*TableFile(stream, file).schema.names}
            else:
                needed = ("code",)  # others may be missing in the first records
                records = [value for value, _, _ in islice(json_records(stream), 100) if not isinstance(value, str)]
                have.update(*records)
                _refuse_columns(records, source, file)
        except (pa.ArrowException, *STREAM_ERRORS):
            return  # counted as corrupt
    if have and (lacking := _lacking(have | set(_folder_values(file)), source, needed)):
        raise ValueError(
            f"collect.sources: {file} has no {lacking[1]!r} (columns.{lacking[0]}), but "
            f"{', '.join(sorted(have)[:20])}; name the one that is meant in columns, one inside another as 'data.code'"
        )


def _refuse_columns(records: list[dict[str, Any]], source: JsonlSource, file: str) -> None:
    """Raises `ValueError` where a file's one object holds all rows: by columns, as pandas writes, or in a list."""
    texts = [source.columns[name] for name in ("code", "docstring")]
    if len(records) != 1 or isinstance(records[0].get(texts[0]) or _inner(records[0], texts[0]), str):
        return
    held = [name for name, value in records[0].items() if isinstance(value, list)
            and value and isinstance(value[0], dict | list)]  # fmt: skip
    by_columns = all(isinstance(records[0].get(name), list | dict) for name in texts)
    if by_columns or held:
        where = "is written by columns" if by_columns else f"holds its rows in {held[0]!r}"
        raise ValueError(f"collect.sources: {file} {where}; write one object a line, as pandas does with "
                         'to_json(PATH, orient="records", lines=True)')  # fmt: skip


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    """The record with what is UTF-8 as text: some write their text as binary columns."""
    return {name: _text_of(value) if isinstance(value, bytes) else value for name, value in record.items()}


def _text_of(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _as_columns(records: list[dict[str, str]]) -> Columns:
    return {name: pa.array([record.get(name) for record in records], pa.string()) for name in READ_SCHEMA.names}


def _json_columns(file: str, source: CodeSearchNetSource | JsonlSource) -> Iterator[Columns]:
    """Records of a file, as many at a time as are `BATCH_ROWS` or hold `BATCH_CHARS` of code."""
    records: list[dict[str, str]] = []
    chars = 0
    for record in _json_records(file, source):
        records.append(record)
        chars += len(record.get("code", ""))
        if len(records) == BATCH_ROWS or chars >= BATCH_CHARS:
            yield _as_columns(records)
            records, chars = [], 0
    if records:
        yield _as_columns(records)


def _json_records(file: str, source: CodeSearchNetSource | JsonlSource) -> Iterator[dict[str, str]]:
    columns = dict(source.columns) if isinstance(source, JsonlSource) else _ORIGINAL_COLUMNS
    folders = _folder_values(file)
    with open_in_order(file) as stream:
        try:
            for value, _, _ in json_records(stream):
                yield {"reason": value} if isinstance(value, str) else _mapped(folders | value, columns)
        except STREAM_ERRORS as error:
            yield _damage(file, error)  # the rows before the damage went on


def _folder_values(file: str) -> dict[str, str]:
    """What the names of a file's folders say, as Hive and Spark write it: `…/language=go/part-0.parquet`."""
    pairs = (part.partition("=") for part in file.split("/")[:-1])
    return {name: unquote(value) for name, equals, value in pairs if name and equals and value != _HIVE_NULL}


def _damage(file: str, error: Exception) -> dict[str, str]:
    """The row of a damaged file; raises what may be the network's fault, so that the work is tried again."""
    if isinstance(error, OSError) and "://" in file and not file.startswith("file:"):
        raise error
    return {"reason": CORRUPT_FILE}


def _mapped(record: dict[str, Any], columns: dict[Any, str]) -> dict[str, str]:
    """Our columns of a record; those that it leaves empty are left out."""
    found = {ours: value for ours, theirs in columns.items() if (value := record.get(theirs) or _inner(record, theirs))}
    row = {ours: value if ours in _NEEDED else _as_text(ours, value) for ours, value in found.items()}
    if columns is _ORIGINAL_COLUMNS and "url" not in row and all(record.get(name) for name in ("repo", "sha", "path")):
        row["url"] = f"https://github.com/{record['repo']}/blob/{record['sha']}/{record['path']}"
    return row if all(isinstance(value, str) and is_storable(value) for value in row.values()) else {
        "reason": CORRUPT_RECORD}  # fmt: skip


def _inner(record: Any, name: str) -> Any:
    """The value of a column inside others: `data.code`."""
    if "." not in name:
        return None
    for part in name.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return _text_of(record) if isinstance(record, bytes) else record


def _as_text(column: str, value: Any) -> str:
    """An optional column's value: several, such as The Stack's licences, as one text; what is no text is left out."""
    if isinstance(value, list):
        parts = [text for entry in value if (text := _as_text(column, entry))]
        return (" AND " if column == "license" else ", ").join(dict.fromkeys(parts))
    return str(value) if isinstance(value, str | int | float) else ""
