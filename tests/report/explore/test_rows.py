"""Questions to an indexed run: states and reasons, filters, search, counts, one row, neighbours, the map."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from report.explore.index import build_index, run_files
from report.explore.rows import Explorer, Filter, plane_of, quintiles_of
from tests.report.explore.conftest import make_run


def ids(explorer, text="", radius=(None, None), sort="rank", **values):
    return [row["raw_id"] for row in explorer.page(Filter(values, text, radius), sort=sort)["rows"]]


def test_what_became_of_each_row(run):
    rows = {row["raw_id"]: row for row in Explorer(run).page(Filter())["rows"]}
    assert [rows[f"r{n}"]["reason"] for n in range(8)] == [
        "", "", "", "duplicate instance", "rejected by the discriminator", "not JSON", "not judged", "left out of the data set",
    ]  # fmt: skip
    assert [rows[f"r{n}"]["state"] for n in range(8)] == [*["kept"] * 3, *["dropped"] * 3, "waiting", "dropped"]
    assert (rows["r4"]["rule"], rows["r0"]["proof"], rows["r3"]["proof"]) == ("faithful", "tests", "none")


def test_filters_sorting_and_pages(run):
    explorer = Explorer(run)
    assert ids(explorer) == [f"r{n}" for n in range(8)]
    assert ids(explorer, language="go", state="dropped") == ["r3", "r5", "r7"]
    assert ids(explorer, license="unknown", task="repair") == ["r1", "r3"]
    assert ids(explorer, rule="faithful") == ["r4"]
    assert ids(explorer, rule="") == [f"r{n}" for n in range(8) if n != 4]
    assert ids(explorer, proof="parses") == ["r1", "r2"]
    assert ids(explorer, radius=(0.3, 0.6)) == ["r2", "r3"]
    assert ids(explorer, radius=(0.3, None)) == ["r1", "r2", "r3"]  # the first pick has no radius
    assert ids(explorer, sort="attempts")[0] == "r7"
    page = explorer.page(Filter(), start=6, rows=1)
    assert ([row["raw_id"] for row in page["rows"]], page["more"]) == (["r6"], True)
    assert explorer.page(Filter(), start=100) == {"rows": [], "more": False, "start": 100}
    with pytest.raises(ValueError, match="no filter 'colour'"):
        ids(explorer, colour="red")


def test_search_finds_any_text_and_letters_stand_for_themselves(run):
    explorer = Explorer(run)
    assert ids(explorer, "INSTRUCTION 3") == ["r3"]
    assert ids(explorer, "solution 6") == ["r6"]
    assert ids(explorer, "code 5") == ["r5"]
    assert ids(explorer, "100%_2") == ["r2"]
    assert ids(explorer, "1%2") == []
    assert ids(explorer, "'; DROP TABLE marks; --") == []
    assert ids(explorer, "\\") == []


def test_counts_follow_the_filter(run):
    explorer = Explorer(run)
    whole = explorer.counts(Filter())
    assert (whole["total"], whole["of"]) == (8, 8)
    assert dict(whole["facets"]["state"]) == {"kept": 3, "dropped": 4, "waiting": 1}
    some = explorer.counts(Filter({"task": "repair"}))
    assert some["total"] == 4
    assert dict(some["facets"]["language"]) == {"python": 2, "go": 2}
    assert explorer.counts(Filter({"task": "none"}))["total"] == 0


def test_one_row_with_all_that_is_known_of_it(run):
    explorer = Explorer(run)
    found = explorer.row("r7")
    assert [attempt["error"] for attempt in found["attempts"]] == ["truncated", ""]
    assert found["verdicts"]["g7"]["rules"][0]["reason"] == "because 7"
    assert (found["raw"]["path"], found["instance"]) == ("p7", None)
    assert "expected" in explorer.row("r0")["instance"]["tests"]
    assert json.loads(explorer.row("r0")["proof"]["found"])["outcomes"] == ["PF", "PP"]
    assert found["proof"] is None
    assert explorer.row("none") is None


def test_neighbours_and_map(run):
    explorer = Explorer(run)
    near = [row["raw_id"] for row in explorer.neighbours("r0")]
    assert near[:3] == ["r2", "r4", "r6"]
    assert "r0" not in near
    points = explorer.points("language")["points"]
    assert {point[3] for point in points} == {"python", "go"}
    assert len(points) == 8
    explorer.set_marks({"g1": "drop"})
    assert [point[3] for point in explorer.points("mark")["points"]] == ["", "drop", *[""] * 6]
    radii = [point[3] for point in explorer.points("radius")["points"]]
    assert radii[:5] == ["", "0.467 to 1", "0.467 to 1", "0.3 to 0.467", "0.22 to 0.3"]
    assert radii[6:] == ["0.143 to 0.173"] * 2
    assert quintiles_of([2.0, 2.0, None]) == ["2", "2", ""]
    with pytest.raises(ValueError, match="no colour"):
        explorer.points("instruction")
    x = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32) * [9, 5, 1, 1, 1, 1]
    plane = plane_of(x)
    assert abs(np.corrcoef(plane[:, 0], x[:, 0])[0, 1]) > 0.99
    assert plane_of(x[:2]).shape == (2, 2)


def test_marks_are_a_filter(run):
    explorer = Explorer(run)
    explorer.set_marks({"g1": "drop", "g2": "keep"})
    assert ids(explorer, mark="drop") == ["r1"]
    explorer.set_marks({})
    assert ids(explorer, mark="drop") == []


def test_two_runs_side_by_side(run, tmp_path):
    other = make_run(tmp_path / "other", rows=5)
    explorer = Explorer(run, Explorer(other))
    assert dict(explorer.counts(Filter())["facets"]["beside"]) == {"kept": 3, "dropped": 2, "not there": 3}
    assert ids(explorer, beside="not there") == ["r5", "r6", "r7"]


def test_the_index_is_made_once_for_each_state_of_the_files(run):
    first = build_index(run_files(run))
    made = first.stat().st_mtime_ns
    assert build_index(run_files(run)) == first
    assert first.stat().st_mtime_ns == made
    pq.write_table(pa.table({"id": ["g3"], "reason": ["another"]}), run / "codeocean" / "dropped.parquet")
    assert build_index(run_files(run)) != first
    assert not first.exists()


def test_a_run_in_which_nothing_can_be_written_is_indexed_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = make_run(tmp_path / "run")
    (run / ".explore").write_text("in the way of the folder, as a read-only disk would be")
    explorer = Explorer(run)
    assert explorer.total == 8
    assert explorer.index.is_relative_to(tmp_path / "cache" / "wavecoder" / "explored")
    assert Explorer(run).index == explorer.index


def test_runs_that_are_not_done_or_of_earlier_versions(tmp_path):
    run = make_run(tmp_path / "run")
    old = pq.read_table(run / "codeocean" / "part-00000.parquet").drop_columns(["proof", "tests"])
    pq.write_table(old, run / "codeocean" / "part-00000.parquet")
    assert dict(Explorer(run).counts(Filter())["facets"]["proof"]) == {"none": 8}
    for path in [*run.glob("codeocean/*"), *run.glob("embed/*")]:
        path.unlink()
    explorer = Explorer(run)
    assert dict(explorer.counts(Filter())["facets"]["state"]) == {"accepted": 5, "dropped": 2, "waiting": 1}
    assert (explorer.neighbours("r0"), explorer.points("task")) == ([], {"points": []})
    for path in run.glob("generate/*/*"):
        path.unlink()
    row = Explorer(run).page(Filter())["rows"][0]
    assert (row["state"], row["reason"]) == ("waiting", "not generated yet")
    with pytest.raises(ValueError, match="collect job first"):
        run_files(tmp_path)
    (run / "collect" / "part-00000.parquet").write_bytes(b"none")
    with pytest.raises(ValueError, match="cannot be read"):
        Explorer(run)
