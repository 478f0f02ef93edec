"""What the training tells while it runs: a line for each step, Ray metrics, curves for trackers."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from ray.util.metrics import Gauge

from core.progress import TimeLeft, in_words
from training.services.trackers import Tracking, open_trackers

log = logging.getLogger("wavecoder.training")

_GAUGES = {
    "step": "Last step done, from 0",
    "loss": "Loss of the last step, nats per response token",
    "held_out_loss": "Loss of the held-out rows, nats per response token",
    "learning_rate": "Learning rate of the last step",
    "grad_norm": "Norm of the gradients before clipping",
    "tokens_per_second": "Tokens trained on per second, prompts included",
    "response_tokens_per_second": "Tokens learnt from per second",
    "fill": "Share of the computed positions that hold a token",
    "mfu": "Model FLOP as a share of the peak",
    "memory_bytes": "Most bytes that worker 0 has held",
}


class StepReporter:
    """Shows the records of steps, in order; held by the driver."""

    def __init__(self, total: int, tracking: Tracking | None) -> None:
        """Set up.

        Args:
            total: steps of the whole run.
            tracking: where curves are kept; None keeps none.

        Raises:
            ValueError: a tracker is not installed, or refuses the run.
        """
        self._total, self._left = total, TimeLeft()
        self._gauges = {name: Gauge(f"wavecoder_train_{name}", text) for name, text in _GAUGES.items()}
        self._trackers = open_trackers(tracking) if tracking is not None else []

    def show(self, record: dict[str, Any]) -> None:
        """Tell of one step."""
        values = record | {f"{name}_per_second": record[name] / record["seconds"]
                           for name in ("tokens", "response_tokens")}  # fmt: skip
        for name, gauge in self._gauges.items():
            if values[name] is not None:
                gauge.set(values[name])
        self._track({name: value for name, value in values.items() if value is not None}, record["step"])
        log.info("%s", self._line(values))

    def show_scores(self, step: int, scores: dict[str, float]) -> None:
        """Tell of the scores of the model after so many steps."""
        self._track({f"score.{name}": value for name, value in scores.items()}, step - 1)
        listed = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        log.info("train: after step %d of %d the model scores %s", step, self._total, listed)

    def close(self) -> None:
        """End the trackers' runs."""
        for tracker in self._trackers:
            tracker.close()

    def _track(self, values: Mapping[str, float], step: int) -> None:
        for tracker in self._trackers:
            tracker.log({f"train/{name}": value for name, value in values.items()}, step)

    def _line(self, values: dict[str, Any]) -> str:
        left = in_words(self._left.update(time.monotonic(), values["step"] + 1, self._total))
        held_out = "" if values["held_out_loss"] is None else f", held out {values['held_out_loss']:.4f}"
        if values.get("before.held_out_loss") is not None:
            held_out += f" (before training {values['before.held_out_loss']:.4f})"
        return (
            f"train: step {values['step'] + 1} of {self._total}, loss {values['loss']:.4f}{held_out}, "
            f"rate {values['learning_rate']:.2e}, gradient {values['grad_norm']:.2f}, "
            f"{values['tokens_per_second']:.0f} tokens/s ({values['response_tokens_per_second']:.1f} learnt from), "
            f"fill {100 * values['fill']:.1f} %, MFU {100 * values['mfu']:.0f} %, "
            f"{values['memory_bytes'] / 1e9:.1f} GB{left}"
        )
