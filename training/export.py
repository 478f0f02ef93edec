"""A trained model → a Hugging Face folder that `transformers` and vLLM load. No Ray here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers import GenerationConfig

from training.model import load_model


def export_model(model: Any, tokenizer: Any, base: str, folder: str, lineage: dict[str, Any]) -> None:
    """Write safetensors, tokenizer with chat template, generation config and model card; whole or not at all.

    Called by every worker; worker 0 writes.

    Args:
        model: sharded or whole.
        tokenizer: with the paper's prompt.
        base: the base model's folder or id, for the architecture.
        folder: target; replaced if it exists.
        lineage: what made the model, for the card.
    """
    weights = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if dist.is_initialized() and dist.get_rank() != 0:
        return
    whole = load_model(base, tokenizer)
    whole.load_state_dict(weights, strict=False)  # tied weights are stored once
    whole.config.use_cache = True
    whole.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    making = Path(f"{folder}.making")
    shutil.rmtree(making, ignore_errors=True)
    whole.save_pretrained(making, safe_serialization=True)
    tokenizer.save_pretrained(making)
    (making / "README.md").write_text(_card(lineage), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def _card(lineage: dict[str, Any]) -> str:
    lines = [f"- {name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in lineage.items()]
    return "\n".join([
        "---", "library_name: transformers", "tags:", "- code", "- wavecoder", "---", "", "# WaveCoder", "",
        "Fine-tuned on CodeOcean, instruction data over four code tasks, after WaveCoder (arXiv 2312.14187).",
        "The chat template is the Alpaca prompt that it was trained with.", "", *lines, "",
    ])  # fmt: skip
