"""Where the figures of a training are kept for its curves: TensorBoard, Weights & Biases, MLflow. No Ray here.

TensorBoard's writer comes with Ray. The other two are the user's own installations, imported when they are asked for;
whom they talk to and with which key is read from their own variables (`WANDB_API_KEY`, `MLFLOW_TRACKING_URI`).
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger("wavecoder.training")


@dataclass(frozen=True)
class Tracking:
    """What the trackers of a run are told of it."""

    folder: str
    """Local: `tensorboard`, `wandb` and `mlflow` are made in it."""
    name: str
    """Shown as the run's."""
    trackers: Sequence[str] = ()
    """Beside TensorBoard: `wandb`, `mlflow`."""
    project: str = "wavecoder"
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Shown beside the curves."""

    @property
    def mlflow_place(self) -> str:
        """Where MLflow's runs are kept without a server."""
        return (Path(self.folder).absolute() / "mlflow").as_uri()

    @property
    def run_id(self) -> str:
        """What tells this run from others; the same when a job that was killed goes on."""
        told = f"{Path(self.folder).absolute()} {json.dumps(self.settings, sort_keys=True, default=str)}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class Tracker(Protocol):
    """Keeps figures of steps."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep a step's figures, by name."""

    def close(self) -> None:
        """Write what is held."""


def open_trackers(tracking: Tracking) -> list[Tracker]:
    """All trackers of a run.

    Raises:
        ValueError: one of them is not installed, or refuses.
    """
    check_trackers(tracking.trackers)
    kinds: dict[str, Any] = {"wandb": WandbTracker, "mlflow": MlflowTracker}
    opened: list[Tracker] = [TensorBoard(tracking)]
    for name in tracking.trackers:
        try:
            opened.append(kinds[name](tracking))
        except Exception as error:  # noqa: BLE001 - each has exceptions of its own
            raise ValueError(f"train.track: {name} refuses the run: {' '.join(str(error).split())[:300]}") from None
    return opened


def check_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that are not installed, before anything is spent; raises `ValueError`."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            package = {"mlflow": "mlflow-skinny"}.get(name, name)
            raise ValueError(f"train.track names {name}, which cannot be imported ({error}); pip install {package}, or "
                             "leave it out") from None  # fmt: skip


class TensorBoard:
    """Files in the form of TensorBoard."""

    def __init__(self, tracking: Tracking) -> None:
        """Begin a file."""
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(Path(tracking.folder) / "tensorboard"))

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep a step's figures."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()


class WandbTracker:
    """A run of Weights & Biases: online with `WANDB_API_KEY`, else in files that `wandb sync` sends later."""

    def __init__(self, tracking: Tracking) -> None:
        """Begin the run, or go on with it."""
        wandb: Any = importlib.import_module("wandb")
        mode = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        Path(tracking.folder).mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=tracking.project, id=tracking.run_id, name=tracking.name, resume="allow", mode=mode,
            dir=tracking.folder, config=dict(tracking.settings),
        )  # fmt: skip
        if mode == "offline":
            log.info("train: W&B writes to %s; send it by: wandb sync DIRECTORY", self._run.dir)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep a step's figures."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


class MlflowTracker:
    """A run of MLflow: at `MLFLOW_TRACKING_URI`, else in files."""

    def __init__(self, tracking: Tracking) -> None:
        """Begin the run, or go on with it."""
        mlflow: Any = importlib.import_module("mlflow")
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # its database needs more than mlflow-skinny
        self._client = mlflow.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or tracking.mlflow_place)
        found = self._client.get_experiment_by_name(tracking.project)
        experiment = found.experiment_id if found else self._client.create_experiment(tracking.project)
        tag = tracking.run_id
        runs = self._client.search_runs([experiment], f"tags.wavecoder = '{tag}'")
        if runs:
            self._id = runs[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
        else:
            self._id = self._client.create_run(experiment, run_name=tracking.name, tags={"wavecoder": tag}).info.run_id
            for name, value in tracking.settings.items():
                self._client.log_param(self._id, name, str(value)[:500])

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep a step's figures."""
        for name, value in values.items():
            self._client.log_metric(self._id, name, float(value), step=step)

    def close(self) -> None:
        """End the run."""
        self._client.set_terminated(self._id)
