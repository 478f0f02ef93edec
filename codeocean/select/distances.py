"""Select: the coordinates in which distances are computed, and distances in float64. PyTorch only: no Ray, CPU or CUDA.

Rows are measured by differences, so that a distance does not depend on blocks, tiles or shards, to the last bit.

Shapes: M rows in hand · P picks · D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

MEASURED_PAIRS = 4_096
"""Pairs measured by differences at a time."""


@dataclass(frozen=True)
class Frame:
    """The coordinates in which distances are computed: (rows, of length 1 if so asked, minus a centre) · scale.

    Rows stay as they are unless they lie far from the origin or their squares would leave float32's range.
    """

    unit: bool = False
    """Rows are scaled to length 1 (rows of zeros stay), for the cosine metric."""
    centre_D: Tensor | None = None
    """float64 on the CPU; one row of the data, so that a lattice stays one."""
    scale: float = 1.0
    """A power of two: scaling loses nothing."""
    largest: float = 0.0
    """Largest squared norm of a row in these coordinates; both errors follow from it."""
    mean_D: Tensor | None = None
    """float64 on the CPU, mean of the rows, rounded to float32: in what order shards add up must not break a tie."""

    @property
    def plain(self) -> bool:
        """Whether rows stay as they are."""
        return not self.unit and self.centre_D is None and self.scale == 1.0

    def error(self, dtype: torch.dtype, dimensions: int) -> float:
        """Most by which a matrix product in `dtype` misses a squared distance |a|² + |b|² - 2ab.

        The product's D rounding errors add up like a random walk (Higham & Mary 2019, λ = 4).
        """
        return self.largest * torch.finfo(dtype).eps / 2.0 * (8.0 * dimensions**0.5 + 16.0)

    def float64(self, x_MD: Tensor) -> Tensor:
        """(M, D) float64: rows in these coordinates."""
        moved_MD = x_MD.double()
        if self.unit:
            norms_M1 = moved_MD.norm(dim=1, keepdim=True)
            moved_MD = moved_MD / torch.where(norms_M1 > 0.0, norms_M1, 1.0)
        if self.centre_D is not None:
            moved_MD = moved_MD - self.centre_D.to(x_MD.device)
        return moved_MD if self.scale == 1.0 else moved_MD * self.scale

    def float32(self, x_MD: Tensor) -> Tensor:
        """(M, D) float32: rows in these coordinates, without a copy where they are that already."""
        return x_MD.float() if self.plain else self.float64(x_MD).float()


class MeasuringPicks(NamedTuple):
    """Picks from which rows are measured: at least one."""

    vectors_PD: Tensor
    """float64."""
    product_PD: Tensor
    """The same for the matrix product that tells which of them can be the nearest."""
    squares_P: Tensor
    """Their squared norms, of that type."""
    error: float
    """Most by which that product misses a squared distance."""


def nearest_squared(rows_MD: Tensor, picks: MeasuringPicks) -> Tensor:
    """(M,) float64 squared distance of each float64 row to its nearest pick, measured by differences."""
    picks_PD, error = picks.vectors_PD, picks.error
    a_MD = rows_MD.to(picks.product_PD.dtype)
    squared_MP = torch.addmm(
        picks.squares_P, a_MD, picks.product_PD.T, alpha=-2.0
    )  # without |a|², which orders nothing
    lowest_M, nearest_M = squared_MP.min(1)
    found = squared_differences(as_numpy(rows_MD), as_numpy(picks_PD[nearest_M]))
    near_MP = squared_MP <= (lowest_M + 2.0 * error)[:, None]
    near_MP[torch.arange(len(rows_MD), device=near_MP.device), nearest_M] = False
    near_MP[torch.from_numpy(found == 0.0).to(near_MP.device)] = False
    for pairs in near_MP.nonzero().split(MEASURED_PAIRS):
        near, by = pairs.T
        np.minimum.at(found, as_numpy(near), squared_differences(as_numpy(rows_MD[near]), as_numpy(picks_PD[by])))
    return torch.from_numpy(found).to(rows_MD.device)


Float64Array = np.ndarray[Any, np.dtype[np.float64]]


def squared_differences(a_MD: Float64Array, b_MD: Float64Array) -> Float64Array:
    """(M,) float64 squared distances of float64 rows.

    NumPy adds up each row alone, so that a row's answer does not depend on the rows beside it.
    """
    difference = np.ascontiguousarray(a_MD - b_MD)
    squared: Float64Array = np.add.reduce(np.square(difference, out=difference), 1)
    return squared


def as_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The tensor's values as an array, without a copy where they lie on the CPU."""
    array: np.ndarray[Any, Any] = tensor.cpu().numpy()
    return array
