"""A base model and its tokenizer, checked; built without weights, filled and sharded layer by layer. No Ray here.

No worker ever holds the whole model: each layer is read, sharded over the workers (FSDP2), and only then the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy, OffloadPolicy, fully_shard
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts
from transformers import AutoConfig, AutoModelForCausalLM

from training.adapters import (
    first_adapter,
    insert_adapters,
    is_adapter,
    layer_sized_by,
    quantise_base,
    read_adapter,
    sizes_of,
    stored_name,
)
from training.attention import NAME, choose_kernel
from training.conversion import ModelWeights
from training.loss import Learner
from training.memory.float8 import check_float8, use_float8
from training.memory.sequence import share_of
from training.model_types import RAW, check_rules, check_shared, check_type
from training.preference.pairs import check_trl
from training.rope import choose_by_row
from training.safetensors_reader import StoredWeights
from training.services.trackers import check_trackers
from training.settings import TrainConfig
from training.template import install_chat_template
from training.tokenizer import load_own

log = logging.getLogger("wavecoder.training")

_aten = torch.ops.aten
_KEPT = {
    _aten.mm.default, _aten.addmm.default, _aten.bmm.default,
    _aten._scaled_dot_product_flash_attention.default, _aten._scaled_dot_product_flash_attention_for_cpu.default,
    _aten._scaled_dot_product_efficient_attention.default,
}  # fmt: skip
"""What selective checkpointing keeps: the results of matrix products and of attention; the rest is cheap to redo."""


def load_tokenizer(model: str, prompt: str = "paper") -> Any:
    """The model's tokenizer with a prompt baked in: the paper's, the model's own, or a template.

    Args:
        model: folder or hub id.
        prompt: as `train.prompt`.

    Raises:
        ValueError: there is none, it has no end of sequence, it does not give code back, or the prompt's answers cannot
            be told from the rest.
    """
    try:
        tokenizer = load_own(model)
    except ValueError as error:
        raise ValueError(f"train.model {error}") from None
    install_chat_template(tokenizer, prompt)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def check_model(config: TrainConfig, tokenizer: Any) -> Any:
    """The model's own configuration, when it can be trained as asked; nothing large is read.

    Raises:
        ValueError: it is no causal language model alone, it is quantised, its vocabulary is smaller than the
            tokenizer's, it knows fewer positions than a row has, or its type is not proved packed or padded as asked.
    """
    try:
        found = AutoConfig.from_pretrained(config.model, trust_remote_code=False)
    except (OSError, StrictDataclassError, *RAW) as error:
        raise ValueError(_unusable(config.model, error)) from None
    parts = {name for name in found.sub_configs if name.startswith(("text", "vision", "audio"))}
    if found.get_text_config() is not found or parts:
        raise ValueError(f"train.model {config.model!r}: model type {found.model_type!r} holds more than a language "
                         "model and cannot be trained here; take a text-only model of its family")  # fmt: skip
    if getattr(found, "quantization_config", None) is not None:
        raise ValueError(_quantised(config.model, "config.json has a quantization_config"))
    if getattr(found, "vocab_size", None) is None:
        raise ValueError(f"train.model {config.model!r}: model type {found.model_type!r} has no vocabulary; take a "
                         "causal language model")  # fmt: skip
    if len(tokenizer) > found.vocab_size:
        raise ValueError(f"train.model {config.model!r}: the tokenizer knows {len(tokenizer)} tokens, the model "
                         f"{found.vocab_size}; they do not belong together")  # fmt: skip
    check_type(found, packing=config.packing, micro_batch=config.micro_batch)
    positions = getattr(found, "max_position_embeddings", None)
    if positions is not None and 0 <= positions < config.max_length:
        raise ValueError(f"train.max_length is {config.max_length} but train.model {config.model!r} knows "
                         f"{positions} positions; lower it")  # fmt: skip
    if config.packing:
        check_rules(found, config.max_length, config.attention)
    if config.context_parallel > 1:
        check_shared(found, config.context_parallel)
    switch_dropout_off(found)
    found.use_cache = False
    return found


def switch_dropout_off(described: Any) -> None:
    """Change a configuration so that a row's result does not depend on packing, micro-batches and workers."""
    for name, value in described.to_dict().items():
        if isinstance(value, float) and ("drop" in name or name.endswith("jitter_noise")):
            setattr(described, name, 0.0)


def check_trainable(config: TrainConfig) -> None:
    """All that training would refuse of its model, before anything is spent; nothing large is read.

    Raises:
        ValueError: tokenizer, configuration or files cannot be used as asked.
    """
    if config.objective != "sft":
        check_trl()
    check_trackers(config.track)
    if config.fp8:
        check_float8()
    described = check_model(config, load_tokenizer(config.model, config.prompt))
    stored = _open_weights(config.model)
    causal = _without_weights(config.model, described, packing=config.packing)
    weights = ModelWeights(causal, stored)
    _insert_adapters(causal, config, weights)
    _check_complete(causal, weights, config.model)
    for name, parameter in causal.named_parameters():
        if not is_adapter(name) and stored_name(name) in weights:
            _check_shape(stored_name(name), weights.shape(stored_name(name)), parameter.shape)
    if config.lora_from:
        _first_values(causal, config, weights)


def mesh_of_workers(config: TrainConfig, device: torch.device) -> DeviceMesh | None:
    """All workers; None for one alone in float32, whom sharding would only cost copies of weights and gradients.

    In bfloat16 FSDP also makes the low weights, a layer at a time, which saves one worker memory; it also offloads.
    """
    alone = dist.is_initialized() and dist.get_world_size() == 1 and config.dtype == "float32"
    if not dist.is_initialized() or (alone and not config.offload):
        return None
    return init_device_mesh(device.type, (dist.get_world_size(),))


def build_learner(config: TrainConfig, tokenizer: Any, device: torch.device, mesh: DeviceMesh | None = None) -> Learner:
    """The base model with its loss, in float32, sharded over the mesh.

    Args:
        config: model, adapters, type of the computation, checkpointing, compilation.
        tokenizer: the model's.
        device: where to train.
        mesh: one dimension, all workers; None leaves the model whole.

    Raises:
        ValueError: the model cannot be used.
    """
    described = check_model(config, tokenizer)
    stored = _open_weights(config.model)
    dtype = getattr(torch, config.dtype)
    kernel = choose_kernel(config.attention, device, dtype, described.model_type) if config.packing else None
    causal = _without_weights(config.model, described, packing=config.packing)
    weights = ModelWeights(causal, stored)
    if _holds_own_head(causal, weights):
        described.tie_word_embeddings = False
        causal = _without_weights(config.model, described, packing=config.packing)
        weights = ModelWeights(causal, stored)
    choose_by_row(causal)
    _insert_adapters(causal, config, weights)
    low = dtype if dtype != torch.float32 else None
    if config.fp8:
        use_float8(decoder_layers(causal), device)
    share = share_of(mesh, config.context_parallel)
    learner = Learner(causal, kernel, low if mesh is None else None, share)
    learner.device = device
    _fill_and_shard(learner, config, mesh, low, weights)
    for module in learner.modules():
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else buffer.to(device)
    if mesh is None:
        learner.to(device)
    _save_memory(causal, config)
    if config.compile:
        for layer in decoder_layers(causal):
            layer.compile(dynamic=True)
    return learner


def decoder_layers(model: nn.Module) -> nn.ModuleList:
    """The list of modules with the most weights: the decoder's layers, which hold each layer's list of experts."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ValueError(f"{type(model).__name__} has no list of layers to shard; it cannot be trained here")
    return max(lists, key=lambda each: (sum(weight.numel() for weight in each.parameters()), len(each)))


def _without_weights(model: str, described: Any, *, packing: bool) -> Any:
    from accelerate import init_empty_weights

    options = {"attn_implementation": NAME} if packing else {}
    try:
        with init_empty_weights(include_buffers=False):
            return AutoModelForCausalLM.from_config(described, dtype=torch.float32, trust_remote_code=False, **options)
    except RAW as error:
        raise ValueError(_unusable(model, error)) from None


def _insert_adapters(causal: Any, config: TrainConfig, weights: ModelWeights) -> None:
    if config.lora_rank and _shares_layers(causal, weights):
        raise ValueError(f"train.lora_rank: layers of train.model {config.model!r} share weights, into which no "
                         "adapter of one layer can be merged; set it to 0")  # fmt: skip
    if config.lora_rank:
        insert_adapters(causal, config.lora_rank, config.lora_alpha, stabilized=config.lora_rank_stabilized,
                        dora=config.lora_dora)  # fmt: skip


def _open_weights(model: str) -> StoredWeights:
    try:
        stored = StoredWeights(model)
    except OSError as error:
        raise ValueError(_unusable(model, error)) from None
    quantised = stored.quantised()
    if quantised is not None:
        raise ValueError(_quantised(model, f"its files hold {quantised!r}"))
    return stored


def _holds_own_head(causal: Any, weights: ModelWeights) -> bool:
    """Whether the files of a model that says it ties its head hold another one, which `transformers` then keeps."""
    return _ties(causal.config) and any(
        head in weights and embedding in weights and not torch.equal(weights.read(head), weights.read(embedding))
        for head, embedding in (causal._tied_weights_keys or {}).items()
    )


def _ties(config: Any) -> bool:
    return bool(getattr(config, "tie_word_embeddings", False))  # some types cannot, and do not say so


def _fill_and_shard(
    learner: Learner, config: TrainConfig, mesh: DeviceMesh | None, low: torch.dtype | None, weights: ModelWeights
) -> None:
    """Read each layer's weights and shard it before the next is read; then what is around the layers."""
    _check_complete(learner.causal, weights, config.model)
    names = {id(module): f"{name}." for name, module in learner.causal.named_modules() if name}
    policy = MixedPrecisionPolicy(param_dtype=low, reduce_dtype=torch.float32) if low else MixedPrecisionPolicy()
    on_gpu = mesh is not None and mesh.device_type != "cpu"
    place = CPUOffloadPolicy(pin_memory=on_gpu) if config.offload else OffloadPolicy()
    # On CPUs gathering weights a second time for the backward pass costs more time than keeping them costs memory: only
    # where activations are recomputed too, for those who trade time for memory anyway.
    again = on_gpu or config.activation_checkpointing == "full"
    first = _first_values(learner.causal, config, weights)
    apart = mesh is not None and not _shares_layers(learner.causal, weights)  # a weight is sharded once
    for layer in decoder_layers(learner.causal):
        _fill(layer, names[id(layer)], weights, first)
        if config.lora_base == "nf4":
            quantise_base(layer, learner.device)
        if apart:
            fully_shard(layer, mesh=mesh, mp_policy=policy, reshard_after_forward=again, offload_policy=place)
    _fill(learner.causal, "", weights, first)
    learner.causal.tie_weights()
    if mesh is not None:
        fully_shard(learner, mesh=mesh, mp_policy=policy, reshard_after_forward=again, offload_policy=place)


def _shares_layers(causal: Any, weights: ModelWeights) -> bool:
    """Whether layers have weights in common (Zamba)."""
    return any(
        id(module) in {id(layer) for layer in decoder_layers(causal)}
        and any(copy.startswith(f"{name}.") for copy in weights.tied)
        for name, module in causal.named_modules()
    )


def _first_values(
    causal: Any, config: TrainConfig, weights: ModelWeights
) -> Callable[[str, tuple[int, ...]], torch.Tensor]:
    """What gives each parameter of an adapter its start: an adapter to go on from, or name, seed and base weight."""
    if config.lora_from:
        starts = read_adapter(config.lora_from, config.lora_rank, scale=config.lora_scale, dora=config.lora_dora)
        _check_adapter(causal, starts, config)
        return lambda name, _: starts[name].float()

    def first(name: str, shape: tuple[int, ...]) -> torch.Tensor:
        layer = layer_sized_by(name)
        if layer is None:
            return first_adapter(name, shape, config.seed)
        return sizes_of(weights.read(f"{layer}.weight"), causal.get_submodule(layer))

    return first


def _check_complete(causal: Any, weights: ModelWeights, model: str) -> None:
    missing = [
        name for name, _ in causal.named_parameters()
        if not is_adapter(name) and stored_name(name) not in weights and stored_name(name) not in weights.tied
    ]  # fmt: skip
    if missing:
        raise ValueError(f"train.model {model!r}: its files lack {len(missing)} weights of its architecture, "
                         f"the first {missing[0]!r}; download them again")  # fmt: skip


def _check_adapter(causal: Any, starts: dict[str, torch.Tensor], config: TrainConfig) -> None:
    wanted = {name: weight.shape for name, weight in causal.named_parameters() if is_adapter(name)}
    wrong = sorted(wanted.keys() ^ starts.keys()) or [
        name for name, shape in wanted.items() if starts[name].shape != shape
    ]
    if wrong:
        raise ValueError(f"train.lora_from {config.lora_from!r} is of another model or other layers than all linear "
                         f"ones: {len(wrong)} of its weights do not fit, the first {wrong[0]!r}")  # fmt: skip


def _fill(
    module: nn.Module, prefix: str, weights: ModelWeights, first: Callable[[str, tuple[int, ...]], torch.Tensor]
) -> None:
    """Give a module's parameters that have no values yet theirs, and its buffers those that are stored."""
    values = {}
    for name, parameter in module.named_parameters():
        full = prefix + name
        if parameter.device.type != "meta":
            continue
        if is_adapter(full):
            values[name] = first(full, tuple(parameter.shape))
        elif stored_name(full) in weights:
            values[name] = weights.read(stored_name(full))
            _check_shape(stored_name(full), values[name].shape, parameter.shape)
            if not values[name].sum().isfinite() and not values[name].isfinite().all():  # the sum needs no second copy
                raise ValueError(f"train.model: its files hold {stored_name(full)!r} with values that are NaN or "
                                 "infinite; download it again")  # fmt: skip
    for name, buffer in module.named_buffers():
        if prefix + name in weights:
            buffer.copy_(weights.read(prefix + name))
    module.load_state_dict(values, strict=False, assign=True)


def _check_shape(name: str, found: torch.Size, wanted: torch.Size) -> None:
    if found != wanted:
        raise ValueError(f"train.model: its files hold {name!r} of shape {tuple(found)}, its configuration wants "
                         f"{tuple(wanted)}; they do not belong together")  # fmt: skip


def _save_memory(causal: Any, config: TrainConfig) -> None:
    if config.activation_checkpointing == "none":
        return
    options: dict[str, Any] = {"use_reentrant": False}
    if config.activation_checkpointing == "selective":
        options["context_fn"] = partial(create_selective_checkpoint_contexts, _keep_products)
    causal.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)


def _keep_products(context: Any, operation: Any, *_: Any, **__: Any) -> CheckpointPolicy:  # noqa: ARG001
    return CheckpointPolicy.MUST_SAVE if operation in _KEPT else CheckpointPolicy.PREFER_RECOMPUTE


def _quantised(model: str, why: str) -> str:
    return f"train.model {model!r} is quantised ({why}); take the model with its weights in bfloat16 or float32"


def _unusable(model: str, error: Exception) -> str:
    return f"train.model {model!r} is no causal language model that loads: {_line(error)}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:600]
