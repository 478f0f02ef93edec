"""Numbers that stand for names, as the datasets library writes its `ClassLabel` columns into Parquet and Arrow.

The file holds integers; their names stand in the schema's metadata, which that library alone reads.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

ClassNames = dict[str, Any]
"""Column → the names of its numbers, or the same of the columns inside it; only columns that have some."""


def class_names(schema: pa.Schema) -> ClassNames:
    """The names that a file's metadata gives to its numbers; empty where there are none or they are damaged."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return _names_in(features) if isinstance(features, dict) else {}


def _names_in(features: dict[str, Any]) -> ClassNames:
    found: ClassNames = {}
    for column, feature in features.items():
        if not isinstance(feature, dict):
            continue
        names = feature.get("names")
        if feature.get("_type") == "ClassLabel" and isinstance(names, list):
            found[column] = [str(name) for name in names]
        elif "_type" not in feature and (inner := _names_in(feature)):
            found[column] = inner
    return found


def named(record: dict[str, Any], names: ClassNames) -> dict[str, Any]:
    """A record with names for its numbers; None for -1 and others that have none."""
    return record | {column: _named(record[column], known) for column, known in names.items() if column in record}


def _named(value: Any, known: Any) -> Any:
    if isinstance(known, dict):
        return named(value, known) if isinstance(value, dict) else value
    if not isinstance(value, int):
        return value
    return known[value] if 0 <= value < len(known) else None
