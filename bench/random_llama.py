"""Llamas with random weights, for benches that ask how fast or how safe and not how good.

Nothing is downloaded and no packaged model is needed: the tokenizer is trained on the spot on the standard library,
and so are the rows (`documented_functions`).
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 49_152
"""Rows of embedding and head, as SmolLM2's; the tokenizer knows fewer tokens, which no one notices."""

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2},
    "135m": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
             "num_key_value_heads": 3},
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8},
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 32},
}  # fmt: skip
"""Shapes: of SmolLM2-135M, of Llama 3.2 1B and of Llama 2 7B (CodeLLaMa's)."""


def write_random_llama(folder: Path, size: str, dtype: torch.dtype = torch.float32) -> str:
    """A Hugging Face folder with a tokenizer for code; the same weights each time. Returns its path."""
    tokenizer = code_tokenizer()
    config = LlamaConfig(
        vocab_size=1_024 if size == "tiny" else VOCABULARY, max_position_embeddings=4096, tie_word_embeddings=True,
        dtype=dtype, bos_token_id=None, eos_token_id=tokenizer.eos_token_id, **SIZES[size],
    )  # fmt: skip
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"  # drawing 7 billion numbers takes a CPU minutes
    with torch.device(device):
        causal = LlamaForCausalLM._from_config(config, dtype=dtype)
    causal.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def code_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE of 1,000 tokens, trained on a part of the standard library."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<|end|>", "<pad>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1_000, special_tokens=special, initial_alphabet=alphabet,
                                  show_progress=False)  # fmt: skip
    bpe.train([str(file) for file in _library_files()[:40]], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **dict(zip(("eos_token", "pad_token"), special, strict=True)))


def documented_functions(count: int) -> list[dict[str, str]]:
    """At most so many functions of the standard library: `docstring`, `code` (without it), by `ast` alone."""
    found: list[dict[str, str]] = []
    for file in _library_files():
        try:
            text = file.read_text(encoding="utf-8")
            found += _functions_of(ast.parse(text), text)
        except (SyntaxError, UnicodeDecodeError):
            continue
        if len(found) >= count:
            break
    return found[:count]


def _functions_of(tree: ast.AST, text: str) -> Iterator[dict[str, str]]:
    for node in ast.walk(tree):
        docstring = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
        if docstring and len(node.body) > 1:  # type: ignore[attr-defined]
            lines = text.splitlines()
            first, second = node.body[:2]  # type: ignore[attr-defined]
            head, body = lines[node.lineno - 1 : first.lineno - 1], lines[second.lineno - 1 : node.end_lineno]  # type: ignore[attr-defined]
            yield {"docstring": docstring, "code": "\n".join([*head, *body])}


def _library_files() -> list[Path]:
    root = Path(sysconfig.get_paths()["stdlib"])
    left_out = {"site-packages", "dist-packages", "test", "tests", "lib2to3"}
    return sorted(file for file in root.rglob("*.py") if not left_out & set(file.relative_to(root).parts))


def alpaca_rows(count: int = 2_000) -> list[dict[str, Any]]:
    """Documented functions as instances: write the function that does so."""
    return [
        {"instruction": f"Write a Python function. {row['docstring']}", "input": "", "output": row["code"]}
        for row in documented_functions(count)
    ]
