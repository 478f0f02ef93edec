"""What a step tells: one line, and TensorBoard's file."""

import logging

from training.reporting import StepReporter
from training.services.trackers import Tracking

RECORD = {"step": 2, "loss": 1.25, "held_out_loss": 1.5, "held_out_loss.repair": 1.75, "learning_rate": 2e-5, "grad_norm": 0.5,
          "tokens": 1000, "response_tokens": 400, "fill": 0.99, "seconds": 2.0, "mfu": 0.45, "memory_bytes": 2.5e9,
          "ended": 1.8e9}  # fmt: skip


def test_each_step_is_one_line_and_a_point_on_the_board(caplog, tmp_path):
    reporter = StepReporter(12, Tracking(str(tmp_path), "run"))
    with caplog.at_level(logging.INFO, logger="wavecoder.training"):
        reporter.show(RECORD)
        reporter.show(RECORD | {"step": 3, "held_out_loss": None, "held_out_loss.repair": None})
    reporter.close()
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith(
        "train: step 3 of 12, loss 1.2500, held out 1.5000, rate 2.00e-05, gradient 0.50, 500 tokens/s (200.0 learnt from), "
        "fill 99.0 %, MFU 45 %, 2.5 GB"
    )
    assert "held out" not in second
    assert ", about " not in first, "one step says nothing of speed: it compiles, and loads"
    assert ", about 0 s left" in second
    written = b"".join(file.read_bytes() for file in tmp_path.glob("tensorboard/events.*"))
    assert b"train/held_out_loss.repair" in written
    assert b"train/response_tokens_per_second" in written
