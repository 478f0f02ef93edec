"""Rotary positions whose frequencies depend on a row's length, chosen for each row by itself. No Ray here.

`longrope` (Ding et al. 2024; Phi-3, Phi-3.5-MoE) has one set of frequencies for rows up to the original length and one
for longer ones. `transformers` chooses by the longest row of a batch: in a packed or padded batch, neighbours would
change a row's result.

Shapes: B rows of a batch · S positions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class RowwiseRope(nn.Module):
    """A rotary embedding that is asked for short and for long rows apart."""

    def __init__(self, inner: nn.Module, original: int) -> None:
        """Wrap.

        Args:
            inner: called with hidden states and positions; chooses by the largest position.
            original: most tokens of a short row.
        """
        super().__init__()
        self.inner, self._original = inner, original

    def forward(self, hidden: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines of positions int64 (B, S), which restart at 0 with each row."""
        long_BS = row_lengths(position_ids) > self._original
        cos, sin = self.inner(hidden, position_ids=position_ids.masked_fill(long_BS, 0))
        if not long_BS.any():
            return cos, sin
        long_cos, long_sin = self.inner(hidden, position_ids=position_ids.masked_fill(~long_BS, 0))
        long_BS1 = long_BS[..., None]
        return torch.where(long_BS1, long_cos, cos), torch.where(long_BS1, long_sin, sin)


def row_lengths(positions_BS: Tensor) -> Tensor:
    """For each position, the length of the row that it belongs to; rows begin at position 0."""
    row_BS = (positions_BS == 0).long().cumsum(-1)
    longest = torch.zeros(positions_BS.shape[0], positions_BS.shape[1] + 1, dtype=torch.long, device=row_BS.device)
    return longest.scatter_reduce(1, row_BS, positions_BS + 1, "amax").gather(1, row_BS)


def choose_by_row(causal: Any) -> None:
    """Have a model with longrope choose its frequencies by row; in place."""
    parameters = getattr(causal.config, "rope_parameters", None) or {}
    rotary = getattr(causal.base_model, "rotary_emb", None)
    if parameters.get("rope_type") == "longrope" and rotary is not None:
        causal.base_model.rotary_emb = RowwiseRope(rotary, parameters["original_max_position_embeddings"])


def chooses_by_row(causal: Any) -> bool:
    """Whether the model must be told the positions of padded rows."""
    return isinstance(getattr(causal.base_model, "rotary_emb", None), RowwiseRope)
