"""Which replica goes to which model: none stands idle while another model is behind. Pure; the clock is an argument.

Replicas that are all full do the same work wherever they are, so nothing moves for the sake of even queues. A move
costs an engine's start, minutes of it on a GPU, so it waits until it has been wanted for a while.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

PATIENCE_S = 30.0
"""How long a move has to be wanted."""


def begin_with(models: Sequence[str], total: int | None) -> dict[str, int]:
    """Model → replicas to begin with, as even as it comes out; empty where none can move: one model, or no total.

    Raises:
        ValueError: there are more models than replicas.
    """
    if total is None or len(models) < 2:
        return {}
    if total < len(models):
        raise ValueError(f"serve.replicas is {total} but {len(models)} models are served: {', '.join(models)}")
    return {name: total // len(models) + (place < total % len(models)) for place, name in enumerate(models)}


def next_move(
    waiting: Mapping[str, int], replicas: Mapping[str, int], capacity: Mapping[str, int]
) -> tuple[str, str] | None:
    """The models that lose and gain a replica, if one should move.

    Args:
        waiting: model → questions that are open, in flight or not.
        replicas: model → replicas, at least one each.
        capacity: model → questions that one replica of it works on together.
    """
    spare = {name: count * capacity[name] - waiting[name] for name, count in replicas.items()}
    idle = [name for name, count in replicas.items() if count > 1 and spare[name] >= capacity[name]]
    behind = [name for name in replicas if spare[name] < 0]
    if not idle or not behind:
        return None
    return max(idle, key=lambda name: spare[name]), max(behind, key=lambda name: waiting[name] / replicas[name])


class Rebalancer:
    """Follows the queues and moves one replica at a time."""

    def __init__(
        self, replicas: Mapping[str, int], capacity: Mapping[str, int], apply: Callable[[str, int], None]
    ) -> None:
        """Args: replicas and capacity: as `next_move`; apply: gives a model so many replicas."""
        self.replicas = dict(replicas)
        self._capacity, self._apply = capacity, apply
        self._wanted: tuple[str, str] | None = None
        self._since = -math.inf

    def follow(self, waiting: Mapping[str, int], now_s: float) -> tuple[str, str] | None:
        """Note how long the queues are; returns the move that was made.

        Args:
            waiting: model → questions that are open.
            now_s: of any clock that only goes forward.
        """
        move = next_move(waiting, self.replicas, self._capacity)
        if move != self._wanted:
            self._wanted, self._since = move, now_s
        if move is None or now_s - self._since < PATIENCE_S:
            return None
        self._wanted = None
        for name, step in zip(move, (-1, 1), strict=True):  # first free the place, then take it
            self.replicas[name] += step
            self._apply(name, self.replicas[name])
        return move
