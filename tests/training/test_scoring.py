"""Snapshots are scored once each, in order, and deleted; what a benchmark raises ends nothing."""

import logging

from training.scoring import Scorer


def test_snapshots_are_scored_in_order_and_deleted(tmp_path, caplog):
    def score(folder, step):
        if step == 4:
            raise ConnectionError("no engine\nanywhere")
        return {"size": float((tmp_path / folder / "weights").stat().st_size)}

    scorer = Scorer(score)
    for number, step in enumerate((2, 4, 2, 6)):  # step 2 was taken again behind a failure
        folder = tmp_path / f"step-{step}-{number}"
        folder.mkdir()
        (folder / "weights").write_bytes(b"x" * number)
        scorer.take(str(folder), step)
    with caplog.at_level(logging.WARNING, logger="wavecoder.training"):
        scorer.close()
    assert scorer.finished() == [(2, {"size": 0.0}), (6, {"size": 3.0})]
    assert scorer.finished() == []
    assert not list(tmp_path.iterdir())
    assert [record.getMessage() for record in caplog.records] == [
        "train: the model after step 4 could not be scored: no engine anywhere"
    ]


def test_a_snapshot_that_cannot_be_deleted_is_told_of(tmp_path, caplog):
    scorer = Scorer(lambda folder, step: {"size": 1.0})
    with caplog.at_level(logging.WARNING, logger="wavecoder.training"):
        scorer.take(str(tmp_path / "gone"), 2)
        scorer.close()
    assert scorer.finished() == [(2, {"size": 1.0})]
    assert "could not be deleted" in caplog.text
