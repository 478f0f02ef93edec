"""All rows as tokens in one Arrow table, which workers of a node share without copying. No Ray here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from training.conversation import Learn
from training.examples import IGNORED, Example, count_reasons, tokenize_or_reason

TOKENS = pa.schema([
    ("row", pa.int64()), ("input_ids", pa.large_list(pa.int32())), ("runs", pa.large_list(pa.int32())),
    ("truncated", pa.bool_()), ("task", pa.string()), ("reason", pa.string()),
])  # fmt: skip
"""`row` numbers the instances; one that is left out has a `reason` and null `input_ids`. `runs` are numbers of tokens:
first of those that are not learnt from, then of those that are, and so on in turn."""


def tokenize_table(rows: pa.Table, tokenizer: Any, max_length: int, learn: Learn = "all") -> pa.Table:
    """Instances as `TOKENS`, in their order.

    Args:
        rows: `row, instruction, input, output, task`, and `messages` where there are conversations.
        tokenizer: with a chat template installed.
        max_length: most tokens of a row.
        learn: the answers of a conversation that are learnt from.
    """
    found = []
    for row in rows.to_pylist():
        example = tokenize_or_reason(row, tokenizer, max_length, learn)
        known = {"row": row["row"], "task": row["task"]}
        if isinstance(example, str):
            known["reason"] = example
        else:
            known |= {"input_ids": example.input_ids, "truncated": example.truncated}
            known["runs"] = _runs(example.labels)
        found.append(known)
    return pa.Table.from_pylist(found, schema=TOKENS)


def sort_out(tokens: pa.Table, max_length: int) -> tuple[pa.Table, dict[str, int]]:
    """The rows that fit, in order and in one piece, and the counts of `truncated` and of rows left out, by reason.

    Args:
        tokens: `TOKENS` of all instances, in any order.
        max_length: named in the error.

    Raises:
        ValueError: not one row is left.
    """
    counts = count_reasons(tokens["reason"].drop_null().to_pylist(), tokens.num_rows, max_length)
    kept = tokens.filter(pc.is_valid(tokens["input_ids"])).sort_by("row").combine_chunks()
    return kept, {"truncated": pc.sum(kept["truncated"]).as_py()} | counts


def digest_of(tokens: pa.Table) -> str:
    """What tells these rows from others of the same number.

    Args:
        tokens: from `sort_out`.
    """
    values = tokens["input_ids"].chunk(0)
    content = hashlib.sha256(values.values.to_numpy().tobytes())
    runs = tokens["runs"].chunk(0)
    lengths, values = runs.value_lengths().to_numpy(), runs.values.to_numpy()
    content.update(values[runs.offsets.to_numpy()[:-1]].tobytes())
    if (lengths > 2).any():  # of other rows the first run says it all, and checkpoints of earlier versions hold no more
        content.update(values.tobytes() + lengths.tobytes())
    return content.hexdigest()[:16]


class TokenizedRows(Sequence[Example]):
    """Rows of an Arrow table; each becomes an `Example` when it is asked for."""

    def __init__(self, table: pa.Table, numbers: Sequence[int] | None = None) -> None:
        """A view; nothing is copied.

        Args:
            table: from `sort_out`.
            numbers: the rows to show, in order; None shows all.
        """
        self._numbers = range(table.num_rows) if numbers is None else numbers
        self._columns = [table[name].chunk(0) for name in ("input_ids", "runs", "truncated", "task")]

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        values, *others = (column[self._numbers[index]] for column in self._columns)
        ids: list[int] = values.values.to_numpy().tolist()
        runs, truncated, task = (value.as_py() for value in others)
        labels, ends = ids.copy(), list(accumulate(runs))
        for start, end in zip([0, *ends[1::2]], ends[::2], strict=False):
            labels[start:end] = [IGNORED] * (end - start)
        return Example(ids, labels, truncated, task)


def _runs(labels: list[int]) -> list[int]:
    """Numbers of tokens that are and are not learnt from, in turn; the first, of those that are not, may be 0."""
    runs, learns = [0], False
    for label in labels:
        if (label != IGNORED) != learns:
            runs, learns = [*runs, 0], not learns
        runs[-1] += 1
    return runs
