"""A question, and an engine's settings, in the words of vLLM and of SGLang. Pure.

SGLang's names are those of its `SamplingParams` and `ServerArgs` (read in its repository in November 2026).
"""

from __future__ import annotations

import json
from typing import Any

from core.chat import ChatRequest
from serve.client.schema_dialects import in_dialect
from serve.engines.settings import EngineConfig

Row = dict[str, Any]


def vllm_sampling(request: ChatRequest) -> Row:
    """`SamplingParams` of vLLM."""
    sampling: Row = {name: getattr(request, name) for name in ("max_tokens", "temperature", "seed", "stop")}
    if request.schema is not None:
        # As text: Arrow would make one wide struct of all schemas.
        sampling["structured_outputs"] = {"json": json.dumps(in_dialect(request.schema, "vllm"))}
    return sampling


def sglang_sampling(request: ChatRequest) -> Row:
    """`SamplingParams` of SGLang. Its seed counts only where the engine runs with `enable_deterministic_inference`."""
    return {
        "max_new_tokens": request.max_tokens,
        "temperature": request.temperature,
        "sampling_seed": request.seed,
        "stop": request.stop,
        "json_schema": None if request.schema is None else json.dumps(in_dialect(request.schema, "unlimited")),
    }


def sglang_arguments(config: EngineConfig) -> Row:
    """`ServerArgs` of an SGLang engine; `extra` in SGLang's names.

    Raises:
        ValueError: it would run on no GPU or on a part of one, or with adapters.
    """
    if config.gpus < 1:
        raise ValueError(f"engines: sglang takes whole GPUs, and gpus is {config.gpus:g}; set serve.engine.gpus")
    if config.adapters is not None:
        raise ValueError("engines: sglang serves no adapters; leave serve.engine.adapters out, or take engines: serve")
    return {
        "task": "generate",
        "dtype": config.dtype,
        "context_length": config.max_model_len,
        "max_running_requests": config.max_num_seqs,
        "disable_cuda_graph": config.enforce_eager,
        "tp_size": round(config.gpus),
        "trust_remote_code": False,
        "skip_tokenizer_init": False,  # a grammar and stop words need the tokenizer
    } | config.extra
