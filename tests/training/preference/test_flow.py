"""Preference on Ray Train: two workers, a checkpoint, an export that `transformers` loads."""

import math

import pytest
from transformers import AutoModelForCausalLM

from tests.training.preference.test_pairs import PAIRS
from training.preference.flow import prefer
from training.settings import TrainConfig

pytest.importorskip("trl")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_workers_learn_to_prefer_and_export(local_ray, model_folder, tmp_path):
    config = TrainConfig(model=model_folder, workers=2, max_length=256, global_batch=4, micro_batch=1, objective="dpo",
                         learning_rate=5e-3, epochs=2)  # fmt: skip
    found = prefer(config, pairs=PAIRS, storage_path=f"{tmp_path}/checkpoints", output=f"{tmp_path}/model",
                   lineage={"codeocean": "test"})  # fmt: skip
    assert [record["step"] for record in found["steps"]] == [0, 1, 2, 3]
    assert found["first_loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert found["last_loss"] < found["first_loss"] and found["steps"][-1]["reward_margins"] > 0
    AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert '"objective": "dpo"' in (tmp_path / "model" / "README.md").read_text()
