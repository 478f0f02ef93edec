"""Select: several shards as one matrix. No Ray here: how a shard is reached is handed in.

What crosses between coordinator and S shards in a block: the P new picks to every shard, and from each its candidates,
B/S + 3·√(B/S) of them: about P·S + 1.3·B rows of D values for four shards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from codeocean.select.distances import Frame
from codeocean.select.shard import Candidates, Extent

Call = Callable[[str, dict[int, tuple[Any, ...]]], dict[int, Any]]
"""(method, shard → arguments) → shard → answer."""


class ShardGroup:
    """Shards of consecutive rows, each answering for its own; together a `codeocean.select.kcenter.Shards`."""

    def __init__(self, call: Call, starts: Sequence[int]) -> None:
        """Args: call: asks shards. starts: number of each shard's first row, ascending from 0."""
        self._call, self._starts = call, torch.tensor(starts)

    def _all(self, method: str, *arguments: Any) -> list[Any]:
        answers = self._call(method, dict.fromkeys(range(len(self._starts)), arguments))
        return [answers[number] for number in sorted(answers)]

    def extent(self, frame: Frame) -> Extent:
        """Of all rows."""
        parts: list[Extent] = self._all("extent", frame)
        return Extent(
            num_rows=sum(part.num_rows for part in parts),
            total_D=torch.stack([part.total_D for part in parts]).sum(0),
            widest=max(part.widest for part in parts),
            largest=max(part.largest for part in parts),
            squares=math.fsum(part.squares for part in parts),
        )

    def set_frame(self, frame: Frame) -> None:
        """Fix the coordinates."""
        self._all("set_frame", frame)

    def nearest_row(self, point_D: Tensor) -> tuple[float, int]:
        """Squared distance and number of the row nearest a point, the smallest of equals."""
        best: tuple[float, int] = min(self._all("nearest_row", point_D))
        return best

    def vectors(self, rows: Tensor) -> Tensor:
        """Rows by their numbers, in that order."""
        owners = torch.searchsorted(self._starts, rows, right=True) - 1
        wanted = {owner: (rows[owners == owner],) for owner in owners.unique().tolist()}
        found = self._call("vectors", wanted)
        gathered = torch.cat([found[owner].cpu() for owner in sorted(found)])
        order = torch.cat([(owners == owner).nonzero().flatten() for owner in sorted(found)])
        return gathered[torch.argsort(order)]

    def groups(self, rows: Tensor) -> list[int]:
        """Groups of rows, in that order."""
        owners = (torch.searchsorted(self._starts, rows, right=True) - 1).tolist()
        wanted = {owner: (rows[torch.tensor(owners) == owner],) for owner in set(owners)}
        found = {owner: iter(groups) for owner, groups in self._call("groups", wanted).items()}
        return [next(found[owner]) for owner in owners]

    def add_picks(self, position: int, rows: Tensor, vectors_PD: Tensor) -> None:
        """Tell every shard of new picks; arguments as `Shard.add_picks`."""
        self._all("add_picks", position, rows, vectors_PD)

    def exclude(self, groups: list[int]) -> None:
        """Rows of these groups are candidates no more."""
        self._all("exclude", groups)

    def candidates(self, most: int, expected: float) -> Candidates:
        """At most `most` rows, and the limit of all others."""
        share = most / len(self._starts)
        each = min(most, math.ceil(share + 3.0 * share**0.5))  # where the farthest rows are is chance
        return merge_candidates(self._all("candidates", each, expected), most)


def merge_candidates(parts: Sequence[Candidates], most: int) -> Candidates:
    """The best `most` candidates of all shards, in the order of their rows."""
    rows_B, squared_B, groups_B = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("rows_B", "squared_B", "groups_B")
    )
    vectors_BD = torch.cat([part.vectors_BD for part in parts])
    rival = max((part.rival for part in parts), key=lambda rival: (rival[0], -rival[1]))
    if len(rows_B) > most:
        order = torch.argsort(squared_B, descending=True, stable=True)
        best_left = (float(squared_B[order[most]]), int(rows_B[order[most]]))
        rival = max(rival, best_left, key=lambda rival: (rival[0], -rival[1]))
        kept = order[:most].sort().values
        rows_B, squared_B, groups_B, vectors_BD = rows_B[kept], squared_B[kept], groups_B[kept], vectors_BD[kept]
    return Candidates(rows_B, squared_B, vectors_BD, groups_B, max(part.limit for part in parts), rival)
