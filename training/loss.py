"""Micro-batch → the sum of its response tokens' cross-entropy, without ever holding all logits. No Ray here.

The head is computed only where a response token is predicted and, in the packed form, for a slice of those positions at
a time: the forward pass computes the slice's logits, its loss and at once the gradients of hidden states and head, and
lets the logits go. This is the method of Liger Kernel (Hsu et al. 2024) in plain PyTorch: no work is done twice.

Shapes: S tokens of the packed row · K predicted positions · C of them in a slice · D dimensions · V vocabulary.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from training.attention import Documents, Kernel, describe_documents
from training.batches import Batch, PaddedBatch
from training.examples import IGNORED
from training.memory.sequence import Share, stretch_of
from training.model_types import PLAIN_HEAD, RAW
from training.packing import PackedBatch
from training.rope import chooses_by_row

SLICE_ELEMENTS = 2**25
"""Logits held at a time: 128 MiB in float32."""


_OF_THE_MACHINE = re.compile(r"memory|gloo|nccl|cuda|connection|socket|timed out", re.IGNORECASE)
"""In messages of errors that a new attempt may mend, or that are told elsewhere."""


class _SlicedCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy of `hidden @ weight.T`; gradients are made in the forward pass."""

    @staticmethod
    def forward(ctx: Any, hidden_KD: Tensor, weight_VD: Tensor, targets_K: Tensor, size: int) -> Tensor:
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        loss = torch.zeros((), dtype=torch.float32, device=hidden_KD.device)
        hidden_grad_KD = torch.empty_like(hidden_KD) if wants_hidden else None
        weight_grad_VD = torch.zeros_like(weight_VD, dtype=torch.float32) if wants_weight else None
        for start in range(0, len(targets_K), size):
            rows = slice(start, start + size)
            hidden_CD, targets_C = hidden_KD[rows], targets_K[rows]
            logits_CV = (hidden_CD @ weight_VD.T).float()
            largest_C1 = logits_CV.logsumexp(1, keepdim=True)
            loss += (largest_C1 - logits_CV.gather(1, targets_C[:, None])).sum()
            if hidden_grad_KD is None and weight_grad_VD is None:
                continue
            error_CV = logits_CV.sub_(largest_C1).exp_()  # the softmax, in the logits' place
            error_CV[torch.arange(len(targets_C), device=targets_C.device), targets_C] -= 1.0
            error_CV = error_CV.to(hidden_KD.dtype)
            if hidden_grad_KD is not None:
                hidden_grad_KD[rows] = error_CV @ weight_VD
            if weight_grad_VD is None:
                continue
            if weight_grad_VD.dtype == hidden_CD.dtype:
                weight_grad_VD.addmm_(error_CV.T, hidden_CD)  # without a second matrix of the head's size
            else:
                weight_grad_VD += error_CV.T @ hidden_CD
        ctx.hidden_grad_KD = hidden_grad_KD
        ctx.weight_grad_VD = None if weight_grad_VD is None else weight_grad_VD.to(weight_VD.dtype)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        # In place: the graph is freed behind its one backward pass, and the head's gradient is as large as the head.
        made = ctx.hidden_grad_KD, ctx.weight_grad_VD
        ctx.hidden_grad_KD = ctx.weight_grad_VD = None
        hidden, weight = (None if grad is None else grad.mul_(grads[0].to(grad.dtype)) for grad in made)
        return hidden, weight, None, None


def sliced_cross_entropy(hidden_KD: Tensor, weight_VD: Tensor, targets_K: Tensor, size: int | None = None) -> Tensor:
    """Sum over K of the cross-entropy of the head's logits; float32 scalar, differentiable.

    Args:
        hidden_KD: last hidden states, float32 or bfloat16.
        weight_VD: the head's, same type.
        targets_K: int64 token numbers.
        size: positions of a slice; None holds `SLICE_ELEMENTS` logits.

    Cost: 2·K·D·V FLOP for the loss and 4·K·D·V for both gradients, as the plain form. Memory: C·V logits and the head's
    gradient in float32, instead of 2·K·V.
    """
    loss: Tensor = _SlicedCrossEntropy.apply(  # type: ignore[no-untyped-call]  # torch gives it no types
        hidden_KD, weight_VD, targets_K, size or max(1, SLICE_ELEMENTS // len(weight_VD))
    )
    return loss


class Learner(nn.Module):
    """A causal language model with its loss inside, so that FSDP gathers the head's weights for it too."""

    def __init__(
        self, causal: Any, kernel: Kernel | None, autocast: torch.dtype | None = None, share: Share | None = None
    ) -> None:
        """Wrap a model.

        Args:
            causal: a causal language model of `transformers`.
            kernel: of the attention within packed rows; None where rows are padded.
            autocast: compute in this type; None where FSDP sees to it, or nothing is to change.
            share: of each packed row, where several workers share it.
        """
        super().__init__()
        self.causal = causal
        self._kernel = kernel
        self._autocast = autocast
        self._share = share
        self.device = next(causal.parameters()).device
        """Where it computes; its weights may lie elsewhere (`train.offload`)."""

    def forward(self, batch: Batch) -> Tensor:
        """Sum of the cross-entropy over the batch's response tokens, those of this worker's share; float32 scalar.

        Raises:
            ValueError: the model's code does not read the batch.
        """
        try:
            return self._loss(batch)
        except RAW as error:
            line = " ".join(str(error).split())[:300]
            if line.startswith("train.") or isinstance(error, dist.DistError) or _OF_THE_MACHINE.search(line):
                raise
            kind = self.causal.config.model_type
            raise ValueError(f"train.model: transformers' code of model type {kind!r} does not read a row "
                             f"({type(error).__name__}: {line}); take another model") from error  # fmt: skip

    def _loss(self, batch: Batch) -> Tensor:
        device = self.causal.get_input_embeddings().weight.device
        with torch.autocast(device.type, self._autocast) if self._autocast else nullcontext():
            routes = self.training and balances_experts(self.causal)
            if isinstance(batch, PaddedBatch):
                return _padded_loss(self.causal, batch, device, routes=routes)
            assert self._kernel is not None
            documents = describe_documents(batch.lengths, self._kernel, device, self._share)
            return _packed_loss(self.causal, stretch_of(batch, self._share), documents, device, routes=routes)


def balances_experts(causal: Any) -> bool:
    """Whether the model's own configuration adds a loss that spreads tokens over its experts."""
    return bool(getattr(causal.config, "output_router_logits", False)) and _balancing(causal) is not None


def _balancing(causal: Any) -> Any:
    return getattr(sys.modules[type(causal).__module__], "load_balancing_loss_func", None)


def _routing_loss(
    causal: Any, router_logits: Sequence[Tensor], rows: Sequence[Tensor], counts: Sequence[int]
) -> Tensor:
    """The routing loss of each row by itself, times its response tokens: as `transformers` adds it to a row's mean.

    Args:
        causal: a mixture of experts.
        router_logits: of each layer, (tokens, experts).
        rows: the numbers of each row's tokens.
        counts: response tokens of each row.
    """
    total = router_logits[0].new_zeros((), dtype=torch.float32)
    for row_S, count in zip(rows, counts, strict=True):
        layers = tuple(layer[row_S.to(layer.device)] for layer in router_logits)
        balance = _balancing(causal)(layers, causal.num_experts, causal.num_experts_per_tok, None)
        total = total + balance * count
    return total * causal.config.router_aux_loss_coef


def _packed_loss(
    causal: Any, batch: PackedBatch, documents: Documents, device: torch.device, *, routes: bool
) -> Tensor:
    row = {
        "input_ids": batch.input_ids_S[None].to(device), "position_ids": batch.positions_S[None].to(device),
        "documents": documents, "use_cache": False,
    }  # fmt: skip
    if causal.config.model_type not in PLAIN_HEAD:  # scaled, bounded or shifted logits: the model's own, all at once
        keep_K = batch.predicted_K if len(batch.predicted_K) else torch.zeros(1, dtype=torch.long)
        found = causal(**row, logits_to_keep=keep_K.to(device))
        logits_KV = found.logits[0].float()
        if len(batch.predicted_K) == 0:  # the backward pass still meets every parameter
            return logits_KV.sum() * 0.0
        loss = functional.cross_entropy(logits_KV, batch.targets_K.to(device), reduction="sum")
        if routes:
            rows = torch.arange(len(batch.input_ids_S)).split(list(batch.lengths))
            owner_S = torch.repeat_interleave(torch.tensor(batch.lengths))
            counts = torch.bincount(owner_S[batch.predicted_K.cpu()], minlength=len(rows)).tolist()
            loss = loss + _routing_loss(causal, found.router_logits, rows, counts)
        return loss
    hidden_SD = causal.base_model(**row).last_hidden_state.squeeze(0)
    hidden_KD = hidden_SD[batch.predicted_K.to(device)]
    weight_VD = causal.get_output_embeddings().weight
    if torch.is_autocast_enabled(device.type):
        hidden_KD, weight_VD = (x.to(torch.get_autocast_dtype(device.type)) for x in (hidden_KD, weight_VD))
    return sliced_cross_entropy(hidden_KD, weight_VD, batch.targets_K.to(device))


def _padded_loss(causal: Any, batch: PaddedBatch, device: torch.device, *, routes: bool) -> Tensor:
    """Any model's own logits, at the positions at which any row has a response."""
    labels_BS = batch.labels_BS.to(device)
    next_BS = torch.full_like(labels_BS, IGNORED)
    next_BS[:, :-1] = labels_BS[:, 1:]
    predicted_K = torch.nonzero((next_BS != IGNORED).any(0)).flatten()
    if len(predicted_K) == 0:
        predicted_K = torch.zeros(1, dtype=torch.long, device=device)  # the backward pass still meets every parameter
    mask_BS = batch.attention_mask_BS.to(device)
    positions = {"position_ids": (mask_BS.cumsum(-1) - 1).clamp(min=0) * mask_BS} if chooses_by_row(causal) else {}
    found = causal(
        input_ids=batch.input_ids_BS.to(device), attention_mask=mask_BS, logits_to_keep=predicted_K, **positions
    )
    logits_BKV = found.logits
    if logits_BKV.shape[1] != len(predicted_K):  # some types give all, whatever they are asked for
        logits_BKV = logits_BKV[:, predicted_K]
    targets = next_BS[:, predicted_K].flatten()
    loss = functional.cross_entropy(logits_BKV.float().flatten(0, 1), targets, ignore_index=IGNORED, reduction="sum")
    if routes:
        rows = [row_S.nonzero().flatten() + number * mask_BS.shape[1] for number, row_S in enumerate(mask_BS)]
        loss = loss + _routing_loss(causal, found.router_logits, rows, (next_BS != IGNORED).sum(1).tolist())
    return torch.where((targets != IGNORED).any(), loss, logits_BKV.float().sum() * 0.0)
