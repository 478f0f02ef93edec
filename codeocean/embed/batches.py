"""Token batches: tokenised rows of one part, gathered by length, so that an encoder computes little padding.

Rows are sorted by token length (exact, where `SentenceTransformer.encode` sorts by characters) and cut into batches by
a budget of tokens, padding included. A batch also ends where the length changes once it is a quarter full: with many
rows nearly every batch then holds rows of one length, and attention needs no mask. Batches depend on the part alone,
not on workers or on what was finished before, so that a repeated batch gives the same vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

Ints = np.ndarray[Any, np.dtype[np.int32]]

# B rows of a batch · T tokens of its longest row

FULL_ENOUGH = 0.25
"""Share of the budget from which a batch ends where the length changes."""


@dataclass(frozen=True)
class TokenBatch:
    """Rows of one part that go through the model together."""

    rows: Ints
    """(B) their numbers in the part, longest first."""

    lengths: Ints
    """(B) tokens of each."""

    features: dict[str, Ints]
    """Name of a model input, such as input_ids → the tokens of all rows, one after another."""

    prompt_length: int | None = None
    """Tokens of the model's own prompt in front of each row; None where it has none."""

    texts: tuple[str, ...] = ()
    """(B) instead of features, where only the library's own `encode` knows how to feed the model."""

    def to_arrow(self) -> pa.Table:
        """One Arrow row, to travel between processes."""
        features = [{"name": name, "values": values} for name, values in self.features.items()]
        return pa.table(
            {
                "rows": pa.array([self.rows], pa.list_(pa.int32())),
                "lengths": pa.array([self.lengths], pa.list_(pa.int32())),
                "features": pa.array([features], _FEATURES),
                "prompt_length": pa.array([self.prompt_length], pa.int32()),
                "texts": pa.array([list(self.texts)], pa.list_(pa.string())),
            }
        )

    @classmethod
    def from_arrow(cls, table: pa.Table) -> TokenBatch:
        """The batch of `to_arrow`; other columns are let be."""
        features = table["features"][0]
        return cls(
            rows=table["rows"][0].values.to_numpy(),
            lengths=table["lengths"][0].values.to_numpy(),
            features={feature["name"].as_py(): feature["values"].values.to_numpy() for feature in features},
            prompt_length=table["prompt_length"][0].as_py(),
            texts=tuple(table["texts"][0].as_py()),
        )

    def padded(self, padding: dict[str, int], side: str) -> dict[str, Any]:
        """What the model takes: (B, T) int64 tensors, among them `attention_mask`.

        Args:
            padding: name of a feature → the value that fills it up; 0 for others.
            side: "right" or "left", where the filling goes.
        """
        width = max(1, int(self.lengths.max()))
        columns = np.arange(width)[None, :]
        starts = np.zeros_like(self.lengths) if side == "right" else width - self.lengths
        mask = (columns >= starts[:, None]) & (columns < (starts + self.lengths)[:, None])
        tensors: dict[str, Any] = {"attention_mask": torch.from_numpy(mask.astype(np.int64))}
        for name, values in self.features.items():
            filled = np.full(mask.shape, padding.get(name, 0), dtype=np.int64)
            filled[mask] = values
            tensors[name] = torch.from_numpy(filled)
        return tensors if self.prompt_length is None else tensors | {"prompt_length": self.prompt_length}


_FEATURES = pa.list_(pa.struct([("name", pa.string()), ("values", pa.list_(pa.int32()))]))


def plan_batches(lengths: Ints, tokens_per_batch: int) -> list[Ints]:
    """Row numbers of each batch, longest rows first; every row once. No rows make one empty batch.

    A batch of more than one row has at most `tokens_per_batch` tokens, padding included.

    Args:
        lengths: (N) tokens of each row.
        tokens_per_batch: the budget.
    """
    order = np.argsort(-lengths, kind="stable").astype(np.int32)
    cuts, start = [], 0
    for end in range(1, len(order)):
        longest = lengths[order[start]]
        over = (end + 1 - start) * longest > tokens_per_batch
        changes = lengths[order[end]] != lengths[order[end - 1]]
        if over or (changes and (end - start) * longest >= FULL_ENOUGH * tokens_per_batch):
            cuts.append(end)
            start = end
    return np.split(order, cuts)


def padding_share(lengths: Ints, batches: list[Ints]) -> float:
    """Share of the computed tokens that are padding: 0 is none."""
    computed = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
    return 1 - int(lengths.sum()) / computed
