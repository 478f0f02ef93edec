"""W&B and MLflow where they are installed; one line where they are not. TensorBoard's file: test_reporting.py."""

import importlib.util
import json

import pytest

from training.reporting import StepReporter
from training.services.trackers import Tracking, check_trackers, open_trackers

FIRST = [{"train/loss": 2.0, "train/held_out_loss.repair": 1.0}, {"train/loss": 1.5}]
AFTER_A_KILL = [{"train/loss": 1.25}]


def track(tracking, steps, first):
    (_, tracker) = open_trackers(tracking)
    for step, values in enumerate(steps, first):
        tracker.log(values, step)
    tracker.close()


def test_a_tracker_that_is_not_there_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)
    with pytest.raises(ValueError, match=r"train.track names mlflow, which .*; pip install mlflow-skinny, or leave"):
        check_trackers(["mlflow"])
    with pytest.raises(ValueError, match="train.track names mlflow"):
        StepReporter(3, Tracking(str(tmp_path), "run", ["mlflow"]))


def test_a_run_that_goes_on_is_the_same_run_and_one_of_other_settings_is_not(tmp_path):
    one = Tracking(str(tmp_path), "run", settings={"epochs": 1})
    assert one.run_id == Tracking(str(tmp_path), "again", settings={"epochs": 1}).run_id
    assert one.run_id != Tracking(str(tmp_path), "run", settings={"epochs": 2}).run_id
    assert one.run_id != Tracking(str(tmp_path / "other"), "run", settings={"epochs": 1}).run_id


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")
def test_mlflow_has_one_run_with_every_step(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking = Tracking(str(tmp_path / "train"), "run/train", ["mlflow"], settings={"epochs": 3})
    track(tracking, FIRST, 0)
    track(tracking, AFTER_A_KILL, 2)
    client = MlflowClient(tracking.mlflow_place)
    (run,) = client.search_runs([client.get_experiment_by_name("wavecoder").experiment_id])
    assert (run.info.run_name, run.info.status, run.data.params) == ("run/train", "FINISHED", {"epochs": "3"})
    assert [point.value for point in client.get_metric_history(run.info.run_id, "train/loss")] == [2.0, 1.5, 1.25]


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="wandb is not installed")
def test_wandb_writes_files_without_a_key(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    tracking = Tracking(str(tmp_path / "train"), "run/train", ["wandb"], settings={"epochs": 3})
    track(tracking, FIRST, 0)
    (file,) = (tmp_path / "train" / "wandb").glob("offline-run-*/run-*.wandb")
    assert tracking.run_id in file.name
    assert json.dumps("train/held_out_loss.repair").strip('"').encode() in file.read_bytes()
