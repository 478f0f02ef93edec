"""Two runs side by side: what both have is compared, what one lacks is not made up."""

import json

import pyarrow as pa
import pytest

from codeocean.records import INSTANCES
from core.storage import write_part
from eval.scores import SAMPLES
from ray_jobs import report
from ray_jobs.run.rundir import RunDir
from ray_jobs.standalone.compare import compare_runs


def run_with(folder, passed, rate, outputs):
    run = RunDir(str(folder))
    rows = [{"task_id": f"t{number}", "passed": each} for number, each in enumerate(passed)]
    write_part(run.fs, run.path("evaluate", "tuned-humaneval.parquet"), pa.Table.from_pylist(rows, schema=SAMPLES))
    instances = [{"id": id_, "task": "repair", "instruction": "i", "input": "", "output": text}
                 for id_, text in outputs.items()]  # fmt: skip
    write_part(run.fs, run.path("codeocean", "part-00000.parquet"), pa.Table.from_pylist(instances, schema=INSTANCES))
    score = {"label": "tuned", "benchmark": "humaneval", "pass_at_1": sum(passed) / len(passed), "dataset_digest": "d"}
    for stage, config, details in (
        ("codeocean", {}, {}),
        ("train", {"learning_rate": rate, "nested": {"same": 1}}, {"first_loss": 2.0, "last_loss": rate, "rows": 3,
                                                                  "held_out": {"": [2.0, 1.0], "repair": [2.0, 1.5]}}),
        ("evaluate", {}, {"scores": [score]}),
    ):  # fmt: skip
        run.write_json({"stage": stage, "digest": stage, "config": config, "details": details}, stage, "manifest.json")
    return run


@pytest.fixture
def runs(tmp_path):
    return (
        run_with(tmp_path / "a", [True, False, False, False], 0.1, {"x": "1", "y": "2", "z": "3"}),
        run_with(tmp_path / "b", [True, True, True, False], 0.2, {"x": "1", "y": "other", "w": "4"}),
    )


def test_settings_losses_scores_and_data_are_laid_side_by_side(runs):
    found = compare_runs(*runs)
    assert found["settings"] == {"train": {"learning_rate": [0.1, 0.2]}}
    assert found["training"]["last_loss"] == [0.1, 0.2]
    assert found["training"]["held_out"] == {"": [1.0, 1.0], "repair": [1.5, 1.5]}
    (score,) = found["scores"]
    assert score["pass_at_1"] == [0.25, 0.75] and score["difference"] == 0.5 and score["better"] == 2
    assert score["low"] <= 0.5 <= score["high"]
    assert found["data"] == {"repair": {"same": 1, "differ": 1, "only first": 1, "only second": 1}}


def test_scores_of_other_problems_are_not_subtracted(runs):
    manifest = runs[1].manifest("evaluate")
    manifest["details"]["scores"][0]["dataset_digest"] = "another"
    runs[1].write_json(manifest, "evaluate", "manifest.json")
    assert compare_runs(*runs)["scores"][0]["why"] == "the benchmark's file differs"


def test_the_command_prints_tables_or_json(runs, tmp_path, capsys):
    assert report.main(["--compare", runs[0].url, runs[1].url]) == 0
    shown = capsys.readouterr().out
    assert "learning_rate" in shown and "+50.0" in shown and "repair" in shown
    assert report.main(["--compare", runs[0].url, runs[1].url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["repair"]["same"] == 1
    assert report.main(["--compare", runs[0].url, str(tmp_path / "none")]) == 2
    assert "holds no finished stage" in capsys.readouterr().err
