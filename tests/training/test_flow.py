"""Training on Ray Train: cut off by SIGKILL it ends with the same model; the export is what `transformers` loads."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
import ray
import torch
from ray.train.v2.api.exceptions import ControllerError
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.processes import processes_below
from training import flow
from training.flow import fit
from training.settings import TrainConfig
from training.template import to_messages
from training.token_table import digest_of, sort_out
from training.workers import flow as trainer
from training.workers.flow import unmendable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

DRIVER = """
import json, sys
import pyarrow as pa
from ray_jobs.cluster.connect import start_patiently
from training.settings import TrainConfig
from training.flow import fit
settings, rows, folder = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
start_patiently(num_cpus=3, include_dashboard=False, log_to_driver=False)
result = fit(TrainConfig(**settings), rows=pa.Table.from_pylist(rows), storage_path=f"{folder}/checkpoints",
             output=f"{folder}/model", lineage={"codeocean": "test"})
open(f"{folder}/result.json", "w").write(json.dumps(result))
"""


def start(settings, rows, folder, **environment) -> subprocess.Popen:
    arguments = [sys.executable, "-c", DRIVER, json.dumps(settings), json.dumps(rows), str(folder)]
    return subprocess.Popen(
        arguments, cwd=Path(__file__).parents[2], env=os.environ | environment, start_new_session=True
    )


SETTINGS = {"workers": 2, "epochs": 16, "global_batch": 4, "micro_batch": 2, "learning_rate": 1e-3, "checkpoint_every": 4,
            "max_length": 256}  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(local_ray, model_folder, rows, tmp_path_factory):
    """Folder and result of a run that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    config = TrainConfig(model=model_folder, **SETTINGS)
    return folder, fit(config, rows=pa.Table.from_pylist(rows), lineage={"codeocean": "test"}, **places(folder))


def places(folder: Path) -> dict[str, str]:
    return {"storage_path": f"{folder}/checkpoints", "output": f"{folder}/model"}


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def train_worker_pids(driver: psutil.Process) -> set[int]:
    return {process.pid for process in processes_below(driver, "RayTrainWorker")}


def wait_until(condition, running: subprocess.Popen):
    deadline = time.monotonic() + 400
    while not (found := condition()):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    return found


def test_killed_worker_is_replaced_killed_driver_goes_on_and_the_end_is_the_same(
    undisturbed, model_folder, rows, tmp_path
):
    settings = SETTINGS | {"model": model_folder}
    # A checkpoint waits two seconds to be taken up: it lasts long enough to be killed twice.
    killed = start(settings, rows, tmp_path, RAY_TRAIN_HEALTH_CHECK_INTERVAL_S="2")
    driver = psutil.Process(killed.pid)

    def checkpoints() -> set[str]:
        return {path.parent.name for path in tmp_path.glob("checkpoints/run/checkpoint_*/steps.json")}

    before = wait_until(checkpoints, killed)
    workers = train_worker_pids(driver)
    assert len(workers) == 2
    os.kill(max(workers), signal.SIGKILL)
    wait_until(lambda: train_worker_pids(driver) - workers and checkpoints() - before, killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "result.json").exists()
    # Another driver on another Ray goes on: this one.
    resumed = fit(
        TrainConfig(**settings), rows=pa.Table.from_pylist(rows), lineage={"codeocean": "test"}, **places(tmp_path)
    )

    folder, whole = undisturbed
    assert len(resumed["steps"]) == len(whole["steps"]) == 48
    assert [step["loss"] for step in resumed["steps"]] == [step["loss"] for step in whole["steps"]]
    assert whole["last_loss"] < whole["first_loss"]
    assert weights(tmp_path) == weights(folder)


@pytest.mark.parametrize(("workers", "taken"), [({"workers": 9, "min_workers": 1}, {2, 3, 4}), ({"workers": 1}, {1})],
                         ids=["elastic", "one"])  # fmt: skip
def test_as_many_workers_as_there_is_room_for_learn_the_same(
    undisturbed, model_folder, rows, tmp_path, workers, taken
):  # Ray has four CPUs here
    config = TrainConfig(model=model_folder, **SETTINGS | workers)
    steps = fit(config, rows=pa.Table.from_pylist(rows), lineage={}, **places(tmp_path))["steps"]
    assert {step["workers"] for step in steps} <= taken
    expected = [step["loss"] for step in undisturbed[1]["steps"]]
    assert [step["loss"] for step in steps] == pytest.approx(expected, rel=1e-3)


def test_a_worker_lost_while_it_starts_is_replaced_as_often_as_told(
    local_ray, model_folder, rows, tmp_path, monkeypatch
):
    """Ray Train ends the run then (`ControllerError`); a node killed in those seconds takes a minute, tests/ray_jobs/test_nodes.py."""
    real, lost = trainer._trainer, []

    class Lost:
        def fit(self):
            lost.append(ray.exceptions.ActorUnavailableError("RPC error: Socket closed", None))
            raise ControllerError(lost[-1])

    monkeypatch.setattr(trainer, "_trainer", lambda *given: real(*given) if len(lost) == 1 else Lost())
    config = TrainConfig(model=model_folder, **SETTINGS | {"workers": 1, "epochs": 1, "max_failures": 1})
    assert fit(config, rows=pa.Table.from_pylist(rows), lineage={}, **places(tmp_path))["last_loss"] > 0
    assert len(lost) == 1
    lost.extend([None] * 9)
    with pytest.raises(ControllerError, match="Socket closed"):
        fit(config, rows=pa.Table.from_pylist(rows), lineage={}, **places(tmp_path / "b"))
    assert len(lost) == 12


def test_rows_are_the_same_tokens_whoever_makes_them(local_ray, model_folder, rows, monkeypatch):
    """A checkpoint is of these tokens: few rows are tokenized by the driver, many by tasks."""
    config, table = TrainConfig(model=model_folder), pa.Table.from_pylist(rows)
    here, counts = sort_out(flow._tokenize(table, config), config.max_length)
    monkeypatch.setattr(flow, "_ROWS_PER_TASK", 5)
    by_tasks, same_counts = sort_out(flow._tokenize(table, config), config.max_length)
    assert (by_tasks.equals(here), same_counts) == (True, counts)
    assert digest_of(by_tasks) == digest_of(here)


def test_the_model_is_a_hugging_face_folder(undisturbed):
    folder = undisturbed[0] / "model"
    AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = tokenizer.apply_chat_template(to_messages("Add.", ""), add_generation_prompt=True, tokenize=False)
    assert text.endswith("### Instruction:\nAdd.\n\n### Response:")
    names = {path.name for path in folder.iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_failure_that_no_retry_mends_ends_at_once_with_one_line(local_ray, model_folder, rows, tmp_path):
    """A loss that is not finite; what else is not retried is told by `unmendable` and tests/training/test_step.py."""
    config = TrainConfig(model=model_folder, workers=1, global_batch=4, learning_rate=1e30, warmup_ratio=0.0,
                         checkpoint_every=1, epochs=3, max_length=256, max_failures=9)  # fmt: skip
    with pytest.raises(ValueError, match="no longer finite; lower train.learning_rate"):
        fit(config, rows=pa.Table.from_pylist(rows), lineage={}, **places(tmp_path))
    assert not list(tmp_path.glob("checkpoints/run/checkpoint_*/steps.json"))  # none is made of such weights
    assert not (tmp_path / "model").exists()


def test_memory_that_does_not_suffice_is_one_line_and_a_lost_connection_is_retried():
    with pytest.raises(RuntimeError) as real:
        torch.empty(2**58)
    line = unmendable(real.value)
    assert line.startswith("training ran out of memory (") and "lower train.micro_batch" in line and "\n" not in line
    assert (
        unmendable(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")).count("CUDA out of memory")
        == 1
    )
    killed = ray.exceptions.OutOfMemoryError("Task was killed due to the node running low on memory.")
    assert "take more train.workers" in unmendable(killed)
    assert unmendable(RuntimeError("Connection closed by peer")) is None
