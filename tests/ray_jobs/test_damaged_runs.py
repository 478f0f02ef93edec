"""Commands that look at a run of which a file is gone, cut off, empty, a folder or another one: one line each."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.select.settings import CoresetConfig
from ray_jobs import cli
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.rundir import RunDir, StageResult, run_stage
from report.explore.rows import Explorer
from report.gather import gather
from tests.report.explore.conftest import make_run

STAGES = ("collect", "embed", "select", "generate", "codeocean")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run, its files made by hand."""
    folder = tmp_path_factory.mktemp("runs")
    made, run = make_run(folder / "made"), RunDir(str(folder / "whole"))
    for stage in STAGES:

        def work(stage=stage):
            shutil.copytree(made / stage, run.local / stage, dirs_exist_ok=True)
            return StageResult(8, 8)

        run_stage(run, stage, Covered(CoresetConfig()), {}, work)
    return run.local


def other_table(path):
    path.unlink()
    pq.write_table(pa.table({"x": [1, 2]}), path)


def folder_instead(path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


DAMAGES = {
    "gone": lambda path: path.unlink(),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": folder_instead,
    "other JSON": lambda path: path.write_text(json.dumps({"a": 1})),
    "another table": other_table,
}
LOOKS = {
    "collect/part-00000.parquet": (["inspect", "collect"], ["inspect", "select"]),
    "select/coreset.parquet": (["inspect", "select"], ["report"]),
    "generate/round-00001/verdicts.parquet": (["inspect", "generate"], ["diff"], ["report"]),
    "generate/round-00001/generations.parquet": (["inspect", "generate"], ["diff"], ["report"]),
    "generate/stage.json": (["diff"],),
    "codeocean/part-00000.parquet": (["report"], ["compare"]),
    "codeocean/manifest.json": (["inspect", "codeocean"], ["report"], ["compare"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", LOOKS)
def test_a_damaged_file_is_one_line_that_names_it_and_says_what_to_do(whole, tmp_path, capsys, name, damage):
    run = shutil.copytree(whole, tmp_path / "run")
    DAMAGES[damage](run / name)
    for command, *stage in LOOKS[name]:
        if damage == "gone" and name.endswith(".json"):  # the stage counts as not begun, or not done
            continue
        if command == "inspect" and damage == "another table" and len(pq.read_schema(run / name).names) == 1:
            continue  # it shows what is there
        if command == "report":
            with pytest.raises(ValueError, match=name) as caught:
                gather(RunDir(str(run)).fs, str(run))
            said = str(caught.value)
        else:
            arguments = {"inspect": [*stage, "--run-dir", str(run)], "diff": [str(run), str(whole)],
                         "compare": ["--compare", str(run), str(whole)]}[command]  # fmt: skip
            assert cli.main(["report" if command == "compare" else command, *arguments]) == 2
            said = capsys.readouterr().err
        assert said.count("\n") <= 1 and f"{run}/{name}" in said
        assert "run the stage again" in said or "to redo the stage" in said


@pytest.mark.parametrize("name", ["collect/part-00000.parquet", "select/coreset.parquet",
                                  "generate/round-00001/verdicts.parquet", "codeocean/part-00000.parquet"])  # fmt: skip
def test_the_explorer_says_what_is_gone(whole, tmp_path, name):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / name).unlink()
    with pytest.raises(ValueError, match=f"{name} was written and is not there; put it back, or delete"):
        Explorer(run)


OTHER_MANIFESTS = {
    "rows that are text": {"rows_out": "8"}, "no rows": {"rows_in": None}, "counts that are text": {"dropped": {"empty": "3"}},
    "counts in groups": {"dropped": {"empty": {"python": 3}}}, "time that is text": {"seconds": "8 s"},
    "details as a list": {"details": ["x"]}, "settings as text": {"config": "size: 8"}, "files as text": {"files": "a, b"},
    "parts without rows": {"parts": {"part-00000.parquet": {"bytes": 1}}}, "a digest that is a number": {"digest": 5},
}  # fmt: skip


@pytest.mark.parametrize("change", OTHER_MANIFESTS)
def test_a_manifest_of_another_form_is_one_line_for_whoever_looks(whole, tmp_path, capsys, change):
    run = shutil.copytree(whole, tmp_path / "run")
    path = run / "codeocean" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | OTHER_MANIFESTS[change]))
    key = next(iter(OTHER_MANIFESTS[change]))
    told = f"{path} is no manifest of a stage (its {key!r} is missing or something else); delete it to redo the stage"
    assert cli.main(["inspect", "codeocean", "--run-dir", str(run)]) == 2
    assert capsys.readouterr().err == f"wavecoder inspect: {told}\n"
    assert cli.main(["report", "--compare", str(run), str(whole)]) == 2
    assert told in capsys.readouterr().err
    assert cli.main(["watch", "--run-dir", str(run), "--once"]) == 0
    assert f"codeocean: damaged: {told}" in capsys.readouterr().out
    with pytest.raises(ValueError, match="is no manifest of a stage") as caught:
        gather(RunDir(str(run)).fs, str(run))
    assert str(caught.value) == told


@pytest.mark.parametrize("key", ["rows_in", "rows_out", "seconds", "dropped", "examples", "details", "versions"])
def test_a_manifest_without_what_is_shown_is_one_line(whole, tmp_path, capsys, key):
    run = shutil.copytree(whole, tmp_path / "run")
    path = run / "codeocean" / "manifest.json"
    path.write_text(json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != key}))
    assert cli.main(["inspect", "codeocean", "--run-dir", str(run)]) == 2
    assert f"{path} is no manifest of a stage (its {key!r} is missing" in capsys.readouterr().err
    with pytest.raises(ValueError, match=rf"its '{key}' is missing"):
        gather(RunDir(str(run)).fs, str(run))
