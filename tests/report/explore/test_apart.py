"""Indexes that a process of its own makes are those that this one would make; its failures are told in words."""

import os
import signal
import threading
from pathlib import Path

import pytest

from report.explore import apart, index
from report.explore.apart import build_text_index_apart, write_index_apart
from report.explore.index import build_index, run_files
from report.explore.rows import Explorer, Filter


@pytest.fixture
def large(run, monkeypatch):
    """A run that counts as large."""
    monkeypatch.setattr(index, "LARGE_BYTES", 0)
    return run


def test_both_indexes_are_made_apart_and_answer(large):
    explorer = Explorer(large)
    assert explorer.total == 8
    assert explorer.index.read_bytes() == _index_made_here(large)
    explorer.index_texts(least=0)
    explorer._indexer.join()
    assert explorer.indexed == 1
    assert [row["raw_id"] for row in explorer.page(Filter({}, "SOLUTION 6"))["rows"]] == ["r6"]


def _index_made_here(run):
    files = run_files(run)
    index.write_index(files, None, files.folder / "here")
    return (files.folder / "here").read_bytes()


def test_a_file_that_cannot_be_read_is_said(large):
    (large / "collect" / "part-00000.parquet").write_bytes(b"none")
    with pytest.raises(ValueError, match="cannot be read .*run its stages again"):
        Explorer(large)
    assert not list((large / ".explore").glob("index-*"))


def test_a_process_that_is_killed_is_said(run):
    files = run_files(run)
    made = build_index(files)
    before = _children()  # of other tests

    def kill(_):
        (child,) = _children() - before
        os.kill(child, signal.SIGKILL)
        return True

    with pytest.raises(ValueError, match="made an index ended"):
        build_text_index_apart(files, made, kill)
    assert build_text_index_apart(files, made, lambda _: True)


def _children():
    return {int(pid) for pid in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()}


def test_a_process_stops_when_its_parent_is_gone(run, monkeypatch):
    files = run_files(run)
    made = build_index(files)
    monkeypatch.setattr(apart, "_say", _say_once())
    assert not build_text_index_apart(files, made, lambda _: True)
    assert not list(files.folder.glob("search-*.texts"))


def _say_once():
    """Says the task, and closes the pipe instead of telling it to go on, as the end of this process would."""
    say = apart._say

    def said(stream, told):
        if told:
            say(stream, told)
        else:
            stream.close()

    return said


def test_an_index_apart_is_written_where_it_is_asked_for(run):
    files = run_files(run)
    write_index_apart(files, None, files.folder / "there")
    assert (files.folder / "there").stat().st_size > 0
