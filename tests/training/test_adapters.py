"""Adapters: exported unmerged they are the merged model, and a run goes on from them."""

import json
import shutil

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tests.training.test_step import CPU, prepared, run
from training.export import export_model
from training.model import build_learner, load_tokenizer
from training.step import held_out_losses

LORA = {"lora_rank": 4, "lora_alpha": 8, "lora_rank_stabilized": True, "learning_rate": 2e-2, "epochs": 2}


@pytest.fixture(scope="module")
def exported(model_folder, rows, tmp_path_factory):
    """A learner after its steps, and the folder of its export."""
    folder = tmp_path_factory.mktemp("lora") / "model"
    _, learner = run(model_folder, rows, **LORA)
    export_model(learner, load_tokenizer(model_folder), model_folder, str(folder), {})
    return learner, folder


def test_the_unmerged_adapter_on_its_base_is_the_merged_model(model_folder, exported):
    _, folder = exported
    merged, base = (AutoModelForCausalLM.from_pretrained(each, dtype=torch.float32) for each in (folder, model_folder))
    ids = torch.arange(3, 60)[None]
    with torch.no_grad():
        plain = base(ids).logits
        unmerged = PeftModel.from_pretrained(base, folder / "adapter")
        torch.testing.assert_close(unmerged(ids).logits, merged(ids).logits, atol=1e-5, rtol=0)
        assert not torch.allclose(merged(ids).logits, plain, atol=1e-2)
    described = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    assert described["r"] == 4 and described["use_rslora"] and described["base_model_name_or_path"] == model_folder


def test_a_run_goes_on_from_an_adapter(model_folder, rows, exported):
    learner, folder = exported
    config, tokenizer, examples, _, _ = prepared(model_folder, rows, **LORA)
    again = build_learner(config.model_copy(update={"lora_from": str(folder / "adapter")}), tokenizer, CPU)
    losses = [held_out_losses(each, examples, range(len(examples)), config, tokenizer.pad_token_id)[""]
              for each in (learner, again)]  # fmt: skip
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    trained = {name for name, weight in again.named_parameters() if weight.requires_grad}
    assert trained == {name for name, weight in learner.named_parameters() if weight.requires_grad}


def test_the_root_of_the_rank_scales_and_all_workers_start_alike(model_folder, rows):
    learner = prepared(model_folder, rows, **LORA)[3]
    scales = {module.scaling["default"] for module in learner.modules() if hasattr(module, "lora_A")}
    assert scales == {8 / 4**0.5}


@pytest.mark.parametrize(("change", "match"), [
    ({"r": 8}, "has rank 8 and scale 2.82843.*take the adapter's"),
    ({"use_rslora": False}, "has rank 4 and scale 2, the recipe asks for rank 4 and scale 4"),
    ({"use_dora": True}, "is no plain LoRA"),
    ({"peft_type": "IA3"}, r"is no plain LoRA \(IA3\)"),
    (None, "is no adapter of peft"),
])  # fmt: skip
def test_an_adapter_of_another_kind_is_one_line(model_folder, rows, exported, tmp_path, change, match):
    folder = tmp_path / "adapter"
    shutil.copytree(exported[1] / "adapter", folder)
    file = folder / "adapter_config.json"
    file.unlink() if change is None else file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(ValueError, match=match):
        prepared(model_folder, rows, **LORA, lora_from=str(folder))


def test_an_adapter_needs_a_rank(model_folder, rows):
    with pytest.raises(ValueError, match="need a lora_rank above 0"):
        prepared(model_folder, rows, lora_from="somewhere")
