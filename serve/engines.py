"""Model → engine: what a vLLM replica is started with, on a laptop's CPU or on cluster GPUs. No Ray here."""

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, PositiveInt


class EngineConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """One kind of vLLM replica. The defaults are the demo's: float32 on the CPU, eager, so that it starts fast."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "float32"
    """float32 is 4 to 5 times faster than bfloat16 on a CPU without bf16 instructions; "auto" on GPUs."""

    max_model_len: PositiveInt = 2048
    """Prompt and answer together, in tokens."""

    max_num_seqs: PositiveInt = 64
    """Sequences that one replica decodes together."""

    enforce_eager: bool = True
    """Start without compiling: seconds instead of minutes on a CPU, a few per cent slower once it runs."""

    gpus: float = Field(default=0.0, ge=0.0)
    """GPUs of one replica; 0 runs on the CPU. Above 1 is tensor parallelism."""

    cpus: PositiveInt = 1
    """Logical CPUs of one replica."""

    accelerator_type: str | None = None
    """GPU type that Ray must place the replica on, such as "A10G"; None takes any."""

    min_replicas: PositiveInt = 1
    """Replicas that always run."""

    max_replicas: PositiveInt = 1
    """Most replicas. Serve takes one for every `max_num_seqs` requests in flight: `generate.concurrency` has to
    be as large as all of them together."""

    kv_cache_gib: PositiveInt = 1
    """CPU only: key-value cache of one replica in GiB (1 holds 23,296 tokens of the demo's model)."""

    extra: dict[str, Any] = {}
    """More vLLM engine arguments, passed on as they are."""


def engine_arguments(config: EngineConfig) -> dict[str, Any]:
    """Keyword arguments of vLLM's engine."""
    arguments: dict[str, Any] = {
        "dtype": config.dtype,
        "max_model_len": config.max_model_len,
        "max_num_seqs": config.max_num_seqs,
        "enforce_eager": config.enforce_eager,
        "enable_prefix_caching": True,
        "trust_remote_code": False,
    }
    if config.gpus == 0:
        # vLLM 0.29 dies on a CPU when it prefills a request that has a seed in chunks: "CPU Generator does not use
        # offset". No chunks, then, and room for the longest prompt.
        arguments |= {"enable_chunked_prefill": False, "max_num_batched_tokens": config.max_model_len}
    if config.gpus > 1:
        arguments["tensor_parallel_size"] = round(config.gpus)
    return arguments | config.extra


def engine_environment(config: EngineConfig) -> dict[str, str]:
    """Environment of a replica's processes. The two settings without a GPU are measured: docs/benchmarks.md."""
    if config.gpus > 0:
        return {}
    return {"VLLM_CPU_KVCACHE_SPACE": str(config.kv_cache_gib), "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}


class Model(NamedTuple):
    """What an engine serves."""

    name: str
    """What clients ask for."""
    source: str
    """Hugging Face folder or id."""
    chat_template: str | None = None
    """Jinja text for a model that brings none."""


def llm_config(model: Model, config: EngineConfig, environment: dict[str, str]) -> dict[str, Any]:
    """Fields of `ray.serve.llm.LLMConfig` for one model.

    Args:
        model: what to serve.
        config: how its replicas run.
        environment: more environment variables of the replicas, such as `HF_HUB_OFFLINE`.
    """
    bundle: dict[str, float] = {"CPU": config.cpus}
    bundles = [bundle]
    if config.gpus > 0:
        bundles = [{"CPU": config.cpus, "GPU": min(config.gpus, 1.0)}]
        bundles += [{"GPU": 1.0} for _ in range(round(config.gpus) - 1)]
    return {
        "model_loading_config": {"model_id": model.name, "model_source": model.source},
        "accelerator_type": config.accelerator_type,
        "placement_group_config": {"bundles": bundles},
        "engine_kwargs": engine_arguments(config)
        | {"enable_prompt_tokens_details": True}  # so that answers say how much of the prompt came from the cache
        | ({"chat_template": model.chat_template} if model.chat_template else {}),
        "deployment_config": {
            "autoscaling_config": {
                "min_replicas": config.min_replicas,
                "max_replicas": config.max_replicas,
                "target_ongoing_requests": config.max_num_seqs,  # a replica more when one cannot hold what is asked
            },
            "max_ongoing_requests": 4 * config.max_num_seqs,
            "ray_actor_options": {"num_cpus": 0},  # the bundles are all that a replica needs
        },
        "runtime_env": {"env_vars": engine_environment(config) | environment},
        "log_engine_metrics": False,
    }
