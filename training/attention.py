"""Attention that cannot leave a document of a packed row, in four kernels with one meaning. No Ray here.

`transformers` hands every attention layer of its newer models to one registered function; ours gets the documents'
lengths with the call and refuses to run without them, so that no layer can attend across documents unnoticed.

- `documents`: causal SDPA on each document by itself. No work outside the documents; the fastest on a CPU.
- `sdpa`: one SDPA under a dense block-diagonal mask. Quadratic in the packed row; runs anywhere.
- `flex`: flex attention with a block mask, compiled; CUDA in any type. On a CPU torch has its forward pass alone.
- `flash`: variable-length flash attention (`torch.nn.attention.varlen`); CUDA in bfloat16.

Not covered: `flash` ran on an H100 in `bench.mfu` alone, against no reference; compiled `flex` has not been run by us.

Shapes: S tokens of the packed row · H heads · G heads of keys and values · D dimensions of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

NAME = "wavecoder_documents"
"""Under which `transformers` knows the function."""

Kernel = Literal["documents", "sdpa", "flex", "flash"]

PACKABLE = frozenset({
    "gemma", "gpt_bigcode", "llama", "mistral", "olmo2", "phi3", "qwen2", "qwen3", "starcoder2",
})  # fmt: skip
"""Model types whose every layer mixes tokens through that function alone and whose logits are their head's output. A
test proves confinement for each: packed equals unpacked."""


@dataclass(frozen=True)
class Documents:
    """Where the documents of a packed row lie, in the form that a kernel wants."""

    lengths: tuple[int, ...]
    kernel: Kernel
    mask: Any = None
    """`sdpa`: bool (1, 1, S, S); `flex`: block mask."""
    bounds: Tensor | None = None
    """`flash`: int32, where each document begins, and S."""


def check_packable(config: Any, max_length: int) -> None:
    """Refuse a model for which packed rows would not be computed as rows by themselves.

    Args:
        config: the model's, of `transformers`.
        max_length: longest document.

    Raises:
        ValueError: its type is not known to confine attention, or it attends within a window shorter than a document.
    """
    if config.model_type not in PACKABLE:
        raise ValueError(
            f"train.packing: attention of model type {config.model_type!r} is not known to stay within a document "
            f"(known: {', '.join(sorted(PACKABLE))}); set train.packing: false"
        )
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    if window is not None and window < max_length:
        raise ValueError(f"train.packing: the model attends within a window of {window} tokens, shorter than "
                         f"train.max_length {max_length}; lower that or set train.packing: false")  # fmt: skip


def choose_kernel(wanted: str, device: torch.device, dtype: torch.dtype) -> Kernel:
    """The kernel that `train.attention` stands for on this device."""
    if wanted != "auto":
        return wanted  # type: ignore[return-value]
    return "flash" if device.type == "cuda" and dtype == torch.bfloat16 else "documents"


def describe_documents(lengths: Sequence[int], kernel: Kernel, device: torch.device) -> Documents:
    """Prepare once for each packed row what all layers use."""
    if kernel == "documents":
        return Documents(tuple(lengths), kernel)
    if kernel == "flash":
        return Documents(
            tuple(lengths), kernel, bounds=torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)
        )
    owner_S = torch.repeat_interleave(torch.tensor(lengths)).to(device)
    if kernel == "sdpa":
        mask = (owner_S[:, None] == owner_S[None, :]).tril()[None, None]
        return Documents(tuple(lengths), kernel, mask)
    from torch.nn.attention.flex_attention import create_block_mask

    def same_document(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:  # noqa: ARG001
        return (query >= key) & (owner_S[query] == owner_S[key])

    size = len(owner_S)
    return Documents(tuple(lengths), kernel, create_block_mask(same_document, None, None, size, size, device=device))


@torch.compiler.disable  # the lengths differ from row to row: compiled, each would be a program of its own
def attend_within_documents(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001 - the signature is the library's
    **options: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each document.

    Args:
        module: the layer, named in errors.
        query: (1, H, S, D).
        key: (1, G, S, D).
        value: (1, G, S, D).
        attention_mask: always None here.
        options: `documents`, `scaling`, and what the layer adds.

    Returns:
        (1, S, H, D), and None for the weights that nobody asks for.
    """
    documents: Documents | None = options.get("documents")
    assert documents is not None, f"{type(module).__name__} was not told the documents of its packed row"
    assert not options.get("dropout"), "dropout of attention weights would depend on the packing"
    window = options.get("sliding_window")
    assert window is None or window >= max(documents.lengths), "the window is shorter than a document"
    kernels = {"documents": _each_document, "sdpa": _dense_mask, "flex": _flex, "flash": _flash}
    query, key = query.to(value.dtype), key.to(value.dtype)  # under autocast, rotary positions leave them in float32
    return kernels[documents.kernel](query, key, value, documents, options.get("scaling")), None


AttentionInterface.register(NAME, attend_within_documents)


def _each_document(query: Tensor, key: Tensor, value: Tensor, documents: Documents, scale: float | None) -> Tensor:
    lengths = list(documents.lengths)
    parts = zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True)
    attended = [
        functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale, enable_gqa=True).transpose(1, 2)
        for q, k, v in parts
    ]
    return torch.cat(attended, 1)


def _dense_mask(query: Tensor, key: Tensor, value: Tensor, documents: Documents, scale: float | None) -> Tensor:
    attended = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=documents.mask, scale=scale, enable_gqa=True
    )
    return attended.transpose(1, 2).contiguous()


def _flex(query: Tensor, key: Tensor, value: Tensor, documents: Documents, scale: float | None) -> Tensor:
    attend = _flex_kernel(query.device.type)
    attended = attend(query, key, value, block_mask=documents.mask, scale=scale, enable_gqa=True)
    return attended.transpose(1, 2).contiguous()


@cache
def _flex_kernel(device: str) -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True) if device == "cuda" else flex_attention


def _flash(query: Tensor, key: Tensor, value: Tensor, documents: Documents, scale: float | None) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    groups = query.shape[1] // key.shape[1]
    q, k, v = (
        tensor.repeat_interleave(repeats, 1)[0].transpose(0, 1).contiguous()
        for tensor, repeats in ((query, 1), (key, groups), (value, groups))
    )
    longest = max(documents.lengths)
    attended = varlen_attn(
        q, k, v, documents.bounds, documents.bounds, longest, longest, scale=scale, window_size=(-1, 0)
    )
    return attended[None]
