"""Every model type that training lets in, proved on a tiny random model from its files to the export.

`python -m tests.training.model_types > docs/models.md` proves all of them anew and writes the page. A plain loop over
single rows with `transformers`' own attention is the reference: losses of every step, weights after the last, logits of
the exported folder.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM

from tests.training.tokenizer_files import byte_level, write_tokenizer
from training.batches import global_batches
from training.examples import IGNORED, Example
from training.export import export_model
from training.model import build_learner, load_tokenizer, switch_dropout_off
from training.model_types import PACKABLE, UNPACKED
from training.optimizers import learning_rate_factor, make_optimizer
from training.settings import TrainConfig
from training.step import train_steps

_COMMON = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8,
    "num_key_value_heads": 2, "vocab_size": 640, "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
_EXPERTS = {"num_experts": 4, "num_local_experts": 4, "n_routed_experts": 4, "moe_num_experts": 4, "moe_k": 2,
            "num_experts_per_tok": 2, "moe_topk": 2, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16,
            "shared_intermediate_size": 16, "n_shared_experts": 1, "n_group": 1, "topk_group": 1}  # fmt: skip
_LATENT = {"q_lora_rank": None, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8,
           "first_k_dense_replace": 1}  # fmt: skip
_LINEAR = {"linear_num_value_heads": 4, "linear_num_key_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
_STATE = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 16,
          "mamba_dt_rank": 4, "mamba_d_ssm": 64, "mamba_num_heads": 8, "mamba_head_dim": 8, "ssm_state_size": 8,
          "n_groups": 1, "chunk_size": 16, "state_size": 8, "time_step_rank": 4, "lru_width": 32}  # fmt: skip
_OLDER = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 64, "n_positions": 256, "n_ctx": 256, "rotary_dim": 4,
          "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 256, "ffn_dim": 64, "word_embed_proj_dim": 32,
          "num_layers": 2, "attention_heads": 4, "expansion_ratio": 2}  # fmt: skip
_SIZES = _COMMON | _EXPERTS | _LATENT | _LINEAR | _STATE | _OLDER
_WINDOW = 12
"""Shorter than most rows."""

_THREE_WAY = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}

_OF_TYPE = {
    "bamba": {"attn_layer_indices": [1]},
    "cohere_compass_text": {"layer_types": ["full_attention", "sliding_attention"],
                            "rope_parameters": dict.fromkeys(["full_attention", "sliding_attention"], _THREE_WAY)},
    "dbrx": {"attn_config": {"kv_n_heads": 2, "rope_theta": 5e5, "clip_qkv": 1.0}, "head_dim": ...,
             "ffn_config": {"ffn_hidden_size": 48, "moe_num_experts": 4, "moe_top_k": 2}},
    "deepseek_v2": {"num_key_value_heads": 4}, "deepseek_v3": {"num_key_value_heads": 4},
    "ernie4_5_moe": {"moe_layer_start_index": 1, "moe_layer_end_index": 1},
    "falcon": {"head_dim": ..., "num_key_value_heads": ..., "num_kv_heads": 2, "new_decoder_architecture": True,
               "ffn_hidden_size": 64},
    "gemma3n_text": {"layer_types": ["sliding_attention", "full_attention"], "num_kv_shared_layers": 0,
                     "activation_sparsity_pattern": [0.0, 0.0], "intermediate_size": [48, 48], "laurel_rank": 8,
                     "vocab_size_per_layer_input": 640, "hidden_size_per_layer_input": 8},
    "gemma4_text": {"layer_types": ["sliding_attention", "full_attention"], "num_kv_shared_layers": 0,
                    "vocab_size_per_layer_input": 640, "hidden_size_per_layer_input": 8, "global_head_dim": 8},
    "glm4_moe_lite": {"num_key_value_heads": 4, "q_lora_rank": 16},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": _WINDOW, "num_heads": 4},
    "granitemoehybrid": {"layer_types": ["mamba", "attention"]},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1},
    "kimi_linear": {"num_key_value_heads": 4, "num_experts_per_token": 2, "linear_head_dim": 8, "linear_num_heads": 4,
                    "layer_types": ["linear_attention", "full_attention"], "mlp_layer_types": ["dense", "sparse"]},
    "lfm2": {"layer_types": ["conv", "full_attention"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"], "num_dense_layers": 1},
    "llama4_text": {"attention_chunk_size": 256, "interleave_moe_layer_step": 1, "no_rope_layers": [1, 0],
                    "intermediate_size_mlp": 48},
    "axk1": {"num_key_value_heads": 4, "q_lora_rank": 16},
    "longcat_flash": {"num_key_value_heads": 4, "q_lora_rank": 16, "zero_expert_num": 2, "expert_ffn_hidden_size": 16,
                      "ffn_hidden_size": 48, "num_layers": 1},
    "mamba2": {"num_heads": 8},
    "modernbert-decoder": {"layer_types": ["sliding_attention", "full_attention"], "local_attention": _WINDOW},
    "minicpm3": {"num_key_value_heads": 4, "q_lora_rank": 16}, "youtu": {"num_key_value_heads": 4, "q_lora_rank": 16},
    "minimax": {"layer_types": ["linear_attention", "full_attention"], "block_size": 8},
    "mpt": {"attn_config": {"attn_impl": "torch"}},
    "nemotron_h": {"layers_block_type": ["mamba", "attention", "moe"], "num_hidden_layers": 3, "moe_latent_size": None,
                   "moe_shared_expert_intermediate_size": 16},
    "xlstm": {"num_heads": 4, "num_blocks": 2},
    "zamba": {"num_hidden_layers": 3, "layers_block_type": ["mamba", "hybrid", "hybrid"], "n_mamba_heads": 2,
              "attention_hidden_size": 64, "attention_head_dim": 16, "head_dim": ...},
    "zamba2": {"layers_block_type": ["mamba", "hybrid"], "hybrid_layer_ids": [1], "num_mem_blocks": 1,
               "mamba_ngroups": 1, "n_mamba_heads": 8, "adapter_rank": 4, "attention_head_dim": 16,
               "attention_hidden_size": 64, "mamba_headdim": 8},
    "zaya": {"num_experts_per_tok": 1},
    "phi3": {"original_max_position_embeddings": 256},
    "recurrent_gemma": {"attention_window_size": 64, "block_types": ["recurrent", "attention"]},
    **{kind: {"layer_types": ["linear_attention", "full_attention"]}
       for kind in ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "olmo_hybrid")},
}  # fmt: skip
"""Sizes of one type; `...` leaves the common one out."""


def describe(kind: str, **more: object):
    """A tiny configuration of a type, with a window shorter than its rows where the type has windows.

    Args:
        kind: of model.
        more: settings of its own.
    """
    usual = AutoConfig.for_model(kind)
    known = usual.to_dict().keys()
    mapped = set(usual.attribute_map)
    sizes = {name: value for name, value in _SIZES.items() if name in known and name not in mapped}
    sizes |= {name: _SIZES[name] for name in mapped & _COMMON.keys() if usual.attribute_map[name] not in sizes}
    if usual.to_dict().get("sliding_window") or kind in {"mistral", "starcoder2"}:
        sizes["sliding_window"] = _WINDOW
    sizes = {name: value for name, value in (sizes | _OF_TYPE.get(kind, {}) | more).items() if value is not ...}
    described = AutoConfig.for_model(kind, **sizes)
    switch_dropout_off(described)
    return described


def write_base(kind: str, folder: Path, **more: object) -> None:
    """A model of random weights, norms and biases among them, and its tokenizer."""
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(describe(kind, **more), dtype=torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.03)
        if kind == "youtu":  # transformers makes the padding's row zero whenever it loads one
            model.get_input_embeddings().weight[0] = 0.0
    model.save_pretrained(folder)
    write_tokenizer(folder, byte_level())


def rows_of_tokens() -> list[Example]:
    """Ten rows of 9 to 39 random tokens."""
    draw = torch.Generator().manual_seed(0)
    found = []
    for _ in range(10):
        length, prompt = (int(torch.randint(low, high, (1,), generator=draw)) for low, high in ((9, 40), (1, 8)))
        ids = torch.randint(3, 600, (length,), generator=draw).tolist()
        found.append(Example(ids, [IGNORED] * prompt + ids[prompt:], False))
    return found


def settings_for(folder: Path, *, packing: bool, micro_batch: int = 2) -> TrainConfig:
    """Four steps of five rows."""
    return TrainConfig(model=str(folder), max_length=64, global_batch=5, epochs=2, learning_rate=1e-3,
                       micro_batch=micro_batch, packing=packing)  # fmt: skip


EPSILON = 1e-5
"""AdamW's, in both loops: with 1e-8 a gradient that is nothing but rounding makes as large a step as any other."""


def plain_loop(folder: Path, config: TrainConfig, rows: list[Example], attention: str = "eager"):
    """The model after all steps, each row alone under the library's own attention, and each step's loss."""
    described = AutoConfig.from_pretrained(folder)
    switch_dropout_off(described)
    described.use_cache = False
    model = AutoModelForCausalLM.from_pretrained(
        folder, config=described, dtype=torch.float32, attn_implementation=attention
    ).train()
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=config.learning_rate, weight_decay=0.0, betas=(0.9, 0.999), eps=EPSILON)
    steps = global_batches(len(rows), config.global_batch, config.epochs, config.seed)
    losses = []
    for number, step in enumerate(steps):
        optimizer.zero_grad()
        count = sum(label != IGNORED for row in step for label in rows[row].labels[1:])
        losses.append(0.0)
        for row in step:
            logits = model(input_ids=torch.tensor([rows[row].input_ids])).logits[0, :-1]
            loss = functional.cross_entropy(logits, torch.tensor(rows[row].labels[1:]), reduction="sum") / count
            loss.backward()
            losses[-1] += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(trained, config.max_grad_norm)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(number, len(steps), config)
        optimizer.step()
    return model.eval(), losses


@dataclass(frozen=True)
class Proof:
    """How far training differs from the plain loop, at most."""

    losses: float
    weights: float
    """After four steps at rate 1e-3."""
    logits: float
    """Of the exported folder, as `transformers` loads it; without the padding's."""


def prove(
    kind: str, folder: Path, *, packing: bool, attention: str = "eager", micro_batch: int = 2, **more: object
) -> Proof:
    """Train a tiny model of a type by both ways.

    Args:
        kind: of model.
        folder: to write into.
        packing: ours packed, or padded.
        attention: of the plain loop, `eager` or `sdpa`.
        micro_batch: rows of our forward passes.
        more: settings of the configuration.
    """
    write_base(kind, folder / "base", **more)
    config, rows = settings_for(folder / "base", packing=packing, micro_batch=micro_batch), rows_of_tokens()
    plain, losses = plain_loop(folder / "base", config, rows, attention)
    tokenizer = load_tokenizer(config.model)
    learner = build_learner(config, tokenizer, torch.device("cpu"))
    optimizer = make_optimizer(learner, config)
    for group in optimizer.param_groups:
        group["eps"] = EPSILON
    found = [record["loss"] for record in train_steps(learner, optimizer, rows, config, tokenizer.pad_token_id, 0)]
    export_model(learner, tokenizer, config.model, str(folder / "tuned"), {})
    again = AutoModelForCausalLM.from_pretrained(
        folder / "tuned", dtype=torch.float32, attn_implementation=attention
    ).eval()
    theirs = dict(plain.named_parameters())
    ids = torch.tensor([rows[0].input_ids])
    with torch.no_grad():
        return Proof(
            max(abs(ours - reference) for ours, reference in zip(found, losses, strict=True)),
            max(float((weight - theirs[name]).abs().max()) for name, weight in learner.causal.named_parameters()),
            float((again(ids, use_cache=False).logits - plain(ids, use_cache=False).logits)[..., 1:].abs().max()),
        )


MOST = Proof(losses=5e-6, weights=1e-5, logits=2e-5)
"""Float32's rounding over four steps, in the mean loss of some 100 tokens: 7 for most types, 27 for minicpm3."""

HEAD = """# Model types

Which model types of `transformers` can be trained, and how. This page is made by a test:
`python -m tests.training.model_types > docs/models.md`.

Each type is proved on a tiny random model of two layers, in float32 on a CPU, with windows shorter
than its rows. It is read from its files, trained four steps with AdamW, and exported. The reference
is a plain loop over single unpadded rows with `transformers`' own attention. Every loss agrees
within 5e-6 and the exported folder's logits within 2e-5. Weights agree within 1e-5, with AdamW's
epsilon at 1e-5 in both loops: with 1e-8, a gradient that is nothing but rounding makes as large a
step as any other.

Falcon with ALiBi is held to `transformers`' default attention (SDPA): its eager one adds the bias
twice (`findings/transformers_falcon_alibi.sh`). Youtu's embedding of the padding token becomes zero
whenever `transformers` loads it; training and export keep what the files hold.

- **packed**: `train.packing` may be on; a packed row's results are those of its rows alone.
- **padded**: only `train.packing: false`; padding changes nothing.

A type that is not in the table is refused, or with `packing: false` and `micro_batch: 1` trained a
row at a time. Models with an encoder, quantised models and models of several parts (text and
images) are refused, each with one line. Take the text model of such a family.

| model type | packed | padded | why not packed |
|---|---|---|---|
"""


def page() -> str:
    """The page's text."""
    rows = [f"| `{kind}` | yes | yes | |" for kind in sorted(PACKABLE)]
    rows += [f"| `{kind}` | no | yes | {UNPACKED[kind]} |" for kind in sorted(UNPACKED)]
    return HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Prove all types, then print the page; whatever does not hold goes to stderr, with exit status 1."""
    failed = 0
    for kind in sorted(PACKABLE | UNPACKED.keys()):
        for packing in (True, False) if kind in PACKABLE else (False,):
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
                found = prove(kind, Path(folder), packing=packing)
            holds = found.losses < MOST.losses and found.weights < MOST.weights and found.logits < MOST.logits
            failed += not holds
            print(f"{'ok' if holds else 'NO'} {kind} packing={packing} {found}", file=sys.stderr, flush=True)
    if failed:
        sys.exit(f"{failed} proofs do not hold")
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
