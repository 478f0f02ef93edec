"""A base model and its tokenizer, checked; and its shards over the workers. No Ray here."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.template import install_chat_template


def load_tokenizer(model: str) -> Any:
    """The model's tokenizer with the paper's prompt baked in.

    Raises:
        ValueError: there is none, or it has no end of sequence.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"train.model {model!r} has no tokenizer that loads: {_line(error)}") from None
    install_chat_template(tokenizer)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(model: str, tokenizer: Any) -> Any:
    """The base model in float32, from safetensors.

    Raises:
        ValueError: it is no causal language model, or its vocabulary is smaller than the tokenizer's.
    """
    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            model, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"train.model {model!r} is no causal language model that loads: {_line(error)}") from None
    if len(tokenizer) > loaded.config.vocab_size:
        raise ValueError(f"train.model {model!r}: the tokenizer knows {len(tokenizer)} tokens, the model "
                         f"{loaded.config.vocab_size}; they do not belong together")  # fmt: skip
    loaded.config.use_cache = False
    return loaded


def shard_model(model: Any, mesh: DeviceMesh | None, dtype: torch.dtype, *, activation_checkpointing: bool) -> None:
    """Shard parameters, gradients and optimizer state over the mesh (FSDP2), layer by layer; in place.

    Args:
        model: a `transformers` causal language model.
        mesh: one dimension, all workers; None leaves the model whole.
        dtype: of the computation; parameters and the reduction of gradients stay float32.
        activation_checkpointing: compute activations again in the backward pass.
    """
    if activation_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if mesh is None:
        return
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32) if dtype != torch.float32 else None
    options: dict[str, Any] = {"mesh": mesh} | ({"mp_policy": policy} if policy else {})
    # On CPUs gathering weights a second time for the backward pass costs more time than keeping them costs memory.
    options["reshard_after_forward"] = mesh.device_type != "cpu"
    for layer in _decoder_layers(model):
        fully_shard(layer, **options)
    fully_shard(model, **options)


def _decoder_layers(model: nn.Module) -> nn.ModuleList:
    """The longest list of modules: the decoder's layers in every causal language model of `transformers`."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ValueError(f"{type(model).__name__} has no list of layers to shard; train it with one worker")
    return max(lists, key=len)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
