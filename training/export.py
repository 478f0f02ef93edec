"""A trained model → a Hugging Face folder that `transformers` and vLLM load. No Ray here.

Weights are gathered one at a time and written in files of a few gigabytes: no worker holds the whole model.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoConfig, GenerationConfig

from training.adapters import adapter_weights, is_adapter, merged_weight, stored_name, write_adapter
from training.conversation import template_of
from training.conversion import by_published_names, published_groups
from training.loss import Learner
from training.memory.quantised import Nf4Linear
from training.safetensors_reader import INDEX
from training.tokenizer import save_tokenizer

FILE_BYTES = 4 * 2**30

ADAPTER = "adapter"
"""Folder inside the export that holds the adapters unmerged."""


def export_model(
    learner: Learner, tokenizer: Any, base: str, folder: str, lineage: dict[str, Any], *, file_bytes: int = FILE_BYTES
) -> None:
    """Write safetensors, tokenizer with chat template, generation config and model card; whole or not at all.

    Called by every worker; worker 0 writes. Weights have the base model's type; adapters are merged, and
    kept unmerged in the folder `adapter`.

    Args:
        learner: sharded or whole.
        tokenizer: with its chat template.
        base: the base model's folder or id, for its configuration.
        folder: target; replaced if it exists.
        lineage: what made the model, for the card.
        file_bytes: most bytes of a file of weights, but at least one weight.
    """
    writes = not dist.is_initialized() or dist.get_rank() == 0
    making = Path(f"{folder}.making")
    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    dtype = config.dtype if isinstance(config.dtype, torch.dtype) else torch.float32
    if writes:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
    _write_weights(_whole_weights(learner.causal, dtype), making if writes else None, file_bytes)
    adapter = adapter_weights(learner.causal)
    if not writes:
        return
    if adapter:
        write_adapter(learner.causal, adapter, base, making / ADAPTER)
    config.dtype = dtype
    if hasattr(learner.causal.config, "tie_word_embeddings"):
        config.tie_word_embeddings = learner.causal.config.tie_word_embeddings
    config.save_pretrained(making)
    _add_older_names(making / "config.json", config)
    ends = list(dict.fromkeys([*template_of(tokenizer).end_ids, tokenizer.eos_token_id]))
    GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=ends if len(ends) > 1 else ends[0],
        pad_token_id=tokenizer.pad_token_id,
    ).save_pretrained(making)  # fmt: skip
    save_tokenizer(tokenizer, making)
    (making / "README.md").write_text(_card(lineage), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def _add_older_names(file: Path, config: Any) -> None:
    """Write a model's rotary positions and type also under the names that `transformers` 4 reads; it knows no other.

    Two types have names of their own, without which it takes its defaults.
    """
    described = json.loads(file.read_text(encoding="utf-8"))
    rope = getattr(config, "rope_parameters", None) or {}
    local = rope.get("sliding_attention", {})
    rope = dict(rope.get("full_attention", rope))
    theta, kind = rope.pop("rope_theta", None), rope.get("rope_type", "default")
    if "partial_rotary_factor" in rope:
        described.setdefault("partial_rotary_factor", rope["partial_rotary_factor"])
    if kind == "longrope":  # its reader takes these three and no other
        rope = {"type": kind} | {name: rope[name] for name in ("short_factor", "long_factor")}
    older = {
        "torch_dtype": described.get("dtype"),
        "rope_theta": theta,
        "rope_local_base_freq": local.get("rope_theta"),
        "rope_scaling": None if kind in {"default", "proportional"} else rope,  # the latter is new in transformers 5
    }
    if described["model_type"] == "gpt_neox":
        older |= {"rotary_emb_base": theta, "rotary_pct": rope.get("partial_rotary_factor")}
    if described["model_type"] == "qwen3_moe":
        older["num_experts"] = described.get("num_local_experts")
    described |= {name: value for name, value in older.items() if value is not None and name not in described}
    file.write_text(json.dumps(described, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _whole_weights(causal: Any, dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
    """Name and values of every weight, as the base model's own files name them; tied weights once."""
    parameters = {stored_name(name): (name, weight) for name, weight in causal.named_parameters()
                  if not is_adapter(name)}  # fmt: skip
    parameters |= {stored_name(f"{name}.weight"): (f"{name}.weight", module)
                   for name, module in causal.named_modules() if isinstance(module, Nf4Linear)}  # fmt: skip
    for group in published_groups(causal, parameters):
        yield from by_published_names(causal, {
            name: _whole_weight(causal, *parameters[name]).to(dtype).contiguous() for name in group
        })  # fmt: skip
    kept = causal.state_dict().keys()
    buffers = {name: buffer.detach().cpu() for name, buffer in causal.named_buffers() if name in kept}
    for group in published_groups(causal, buffers):  # not trained: they keep their own type
        yield from by_published_names(causal, {name: buffers[name] for name in group})


def _whole_weight(causal: Any, name: str, parameter: Any) -> Tensor:
    """One parameter, gathered from the workers, or a layer kept in 4 bits; its adapter merged."""
    if isinstance(parameter, Nf4Linear):
        parameter = parameter.weight
    whole: Tensor = parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter
    whole = whole.detach().cpu()
    if name.endswith(".base_layer.weight"):
        module = causal.get_submodule(name.removesuffix(".base_layer.weight"))
        whole = merged_weight(module, whole.to(module.lora_A["default"].weight.device)).cpu()
    return whole


def _write_weights(weights: Iterator[tuple[str, Tensor]], folder: Path | None, file_bytes: int) -> None:
    """Write files of at most `file_bytes`, and their index where there are several; without a folder only gather."""
    files: list[list[str]] = []
    held: dict[str, Tensor] = {}
    size = total = 0

    def write() -> None:
        if folder is not None:
            save_file(held, folder / f"part-{len(files)}", metadata={"format": "pt"})
        files.append(list(held))
        held.clear()

    for name, tensor in weights:
        if not tensor.isfinite().all():  # float16 holds no more than 65,504
            raise FloatingPointError(f"the trained weight {name!r} is not finite in {tensor.dtype}; lower "
                                     "train.learning_rate")  # fmt: skip
        if held and size + tensor.nbytes > file_bytes:
            write()
            size = 0
        held[name] = tensor if folder is not None else tensor.new_empty(0)
        size, total = size + tensor.nbytes, total + tensor.nbytes
    write()
    if folder is None:
        return
    count = len(files)
    names = [f"model-{number + 1:05d}-of-{count:05d}.safetensors" for number in range(count)]
    names = names if count > 1 else ["model.safetensors"]
    for number, name in enumerate(names):
        (folder / f"part-{number}").rename(folder / name)
    if count > 1:
        places = {weight: name for name, file in zip(names, files, strict=True) for weight in file}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        (folder / INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")


def _card(lineage: dict[str, Any]) -> str:
    lines = [f"- {name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in lineage.items()]
    return "\n".join([
        "---", "library_name: transformers", "tags:", "- code", "- wavecoder", "---", "", "# WaveCoder", "",
        "Fine-tuned on CodeOcean, instruction data over four code tasks, after WaveCoder (arXiv 2312.14187).",
        "The chat template is the prompt that it was trained with.", "", *lines, "",
    ])  # fmt: skip
