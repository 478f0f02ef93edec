"""What the stages of this room tell Prometheus of their rows while they work; docs/metrics.md lists all metrics."""

from __future__ import annotations

from ray.util.metrics import Gauge


class RowMetrics:
    """Rows of one stage by outcome: `out`, or why they stopped."""

    def __init__(self, stage: str) -> None:
        """Args: stage: its name."""
        self._gauge = Gauge("wavecoder_stage_rows", "Rows of a stage so far, by outcome", ("stage", "outcome"))
        self._stage = stage

    def tell(self, **counts: float) -> None:
        """Outcome → rows so far."""
        for outcome, count in counts.items():
            self._gauge.set(count, {"stage": self._stage, "outcome": outcome})
