"""Adapters: exported unmerged they are the merged model, and a run goes on from them."""

import json
import shutil

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tests.training.model_types import rows_of_tokens, settings_for, write_base
from tests.training.test_step import CPU, prepared, run
from training.batches import global_batches, num_response_tokens
from training.export import export_model
from training.model import build_learner, load_tokenizer
from training.optimizers import make_optimizer
from training.step import held_out_losses, train_steps

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
    ({"use_dora": True}, "differ in use_dora; set train.lora_dora: true"),
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


@pytest.mark.parametrize("kind", ["gpt2", "qwen2"])
def test_dora_is_pefts_own(kind, tmp_path):
    """Loss and gradients at the start are those of `peft` over the base; merged, unmerged and learner agree after."""
    write_base(kind, tmp_path / "base")
    rows, folder = rows_of_tokens(), tmp_path / "model"
    config = settings_for(tmp_path / "base", packing=True).model_copy(update={"lora_rank": 4, "lora_dora": True})
    tokenizer = load_tokenizer(config.model)
    learner = build_learner(config, tokenizer, CPU)
    base = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32)
    ids = torch.tensor([rows[0].input_ids])
    sizes = {name: weight for name, weight in learner.causal.named_parameters() if "magnitude" in name}
    assert len(sizes) > 3 and all(weight.requires_grad for weight in sizes.values())
    before = {name: weight.detach().clone() for name, weight in sizes.items()}
    losses = [r["loss"] for r in train_steps(learner, make_optimizer(learner, config), rows, config, 0, 0)]
    with torch.no_grad():
        logits = base(ids).logits
        plain = sum(row_loss(base, row) for row in [rows[n] for n in global_batches(10, 5, 1, 0)[0]])
    assert losses[0] == pytest.approx(plain / num_response_tokens(rows, global_batches(10, 5, 1, 0)[0]), abs=1e-5)
    assert any(not torch.equal(weight, before[name]) for name, weight in sizes.items())
    export_model(learner, tokenizer, config.model, str(folder), {})
    merged = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        expected = merged(ids).logits
        unmerged = PeftModel.from_pretrained(base, folder / "adapter")
        torch.testing.assert_close(unmerged(ids).logits, expected, atol=1e-5, rtol=0)
        assert not torch.allclose(expected, logits, atol=1e-3)
    again = build_learner(config.model_copy(update={"lora_from": str(folder / "adapter")}), tokenizer, CPU)
    for name, weight in learner.named_parameters():
        torch.testing.assert_close(again.get_parameter(name), weight, atol=0, rtol=0)


def row_loss(model, row):
    logits = model(torch.tensor([row.input_ids])).logits[0, :-1]
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(row.labels[1:]), reduction="sum"))


def test_adapters_of_gpt2s_turned_weights_are_merged(tmp_path):
    write_base("gpt2", tmp_path / "base")
    config = settings_for(tmp_path / "base", packing=True).model_copy(update={"lora_rank": 4, "learning_rate": 1e-2})
    tokenizer, rows = load_tokenizer(config.model), rows_of_tokens()
    learner = build_learner(config, tokenizer, CPU)
    list(train_steps(learner, make_optimizer(learner, config), rows, config, 0, 0))
    export_model(learner, tokenizer, config.model, str(tmp_path / "model"), {})
    merged, base = (AutoModelForCausalLM.from_pretrained(tmp_path / each, dtype=torch.float32)
                    for each in ("model", "base"))  # fmt: skip
    ids = torch.tensor([rows[0].input_ids])
    with torch.no_grad():
        unmerged = PeftModel.from_pretrained(base, tmp_path / "model" / "adapter")
        torch.testing.assert_close(unmerged(ids).logits, merged(ids).logits, atol=1e-5, rtol=0)
