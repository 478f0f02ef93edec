"""Collect: units of raw sources → filtered rows, and the account of what was dropped. No Ray here.

A row is never lost silently: it goes on, or it is counted under the reason that stopped it, with a few examples.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, Field, PositiveInt

from codeocean.filters import FilterConfig, filter_batch
from codeocean.records import RAW_CODE
from codeocean.sources import SourceConfig, Unit, read_unit

EXAMPLES_PER_REASON = 3


class CollectConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """Where raw code comes from and what of it is kept (paper, section 2.2.1)."""

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    """CodeSearchNet files and folders of source code, read in this order."""

    filters: FilterConfig = FilterConfig()
    """Rules that a row must pass."""

    sample: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the rows to keep, chosen by their ids: the same rows for any order and any number of workers."""

    rows_per_part: PositiveInt = 50_000
    """Rows of one Parquet part, which is also the unit of work of the next stage."""


def read_filtered(unit: Unit, config: CollectConfig) -> Iterator[pa.Table]:
    """A unit's rows (RAW_CODE and `reason`) in order; dropped rows keep their path and name, not their code."""
    for batch in read_unit(unit):
        rows = filter_batch(batch, config.filters)
        reasons = rows["reason"].to_pylist()
        if config.sample < 1.0:
            ids = rows["id"].to_pylist()
            reasons = [reason or ("" if in_sample(id_, config.sample) else "not sampled")
                       for reason, id_ in zip(reasons, ids, strict=True)]  # fmt: skip
        rows = rows.set_column(rows.schema.get_field_index("reason"), "reason", pa.array(reasons, pa.string()))
        dropped = pc.not_equal(rows["reason"], "")
        for name in ("code", "docstring"):
            kept = pc.if_else(dropped, pa.scalar("", pa.string()), rows[name])
            rows = rows.set_column(rows.schema.get_field_index(name), name, kept)
        yield rows


def in_sample(id_: str, share: float) -> bool:
    """Whether a row belongs to a sample of this share; a smaller share is a subset of a larger one."""
    return int(id_, 16) < share * 16 ** len(id_)


@dataclass
class Account:
    """How many rows came in, and why some stopped."""

    rows_in: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.Table) -> pa.Table:
        """Count rows (RAW_CODE and `reason`); returns those that go on, as RAW_CODE."""
        self.rows_in += rows.num_rows
        stopped = rows.filter(pc.not_equal(rows["reason"], ""))
        for row in stopped.select(["reason", "path", "name"]).to_pylist():
            self.dropped[row["reason"]] += 1
            examples = self.examples.setdefault(row["reason"], [])
            if len(examples) < EXAMPLES_PER_REASON:
                examples.append(" ".join(part for part in (row["path"], row["name"]) if part))
        kept = rows.filter(pc.equal(rows["reason"], "")).select(RAW_CODE.names).cast(RAW_CODE)
        self.languages.update(kept["language"].to_pylist())
        return kept

    def merge(self, other: "Account") -> None:
        """Add another account."""
        self.rows_in += other.rows_in
        self.dropped += other.dropped
        self.languages += other.languages
        for reason, examples in other.examples.items():
            mine = self.examples.setdefault(reason, [])
            mine += examples[: EXAMPLES_PER_REASON - len(mine)]

    def to_note(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "rows_in": self.rows_in,
            "dropped": dict(self.dropped),
            "examples": self.examples,
            "languages": dict(self.languages),
        }

    @classmethod
    def from_note(cls, note: dict[str, Any]) -> "Account":
        """The reverse of `to_note`."""
        return cls(note["rows_in"], Counter(note["dropped"]), dict(note["examples"]), Counter(note["languages"]))
