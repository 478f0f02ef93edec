"""What a base model must be: its files plain numbers, its parts one language model, its head the one that it holds."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from training.examples import tokenize_instances
from training.export import export_model
from training.model import build_learner, check_model, check_trainable, load_tokenizer
from training.settings import TrainConfig

CPU = torch.device("cpu")
PROJECTION = "model.layers.1.mlp.up_proj.weight"


@pytest.fixture
def base(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / "base")


def build(folder, **settings):
    return build_learner(TrainConfig(model=str(folder), max_length=256, **settings), load_tokenizer(str(folder)), CPU)


def rewrite(folder, **changed):
    """Add or replace tensors; None takes one out."""
    weights = {**load_file(folder / "model.safetensors"), **changed}
    kept = {name: tensor for name, tensor in weights.items() if tensor is not None}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("method", ["fp8", "bitsandbytes", "gptq", "awq", "compressed-tensors", "mxfp4"])
def test_a_quantised_configuration_is_one_clear_line(base, method):
    described = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(described | {"quantization_config": {"quant_method": method}}))
    with pytest.raises(ValueError, match=r"is quantised \(config.json has a quantization_config\); take the model"):
        check_model(TrainConfig(model=str(base), max_length=256), load_tokenizer(str(base)))


LAYOUTS = {
    "fp8": {PROJECTION: torch.zeros(64, 32).to(torch.float8_e4m3fn), f"{PROJECTION}_scale_inv": torch.ones(1, 1)},
    "fp8-tensor-scale": {PROJECTION: torch.zeros(64, 32).to(torch.float8_e5m2)},
    "bnb-4bit": {PROJECTION: torch.zeros(1024, 1, dtype=torch.uint8), f"{PROJECTION}.absmax": torch.ones(32)},
    "bnb-8bit": {
        PROJECTION: torch.zeros(64, 32, dtype=torch.int8),
        PROJECTION.replace("weight", "SCB"): torch.ones(64),
    },
    "gptq": {PROJECTION: None, PROJECTION.replace("weight", "qweight"): torch.zeros(4, 64, dtype=torch.int32)},
    "compressed": {PROJECTION: None, f"{PROJECTION}_packed": torch.zeros(64, 4, dtype=torch.int32)},
    "scale-alone": {f"{PROJECTION}_scale": torch.ones(64, 1)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_quantised_files_are_one_clear_line_whatever_the_configuration_says(base, layout):
    rewrite(base, **LAYOUTS[layout])
    with pytest.raises(ValueError, match=r"is quantised \(its files hold 'model.layers.1.mlp.up_proj"):
        build(base)


SECOND = "model-00002-of-00002.safetensors"


def in_two_files(folder):
    """The same weights as two files and an index."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": names[:4], SECOND: names[4:]}
    for file, held in parts.items():
        save_file({name: weights[name] for name in held}, folder / file, metadata={"format": "pt"})
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return index["weight_map"]


DAMAGE = {
    "missing": (lambda folder, _: (folder / SECOND).unlink(), f"lacks {SECOND}, which model.safetensors.index.json names"),
    "cut off": (lambda folder, _: (folder / SECOND).write_bytes((folder / SECOND).read_bytes()[:-9]), "cannot be read"),
    "a pointer": (lambda folder, _: (folder / SECOND).write_text("version https://git-lfs.github.com/spec/v1"),
                  "cannot be read"),
    "lacks one": (lambda folder, names: (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": names | {"lm_head.more": SECOND}})), "lacks 'lm_head.more', which"),
    "no index": (lambda folder, _: (folder / "model.safetensors.index.json").write_text("{}"), "is no index of"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_or_missing_files_are_one_clear_line(base, damage):
    names = in_two_files(base)
    check_trainable(TrainConfig(model=str(base), max_length=256))
    damages, message = DAMAGE[damage]
    damages(base, names)
    with pytest.raises(ValueError, match=rf"no causal language model that loads: .*{message}.*; download it again$"):
        check_trainable(TrainConfig(model=str(base), max_length=256))


@pytest.mark.parametrize("more", [{"num_attention_heads": 5}, {"hidden_size": "32"}])
def test_a_configuration_that_transformers_refuses_is_one_clear_line(base, more):
    described = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(described | more))
    with pytest.raises(
        ValueError, match="no causal language model that loads: Validation error|Class validation error"
    ):
        check_model(TrainConfig(model=str(base), max_length=256), load_tokenizer(str(base)))


def test_weights_of_another_shape_are_one_clear_line(base):
    rewrite(base, **{PROJECTION: torch.zeros(60, 32)})
    with pytest.raises(ValueError, match=r"'model.layers.1.mlp.up_proj.weight' of shape \(60, 32\), its configuration"):
        build(base)


def test_weights_of_another_shape_and_adapters_that_are_not_there_are_refused_by_plan(base, tmp_path):
    with pytest.raises(ValueError, match="it should hold adapter_config.json"):
        check_trainable(TrainConfig(model=str(base), max_length=256, lora_rank=4, lora_from=str(tmp_path / "none")))
    rewrite(base, **{PROJECTION: torch.ones(3, 5)})
    with pytest.raises(ValueError, match=r"of shape \(3, 5\), its configuration wants"):
        check_trainable(TrainConfig(model=str(base), max_length=256))


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_one_clear_line(base, value):
    """In a row that no text asks for they would be found only at the export."""
    weights = load_file(base / "model.safetensors")
    weights["model.embed_tokens.weight"][-1, 0] = value
    save_file(weights, base / "model.safetensors")
    with pytest.raises(ValueError, match="'model.embed_tokens.weight' with values that are NaN or infinite; download"):
        build(base)


@pytest.mark.parametrize("kind", ["gemma3", "mistral3", "llava"])
def test_a_model_of_several_parts_is_refused_by_its_type(base, kind):
    AutoConfig.for_model(kind).save_pretrained(base)
    with pytest.raises(ValueError, match=f"model type '{kind}' holds more than a language model"):
        check_model(TrainConfig(model=str(base), max_length=256), load_tokenizer(str(base)))


@pytest.mark.parametrize("own", [True, False])
def test_a_head_of_its_own_is_kept_though_the_configuration_says_tied(base, own, rows):
    """As `transformers` does; the export says untied, so that every reader keeps it."""
    embedding = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    rewrite(base, **{"lm_head.weight": (embedding.flip(0) if own else embedding.clone()).contiguous()})
    learner, tokenizer = build(base, packing=False), load_tokenizer(str(base))
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    ids = torch.tensor([tokenize_instances(rows, tokenizer, 256)[0][0].input_ids])
    expected = plain(ids).logits
    torch.testing.assert_close(learner.causal(ids).logits, expected, atol=1e-5, rtol=0)
    export_model(learner, tokenizer, str(base), str(base.parent / "tuned"), {})
    exported = AutoModelForCausalLM.from_pretrained(base.parent / "tuned", dtype=torch.float32)
    torch.testing.assert_close(exported(ids).logits, expected, atol=1e-5, rtol=0)
    assert exported.config.tie_word_embeddings is not own


def test_an_export_that_its_type_cannot_hold_is_refused(base, tmp_path):
    described = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(described | {"dtype": "float16"}))
    learner = build(base)
    with torch.no_grad():
        learner.causal.model.norm.weight.fill_(1e6)
    with pytest.raises(FloatingPointError, match=r"'model.norm.weight' is not finite in torch.float16"):
        export_model(learner, load_tokenizer(str(base)), str(base), str(tmp_path / "tuned"), {})
    assert not (tmp_path / "tuned").exists()


def test_dropout_is_off_as_it_would_depend_on_packing(base):
    described = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(described | {"attention_dropout": 0.3, "resid_pdrop": 0.2}))
    found = check_model(TrainConfig(model=str(base), max_length=256, packing=False), load_tokenizer(str(base)))
    assert (found.attention_dropout, found.resid_pdrop) == (0.0, 0.0)


def test_what_training_refuses_is_refused_before_anything_is_spent(base):
    check_trainable(TrainConfig(model=str(base), max_length=256))
    with pytest.raises(ValueError, match="knows 512 positions; lower it"):
        check_trainable(TrainConfig(model=str(base), max_length=600))
    rewrite(base, **{PROJECTION: None})
    with pytest.raises(ValueError, match="lack 1 weights of its architecture"):
        check_trainable(TrainConfig(model=str(base), max_length=256))


ROPES = {
    "theta": {"rope_theta": 7e5},
    "scaled": {"rope_theta": 5e5, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
}


@pytest.mark.parametrize("rope", ROPES)
def test_export_names_its_rope_as_transformers_4_reads_it(base, rope):
    described = json.loads((base / "config.json").read_text())
    described.pop("rope_parameters", None)
    (base / "config.json").write_text(json.dumps(described | ROPES[rope]))
    export_model(build(base), load_tokenizer(str(base)), str(base), str(base.parent / "tuned"), {})
    exported = json.loads((base.parent / "tuned" / "config.json").read_text())
    assert {name: exported.get(name) for name in ROPES[rope]} == ROPES[rope]
    both = [AutoConfig.from_pretrained(folder).rope_parameters for folder in (base, base.parent / "tuned")]
    assert both[0] == both[1]
