"""Training on Ray Train: cut off by SIGKILL it ends with the same model; the export is what `transformers` loads."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.settings import TrainConfig
from training.template import to_messages
from training.trainer import fit, unmendable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DRIVER = """
import json, sys
import pyarrow as pa, ray
from training.settings import TrainConfig
from training.trainer import fit, unmendable
settings, rows, folder = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
ray.init(address="local", num_cpus=3, include_dashboard=False, log_to_driver=False)
result = fit(TrainConfig(**settings), rows=pa.Table.from_pylist(rows), storage_path=f"{folder}/checkpoints",
             output=f"{folder}/model", lineage={"codeocean": "test"})
open(f"{folder}/result.json", "w").write(json.dumps(result))
"""


def start(settings, rows, folder) -> subprocess.Popen:
    arguments = [sys.executable, "-c", DRIVER, json.dumps(settings), json.dumps(rows), str(folder)]
    return subprocess.Popen(arguments, cwd=Path(__file__).parents[2], start_new_session=True)


def finish(process, folder) -> dict:
    assert process.wait(300) == 0
    return json.loads((folder / "result.json").read_text())


def test_killed_training_goes_on_from_its_checkpoint_and_ends_the_same(model_folder, rows, tmp_path):
    settings = {"model": model_folder, "workers": 2, "epochs": 4, "global_batch": 4, "micro_batch": 2, "learning_rate": 1e-3,
                "checkpoint_every": 2, "max_length": 256}  # fmt: skip
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = finish(start(settings, rows, tmp_path / "whole"), tmp_path / "whole")
    killed = start(settings, rows, tmp_path / "killed")
    deadline = time.monotonic() + 200
    while not list((tmp_path / "killed").glob("checkpoints/run/checkpoint_*/steps.json")):
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    resumed = finish(start(settings, rows, tmp_path / "killed"), tmp_path / "killed")

    assert len(resumed["steps"]) == len(whole["steps"]) == 12
    assert [step["loss"] for step in resumed["steps"]] == pytest.approx(
        [step["loss"] for step in whole["steps"]], abs=1e-6
    )
    assert whole["last_loss"] < whole["first_loss"]
    ours, theirs = (AutoModelForCausalLM.from_pretrained(tmp_path / name / "model") for name in ("killed", "whole"))
    for (name, weight), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(weight, other, atol=1e-6, rtol=0, msg=name)

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "whole" / "model")
    text = tokenizer.apply_chat_template(to_messages("Add.", ""), add_generation_prompt=True, tokenize=False)
    assert text.endswith("### Instruction:\nAdd.\n\n### Response:")
    names = {path.name for path in (tmp_path / "whole" / "model").iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def train_worker_pids() -> set[int]:
    """Processes of this machine that are workers of Ray Train, below this one."""
    children = psutil.Process().children(recursive=True)
    return {child.pid for child in children if "RayTrainWorker" in " ".join(child.cmdline())}


def test_killed_worker_is_replaced_and_the_end_is_the_same(local_ray, model_folder, rows, tmp_path):
    config = TrainConfig(model=model_folder, workers=2, epochs=16, global_batch=4, learning_rate=1e-3, checkpoint_every=4,
                         max_length=256)  # fmt: skip
    table = pa.Table.from_pylist(rows)
    places = {name: {"storage_path": f"{tmp_path}/{name}/checkpoints", "output": f"{tmp_path}/{name}/model"}
              for name in ("whole", "killed")}  # fmt: skip
    whole = fit(config, rows=table, lineage={}, **places["whole"])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(fit, config, rows=table, lineage={}, **places["killed"])
        while not list(tmp_path.glob("killed/checkpoints/run/checkpoint_*/steps.json")):
            assert not running.done()
            time.sleep(0.02)
        os.kill(max(train_worker_pids()), signal.SIGKILL)
        killed = running.result()
    assert [step["loss"] for step in killed["steps"]] == [step["loss"] for step in whole["steps"]]
    files = [(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in places]
    assert files[0] == files[1]


def test_failure_that_no_retry_mends_ends_at_once_with_one_line(local_ray, model_folder, rows, tmp_path):
    """A loss that is not finite, and a checkpoint of another run."""
    table = pa.Table.from_pylist(rows)
    places = {"storage_path": str(tmp_path / "checkpoints"), "output": str(tmp_path / "model"), "lineage": {}}
    config = TrainConfig(model=model_folder, workers=1, global_batch=4, learning_rate=1e30, warmup_ratio=0.0,
                         checkpoint_every=1, epochs=3, max_length=256, max_failures=9)  # fmt: skip
    with pytest.raises(ValueError, match=r"the loss of step \d is (nan|inf); lower train.learning_rate"):
        fit(config, rows=table, **places)
    assert list(tmp_path.glob("checkpoints/run/checkpoint_*/steps.json"))
    assert not (tmp_path / "model").exists()
    with pytest.raises(ValueError, match="is of another run: its optimizer is adamw, this run's adafactor"):
        fit(config.model_copy(update={"optimizer": "adafactor"}), rows=table, **places)


def test_memory_that_does_not_suffice_is_one_line_and_a_lost_connection_is_retried():
    with pytest.raises(RuntimeError) as real:
        torch.empty(2**58)
    line = unmendable(real.value)
    assert line.startswith("training ran out of memory (") and "lower train.micro_batch" in line and "\n" not in line
    assert (
        unmendable(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")).count("CUDA out of memory")
        == 1
    )
    assert unmendable(RuntimeError("Connection closed by peer")) is None
