"""Samples that are done stay done."""

import pyarrow.parquet as pq
import pytest
from pyarrow import fs as pafs

from eval.samples import Journal

FS = pafs.LocalFileSystem()


def row(task: str, sample: int = 0, outcome: str = "passed") -> dict:
    return {"task_id": task, "sample": sample, "outcome": outcome, "passed": outcome == "passed"}


def journal(tmp_path, **depends_on) -> Journal:
    return Journal(FS, str(tmp_path), "base-humaneval", depends_on)


def test_what_was_flushed_is_there_again_and_ends_as_one_file(tmp_path):
    first = journal(tmp_path)
    for number in range(5):
        first.add(row(f"t{number}"))
        first.flush()
    first.add(row("lost"))  # in memory alone, as a kill leaves it
    again = journal(tmp_path)
    assert sorted(again.rows) == [(f"t{number}", 0) for number in range(5)]
    again.add(row("t5"))
    table = again.finish([(f"t{number}", 0) for number in reversed(range(6))])
    assert table["task_id"].to_pylist() == ["t5", "t4", "t3", "t2", "t1", "t0"]
    assert [path.name for path in tmp_path.iterdir()] == ["base-humaneval.parquet"]
    written = (tmp_path / "base-humaneval.parquet").stat().st_mtime_ns
    assert len(journal(tmp_path).finish([("t1", 0)])) == 1  # fewer are scored, none is lost
    assert (tmp_path / "base-humaneval.parquet").stat().st_mtime_ns == written
    assert pq.read_table(tmp_path / "base-humaneval.parquet").num_rows == 6


def test_a_waiting_sample_is_written_after_a_second(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("eval.samples.time.monotonic", lambda: now[0])
    made = journal(tmp_path)
    made.add(row("a"))
    assert journal(tmp_path).rows == {}
    now[0] = 1.5
    made.add(row("b"))
    assert len(journal(tmp_path).rows) == 2


def test_damaged_parts_are_made_again(tmp_path):
    first = journal(tmp_path)
    for name in ("a", "b"):
        first.add(row(name))
        first.flush()
    (tmp_path / "base-humaneval.parts" / "part-00000.parquet").write_bytes(b"damaged")
    (tmp_path / "base-humaneval.parts" / ".part-00007.parquet.making").write_bytes(b"PAR1")
    again = journal(tmp_path)
    assert list(again.rows) == [("b", 0)]
    again.add(row("a"))
    assert again.finish([("a", 0), ("b", 0)]).num_rows == 2
    (tmp_path / "base-humaneval.parquet").write_bytes(b"damaged")
    assert journal(tmp_path).rows == {}


def test_refusals_are_asked_again(tmp_path):
    first = journal(tmp_path)
    first.add(row("a", outcome="refused"))
    first.add(row("b"))
    first.finish([("a", 0), ("b", 0)])
    assert list(journal(tmp_path).rows) == [("b", 0)]


def test_samples_of_other_settings_never_mix(tmp_path):
    first = journal(tmp_path, temperature=0.0)
    first.add(row("a"))
    first.flush()
    with pytest.raises(ValueError, match="holds samples of other settings"):
        journal(tmp_path, temperature=0.5)
