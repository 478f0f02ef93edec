"""The index of texts finds the rows that a scan of all texts finds, whatever is sought, filtered and sorted."""

import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean.records import GENERATIONS, RAW_CODE
from report.explore import search
from report.explore.apart import build_text_index_apart
from report.explore.index import build_index, run_files
from report.explore.rows import Explorer, Filter
from report.explore.search import build_text_index, text_index_paths
from tests.report.explore.conftest import make_run, write

LETTERS = "abAB %_\\'\0éÉİıßẞSΣσς漢😀"


def indexed(run) -> Explorer:
    """Its index is made here, with the sizes of this module's tests, and then found by the process that would make it."""
    explorer = Explorer(run)
    assert build_text_index(explorer.files, explorer.index, lambda share: True)
    explorer.index_texts(least=0)
    explorer._indexer.join()
    assert explorer.indexed == 1
    return explorer


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Explorers of 700 rows of random texts, of which one has an index in several blocks and groups."""
    run = make_run(tmp_path_factory.mktemp("search") / "run", rows=3)
    rng = np.random.default_rng(0)

    def text():
        return "".join(rng.choice(list(LETTERS), rng.integers(0, 12)))

    ids = [f"r{n}" for n in range(700)]
    write(
        run, "collect/part-00000.parquet", RAW_CODE, [{"id": id_, "code": text(), "docstring": text()} for id_ in ids]
    )
    asked = [{"id": f"{id_}-{attempt}", "raw_id": id_, "task": "repair" if n % 3 else "generation", "attempt": attempt,
              "round": 0, "instruction": text() or None, "information": text(), "solution": text(), "error": ""}
             for n, id_ in enumerate(ids) for attempt in range(1 + n % 2)]  # fmt: skip
    write(run, "generate/round-00000/generations.parquet", GENERATIONS, asked)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"GROUP": 32, "BLOCK": 256, "STEP": 64, "BUCKETS": 512, "FIRST_ROWS": 4}.items():
            patch.setattr(search, name, value)
        yield Explorer(run), indexed(run)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(LETTERS.replace("\0", ""), min_size=1, max_size=5),
    task=st.sampled_from(["", "repair"]),
    sort=st.sampled_from(["rank", "attempts"]),
    start=st.sampled_from([0, 5]),
)
def test_the_index_finds_what_a_scan_finds(both, text, task, sort, start):
    scanned, found = both
    wanted = Filter({"task": task} if task else {}, text)
    assert found.page(wanted, start, 20, sort) == scanned.page(wanted, start, 20, sort)
    at_once = found.counts(wanted, at_once=True)
    exact = found.counts(wanted)
    assert exact == scanned.counts(wanted) == found.counts(wanted, at_once=True)
    assert at_once["total"] >= exact["total"]
    assert at_once == exact or not at_once["exact"]


def test_some_texts_are_found_and_some_are_not(both):
    """So that the property above is no comparison of empty lists."""
    totals = [both[1].counts(Filter({}, text))["total"] for text in ("a", "ab", "É", "σ", "no such text")]
    assert all(0 < total < 700 for total in totals[:4])
    assert totals[4] == 0


def test_two_rows_do_not_make_a_text_together(tmp_path):
    run = make_run(tmp_path / "run")
    explorer = indexed(run)
    assert explorer.page(Filter({}, "0Instruction"))["rows"] == []
    assert len(explorer.page(Filter({}, "INSTRUCTION"))["rows"]) == 8


def test_the_index_is_made_once_and_dropped_with_the_state_of_the_run(run):
    explorer = indexed(run)
    paths = text_index_paths(explorer.index)
    made = [path.stat().st_mtime_ns for path in paths]
    indexed(run)
    assert [path.stat().st_mtime_ns for path in paths] == made
    pq.write_table(
        pq.read_table(run / "collect" / "part-00000.parquet").slice(1), run / "collect" / "part-00000.parquet"
    )
    explorer = indexed(run)
    assert text_index_paths(explorer.index) != paths
    assert [path.exists() for path in paths] == [False, False]


def test_a_stopped_index_leaves_the_scan_and_is_made_the_next_time(run):
    files, index = run_files(run), build_index(run_files(run))
    assert not build_text_index_apart(files, index, lambda share: False)
    assert not text_index_paths(index)[0].exists()
    assert build_text_index_apart(files, index, lambda share: True)
    assert text_index_paths(index)[0].exists()


def test_what_another_process_makes_is_waited_for_and_a_stop_ends_the_wait(run):
    explorer = Explorer(run)
    with explorer.index.with_name("search.lock").open("w") as lock:
        search.fcntl.flock(lock, search.fcntl.LOCK_EX)
        explorer.index_texts(least=0)
        assert len(explorer.page(Filter({}, "instruction 3"))["rows"]) == 1
        explorer.close()
    assert explorer.indexed == 0
    assert threading.active_count() >= 1


def test_a_disk_that_takes_nothing_leaves_the_scan(run, caplog):
    explorer = Explorer(run)
    in_the_way = text_index_paths(explorer.index)[0]
    in_the_way.with_name(f"{in_the_way.name}.making").mkdir()
    explorer.index_texts(least=0)
    explorer._indexer.join()
    assert explorer.indexed is None
    assert "no index of texts" in caplog.text
    assert f"{in_the_way.name}.making" in caplog.text
    assert len(explorer.page(Filter({}, "instruction 3"))["rows"]) == 1
