"""Models whose weights `transformers` renames or merges when it loads them: the same logits in, the same names out."""

import json

import pytest
import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM

from tests.training.tokenizer_files import byte_level, write_tokenizer
from training.export import export_model
from training.model import build_learner, load_tokenizer
from training.settings import TrainConfig

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "vocab_size": 640,
         "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2,
         "pad_token_id": 0}  # fmt: skip
EXPERTS = {"num_experts": 5, "num_local_experts": 5, "n_routed_experts": 5, "num_experts_per_tok": 2}
LATENT = {"moe_intermediate_size": 16, "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1,
          "q_lora_rank": None, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8,
          "num_key_value_heads": 4}  # fmt: skip
KINDS = {"gpt_neox": {}, "mixtral": EXPERTS, "qwen3_moe": EXPERTS | {"moe_intermediate_size": 16}, "granitemoe": EXPERTS,
         "deepseek_v3": EXPERTS | LATENT}  # fmt: skip


def names(folder):
    return {name for file in folder.glob("*.safetensors") for name in safe_open(file, "pt").keys()}  # noqa: SIM118


@pytest.mark.parametrize("kind", KINDS)
def test_renamed_and_merged_weights_load_and_export_under_their_published_names(kind, tmp_path):
    torch.manual_seed(3)
    plain = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SIZES | KINDS[kind]), dtype=torch.float32)
    for name, buffer in plain.named_buffers():
        if name.endswith("e_score_correction_bias"):  # decides which experts are asked, and is no parameter
            buffer.copy_(torch.randn_like(buffer))
    plain.save_pretrained(tmp_path / "base")
    write_tokenizer(tmp_path / "base", byte_level())
    base, tokenizer = str(tmp_path / "base"), load_tokenizer(str(tmp_path / "base"))
    learner = build_learner(TrainConfig(model=base, packing=False, max_length=200), tokenizer, torch.device("cpu"))
    ids = torch.randint(3, 600, (1, 40))
    expected = plain.eval()(ids).logits
    torch.testing.assert_close(learner.causal.eval()(ids).logits, expected, atol=1e-5, rtol=0)
    export_model(learner, tokenizer, base, str(tmp_path / "tuned"), {}, file_bytes=30_000)
    assert names(tmp_path / "tuned") == names(tmp_path / "base")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned", dtype=torch.float32)
    torch.testing.assert_close(again(ids).logits, expected, atol=1e-6, rtol=0)


OLDER = {
    "gpt_neox": (
        {"rope_parameters": {"rope_type": "default", "rope_theta": 5e3, "partial_rotary_factor": 0.5}},
        {"rotary_emb_base": 5e3, "rotary_pct": 0.5},
    ),
    "qwen3_moe": (KINDS["qwen3_moe"], {"num_experts": 5}),
}


@pytest.mark.parametrize("kind", OLDER)
def test_export_has_the_names_that_transformers_4_knows_of_this_type_alone(kind, tmp_path):
    more, expected = OLDER[kind]
    plain = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SIZES | more), dtype=torch.float32)
    plain.save_pretrained(tmp_path / "base")
    write_tokenizer(tmp_path / "base", byte_level())
    base, tokenizer = str(tmp_path / "base"), load_tokenizer(str(tmp_path / "base"))
    learner = build_learner(TrainConfig(model=base, packing=False, max_length=200), tokenizer, torch.device("cpu"))
    export_model(learner, tokenizer, base, str(tmp_path / "tuned"), {})
    described = json.loads((tmp_path / "tuned" / "config.json").read_text())
    assert {name: described.get(name) for name in expected} == expected
