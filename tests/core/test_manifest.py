"""What a stage wrote is what its manifest names: readers miss what is gone or short, and need no listing."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.embed.vectors import list_parts
from codeocean.select.settings import CoresetConfig
from core import object_store
from core.manifest import read_manifest
from core.storage import read_parts, write_part, written_parts
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.rundir import RunDir, StageResult, required, run_stage
from tests.object_store import lacking, swallowed, when

ROWS = 3


@pytest.fixture(params=["folder", "bucket"])
def run(request, store, tmp_path, monkeypatch):
    monkeypatch.setattr(object_store, "ATTEMPTS", 2)
    return RunDir(f"{store.bucket()}/run" if request.param == "bucket" else str(tmp_path / "run"))


def collected(run, parts=3):
    def work():
        for number in range(parts):
            rows = pa.table({"id": [f"{number}-{row}" for row in range(ROWS)], "embedding": [[0.5, 1.0]] * ROWS})
            write_part(run.fs, run.path("collect", f"part-{number:05d}.parquet"), rows)
        return StageResult(parts * ROWS, parts * ROWS)

    return run_stage(run, "collect", Covered(CoresetConfig()), {}, work)


def test_a_manifest_names_each_part_with_its_bytes_and_rows(run):
    parts = collected(run)["parts"]
    assert sorted(parts) == [f"part-0000{number}.parquet" for number in range(3)]
    for name, part in parts.items():
        assert part == {"bytes": run.fs.get_file_info(run.path("collect", name)).size, "rows": ROWS}


def test_a_listing_that_comes_late_hides_no_part_from_the_manifest_nor_from_readers(store, tmp_path):
    run = RunDir(f"{store.bucket()}/run")
    store.fault = lacking("part-00001.parquet")
    assert sorted(collected(run)["parts"]) == [f"part-0000{number}.parquet" for number in range(3)]
    later = RunDir(run.url)  # of another job, which wrote nothing itself
    assert required(later, "collect")["rows_out"] == 3 * ROWS
    assert read_parts(later.fs, later.path("collect")).num_rows == 3 * ROWS
    assert len(list_parts(later.fs, later.path("collect"))) == 3


def damage(run, manner):
    """Damage the part in the middle; returns what a reader says."""
    path, name = run.path("collect", "part-00001.parquet"), "part-00001.parquet"
    if manner == "gone":
        run.fs.delete_file(path)
        return rf"{name} is not there; put it back, or delete its stage's manifest.json"
    with run.fs.open_input_stream(path) as stream:
        content = stream.read()
    if manner == "cut off":
        write(run, path, content[: len(content) // 2])
        return rf"{name} cannot be read .*; delete it, and its stage's manifest.json"
    if manner == "empty":
        write(run, path, b"")
        return rf"{name} cannot be read .*; delete it, and its stage's manifest.json"
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": ["x"], "embedding": [[0.5, 1.0]]}), sink)
    write(run, path, sink.getvalue().to_pybytes())
    return rf"{name} has 1 rows, and {ROWS} were written; put it back, or delete it and its stage's manifest.json"


def write(run, path, content):
    with run.fs.open_output_stream(path, compression=None) as stream:
        stream.write(content)


@pytest.mark.parametrize("manner", ["gone", "cut off", "empty", "of others"])
def test_a_part_that_is_gone_or_short_is_one_line_that_names_it_and_what_to_do(run, manner):
    collected(run)
    told = damage(run, manner)
    with pytest.raises(ValueError, match=told) as caught:
        read_parts(run.fs, run.path("collect"))
    assert "\n" not in str(caught.value)
    said = "was written and is not there" if manner == "gone" else "bytes, and [0-9,]+ were written; put it back"
    with pytest.raises(ValueError, match=rf"collect/part-00001.parquet .*{said}"):
        required(RunDir(run.url), "collect")


def test_a_run_of_before_has_a_list_of_names_or_none_and_is_read(run):
    collected(run)
    path = run.path("collect", "manifest.json")
    for left in (["files"], []):
        manifest = {key: value for key, value in read_manifest(run.fs, run.path("collect")).items()
                    if key not in {"parts", "files"} or key in left}  # fmt: skip
        write(run, path, json.dumps(manifest).encode())
        assert required(run, "collect")["rows_out"] == 3 * ROWS
        assert read_parts(run.fs, run.path("collect")).num_rows == 3 * ROWS
        assert [part.rows for part in written_parts(run.fs, run.path("collect"))] == [None] * 3


def test_a_part_whose_upload_is_swallowed_every_time_ends_the_stage_and_the_next_start_makes_it(store, monkeypatch):
    monkeypatch.setattr(object_store, "ATTEMPTS", 2)
    run = RunDir(f"{store.bucket()}/run")
    store.fault = when(lambda method, path: method == "PUT" and "part-00001" in path, swallowed)
    with pytest.raises(OSError, match=r"collect/part-00001.parquet: the store keeps 0 of [0-9]+ bytes"):
        collected(run)
    store.fault = None
    assert run.manifest("collect") is None
    assert collected(run)["attempts"] == 2
    assert read_parts(run.fs, run.path("collect")).num_rows == 3 * ROWS


ODD = {"": "it is empty", "{": "is not JSON", "[]": "holds no JSON object", '{"a": 1}': "'digest' is missing",
       '{"digest": "a", "rows_in": "1", "rows_out": 1}': "'rows_in' is missing or something else",
       '{"digest": "a", "rows_in": 1, "rows_out": 1, "parts": {"x": 1}}': "'parts' is missing or something else"}  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_manifest_is_one_line(run, text):
    write(run, run.path("collect", "manifest.json"), text.encode()) if run.local is None else None
    if run.local is not None:
        (run.local / "collect").mkdir()
        (run.local / "collect" / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=rf"collect/manifest.json .*{ODD[text]}.*delete it to redo the stage"):
        run.manifest("collect")
