"""Model types of `transformers`: which are proved packed, which padded, and which are refused. No Ray here.

A type is in one of the lists because a test has proved it, from its files to the export, against a plain loop over
single rows (tests/training/model_types.py, which also writes docs/models.md).
"""

from __future__ import annotations

from typing import Any

PLAIN_HEAD = frozenset({
    "gemma", "gpt_bigcode", "llama", "mistral", "olmo2", "phi3", "qwen2", "qwen3", "starcoder2",
})  # fmt: skip
"""Model types whose logits are the product of the last hidden state and the head's weights, and nothing else."""

PACKABLE = PLAIN_HEAD | frozenset({
    "afmoe", "apertus", "arcee", "aria_text", "axk1", "biogpt", "bitnet", "cohere", "cohere2", "cohere2_moe",
    "cohere_compass_text", "ctrl", "cwm",
    "dbrx", "deepseek_v2", "deepseek_v3", "dots1", "ernie4_5", "ernie4_5_moe", "exaone4", "exaone_moe", "flex_olmo",
    "gemma2", "gemma3_text", "gemma3n_text", "glm", "glm4", "glm4_moe", "glm4_moe_lite", "gpt2", "gpt_neox",
    "gpt_oss", "granite", "granite_swa", "granitemoe", "granitemoe_swa", "granitemoeshared", "helium", "hrm_text",
    "hunyuan_v1_dense", "hunyuan_v1_moe", "hy_v3", "hyperclovax", "jais2", "jetmoe", "laguna", "llama4_text",
    "longcat_flash", "mellum", "mimo_v2_flash", "minicpm3", "minimax_m2", "ministral", "ministral3", "mixtral",
    "modernbert-decoder", "nanochat", "olmo", "olmo3", "olmoe", "opt", "phi", "phimoe", "qwen2_moe", "qwen3_moe",
    "seed_oss", "smollm3", "solar_open", "vaultgemma", "youtu",
})  # fmt: skip
"""Model types whose every layer mixes tokens through our attention alone (training/attention.py)."""

SCORED = frozenset({"gemma2", "gpt_oss", "mimo_v2_flash", "vaultgemma"})
"""Those whose attention bounds its scores or has sinks: the kernels of CUDA do not know these."""

_RECURRENT = "a linear attention or state space layer carries its state from one document into the next"
_BIAS = "its positions are a bias of the scores, counted over the packed row"
_OWN = "its attention is code of its own, which knows no documents"
_WHY = {
    _RECURRENT: ("bamba", "falcon_h1", "falcon_mamba", "granitemoehybrid", "jamba", "kimi_linear", "mamba", "mamba2",
                 "minimax", "nemotron_h", "olmo_hybrid", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next",
                 "recurrent_gemma", "rwkv", "xlstm", "zamba", "zamba2"),
    _OWN: ("codegen", "diffllama", "doge", "falcon", "gpt_neo", "gpt_neox_japanese", "gptj", "nemotron",
           "openai-gpt", "persimmon", "stablelm", "xglm"),
    _BIAS: ("bloom", "mpt"),
    "a convolution reaches from one document into the next": ("lfm2", "lfm2_moe", "zaya"),
    "its layers share keys and values": ("gemma4_text",),
}  # fmt: skip
UNPACKED = {kind: why for why, kinds in _WHY.items() for kind in kinds}
"""Model types that are trained with `packing: false` alone, and why."""


RAW = (ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError)
"""What `transformers`' code of a model raises when it cannot be built, or cannot read a row."""

BOTH_WAYS = frozenset({"xlm", "xlnet"})
"""Types of causal language models to `transformers` whose attention sees what comes after a token."""


def check_type(config: Any, *, packing: bool, micro_batch: int) -> None:
    """Refuse a model for which the result would depend on a row's neighbours, or on what comes after a token.

    Args:
        config: the model's, of `transformers`.
        packing: whether rows are put behind each other.
        micro_batch: rows of a forward pass.

    Raises:
        ValueError: it is no decoder, or its type is not proved for rows beside or behind each other.
    """
    kind = config.model_type
    if getattr(config, "languages", None) and config.default_language is None:  # X-MOD
        raise ValueError(f"train.model: model type {kind!r} has a part for each language; set default_language in its "
                         "config.json")  # fmt: skip
    if kind in PACKABLE or (kind in UNPACKED and not packing):
        return
    encodes = getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", None) is False
    if encodes or kind in BOTH_WAYS:
        raise ValueError(f"train.model: model type {kind!r} has an encoder, which reads the text behind a token too; "
                         "take a model that only decodes")  # fmt: skip
    if packing:
        why = (
            f"cannot be packed, as {UNPACKED[kind]}" if kind in UNPACKED else "is not proved to keep packed rows apart"
        )
        alone = "" if kind in UNPACKED else " and train.micro_batch: 1"
        raise ValueError(f"train.packing: model type {kind!r} {why} (docs/models.md); set train.packing: false{alone}")
    if micro_batch > 1:
        raise ValueError(f"train.micro_batch: model type {kind!r} is not proved to keep padded rows apart "
                         "(docs/models.md); set train.micro_batch: 1")  # fmt: skip


def check_rules(config: Any, max_length: int, attention: str) -> None:
    """Refuse a kernel that does not know a packed model's rules.

    Args:
        config: the model's, of `transformers`.
        max_length: longest document.
        attention: the kernel that is asked for.

    Raises:
        ValueError: the kernel does not know a window, bounded scores or sinks; or attention goes in chunks.
    """
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    if attention == "flex" and window is not None and window < max_length:
        raise ValueError(f"train.attention flex: the model attends within a window of {window} tokens, shorter than "
                         f"train.max_length {max_length}; take auto or set train.packing: false")  # fmt: skip
    chunk = getattr(config, "attention_chunk_size", None)
    if chunk is not None and chunk < max_length:
        raise ValueError(f"train.packing: the model attends within chunks of {chunk} tokens, shorter than "
                         f"train.max_length {max_length}; lower that or set train.packing: false")  # fmt: skip
    if attention in {"flex", "flash"} and config.model_type in SCORED:
        raise ValueError(f"train.attention {attention}: the scores of model type {config.model_type!r} have rules that "
                         "it does not know; take documents")  # fmt: skip


def check_shared(config: Any, parts: int) -> None:
    """Refuse a model whose packed rows several workers cannot share.

    Args:
        config: the model's, of `transformers`.
        parts: workers that share a row.

    Raises:
        ValueError: its heads do not divide, or it needs whole rows outside its attention.
    """
    described = config.to_dict()
    heads = described.get(config.attribute_map.get("num_attention_heads", "num_attention_heads")) or 0
    groups = described.get("num_key_value_heads") or heads
    if not heads or heads % parts or (groups % parts and parts % groups):
        raise ValueError(f"train.context_parallel is {parts}, but the model has {heads} heads and {groups} of keys and "
                         "values; take a number that divides both")  # fmt: skip
    longrope = (getattr(config, "rope_parameters", None) or {}).get("rope_type") == "longrope"
    if longrope or getattr(config, "output_router_logits", False):
        raise ValueError("train.context_parallel: the model's longrope positions or routing loss need whole rows; set "
                         "it to 1")  # fmt: skip
