"""Low-rank adapters (Hu et al. 2021) through `peft`: inserted before training, merged at export. No Ray here.

`peft` puts a module with `base_layer`, `lora_A.default` and `lora_B.default` in the place of each linear layer. The
start is drawn for each matrix from its name and the seed, so that it does not depend on the number of workers.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import torch
from torch import Tensor

_BASE, _A = ".base_layer.", ".lora_A."


def insert_adapters(causal: Any, rank: int, alpha: int) -> None:
    """Freeze the model and put adapters beside all its linear layers but the head; in place."""
    from peft import LoraConfig, inject_adapter_in_model

    inject_adapter_in_model(
        LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM"), causal
    )


def stored_name(name: str) -> str:
    """The name under which the base model's file keeps a parameter."""
    return name.replace(_BASE, ".")


def is_adapter(name: str) -> bool:
    """Whether a parameter belongs to an adapter."""
    return ".lora_" in name


def first_adapter(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """An adapter's start, as `peft` draws it: A uniform after He et al. 2015, B zero."""
    if _A not in name:
        return torch.zeros(shape)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()))
    return torch.empty(shape).uniform_(-1, 1, generator=generator) / math.sqrt(shape[1])


def merged_weight(module: Any, weight: Tensor) -> Tensor:
    """A linear layer's weight with its adapter added.

    Args:
        module: the adapter's, of `peft`; its parameters may be sharded.
        weight: the frozen weight, whole.
    """
    low, high = (_whole(part["default"].weight) for part in (module.lora_A, module.lora_B))
    return weight + (high @ low) * float(module.scaling["default"])


def _whole(weight: Any) -> Tensor:
    tensor: Tensor = weight.full_tensor() if hasattr(weight, "full_tensor") else weight
    return tensor.detach().float()
