"""What the training tells while it runs: a line for each step, Ray metrics, TensorBoard."""

from __future__ import annotations

import logging
import time
from typing import Any

from ray.util.metrics import Gauge

from core.progress import TimeLeft, in_words

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

    def __init__(self, total: int, tensorboard: str | None) -> None:
        """Set up.

        Args:
            total: steps of the whole run.
            tensorboard: local folder for TensorBoard's files; None writes none.
        """
        self._total, self._left = total, TimeLeft()
        self._gauges = {name: Gauge(f"wavecoder_train_{name}", text) for name, text in _GAUGES.items()}
        self._board: Any = None
        if tensorboard is not None:
            from tensorboardX import SummaryWriter  # comes with Ray

            self._board = SummaryWriter(tensorboard)

    def show(self, record: dict[str, Any]) -> None:
        """Tell of one step."""
        values = record | {f"{name}_per_second": record[name] / record["seconds"]
                           for name in ("tokens", "response_tokens")}  # fmt: skip
        for name, gauge in self._gauges.items():
            if values[name] is not None:
                gauge.set(values[name])
        if self._board is not None:
            for name, value in values.items():
                if value is not None:
                    self._board.add_scalar(f"train/{name}", value, record["step"])
            self._board.flush()
        log.info("%s", self._line(values))

    def show_scores(self, step: int, scores: dict[str, float]) -> None:
        """Tell of the scores of the model after so many steps."""
        if self._board is not None:
            for name, value in scores.items():
                self._board.add_scalar(f"train/score.{name}", value, step - 1)
            self._board.flush()
        listed = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        log.info("train: after step %d of %d the model scores %s", step, self._total, listed)

    def close(self) -> None:
        """End TensorBoard's file."""
        if self._board is not None:
            self._board.close()

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
