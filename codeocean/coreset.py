"""Select: embeddings → coreset, in one process (sharding over Ray actors comes here)."""

import logging
import random
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, NonNegativeInt, PositiveInt

from codeocean.kcenter import k_center_greedy
from codeocean.records import CORESET

log = logging.getLogger("wavecoder.codeocean")


class CoresetConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """Which rows of the corpus to keep (paper, section 2.2.1)."""

    size: PositiveInt = 20_000
    """Rows to select; judging drops some, so select more than you want to end with."""

    first: NonNegativeInt | Literal["central", "random"] = "central"
    """Row of the first pick. "central" is the row nearest the mean, so that no seed is needed."""

    seed: int = 0
    """Random seed of the first pick when it is "random"."""


def choose_coreset(ids: list[str], x_ND: np.ndarray[Any, Any], config: CoresetConfig) -> pa.Table:
    """The coreset as CORESET rows, in the order of the picks.

    Args:
        ids: of the N rows.
        x_ND: (N, D) embeddings, float16 or float32.
        config: size and first pick.

    Raises:
        ValueError: the coreset is larger than the corpus, the first pick is outside it, or a vector is not finite.
    """
    if config.size > len(ids):
        raise ValueError(f"select.size is {config.size} but embed/ holds {len(ids)} rows; lower it or collect more")
    if isinstance(config.first, int) and config.first >= len(ids):
        raise ValueError(f"select.first is {config.first} but embed/ holds {len(ids)} rows; choose an earlier row")
    first = config.first if isinstance(config.first, int) else None
    if config.first == "random":
        first = random.Random(config.seed).randrange(len(ids))
    coreset = k_center_greedy(x_ND, config.size, first=first, on_block=_progress(config.size))
    return pa.table(
        [
            pa.array(range(config.size), pa.int64()),
            pa.array([ids[pick] for pick in coreset.indices.tolist()], pa.string()),
            pa.array(coreset.radii.tolist(), pa.float64()),
        ],
        schema=CORESET,
    )


def _progress(size: int) -> Any:
    step = max(1, size // 10)
    shown = 0

    def on_block(picks: int, radius: float) -> None:
        nonlocal shown
        if picks - shown >= step or picks == size:
            shown = picks
            log.info("select: %d of %d picks, radius %.4f", picks, size, radius)

    return on_block
