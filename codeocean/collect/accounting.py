"""Collect: units of raw sources → filtered rows, and the account of what was dropped. No Ray here.

A row is never lost silently: it goes on, or it is counted under the reason that stopped it, with a few examples.
"""

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs as pafs
from pydantic import Field, PositiveInt

from codeocean.collect.duplicates import Duplicates, Keys, NearDuplicates, Signatures, row_keys
from codeocean.collect.filters import SECRET, FilterConfig, filter_batch
from codeocean.collect.readers import read_unit
from codeocean.collect.settings import FolderSource, SourceConfig, Unit
from codeocean.collect.yields import Counts, count_functions, merge_counts
from codeocean.records import CONTEXT, RAW_CODE
from core.settings import Execution, Settings
from core.storage import write_part

EXAMPLES_PER_REASON = 3
DROPPED = RAW_CODE.append(pa.field("reason", pa.string()))
"""Rows of RAW_CODE with the `reason` why they stopped."""
DROPPED_FOLDER = "dropped"


class CollectConfig(Settings):
    """Where raw code comes from and what of it is kept (paper, section 2.2.1)."""

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    """CodeSearchNet files and folders of source code, read in this order."""

    filters: FilterConfig = FilterConfig()
    """Rules that a row must pass."""

    sample: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the rows to keep, chosen by their ids: the same rows for any order and any number of workers."""

    near_duplicates: NearDuplicates | None = NearDuplicates()
    """When rows are nearly the same, so that the later one is dropped; null keeps all but exact copies."""

    dedup: Annotated[Literal["driver", "sharded"], Execution()] = "driver"
    """Where the hashes and signatures of earlier rows are: in the job's own process, 304 bytes a row, or shared out to
    actors over the cluster. The same rows are kept."""

    dedup_shards: Annotated[PositiveInt, Execution()] = 4
    """Actors of `dedup: sharded`, each with its share of the 304 bytes a row."""

    rows_per_part: PositiveInt = 50_000
    """Rows of one Parquet part, which is also the unit of work of the next stage."""

    keep_dropped: Annotated[bool, Execution()] = False
    """Keep dropped rows with their reasons in `collect/dropped/`, as Parquet; secrets are left out. It holds from the
    next part on that is written."""

    @property
    def context(self) -> bool:
        """Whether a source asks for what functions need of their files."""
        return any(isinstance(source, FolderSource) and source.context for source in self.sources)


Position = tuple[int, int]
"""A row of the input: number of its unit, number of the row in it."""


def read_filtered(
    unit: Unit, at: Position, config: CollectConfig, licenses: dict[str, str] | None = None
) -> Iterator[pa.Table]:
    """A unit's rows in order, those that stop without their code.

    Args:
        unit: what to read.
        at: number of the unit, and how many of its rows to leave out.
        config: rules, sample, near duplicates.
        licenses: repository → licence, where the source has a `licenses_file`; None reads it.

    Returns:
        READ_SCHEMA, position as `unit` and `row`, `key`, and `signature` where near duplicates are looked for.
    """
    begin = 0
    for batch in read_unit(unit, licenses):
        end = begin + batch.num_rows
        if end > at[1]:
            skipped = max(at[1] - begin, 0)
            rows = _reasoned(batch.slice(skipped), config)
            numbers = pa.array(range(begin + skipped, end), pa.int64())
            rows = rows.append_column("unit", pa.array([at[0]] * rows.num_rows, pa.int64()))
            yield _with_keys(rows.append_column("row", numbers), config.near_duplicates)
        begin = end


def _reasoned(batch: pa.RecordBatch, config: CollectConfig) -> pa.Table:
    rows = filter_batch(batch, config.filters)
    texts = ("code", "docstring", *CONTEXT) if config.context else ("code", "docstring")
    if not config.context:
        rows = rows.drop_columns(list(CONTEXT))
    if config.sample < 1.0:
        pairs = zip(rows["reason"].to_pylist(), rows["id"].to_pylist(), strict=True)
        reasons = [reason or ("" if in_sample(id_, config.sample) else "not sampled") for reason, id_ in pairs]
        rows = _replaced(rows, "reason", pa.array(reasons, pa.string()))
    stopped = pc.equal(rows["reason"], SECRET) if config.keep_dropped else pc.not_equal(rows["reason"], "")
    for name in texts:
        rows = _replaced(rows, name, pc.if_else(stopped, pa.scalar("", pa.string()), rows[name]))
    return rows


def _replaced(rows: pa.Table, name: str, values: Any) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, values)


def _with_keys(rows: pa.Table, near: NearDuplicates | None) -> pa.Table:
    """Rows with what `Duplicates` needs of them; zeros for those that stopped."""
    permutations = near.permutations if near else 0
    alive = np.flatnonzero(np.asarray(pc.equal(rows["reason"], "")))
    keys = np.zeros(rows.num_rows, np.uint64)
    signatures = np.zeros((rows.num_rows, permutations), np.uint8)
    codes, languages = (rows[name].take(pa.array(alive)).to_pylist() for name in ("code", "language"))
    keys[alive], signatures[alive] = row_keys(codes, permutations, languages)
    rows = rows.append_column("key", pa.array(keys))
    if not near:
        return rows
    values = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(permutations), rows.num_rows, [None, pa.py_buffer(signatures.tobytes())]
    )
    return rows.append_column("signature", values)


def keys_of(rows: pa.Table) -> tuple[Keys, Signatures]:
    """The reverse of what `read_filtered` appends: (N,) uint64 keys, (N, P) uint8 signatures, P is 0 without them."""
    keys = rows["key"].to_numpy()
    if "signature" not in rows.column_names:
        return keys, np.zeros((len(keys), 0), np.uint8)
    width = rows.schema.field("signature").type.byte_width
    values = b"".join(bytes(chunk.buffers()[1])[chunk.offset * width : (chunk.offset + len(chunk)) * width]
                      for chunk in rows["signature"].chunks)  # fmt: skip
    return keys, np.frombuffer(values, np.uint8).reshape(-1, width)


@dataclass(frozen=True)
class Part:
    """What one file of the stage holds."""

    rows: pa.Table
    """RAW_CODE, and CONTEXT where a source asks for it."""
    keys: pa.Table
    """`key` and `signature` of the same rows, so that a later attempt need not read their code."""
    account: "Account"
    """Of all rows since the part before."""
    behind: Position
    """The first row that it does not account for."""


class DroppedRows:
    """Writes dropped rows as RAW_CODE and `reason`: `<folder>/dropped/part-<part>-<number>.parquet`.

    A part that is begun anew writes the same files again.
    """

    def __init__(self, fs: pafs.FileSystem, folder: str, part: int, rows_per_file: int) -> None:
        """Args: part: number of the first part that is written. rows_per_file: so many are held in memory."""
        self._fs, self._folder, self._rows_per_file = fs, posixpath.join(folder, DROPPED_FOLDER), rows_per_file
        self._part, self._number, self._held = part, 0, DROPPED.empty_table()

    def add(self, rows: pa.Table) -> None:
        """Add those of the rows that stop."""
        stopped = rows.filter(pc.not_equal(rows["reason"], "")).select(DROPPED.names).cast(DROPPED)
        self._held = pa.concat_tables([self._held, stopped])
        while self._held.num_rows >= self._rows_per_file:
            self._write(self._held.slice(0, self._rows_per_file))
            self._held = self._held.slice(self._rows_per_file)

    def end_part(self) -> None:
        """Write what is left of a part."""
        if self._held.num_rows:
            self._write(self._held)
        self._part, self._number, self._held = self._part + 1, 0, DROPPED.empty_table()

    def _write(self, rows: pa.Table) -> None:
        write_part(self._fs, posixpath.join(self._folder, f"part-{self._part:05d}-{self._number:03d}.parquet"), rows)
        self._number += 1


def cut_parts(
    tables: Iterable[pa.Table],
    duplicates: Duplicates,
    rows_per_part: int,
    end: Position,
    see: Callable[[pa.Table], None] | None = None,
) -> Iterator[Part]:
    """Filtered rows in order → parts of `rows_per_part` rows; the same parts however the rows come in tables.

    Args:
        tables: from `read_filtered`, unit by unit.
        duplicates: the rows of earlier parts; these parts' are added.
        rows_per_part: a part ends before the row that would be one too many.
        end: position behind the last row.
        see: is shown all rows with their reasons, those of a part before it is given.
    """
    account, kept, count = Account(), list[pa.Table](), 0

    def take(rows: pa.Table) -> pa.Table:
        if see is not None:
            see(rows)
        return account.add(rows)

    for table in tables:
        reasons = duplicates.decide(*keys_of(table), np.asarray(pc.equal(table["reason"], "")))
        found = [mine or theirs for mine, theirs in zip(table["reason"].to_pylist(), reasons, strict=True)]
        rows = _replaced(table, "reason", pa.array(found, pa.string()))
        goes_on = np.flatnonzero(np.asarray(pc.equal(rows["reason"], "")))
        start = 0
        for cut in goes_on[rows_per_part - count :: rows_per_part]:
            kept.append(take(rows.slice(start, int(cut) - start)))
            position = (rows["unit"][int(cut)].as_py(), rows["row"][int(cut)].as_py())
            yield _part(kept, account, position)
            account, kept, start = Account(), [], int(cut)
        kept.append(take(rows.slice(start)))
        count = sum(part.num_rows for part in kept)
    if account.rows_in:
        yield _part(kept, account, end)


def _part(kept: list[pa.Table], account: "Account", behind: Position) -> Part:
    rows = pa.concat_tables(kept)
    keys = rows.select([name for name in ("key", "signature") if name in rows.column_names])
    context = [pa.field(name, pa.string()) for name in CONTEXT if name in rows.column_names]
    schema = pa.schema([*RAW_CODE, *context])
    return Part(rows.select(schema.names).cast(schema), keys, account, behind)


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
    functions: Counts = field(default_factory=dict)
    context: Counter[str] = field(default_factory=Counter)
    """Rows that are kept, by why they cannot be run with what they need of their file; "" is that they can."""

    def add(self, rows: pa.Table) -> pa.Table:
        """Count rows (RAW_CODE and `reason`); returns those that go on, with all their columns."""
        self.rows_in += rows.num_rows
        reasons = _counts(rows["reason"])
        reasons.pop("", None)
        self.dropped.update(reasons)
        merge_counts(self.functions, count_functions(rows))
        for reason in reasons:
            examples = self.examples.setdefault(reason, [])
            if (missing := EXAMPLES_PER_REASON - len(examples)) > 0:
                found = rows.select(["path", "name"]).filter(pc.equal(rows["reason"], reason)).slice(0, missing)
                examples += [" ".join(filter(None, (row["path"], row["name"]))) for row in found.to_pylist()]
        kept = rows.filter(pc.equal(rows["reason"], ""))
        self.languages.update(_counts(kept["language"]))
        if "context" in kept.column_names:
            missing = pc.list_element(pc.split_pattern(kept["context_missing"], ":"), 0)  # without the name that is
            self.context.update(_counts(missing))
        return kept

    def merge(self, other: "Account") -> None:
        """Add another account."""
        self.rows_in += other.rows_in
        self.dropped += other.dropped
        self.languages += other.languages
        self.context += other.context
        merge_counts(self.functions, other.functions)
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
            "functions": self.functions,
            "context": dict(self.context),
        }

    @classmethod
    def from_note(cls, note: dict[str, Any]) -> "Account":
        """The reverse of `to_note`."""
        account = cls(note["rows_in"], Counter(note["dropped"]), dict(note["examples"]), Counter(note["languages"]))
        merge_counts(account.functions, note.get("functions", {}))
        account.context.update(note.get("context", {}))
        return account


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}
