"""The run directory: skipped when done, resumed when cut off, never mixed when the settings change."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from codeocean.select.settings import CoresetConfig
from core.storage import write_part
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.rundir import RunDir, StageResult, output_digest, required, run_stage
from tests.object_store import error, when


@pytest.fixture
def run(tmp_path):
    return RunDir(str(tmp_path / "run"))


def do(run, config, calls, fail=False):
    def work():
        calls.append(config)
        name = f"part-{len(run.files('collect')):05d}.parquet"
        write_part(run.fs, run.path("collect", name), pa.table({"config": [str(config)]}))
        if fail:
            raise KeyboardInterrupt
        return StageResult(3, 2, {"too short": 1})

    return run_stage(run, "collect", Covered(CoresetConfig(), config), {"sources": "a"}, work)


def test_finished_stage_is_not_done_again(run):
    calls = []
    first = do(run, {"x": 1}, calls)
    assert do(run, {"x": 1}, calls) == first
    assert calls == [{"x": 1}]
    assert first["rows_in"] == first["rows_out"] + sum(first["dropped"].values())


def test_cut_off_stage_finds_its_own_parts_again(run):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        do(run, {"x": 1}, calls, fail=True)
    assert run.manifest("collect") is None
    manifest = do(run, {"x": 1}, calls)
    assert manifest["files"] == ["part-00000.parquet", "part-00001.parquet"]
    assert manifest["attempts"] == 2


def test_changed_settings_never_mix_with_old_parts_and_old_ones_come_back(run):
    calls = []
    first = do(run, {"x": 1}, calls)
    second = do(run, {"x": 2}, calls)
    assert second["files"] == ["part-00000.parquet"]
    assert second["digest"] != first["digest"]
    assert do(run, {"x": 1}, calls) == first
    assert calls == [{"x": 1}, {"x": 2}]


def test_people_are_told_urls_without_the_key(run, store):
    host, bucket = store.url.removeprefix("http://"), store.bucket().removeprefix("s3://")
    there = RunDir(f"s3://me:secret@{bucket}/run/?scheme=http&endpoint_override={host}")
    assert there.shown() == f"s3://{bucket}/run"
    assert there.shown("report", "index.html") == f"s3://{bucket}/run/report/index.html"
    assert run.shown("report") == run.path("report")


def test_a_bucket_in_which_nothing_may_be_deleted_is_refused_before_work_starts(run, store):
    there = RunDir(f"{store.bucket()}/run")
    there.check_store()
    assert store.counts()["DELETE"] == 1
    store.fault = when(
        lambda method, path: method == "DELETE" or "?delete" in path, error("403 Forbidden", "AccessDenied")
    )
    with pytest.raises(OSError, match=r"lacks the right s3:DeleteObject"):
        there.check_store()
    run.check_store()


def test_a_store_that_keeps_the_checksum_in_the_file_is_refused_before_work_starts(store):
    """As stores do that know no checksums behind the content: they keep the pieces as they came over the line."""

    def kept_as_sent(environ):
        if environ["REQUEST_METHOD"] == "PUT":
            for name in ("CONTENT_ENCODING", "X_AMZ_CONTENT_SHA256", "X_AMZ_TRAILER", "X_AMZ_DECODED_CONTENT_LENGTH"):
                environ.pop(f"HTTP_{name}", None)

    there = RunDir(f"{store.bucket()}/run")
    store.fault = kept_as_sent
    with pytest.raises(
        OSError, match=r"other bytes than it was sent; set AWS_REQUEST_CHECKSUM_CALCULATION=when_required"
    ):
        there.check_store()


def test_a_url_works_as_a_path_does(tmp_path):
    run = RunDir((tmp_path / "run").as_uri())
    do(run, {"x": 1}, [])
    assert RunDir(str(tmp_path / "run")).manifest("collect")["rows_out"] == 2


def test_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be created"):
        RunDir(str(tmp_path / "file" / "run"))


def test_unknown_scheme_is_one_clear_line():
    with pytest.raises(ValueError, match="no URL that pyarrow opens"):
        RunDir("nowhere://bucket/run")


def test_missing_earlier_stage_is_one_clear_line(run):
    with pytest.raises(ValueError, match="run the codeocean job first"):
        required(run, "codeocean")


def test_a_data_file_that_is_gone_is_told_and_made_again(run):
    do(run, {"x": 1}, [])
    assert required(run, "collect")["rows_out"] == 2
    run.fs.delete_file(run.path("collect", "part-00000.parquet"))
    with pytest.raises(
        ValueError, match=r"collect/part-00000.parquet was written and is not there .*run the collect job"
    ):
        required(run, "collect")
    run.fs.delete_file(run.path("collect", "manifest.json"))  # as the line says
    do(run, {"x": 1}, [])
    assert required(run, "collect")["attempts"] == 2


def test_a_file_in_the_place_of_a_stages_folder_is_one_line(run, store):
    there = RunDir(f"{store.bucket()}/run")
    there.write_text("an object", "collect")
    run.write_text("a file", "collect")
    for each in (run, there):
        with pytest.raises(
            ValueError, match=r"run/collect is a file where the folder of a stage should be; move it away"
        ):
            do(each, {"x": 1}, [])


def test_a_stage_inside_a_folder_is_locked_too(run):
    assert (
        run_stage(run, "ablate/repair", Covered(CoresetConfig()), {}, lambda: StageResult(1, 1))["stage"]
        == "ablate/repair"
    )


def test_two_jobs_never_write_one_stage(run):
    """The second is refused while the first is at work, and goes on when the first is gone, however it went."""

    def intrude():
        with pytest.raises(ValueError, match=rf"collect is being written by another job \(process {os.getpid()}\)"):
            do(RunDir(run.root), {"x": 1}, [])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(run, "collect", Covered(CoresetConfig(), {"x": 1}), {"sources": "a"}, intrude)
    holder = f"import time; from ray_jobs.run.rundir import RunDir\nwith RunDir({run.root!r}).alone('collect'): print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(ValueError, match=rf"process {process.pid}\)"):
            do(run, {"x": 1}, [])
        process.kill()
    assert do(run, {"x": 1}, [])["attempts"] == 2


def test_a_stage_with_questions_left_open_goes_on_until_something_was_trained_on_it(tmp_path):
    covered = Covered(CoresetConfig(), {})
    run, left = RunDir(str(tmp_path)), [["b", "a"], ["b"], []]

    def work():
        return StageResult(3, 1, unanswered=left.pop(0))

    first = run_stage(run, "generate", covered, {}, work)
    assert first["unanswered"]["rows"] == 2
    second = run_stage(run, "generate", covered, {}, work)
    assert (second["unanswered"]["rows"], second["attempts"]) == (1, 2)
    assert len({output_digest(first), output_digest(second)}) == 2
    run.write_json({}, "train", "manifest.json")
    assert run_stage(run, "generate", covered, {}, work) == second
    run.fs.delete_dir(run.path("train"))
    third = run_stage(run, "generate", covered, {}, work)
    assert "unanswered" not in third and output_digest(third) == first["digest"]
    assert run_stage(run, "generate", covered, {}, work) == third and left == []


def test_the_programs_own_folder_is_no_run_directory(monkeypatch):
    """Its serve/ and report/ would be taken for stages."""
    monkeypatch.chdir(Path(__file__).parents[3])
    for url in (".", "tests/..", str(Path.cwd())):
        with pytest.raises(ValueError, match="is this program's own folder"):
            RunDir(url)
