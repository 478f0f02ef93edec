"""Training on Ray Train: cut off by SIGKILL it ends with the same model; the export is what `transformers` loads."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
import ray
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.settings import TrainConfig
from training.template import to_messages
from training.trainer import fit, unmendable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kills(model_folder, rows, tmp_path_factory):
    """Two runs on a cluster of three nodes, the second with a worker, a driver and a node killed; folder and findings."""
    folder = tmp_path_factory.mktemp("kills")
    (folder / "rows.json").write_text(json.dumps(rows))
    command = [sys.executable, "-m", "bench.kills", "--kills", "3", "--data", str(folder / "rows.json"), "--model",
               model_folder, "--folder", str(folder / "runs")]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, timeout=380, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "runs", json.loads(done.stdout.splitlines()[-1])


def places(folder: Path) -> dict[str, str]:
    return {"storage_path": f"{folder}/checkpoints", "output": f"{folder}/model"}


def test_killed_worker_driver_and_node_end_in_the_weights_of_the_undisturbed_run(kills):
    found = kills[1]
    assert sorted(kind for _, kind in found["kills"]) == ["driver", "node", "worker"]
    assert found["weights_equal"] and found["losses_equal"]
    assert found["steps"] == 48
    assert found["last_loss"] < found["first_loss"]


def test_the_model_is_a_hugging_face_folder(kills):
    folder = kills[0] / "struck" / "model"
    AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = tokenizer.apply_chat_template(to_messages("Add.", ""), add_generation_prompt=True, tokenize=False)
    assert text.endswith("### Instruction:\nAdd.\n\n### Response:")
    names = {path.name for path in folder.iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_failure_that_no_retry_mends_ends_at_once_with_one_line(local_ray, model_folder, rows, tmp_path):
    """A loss that is not finite, and a checkpoint of another run."""
    table = pa.Table.from_pylist(rows)
    fitted = partial(fit, rows=table, lineage={}, **places(tmp_path))
    config = TrainConfig(model=model_folder, workers=1, global_batch=4, learning_rate=1e30, warmup_ratio=0.0,
                         checkpoint_every=1, epochs=3, max_length=256, max_failures=9)  # fmt: skip
    with pytest.raises(ValueError, match=r"the loss of step \d is (nan|inf); lower train.learning_rate"):
        fitted(config)
    assert list(tmp_path.glob("checkpoints/run/checkpoint_*/steps.json"))
    assert not (tmp_path / "model").exists()
    with pytest.raises(ValueError, match="is of another run: its optimizer is adamw, this run's adafactor"):
        fitted(config.model_copy(update={"optimizer": "adafactor"}))


def test_memory_that_does_not_suffice_is_one_line_and_a_lost_connection_is_retried():
    with pytest.raises(RuntimeError) as real:
        torch.empty(2**58)
    line = unmendable(real.value)
    assert line.startswith("training ran out of memory (") and "lower train.micro_batch" in line and "\n" not in line
    assert (
        unmendable(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")).count("CUDA out of memory")
        == 1
    )
    assert "workers" in unmendable(
        ray.exceptions.OutOfMemoryError("Task was killed due to the node running low on memory.")
    )
    assert unmendable(RuntimeError("Connection closed by peer")) is None
