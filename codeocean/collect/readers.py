"""Sources → rows of raw code, in units that are read independently and in bounded memory.

Folders of source code, out of which documented functions are taken (`folders.py`), and files of pairs: CodeSearchNet in
both published forms, JSON of your own (`pairs.py`). A row that cannot be used is still a row, with a reason. Damage
drops rows; a network that fails raises, so that nothing is lost to it. How to bring your own code: docs/data.md.
"""

from collections.abc import Iterator

import pyarrow as pa

from codeocean.collect.folders import folder_rows, folder_units
from codeocean.collect.pairs import pair_batches, pair_units
from codeocean.collect.settings import (
    BATCH_CHARS,
    BATCH_ROWS,
    READ_SCHEMA,
    CodeSearchNetSource,
    FolderSource,
    JsonlSource,
    SourceConfig,
    Unit,
)

__all__ = ["READ_SCHEMA", "CodeSearchNetSource", "FolderSource", "JsonlSource", "SourceConfig", "Unit", "list_units",
           "read_unit"]  # fmt: skip


def list_units(source: FolderSource | CodeSearchNetSource | JsonlSource) -> list[Unit]:
    """The units of a source, in a fixed order.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: nothing to read is there.
    """
    return folder_units(source) if isinstance(source, FolderSource) else pair_units(source)


def read_unit(unit: Unit, licenses: dict[str, str] | None = None) -> Iterator[pa.RecordBatch]:
    """Rows of READ_SCHEMA, at most `BATCH_ROWS` at a time.

    Args:
        unit: what to read.
        licenses: repository → licence, where the source has a `licenses_file`; None reads it.
    """
    if not isinstance(unit.source, FolderSource):
        yield from pair_batches(unit, licenses)
        return
    batch: list[dict[str, str]] = []
    chars = 0
    for row in folder_rows(unit):
        batch.append(row)
        chars += len(row["code"])
        if len(batch) == BATCH_ROWS or chars >= BATCH_CHARS:
            yield pa.RecordBatch.from_pylist(batch, schema=READ_SCHEMA)
            batch, chars = [], 0
    if batch:
        yield pa.RecordBatch.from_pylist(batch, schema=READ_SCHEMA)
