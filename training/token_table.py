"""All rows as tokens in one Arrow table, which workers of a node share without copying. No Ray here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from training.examples import IGNORED, Example, count_reasons, tokenize_or_reason

TOKENS = pa.schema([
    ("row", pa.int64()), ("input_ids", pa.large_list(pa.int32())), ("prompt_tokens", pa.int32()),
    ("truncated", pa.bool_()), ("task", pa.string()), ("reason", pa.string()),
])  # fmt: skip
"""`row` numbers the instances; one that is left out has a `reason` and null `input_ids`."""


def tokenize_table(rows: pa.Table, tokenizer: Any, max_length: int) -> pa.Table:
    """Instances as `TOKENS`, in their order.

    Args:
        rows: `row, instruction, input, output, task`.
        tokenizer: with the paper's chat template installed.
        max_length: most tokens of a row.
    """
    found = []
    for row in rows.to_pylist():
        example = tokenize_or_reason(row, tokenizer, max_length)
        known = {"row": row["row"], "task": row["task"]}
        if isinstance(example, str):
            known["reason"] = example
        else:
            known |= {"input_ids": example.input_ids, "truncated": example.truncated}
            known["prompt_tokens"] = sum(label == IGNORED for label in example.labels)
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
    content.update(tokens["prompt_tokens"].chunk(0).to_numpy().tobytes())
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
        self._columns = [table[name].chunk(0) for name in ("input_ids", "prompt_tokens", "truncated", "task")]

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
        prompt, truncated, task = (value.as_py() for value in others)
        return Example(ids, [IGNORED] * prompt + ids[prompt:], truncated, task)
