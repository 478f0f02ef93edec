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
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

from training.memory.sequence import Share, to_heads, to_tokens
from training.model_types import SCORED

NAME = "wavecoder_documents"
"""Under which `transformers` knows the function."""

Kernel = Literal["documents", "sdpa", "flex", "flash"]


@dataclass(frozen=True)
class Documents:
    """Where the documents of a packed row lie, in the form that a kernel wants."""

    lengths: tuple[int, ...]
    kernel: Kernel
    longest: int
    """Of the lengths; here, so that a compiled layer need not look at each of them."""
    mask: Any = None
    """`sdpa`: bool (1, 1, S, S); `flex`: block mask."""
    bounds: Tensor | None = None
    """`flash`: int32, where each document begins, and S."""
    share: Share | None = None
    """Of this worker, where several share the row; None: it is whole here."""


@dataclass(frozen=True)
class Rules:
    """What a layer asks of its attention beside confinement."""

    scale: float | None
    """Of the products; None: 1 / √D."""
    window: int | None
    """Tokens that a token attends to, itself among them, where that is fewer than a document; None: all before it."""
    softcap: float | None
    """Bound of the scores (Gemma 2)."""
    sinks_H: Tensor | None
    """A score for each head that takes its share and gives nothing (gpt-oss)."""


def choose_kernel(wanted: str, device: torch.device, dtype: torch.dtype, model_type: str = "llama") -> Kernel:
    """The kernel that `train.attention` stands for on this device.

    Args:
        wanted: the setting; anything but `auto` stands for itself.
        device: of the worker.
        dtype: that layers compute in.
        model_type: of the model's configuration.
    """
    if wanted != "auto":
        return wanted  # type: ignore[return-value]
    fast = device.type == "cuda" and dtype == torch.bfloat16 and model_type not in SCORED
    return "flash" if fast else "documents"


def describe_documents(
    lengths: Sequence[int], kernel: Kernel, device: torch.device, share: Share | None = None
) -> Documents:
    """Prepare once for each packed row what all layers use.

    Args:
        lengths: tokens of each document of the row; they add up to its positions S.
        kernel: that reads it.
        device: where masks and bounds are kept.
        share: of this worker, where several share the row.
    """
    described = Documents(tuple(lengths), kernel, max(lengths), share=share)
    if kernel == "documents":
        return described
    if kernel == "flash":
        return replace(described, bounds=torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device))
    owner_S = torch.repeat_interleave(torch.tensor(lengths)).to(device)
    if kernel == "sdpa":
        mask = (owner_S[:, None] == owner_S[None, :]).tril()[None, None]
        return replace(described, mask=mask)
    from torch.nn.attention.flex_attention import create_block_mask

    def same_document(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:  # noqa: ARG001
        return (query >= key) & (owner_S[query] == owner_S[key])

    size = len(owner_S)
    return replace(described, mask=create_block_mask(same_document, None, None, size, size, device=device))


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
    query, key = query.to(value.dtype), key.to(value.dtype)  # under autocast, rotary positions leave them in float32
    window = options.get("sliding_window")
    rules = Rules(
        options.get("scaling"), window if window and window < documents.longest else None,
        options.get("softcap"), options.get("s_aux"),
    )  # fmt: skip
    if documents.kernel in {"flex", "flash"} and (rules.softcap is not None or rules.sinks_H is not None):
        raise ValueError(f"train.attention {documents.kernel}: {type(module).__name__} bounds its scores or has sinks, "
                         "which it does not know; take documents")  # fmt: skip
    if documents.kernel == "flash" and documents.share is None:  # one operation for rows of any lengths
        return _flash(query, key, value, documents, rules), None
    return _by_lengths(query, key, value, documents, rules), None


@torch.compiler.disable  # the lengths differ from row to row: compiled, each would be a program of its own
def _by_lengths(query: Tensor, key: Tensor, value: Tensor, documents: Documents, rules: Rules) -> Tensor:
    kernels = {"documents": _each_document, "sdpa": _dense_mask, "flex": _flex, "flash": _flash}
    share = documents.share
    if share is None:
        return kernels[documents.kernel](query, key, value, documents, rules)
    query, key, value = (to_heads(tensor, share) for tensor in (query, key, value))
    if rules.sinks_H is not None:
        rules = replace(rules, sinks_H=rules.sinks_H.chunk(share.parts)[share.part])
    return to_tokens(kernels[documents.kernel](query, key, value, documents, rules), share)


AttentionInterface.register(NAME, attend_within_documents)


def _each_document(query: Tensor, key: Tensor, value: Tensor, documents: Documents, rules: Rules) -> Tensor:
    lengths = list(documents.lengths)
    parts = zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True)
    return torch.cat([_attend(q, k, v, None, rules) for q, k, v in parts], 1)


def _dense_mask(query: Tensor, key: Tensor, value: Tensor, documents: Documents, rules: Rules) -> Tensor:
    return _attend(query, key, value, documents.mask, rules).contiguous()


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, rules: Rules) -> Tensor:
    """Causal attention; (1, H, N, D) in, (1, N, H, D) out. `mask`, bool, confines it further."""
    size = query.shape[2]
    if rules.window is not None and rules.window < size:
        band = torch.ones(size, size, dtype=torch.bool, device=query.device).tril().triu(1 - rules.window)
        mask = band if mask is None else mask & band
    if rules.softcap is None and rules.sinks_H is None:
        attended = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=mask is None, scale=rules.scale, enable_gqa=True
        )
        return attended.transpose(1, 2)
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = (query @ key.transpose(2, 3)).float() * (rules.scale or query.shape[-1] ** -0.5)
    if rules.softcap is not None:
        scores = torch.tanh(scores / rules.softcap) * rules.softcap
    allowed = torch.ones(size, size, dtype=torch.bool, device=query.device).tril() if mask is None else mask
    scores = scores.masked_fill(~allowed, float("-inf"))
    if rules.sinks_H is not None:  # one more place to attend to, whose value is nothing
        sinks = rules.sinks_H.float().view(1, -1, 1, 1).expand(1, -1, size, 1)
        weights = torch.cat([scores, sinks], -1).softmax(-1)[..., :-1]
    else:
        weights = scores.softmax(-1)
    return (weights.to(value.dtype) @ value).transpose(1, 2)


def _flex(query: Tensor, key: Tensor, value: Tensor, documents: Documents, rules: Rules) -> Tensor:
    attend = _flex_kernel(query.device.type)
    attended = attend(query, key, value, block_mask=documents.mask, scale=rules.scale, enable_gqa=True)
    return attended.transpose(1, 2).contiguous()


@cache
def _flex_kernel(device: str) -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True) if device == "cuda" else flex_attention


def _flash(query: Tensor, key: Tensor, value: Tensor, documents: Documents, rules: Rules) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    # squeezed, not indexed: the gradient of an index is written into zeros
    q, k, v = (tensor.squeeze(0).transpose(0, 1).contiguous() for tensor in (query, key, value))
    assert documents.bounds is not None
    attended = varlen_attn(
        q,
        k,
        v,
        documents.bounds,
        documents.bounds,
        documents.longest,
        documents.longest,
        scale=rules.scale,
        window_size=(-1 if rules.window is None else rules.window - 1, 0),
        enable_gqa=q.shape[1] != k.shape[1],
    )
    assert isinstance(attended, Tensor)
    return attended[None]
