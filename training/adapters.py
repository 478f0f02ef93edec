"""Low-rank adapters (Hu et al. 2021) through `peft`: inserted before training, merged and kept at export. No Ray here.

`peft` puts a module with `base_layer`, `lora_A.default` and `lora_B.default` in the place of each linear layer. The
start is drawn for each matrix from its name and the seed, so that it does not depend on the number of workers.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from training.memory.quantised import Nf4Linear

_BASE, _A, _MAGNITUDE = ".base_layer.", ".lora_A.", ".lora_magnitude_vector."
_PEFT = "base_model.model."
_DESCRIBED, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def insert_adapters(causal: Any, rank: int, alpha: int, *, stabilized: bool = False, dora: bool = False) -> None:
    """Freeze the model and put adapters beside all its linear layers but the head; in place.

    Args:
        causal: the model.
        rank: of the adapters.
        alpha: their product is scaled by alpha / rank.
        stabilized: by alpha / √rank instead (rsLoRA, Kalajdzievski 2023).
        dora: learn the size of each output's weights apart from their direction (DoRA, Liu et al. 2024).
    """
    from peft import LoraConfig, inject_adapter_in_model

    described = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM",
                           use_rslora=stabilized, use_dora=dora)  # fmt: skip
    inject_adapter_in_model(described, causal, low_cpu_mem_usage=True)


def quantise_base(module: Any, device: torch.device) -> None:
    """Keep the frozen linear layers beside a module's adapters in 4 bits on a device; in place.

    Raises:
        ValueError: a layer's inputs are odd in number, or it is no plain linear layer (GPT-2's Conv1D).
    """
    for name, layer in module.named_modules():
        if hasattr(layer, "lora_A"):
            base = layer.base_layer
            if not isinstance(base, nn.Linear) or base.in_features % 2:
                raise ValueError(f"train.lora_base nf4: {name} is a {type(base).__name__} of shape "
                                 f"{tuple(base.weight.shape)}, which is not kept in 4 bits; leave it out")  # fmt: skip
            layer.base_layer = Nf4Linear(base.to(device))


def stored_name(name: str) -> str:
    """The name under which the base model's file keeps a parameter."""
    return name.replace(_BASE, ".")


def is_adapter(name: str) -> bool:
    """Whether a parameter belongs to an adapter."""
    return ".lora_" in name


def layer_sized_by(name: str) -> str | None:
    """The layer whose weights' sizes a parameter of DoRA holds; None for any other parameter."""
    return name.partition(_MAGNITUDE)[0] if _MAGNITUDE in name else None


def sizes_of(weight: Tensor, layer: Any) -> Tensor:
    """Norm of a linear layer's weights for each output: float32 (outputs,), the start of DoRA.

    Args:
        weight: whole, float32.
        layer: the adapter's, of `peft`, which knows whether outputs are the weight's columns (GPT-2's Conv1D).
    """
    return torch.linalg.norm(weight, dim=0 if layer.fan_in_fan_out else 1)


def first_adapter(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """An adapter's start, as `peft` draws it: A uniform after He et al. 2015, B zero.

    Args:
        name: of the parameter, which says whether it is A or B.
        shape: of it: (rank, inputs) for A, (outputs, rank) for B.
        seed: of the training; the name is drawn into it.

    Returns:
        float32, on the CPU.
    """
    if _A not in name:
        return torch.zeros(shape)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()))
    return torch.empty(shape).uniform_(-1, 1, generator=generator) / math.sqrt(shape[1])


def read_adapter(folder: str, rank: int, *, scale: float, dora: bool = False) -> dict[str, Tensor]:
    """An adapter in `peft`'s form by the names of the model's parameters.

    Args:
        folder: with `adapter_config.json` and `adapter_model.safetensors`.
        rank: that it has to have.
        scale: of its product, that it has to have.
        dora: whether it has to hold magnitudes.

    Raises:
        ValueError: it is not there, or is of another form, rank or scale.
    """
    try:
        described = json.loads((Path(folder) / _DESCRIBED).read_text(encoding="utf-8"))
        tensors = load_file(Path(folder) / _WEIGHTS)
        found, alpha, kind = described["r"], described["lora_alpha"], described["peft_type"]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ValueError(f"train.lora_from {folder!r} is no adapter of peft ({' '.join(str(error).split())[:200]}); "
                         f"it should hold {_DESCRIBED} and {_WEIGHTS}") from None  # fmt: skip
    if kind != "LORA" or any("lora_" not in name for name in tensors):
        raise ValueError(f"train.lora_from {folder!r} is no plain LoRA ({kind}); merge it into its base model instead")
    if bool(described.get("use_dora")) != dora:
        raise ValueError(f"train.lora_from {folder!r} and the recipe differ in use_dora; set train.lora_dora: "
                         f"{str(not dora).lower()}")  # fmt: skip
    theirs = alpha / (math.sqrt(found) if described.get("use_rslora") else found)
    if found != rank or not math.isclose(theirs, scale):
        raise ValueError(f"train.lora_from {folder!r} has rank {found} and scale {theirs:g}, the recipe asks for rank "
                         f"{rank} and scale {scale:g}; take the adapter's")  # fmt: skip
    parts = re.compile(r"\.(lora_A|lora_B|lora_magnitude_vector)\.")
    return {parts.sub(r".\1.default.", name.removeprefix(_PEFT)): value for name, value in tensors.items()}


def adapter_digest(folder: str) -> str:
    """What tells an adapter from others."""
    file = Path(folder) / _WEIGHTS
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else "missing"


def adapter_weights(causal: Any) -> dict[str, Tensor]:
    """All adapters, gathered from the workers, by the names that `peft` and vLLM read; empty without any."""
    return {
        _PEFT + name.replace(".default.", "."): _whole(weight).cpu().contiguous()
        for name, weight in causal.named_parameters()
        if is_adapter(name)
    }


def write_adapter(causal: Any, weights: dict[str, Tensor], base: str, folder: Path) -> None:
    """Write adapters unmerged, for `peft` and vLLM's LoRA.

    Args:
        causal: the model that has them.
        weights: of `adapter_weights`.
        base: the base model's folder or id.
        folder: to make.
    """
    from peft import LoraConfig

    layers = {name: module for name, module in causal.named_modules() if hasattr(module, "lora_A")}
    first = next(iter(layers.values()))
    rank, alpha = first.r["default"], first.lora_alpha["default"]
    described = LoraConfig(
        r=rank, lora_alpha=alpha, task_type="CAUSAL_LM", inference_mode=True, base_model_name_or_path=base,
        target_modules=sorted({name.rpartition(".")[2] for name in layers}),
        use_rslora=not math.isclose(first.scaling["default"], alpha / rank),
        use_dora="default" in first.lora_magnitude_vector,
    )  # fmt: skip
    folder.mkdir()
    described.save_pretrained(str(folder))
    save_file(weights, folder / _WEIGHTS, metadata={"format": "pt"})


def merged_weight(module: Any, weight: Tensor) -> Tensor:
    """A linear layer's weight with its adapter added.

    Args:
        module: the adapter's, of `peft`; its parameters may be sharded.
        weight: the frozen weight, whole, in float32.
    """
    plain = weight.T if module.fan_in_fan_out else weight  # GPT-2's Conv1D
    low, high = (_whole(part["default"].weight) for part in (module.lora_A, module.lora_B))
    merged = plain + (high @ low) * float(module.scaling["default"])
    if "default" in module.lora_magnitude_vector:
        magnitude = _whole(module.lora_magnitude_vector["default"].weight)
        merged = merged * (magnitude / torch.linalg.norm(merged, dim=1))[:, None]
    return merged.T if module.fan_in_fan_out else merged


def _whole(weight: Any) -> Tensor:
    tensor: Tensor = weight.full_tensor() if hasattr(weight, "full_tensor") else weight
    return tensor.detach().float()
