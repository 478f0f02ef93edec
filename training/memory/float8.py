"""Linear layers whose products are float8, by torchao; weights, gradients and optimizer stay as they are. No Ray."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import nn


def check_float8() -> None:
    """Refuse to begin without torchao; raises `ValueError`."""
    if find_spec("torchao") is None:
        raise ValueError("train.fp8 needs torchao; pip install 'wavecoder-ray[fp8]', or leave it out")


def use_float8(layers: nn.Module, device: torch.device) -> None:
    """Have all linear layers of the decoder compute in float8, where their sizes are multiples of 16; in place.

    Args:
        layers: the decoder's, on any device.
        device: where to train; a CPU emulates float8.

    Raises:
        ValueError: torchao is missing, or the card has no float8.
    """
    check_float8()
    if device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 9):
        raise ValueError(f"train.fp8 needs compute capability 8.9 (Hopper, Ada); {torch.cuda.get_device_name(device)} "
                         "has less; leave it out")  # fmt: skip
    from torchao.float8 import Float8LinearConfig, convert_to_float8_training

    def divisible(module: nn.Module, _: str) -> bool:
        return isinstance(module, nn.Linear) and module.in_features % 16 == 0 and module.out_features % 16 == 0

    # Packed rows have any length, which is a dimension of the weights' gradients: padded to a multiple of 16.
    settings = Float8LinearConfig(emulate=device.type == "cpu", pad_inner_dim=True)
    convert_to_float8_training(layers, module_filter_fn=divisible, config=settings)
