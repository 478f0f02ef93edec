"""Which instances a data set takes, by what is in their columns. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import StrictFloat, StrictInt, StrictStr

from codeocean.verify.columns import PROOF_COLUMNS

Needed = StrictInt | StrictFloat | StrictStr | tuple[StrictStr, ...]
"""A number is the least value; a word, or one of several words, is the value."""

COLUMNS = (*PROOF_COLUMNS.names, "task", "language")
"""What can be asked for."""


def check_required(require: Mapping[str, Needed]) -> None:
    """Raise `ValueError`, which names the column, for one that does not exist or holds another kind of value."""
    numbers = {"pass_rate", "solutions_agreeing", "mutants", "mutants_killed", "difficulty"}
    for column, needed in require.items():
        if column not in COLUMNS:
            raise ValueError(f"require names {column!r}, which is no column; there are {', '.join(COLUMNS)}")
        if isinstance(needed, int | float) != (column in numbers):
            kind = "a number" if column in numbers else "a word or a list of words"
            raise ValueError(f"require.{column} is {needed!r}, but that column is compared with {kind}")


def why_left_out(row: Mapping[str, Any], require: Mapping[str, Needed]) -> str:
    """The reason why a row is left out; empty when it has all that is required. A null has nothing.

    Args:
        row: of INSTANCES.
        require: column → what it must be, or be at least.
    """
    for column, needed in require.items():
        value = row[column]
        if isinstance(needed, int | float):
            if value is None or value < needed:
                return f"requirement: {column} below {needed:g}"
        elif value not in ((needed,) if isinstance(needed, str) else needed):
            return f"requirement: {column} is {value}"
    return ""
