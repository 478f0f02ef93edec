"""Llamas with random weights, for benches that ask how fast or how safe and not how good."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from ray_jobs.run.models import resolve_model

SIZES = {
    "tiny": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2},
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8},
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 32},
}  # fmt: skip
"""Shapes: of Llama 3.2 1B and of Llama 2 7B (CodeLLaMa's); the vocabulary is the tokenizer's."""


def write_random_llama(folder: Path, size: str, dtype: torch.dtype = torch.float32) -> str:
    """A Hugging Face folder with the demo model's tokenizer; the same weights each time. Returns its path."""
    tokenizer = AutoTokenizer.from_pretrained(resolve_model("package:smollm2-135m-instruct", "tokenizer"))
    config = LlamaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=4096, tie_word_embeddings=True, dtype=dtype,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, **SIZES[size],
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM._from_config(config, dtype=dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
