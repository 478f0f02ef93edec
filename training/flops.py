"""How much of the machine a step used: floating-point operations, their share of the peak, memory. No Ray here.

Model FLOP of a step (forward and backward, nothing computed twice counted):

    6·N·T + 6·D·V·K + 6·L·A·Σ n²

N weights of the decoder layers, T tokens, D·V the head computed at K learnt positions, L layers, A width of all heads,
n tokens of each row; the last term is causal attention, half of 12·L·A·n² for each row. Frozen weights cost 4 instead
of 6: no gradient of their own. MFU = that / seconds / (peak FLOP/s × workers).
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch

from training.memory.quantised import Nf4Linear
from training.model import decoder_layers

PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "A10G": 70e12, "L4": 121e12, "L40S": 362e12, "V100": 125e12}
"""Dense bfloat16 FLOP/s of a card (float16 for V100), from its data sheet."""


class Workload:
    """The FLOP of a step of one model."""

    def __init__(self, causal: Any) -> None:
        """Count its weights; before or after sharding."""
        layers = decoder_layers(causal)
        config = causal.config
        self._trained = sum(weight.numel() for weight in layers.parameters() if weight.requires_grad)
        self._frozen = sum(weight.numel() for weight in layers.parameters()) - self._trained
        self._frozen += sum(each.in_features * each.out_features for each in layers.modules()
                            if isinstance(each, Nf4Linear))  # fmt: skip
        head = causal.get_output_embeddings().weight
        self._head = head.numel() * (6 if head.requires_grad else 4)
        described = config.to_dict()  # read as attributes, some sizes of models with unlike layers are refused
        heads = described.get(config.attribute_map.get("num_attention_heads", "num_attention_heads")) or 0  # or none
        width = described.get("head_dim") or (config.hidden_size // heads if heads else 0)
        self._attention = 6 * len(layers) * heads * width

    def flop(self, lengths: Sequence[int], num_learnt: int) -> float:
        """Of one step over rows of these lengths."""
        linear = (6.0 * self._trained + 4.0 * self._frozen) * sum(lengths)
        return linear + float(self._head) * num_learnt + float(self._attention) * sum(n * n for n in lengths)


@cache
def peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of one worker: a known card's data sheet, else the best of three large matrix products."""
    if device.type == "cuda" and dtype == torch.bfloat16:
        words = torch.cuda.get_device_name(device).split()
        known = [peak for name, peak in PEAKS.items() if any(name in word.split("-") for word in words)]
        if known:
            return known[0]
    return matrix_flops(device, dtype, 4096 if device.type == "cuda" else 768, 3)


def matrix_flops(device: torch.device, dtype: torch.dtype, size: int, times: int) -> float:
    """FLOP/s of a product of two (size, size) matrices, the best of so many times."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        float((a @ b)[0, 0])  # waits for the device
        seconds.append(time.perf_counter() - begun)
    return 2.0 * size**3 / min(seconds)


def peak_memory(device: torch.device) -> int:
    """Most bytes that this process has held: of the card, or of main memory."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kilobytes on Linux
