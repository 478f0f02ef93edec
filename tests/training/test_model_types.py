"""Each model type that is let in learns, packed or padded, what a plain loop over single rows learns; others are refused."""

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from tests.training.model_types import MOST, describe, page, prove
from training.flops import Workload
from training.model import check_model, load_tokenizer, switch_dropout_off
from training.model_types import PACKABLE, UNPACKED, check_type
from training.settings import TrainConfig

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
