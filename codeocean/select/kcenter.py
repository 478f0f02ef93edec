"""Select: embeddings → coreset, by greedy k-center, exact, block-wise and lazy.

Greedy k-center (Gonzalez 1985; Sener & Savarese 2018; WaveCoder, section 2.2.1) picks, k times, the row farthest from
all picks so far. Done literally it reads the whole matrix k times and is bound by memory. The same picks come from
blocks:

1. Each row has an upper bound on its squared distance to its nearest pick. The B rows with the largest bounds, brought
   up to date, are the candidates, and with them every row that may tie with the largest; τ is the most that any other
   row can have.
2. The candidates are measured in float64. Among them alone pick greedily while the best one still has more than τ:
   distances only ever fall, so nobody outside can beat it.
3. Hand the block's picks to the shards (`codeocean/select/shard.py`), which meet them when they need to; repeat.

So every pick is decided in float64, for any number of shards, while nearly all arithmetic is float32 matrix products
over the rows that come near the top. Ties go to the smallest row.

Cost: 2·D FLOP for each (row, pick) pair that is met, about a sixth of N·k on embeddings of code, about 2·k²·D in
float32 to measure candidates. Memory: 24 bytes a row beside the matrix, k·D float64 for the picks, one tile of scratch.

Not covered here: several processes (`codeocean/select/flow.py`).

Shapes: N rows · D dimensions · B candidates of a block · P picks of a block.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from codeocean.select.distances import Frame, MeasuringPicks, nearest_squared, squared_differences
from codeocean.select.quotas import Quotas
from codeocean.select.shard import Candidates, Extent, Shard, threads

BLOCK = 384
"""Candidates of a block: enough picks for a matrix product, few enough that their B × B distances cost nothing."""


class Coreset(NamedTuple):
    """The picks in order, and each one's distance to its nearest earlier pick (+inf for the first)."""

    indices: Tensor
    """int64 (k,), on the CPU."""
    radii: Tensor
    """float64 (k,), on the CPU."""


class Shards(Protocol):
    """The whole matrix in one or more shards: what `Shard` answers for one, answered for all."""

    def extent(self, frame: Frame) -> Extent:
        """Of all rows; raises `ValueError` for one that is not finite."""

    def set_frame(self, frame: Frame) -> None:
        """As `Shard.set_frame`."""

    def nearest_row(self, point_D: Tensor) -> tuple[float, int]:
        """As `Shard.nearest_row`."""

    def vectors(self, rows: Tensor) -> Tensor:
        """Rows by their numbers, in that order, as they were given."""

    def add_picks(self, position: int, rows: Tensor, vectors_PD: Tensor) -> None:
        """As `Shard.add_picks`."""

    def groups(self, rows: Tensor) -> list[int]:
        """Groups of rows, in that order."""

    def exclude(self, groups: list[int]) -> None:
        """As `Shard.exclude`."""

    def candidates(self, most: int, expected: float) -> Candidates:
        """At most `most` rows, and the limit of all others."""


@dataclass
class Picks:
    """What is chosen so far: the whole state of a selection, from which a cut-off one goes on."""

    rows: list[int]
    squared: list[float]
    """Squared distance to the nearest earlier pick, in the frame; +inf for the first."""
    scale: float = 1.0
    """Of the frame."""
    farthest: float = 0.0
    """Distance of the farthest row from its nearest pick, when all are picked: the radius of the coreset."""

    @property
    def radii(self) -> Tensor:
        """float64 (k,): distances in the coordinates of the input."""
        return torch.tensor(self.squared, dtype=torch.float64).sqrt() / self.scale


def k_center_greedy(
    x: Tensor | np.ndarray[Any, Any],
    k: int,
    *,
    first: int | None = None,
    chosen: Sequence[int] = (),
    metric: Literal["euclidean", "cosine"] = "euclidean",
    quotas: Mapping[str, Any] | None = None,
    on_block: Callable[[Picks], None] | None = None,
) -> Coreset:
    """Pick `k` rows of `x`, each the farthest from all earlier ones.

    Args:
        x: (N, D), any float type, on any device; read, never written.
        k: how many rows to pick, 0 to N, those of `chosen` counted in.
        first: row of the first pick; None takes the row nearest the mean, so that no seed is needed.
        chosen: rows that are picked already, in their order, such as the coreset of a corpus that has grown since.
        metric: "cosine" scales rows to length 1 first (rows of zeros stay), so that the distance is √(2 - 2·cos).
        quotas: `groups`, int64 (N,), the group of each row, with `at_least` and `at_most`, group → number of picks.
        on_block: called after each block with the picks so far.

    Returns:
        The picks and radii. Deterministic; without quotas, every prefix is the answer for a smaller `k`.

    Raises:
        ValueError: `x` is not a matrix of finite floats, or `k`, `first`, `chosen` or `quotas` cannot be.
    """
    x_ND = _checked(x, k, first, chosen)
    if k == 0:
        return Coreset(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.float64))
    groups_N, counted = _counted(quotas, len(x_ND), k)
    shard = Shard(x_ND, groups_N=groups_N)
    frame = choose_frame(shard, unit=metric == "cosine")
    picks = start_picks(shard, frame, list(chosen) or ([] if first is None else [first]))
    extend_picks(shard, frame, picks, k, quotas=counted, on_block=on_block)
    return Coreset(torch.tensor(picks.rows, dtype=torch.int64), picks.radii)


@threads(1)
def choose_frame(shards: Shards, *, unit: bool) -> Frame:
    """The coordinates for a matrix, known to its shards.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    frame = Frame(unit=unit)
    extent = shards.extent(frame)
    if extent.widest > 0.0 and not _is_centred(extent):
        centre_D = frame.float64(shards.vectors(torch.tensor([0])))[0].cpu()
        widest = 1.0 if unit else extent.widest
        frame = Frame(unit, centre_D, _power_of_two(2.0 * widest))
        extent = shards.extent(frame)
        if 0.0 < extent.largest < 2.0**-40:  # a small cloud far from the origin
            frame = Frame(unit, centre_D, frame.scale * _power_of_two(extent.largest**0.5))
            extent = shards.extent(frame)
    mean_D = (extent.total_D / max(1, extent.num_rows)).float().double()
    frame = replace(frame, largest=extent.largest, mean_D=mean_D)
    shards.set_frame(frame)
    return frame


def _is_centred(extent: Extent) -> bool:
    """Whether squares stay in range and the origin is about as near to the rows as their mean is."""
    variance = extent.squares / extent.num_rows - float((extent.total_D / extent.num_rows).square().sum())
    return 2.0**-40 < extent.largest < 2.0**40 and extent.largest <= 16.0 * variance


def _power_of_two(size: float) -> float:
    """A power of two that brings `size` to about 1."""
    return float(2.0 ** -np.frexp(size)[1])


@threads(1)
def start_picks(shards: Shards, frame: Frame, rows: list[int]) -> Picks:
    """The picks before the first block: `rows`, or else the row nearest the mean; with their distances.

    Args:
        shards: all rows.
        frame: whose mean is known.
        rows: picks that are given, in their order.
    """
    assert frame.mean_D is not None
    rows = rows or [shards.nearest_row(frame.mean_D)[1]]
    vectors_KD = frame.float64(shards.vectors(torch.tensor(rows))).cpu()
    error = frame.error(torch.float64, vectors_KD.shape[1])
    squared = [float("inf")]
    for start in range(1, len(rows), BLOCK):  # a block meets the picks before it at once, its own one after another
        block_PD = vectors_KD[start : start + BLOCK]
        before_PD = vectors_KD[:start]
        before = MeasuringPicks(before_PD, before_PD, before_PD.square().sum(1), error)
        nearest_P = nearest_squared(block_PD, before).numpy()
        for number in range(len(block_PD)):
            squared.append(float(nearest_P[number]))
            nearest_P = np.minimum(nearest_P, squared_differences(block_PD.numpy(), block_PD[number].numpy()))
    return Picks(rows, squared, frame.scale)


def extend_picks(
    shards: Shards,
    frame: Frame,
    picks: Picks,
    k: int,
    *,
    quotas: Quotas | None = None,
    on_block: Callable[[Picks], None] | None = None,
) -> None:
    """Pick until there are `k`, in place, and find the radius of what is picked.

    Args:
        shards: the matrix, with `frame` set and no pick known.
        frame: its coordinates.
        picks: at least one pick, such as those of a run that was cut off.
        k: picks wanted.
        quotas: what groups may and must have, before `picks`.
        on_block: called after each block.
    """
    num_threads = torch.get_num_threads()
    with threads(1):
        rows = torch.tensor(picks.rows)
        position, vectors_PD, decay = 0, shards.vectors(rows), 0.5
        last = expected = 0.0
        if quotas is not None:
            quotas.take(shards.groups(rows))
        while True:
            shards.add_picks(position, rows, vectors_PD)
            if quotas is not None:
                shards.exclude(quotas.closed())
            position = len(picks.rows)
            if position >= k:
                break
            candidates = shards.candidates(BLOCK, expected)
            block = pick_block(candidates, frame, k - position, quotas, num_threads)
            if not block.squared:
                raise ValueError(
                    f"k is {k} but after {position} picks the quotas allow no other row; raise one or lower k"
                )
            rows, vectors_PD = candidates.rows_B[block.positions], candidates.vectors_BD[block.positions]
            picks.rows += rows.tolist()
            picks.squared += block.squared
            # The next block will fall about as far as this one did.
            decay = min(0.999, max(0.5, candidates.limit / max(block.squared[0], 1e-300)))
            last, expected = block.squared[-1], block.squared[-1] * decay
            if on_block is not None:
                on_block(picks)
        candidates = shards.candidates(1, last - (last - expected) / 8.0)
        farthest = float(candidates.squared_B.max()) if len(candidates.squared_B) else 0.0
        picks.farthest = farthest**0.5 / frame.scale


class Block(NamedTuple):
    """The picks of one block."""

    positions: Tensor
    """int64, their places among the candidates."""
    squared: list[float]


def pick_block(candidates: Candidates, frame: Frame, most: int, quotas: Quotas | None, num_threads: int = 1) -> Block:
    """Greedy picks among the candidates while no other row can be farther, nor as far and smaller; at least one.

    A block ends early where a quota closes a group. Cost: 2·B²·D FLOP in float32 and a few microseconds a pick.

    Args:
        candidates: B rows with their (B, D) vectors and (B,) squared distances to the picks before the block.
        frame: of the whole selection; differences are measured in it.
        most: picks of the block.
        quotas: count the picks, where there are any.
        num_threads: of the matrix product.
    """
    rows_BD = frame.float64(candidates.vectors_BD)
    single_BD, vectors_BD = rows_BD.float(), rows_BD.numpy()
    norms_B = single_BD.square().sum(1)
    with threads(num_threads):  # nothing else runs now
        between = torch.addmm(norms_B, single_BD, single_BD.T, alpha=-2.0).add_(norms_B[:, None])
    between_BB = between.sub_(2.0 * frame.error(torch.float32, single_BD.shape[1])).double().numpy()
    values, rows, groups = candidates.squared_B.numpy().copy(), candidates.rows_B.tolist(), candidates.groups_B.tolist()
    rival_squared, rival = candidates.rival
    closed = set(quotas.closed()) if quotas is not None else set()
    chosen: list[int] = []
    squared: list[float] = []
    while len(chosen) < min(most, len(values)):
        best = int(values.argmax())  # the first of equals, and candidates ascend: ties go to the smallest row
        value = float(values[best])
        beats_rival = value > rival_squared or (value == rival_squared and rows[best] < rival)
        if value < 0.0 or (chosen and not (value > candidates.limit and beats_rival)):
            break
        chosen.append(best)
        squared.append(value)
        values[best] = -1.0  # below every distance, for good
        (nearer,) = (between_BB[best] < values).nonzero()  # the product says which may change, differences by how much
        if len(nearer):
            nearest = squared_differences(vectors_BD.take(nearer, 0), vectors_BD[best])
            values[nearer] = np.minimum(values.take(nearer), nearest)
        if quotas is not None:
            quotas.take([groups[best]])
            if set(quotas.closed()) != closed:
                break
    return Block(torch.tensor(chosen, dtype=torch.int64), squared)


def _counted(quotas: Mapping[str, Any] | None, n: int, k: int) -> tuple[Tensor | None, Quotas | None]:
    if quotas is None:
        return None, None
    groups_N = torch.as_tensor(quotas["groups"], dtype=torch.int64)
    if groups_N.shape != (n,):
        raise ValueError(f"quotas.groups has shape {tuple(groups_N.shape)} but x holds {n} rows; name one group a row")
    sizes: dict[int, int] = dict(zip(*(part.tolist() for part in groups_N.unique(return_counts=True)), strict=True))
    limits = {name: quotas.get(name, {}) for name in ("at_least", "at_most")}
    return groups_N, Quotas(sizes, k, **limits)


def _checked(x: Tensor | np.ndarray[Any, Any], k: int, first: int | None, chosen: Sequence[int]) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # it is only read
        x_ND = torch.as_tensor(x)
    if x_ND.ndim != 2:
        raise ValueError(f"x has shape {tuple(x_ND.shape)}; k-center needs a matrix of one row for each point")
    n = len(x_ND)
    if not 0 <= k <= n:
        raise ValueError(f"k is {k} but x holds {n} rows; choose k between 0 and {n}")
    if first is not None and not 0 <= first < n:
        raise ValueError(f"first is {first} but x holds {n} rows; choose a row between 0 and {n - 1}")
    if len(set(chosen)) != len(chosen) or not all(0 <= row < n for row in chosen):
        raise ValueError(f"chosen holds a row twice or one outside 0 to {n - 1}")
    if len(chosen) > k:
        raise ValueError(f"k is {k} but {len(chosen)} rows are chosen already; k counts them in")
    return x_ND if x_ND.is_floating_point() else x_ND.double()
