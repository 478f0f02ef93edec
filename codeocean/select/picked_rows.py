"""The coreset's raw code, which the next stages read."""

from __future__ import annotations

import posixpath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs as pafs

from core.storage import read_part, read_parts


def picked_rows(fs: pafs.FileSystem, root: str) -> list[dict[str, Any]]:
    """RAW_CODE rows of the coreset, in the order of the picks.

    Args:
        fs: where the run directory lies.
        root: the run directory, whose stages `collect` and `select` are done.

    Raises:
        ValueError: a part is missing or cannot be read.
    """
    ids = read_part(fs, posixpath.join(root, "select", "coreset.parquet"), ["id"])["id"].to_pylist()
    raw = read_parts(fs, posixpath.join(root, "collect"))
    found = {row["id"]: row for row in raw.filter(pc.is_in(raw["id"], pa.array(ids))).to_pylist()}
    if missing := [id_ for id_ in ids if id_ not in found]:
        raise ValueError(f"{root}/collect lacks {len(missing)} of the {len(ids)} rows that were picked, such as "
                         f"{missing[0]}; run the select job again")  # fmt: skip
    return [found[id_] for id_ in ids]
