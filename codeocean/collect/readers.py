"""Sources → rows of raw code, in units that are read independently and in bounded memory.

Folders of source code, out of which documented functions are taken (`folders.py`), and files of pairs: CodeSearchNet in
both published forms, JSON of your own (`pairs.py`). A row that cannot be used is still a row, with a reason. Damage
drops rows; a network that fails raises, so that nothing is lost to it. How to bring your own code: docs/data.md.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from codeocean.collect.folders import folder_rows, folder_units
from codeocean.collect.pairs import MAX_CODE_CHARS, bare_pair, pair_batches, pair_units
from codeocean.collect.settings import (
    BATCH_CHARS,
    BATCH_ROWS,
    READ_SCHEMA,
    AnySource,
    CodeSearchNetSource,
    FolderSource,
    FunctionSource,
    JsonlSource,
    SourceConfig,
    Unit,
)
from codeocean.records import RAW_CODE
from core.json_records import CORRUPT_RECORD
from core.text import is_storable
from core.user_code import load_function, said_by, source_digest

__all__ = ["READ_SCHEMA", "CodeSearchNetSource", "FolderSource", "JsonlSource", "SourceConfig", "Unit", "list_units",
           "read_unit"]  # fmt: skip

_TEXTS = ("code", "language", "name", "docstring")
FUNCTION = "collect.sources, kind function"


def list_units(source: AnySource) -> list[Unit]:
    """The units of a source, in a fixed order.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: nothing to read is there, or a function of the user's cannot be called.
    """
    if isinstance(source, FunctionSource):
        return _function_units(source)
    return folder_units(source) if isinstance(source, FolderSource) else pair_units(source)


def read_unit(unit: Unit, licenses: dict[str, str] | None = None) -> Iterator[pa.RecordBatch]:
    """Rows of READ_SCHEMA, at most `BATCH_ROWS` at a time.

    Args:
        unit: what to read.
        licenses: repository → licence, where the source has a `licenses_file`; None reads it.
    """
    source = unit.source
    if isinstance(source, CodeSearchNetSource | JsonlSource):
        yield from pair_batches(unit, licenses)
        return
    batch: list[dict[str, str]] = []
    chars = 0
    for row in folder_rows(unit) if isinstance(source, FolderSource) else _function_rows(unit, source):
        batch.append(row)
        chars += len(row["code"])
        if len(batch) == BATCH_ROWS or chars >= BATCH_CHARS:
            yield pa.RecordBatch.from_pylist(batch, schema=READ_SCHEMA)
            batch, chars = [], 0
    if batch:
        yield pa.RecordBatch.from_pylist(batch, schema=READ_SCHEMA)


def _function_units(source: FunctionSource) -> list[Unit]:
    _load(source)  # refused here, before any work starts
    content = [source_digest(source.function, FUNCTION), source.arguments, source.shards]
    fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return [Unit(source, (), "", shard, f"{fingerprint} {shard}") for shard in range(source.shards)]


def _load(source: FunctionSource) -> Callable[..., Any]:
    names = [*source.arguments, *(("shard", "num_shards") if source.shards > 1 else ())]
    return load_function(source.function, FUNCTION, [f"{name}=" for name in names])


def _function_rows(unit: Unit, source: FunctionSource) -> Iterator[dict[str, str]]:
    """Rows of READ_SCHEMA that a function of the user's gives; what it does wrong raises `ValueError` in one line."""
    base = dict.fromkeys(READ_SCHEMA.names, "") | {"license": source.license, "repository": source.repository}
    base["source"] = f"function:{source.function}"
    where = f"{FUNCTION}: {source.function}"
    for number, given in enumerate(_given(unit, source)):
        row = base | _checked(given, f"{where}: row {number}")
        row["reason"] = _reason(row, source.languages)
        if row["reason"]:
            row |= {"code": "", "docstring": ""}  # goes no further; may be large
        else:
            row["id"], row["code"], row["docstring"] = bare_pair(*(row[name] for name in _TEXTS))
        yield row


def _given(unit: Unit, source: FunctionSource) -> Iterator[object]:
    """What the function gives, its failures named."""
    function = _load(source)
    shard = {"shard": unit.row_group, "num_shards": source.shards} if source.shards > 1 else {}
    try:
        rows = function(**source.arguments, **shard)
        if isinstance(rows, str | bytes | Mapping) or not hasattr(rows, "__iter__"):
            raise TypeError(f"it returned {type(rows).__name__}, where an iterator of rows is wanted")
        yield from rows
    except Exception as error:
        raise ValueError(f"{FUNCTION}: {source.function} failed ({said_by(error)})") from error


def _checked(given: object, where: str) -> dict[str, str]:
    """A row whose columns are ours and whose values are text."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} is {type(given).__name__}, where a mapping from column to text is wanted")
    columns = [name for name in RAW_CODE.names if name not in {"id", "source"}]
    for name, value in given.items():
        if name not in columns:
            raise ValueError(f"{where} has a column {name!r}; the columns are {', '.join(columns)}")
        if not isinstance(value, str):
            raise ValueError(f"{where}: {name} is {type(value).__name__}, where text is wanted")
    return {name: value for name, value in given.items() if value}


def _reason(row: dict[str, str], languages: tuple[str, ...]) -> str:
    if not all(row[name] for name in ("language", "code", "docstring")):
        return "missing field"
    if not all(map(is_storable, row.values())):
        return CORRUPT_RECORD
    if row["language"] not in languages:
        return "language not asked for"
    return "row too large" if len(row["code"]) + len(row["docstring"]) > MAX_CODE_CHARS else ""
