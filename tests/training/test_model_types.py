"""Each model type that is let in learns, packed or padded, what a plain loop over single rows learns; others are refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

from tests.training.model_types import MOST, describe, page, prove, rows_of_tokens, write_base
from training.flops import Workload
from training.model import build_learner, check_model, check_trainable, load_tokenizer, switch_dropout_off
from training.model_types import PACKABLE, UNPACKED, check_type
from training.optimizers import make_optimizer
from training.settings import TrainConfig
from training.step import train_steps

QUICK = {"llama", "qwen3_moe", "gemma3_text", "mamba2", "starcoder2"}
KINDS = [(kind, True) for kind in sorted(PACKABLE)] + [(kind, False) for kind in sorted(UNPACKED)]


@pytest.mark.parametrize(
    ("kind", "packing"),
    [pytest.param(kind, packing, marks=[] if kind in QUICK else pytest.mark.slow, id=kind) for kind, packing in KINDS],
)
def test_training_from_files_to_export_is_that_of_a_plain_loop(kind, packing, tmp_path):
    found = prove(kind, tmp_path, packing=packing)
    assert found.losses < MOST.losses
    assert found.weights < MOST.weights
    assert found.logits < MOST.logits


def test_falcon_with_alibi_is_transformers_default_attention(tmp_path):
    """Its eager attention adds the bias twice (findings/transformers_falcon_alibi.sh)."""
    sizes = {"alibi": True, "new_decoder_architecture": False, "num_kv_heads": ..., "bias": True, "multi_query": False}
    found = prove("falcon", tmp_path, packing=False, attention="sdpa", **sizes)
    assert (found.losses < MOST.losses, found.weights < MOST.weights, found.logits < MOST.logits) == (True, True, True)


def test_the_page_of_model_types_is_that_of_the_code():
    file = Path(__file__).parents[2] / "docs" / "models.md"
    assert file.read_text() == page(), "run: python -m tests.training.model_types > docs/models.md"


@pytest.mark.parametrize("kind", ["bert", "roberta", "bart", "whisper", "xlm", "xlnet"])
@pytest.mark.parametrize("packing", [True, False])
def test_a_model_with_an_encoder_is_refused(kind, packing):
    with pytest.raises(ValueError, match=f"model type '{kind}' has an encoder, .*; take a model that only decodes"):
        check_type(AutoConfig.for_model(kind), packing=packing, micro_batch=1)


def test_a_type_without_proof_is_trained_a_row_at_a_time():
    config = AutoConfig.for_model("deepseek_v32")
    with pytest.raises(
        ValueError, match="'deepseek_v32' is not proved to keep packed rows apart .*false and .*batch: 1"
    ):
        check_type(config, packing=True, micro_batch=1)
    with pytest.raises(ValueError, match="'deepseek_v32' is not proved to keep padded rows apart"):
        check_type(config, packing=False, micro_batch=2)
    check_type(config, packing=False, micro_batch=1)
    with pytest.raises(ValueError, match="'mamba' cannot be packed, as a linear .*; set train.packing: false$"):
        check_type(AutoConfig.for_model("mamba"), packing=True, micro_batch=1)


@pytest.mark.parametrize("kind", ["inkling_text", "prophetnet", "trocr"])
def test_a_type_without_proof_learns_what_a_plain_loop_learns(kind, tmp_path):
    """Its head is never tied, or it gives all its logits, whatever it is asked for."""
    found = prove(kind, tmp_path, packing=False, micro_batch=1)
    assert (found.losses < MOST.losses, found.weights < MOST.weights, found.logits < MOST.logits) == (True, True, True)


def test_layers_that_share_weights_learn_as_in_transformers(tmp_path):
    found = prove("zamba2", tmp_path, packing=False, micro_batch=1, num_hidden_layers=3, hybrid_layer_ids=[1, 2],
                  layers_block_type=["mamba", "hybrid", "hybrid"])  # fmt: skip
    assert (found.losses < MOST.losses, found.weights < MOST.weights, found.logits < MOST.logits) == (True, True, True)
    config = TrainConfig(model=str(tmp_path / "base"), max_length=64, packing=False, lora_rank=2)
    with pytest.raises(ValueError, match="train.lora_rank: layers of train.model '.*' share weights, .*; set it to 0$"):
        check_trainable(config)


def test_a_head_without_its_tied_embedding_is_both(tmp_path):
    """So safetensors' save_model writes a tied model."""
    write_base("llama", tmp_path, tie_word_embeddings=True)
    weights = load_file(tmp_path / "model.safetensors")
    weights["lm_head.weight"] = weights.pop("model.embed_tokens.weight")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    config = TrainConfig(model=str(tmp_path), max_length=64)
    check_trainable(config)
    causal = build_learner(config, load_tokenizer(str(tmp_path)), torch.device("cpu")).causal
    assert causal.model.embed_tokens.weight is causal.lm_head.weight
    assert torch.equal(causal.lm_head.weight, weights["lm_head.weight"])


def test_a_row_that_the_models_code_does_not_read_is_one_line(tmp_path):
    write_base("qwen3_moe", tmp_path, num_experts_per_tok=7)
    config = TrainConfig(model=str(tmp_path), max_length=64)
    learner = build_learner(config, load_tokenizer(str(tmp_path)), torch.device("cpu"))
    steps = train_steps(learner, make_optimizer(learner, config), rows_of_tokens(), config, 0, 0)
    with pytest.raises(ValueError, match="code of model type 'qwen3_moe' does not read a row .*; take another model$"):
        next(steps)


@pytest.mark.parametrize(
    ("kind", "sizes", "line"),
    [
        ("git", {}, "holds more than a language model"),
        ("phi4_multimodal", {}, "holds more than a language model"),
        ("gemma4_assistant", {}, "holds more than a language model"),
        ("vit", {}, "model type 'vit' has no vocabulary; take a causal language model"),
        ("xmod", {"is_decoder": True}, "'xmod' has a part for each language; set default_language in its config.json"),
    ],
)
def test_what_is_no_language_model_alone_is_refused(kind, sizes, line, model_folder, tmp_path):
    AutoConfig.for_model(kind, **sizes).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=line):
        check_model(TrainConfig(model=str(tmp_path), max_length=64, packing=False), load_tokenizer(model_folder))


def test_every_kind_of_dropout_is_off():
    config = AutoConfig.for_model("biogpt", hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.2, layerdrop=0.1)
    switch_dropout_off(config)
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob, config.layerdrop) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", ["mamba", "gemma4_text", "mpt", "gpt2"])
def test_the_flop_of_any_type_are_counted(kind):
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM

    with init_empty_weights():
        model = AutoModelForCausalLM.from_config(describe(kind), dtype=torch.float32)
    attention = Workload(model).flop([20, 20], 1) - 2 * Workload(model).flop([20], 1) + Workload(model).flop([0], 1)
    assert attention == 0.0
    squares = Workload(model).flop([40], 0) - Workload(model).flop([20, 20], 0)
    assert squares == (0.0 if kind == "mamba" else 6 * 2 * 4 * 8 * (40**2 - 2 * 20**2))


def test_check_model_refuses_by_type(model_folder, tmp_path):
    AutoConfig.for_model("bert", vocab_size=700).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="'bert' has an encoder"):
        check_model(TrainConfig(model=str(tmp_path), max_length=64), load_tokenizer(model_folder))
