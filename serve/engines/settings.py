"""Model → engine: what a vLLM replica is started with, on a laptop's CPU or on cluster GPUs. No Ray here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from core.node_copy import is_url
from core.settings import Execution, Settings
from serve.engines.parsers import names_of, parsers_of


class EngineConfig(Settings):
    """One kind of vLLM replica. The defaults are the demo's: float32 on the CPU, eager, so that it starts fast."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "float32"
    """float32 is 4 to 5 times faster than bfloat16 on a CPU without bf16 instructions; "auto" on GPUs."""

    max_model_len: PositiveInt = 2048
    """Prompt and answer together, in tokens."""

    max_num_seqs: Annotated[PositiveInt, Execution()] = 64
    """Sequences that one replica decodes together."""

    batch_invariant: bool = False
    """GPUs only (NVIDIA, capability 8.0): answers that do not depend on what is decoded beside them, so that the same
    seed gives the same bytes; slower. In float32 on a CPU they never did where we measured (docs/benchmarks.md)."""

    enforce_eager: Annotated[bool, Execution()] = True
    """Start without compiling: seconds instead of minutes on a CPU, a few per cent slower once it runs."""

    gpus: Annotated[float, Execution()] = Field(default=0.0, ge=0.0)
    """GPUs of one replica; 0 runs on the CPU. A part of one leaves the rest to another replica, memory included; above
    1 is tensor parallelism over as many."""

    cpus: Annotated[PositiveInt, Execution()] = 1
    """Logical CPUs of one replica."""

    accelerator_type: Annotated[str | None, Execution()] = None
    """GPU type that Ray must place the replica on, such as "A10G"; None takes any."""

    min_replicas: Annotated[NonNegativeInt, Execution()] = 1
    """Replicas that always run. With 0 the last goes too, after `idle_s`, and the next request waits for a new one."""

    max_replicas: Annotated[PositiveInt, Execution()] = 1
    """Most replicas. Serve takes one for every `max_num_seqs` requests in flight: `generate.concurrency` has to
    be as large as all of them together."""

    idle_s: Annotated[PositiveFloat, Execution()] = 600.0
    """How long a replica that is too many stays: a new one has to load the weights."""

    drain_s: Annotated[PositiveFloat, Execution()] = 60.0
    """How long a replica that is taken away may still answer what it has begun."""

    routing: Annotated[Literal["balanced", "prefix"], Execution()] = "balanced"
    """Which replica is asked: the least busy, or, while all are about as busy, the one that has seen the longest part
    of the request and so has it in its prefix cache (`serve/client/routing.py`)."""

    adapters: str | None = None
    """Folder of LoRA adapters, each in a folder of its own: NAME is asked for as model `MODEL:NAME`. From a disk that
    every node sees, by absolute path, they are loaded with the engine; from object storage (s3://, gs://, abfss:// or
    azure://) when a replica is first asked for one."""

    max_adapters: Annotated[PositiveInt, Execution()] = 4
    """Adapters that one replica holds at the same time."""

    max_lora_rank: Literal[8, 16, 32, 64, 128, 256] = 64
    """Largest rank of an adapter."""

    kv_cache_gib: Annotated[PositiveInt, Execution()] = 1
    """CPU only: key-value cache of one replica in GiB (1 holds 23,296 tokens of the demo's model)."""

    engine_metrics: Annotated[bool, Execution()] = False
    """Tell Ray's metrics of the engine's queues, caches and latencies, too (`ray_vllm_…`)."""

    tool_parser: str | None = "auto"
    """Parser that reads calls of tools out of what the model writes, by vLLM's name (`--tool-call-parser`), such as
    "hermes"; "auto" chooses by the model's family (`serve/engines/parsers.py`); None leaves them in the text."""

    reasoning_parser: str | None = "auto"
    """Parser that tells a model's reasoning from its answer, by vLLM's name (`--reasoning-parser`), such as "qwen3";
    "auto" and None as above."""

    extra: dict[str, Any] = {}
    """More vLLM engine arguments, passed on as they are."""

    @field_validator("gpus")
    @classmethod
    def _whole_gpus_or_a_part_of_one(cls, gpus: float) -> float:
        if gpus > 1 and not gpus.is_integer():
            raise ValueError("a replica takes a part of one GPU, or whole GPUs")
        return gpus

    @field_validator("adapters")
    @classmethod
    def _where_every_node_reads_adapters(cls, adapters: str | None) -> str | None:
        if adapters is not None and not is_object_storage(adapters) and not adapters.startswith("/"):
            raise ValueError(
                f"adapters lie on a disk, by absolute path, or in object storage: {', '.join(OBJECT_STORAGE)}"
            )
        return adapters

    @field_validator("extra")
    @classmethod
    def _no_grammar_without_escapes(cls, extra: dict[str, Any]) -> dict[str, Any]:
        chosen = extra.get("structured_outputs_config")
        if isinstance(chosen, dict) and chosen.get("backend") == "xgrammar":
            raise ValueError("xgrammar writes no quotation mark or line break into strings of limited length, and our "
                             "schemas limit them; name backend: guidance, or none")  # fmt: skip
        return extra

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError(f"max_replicas {self.max_replicas} is below min_replicas {self.min_replicas}")
        if self.batch_invariant and self.gpus == 0:
            raise ValueError("batch_invariant needs gpus; leave it out on a CPU, where vLLM has no such mode")
        return self


OBJECT_STORAGE = ("s3://", "gs://", "abfss://", "azure://")
"""Where Ray fetches adapters from, besides the disk."""


def is_object_storage(source: str) -> bool:
    """Whether adapters lie where Ray fetches them from when a replica is first asked for one."""
    return source.startswith(OBJECT_STORAGE)


def local_adapters(folder: str) -> dict[str, str]:
    """Name → path of the LoRA adapters in a folder on disk.

    Raises:
        FileNotFoundError: there is none, or one is not in safetensors.
    """
    found = {path.parent.name: path.parent for path in sorted(Path(folder).glob("*/adapter_config.json"))}
    if not found:
        raise FileNotFoundError(f"serve.engine.adapters {folder} holds no folder with an adapter_config.json")
    for path in found.values():
        if not (path / "adapter_model.safetensors").is_file():
            raise FileNotFoundError(f"serve.engine.adapters: {path} holds no adapter_model.safetensors")
    return {name: str(path) for name, path in found.items()}


PARALLEL = {"tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"}
"""Engine arguments that make workers of their own."""


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
        # The default there is blocks of 128 tokens, and only whole blocks of a prompt's beginning are found again.
        arguments["block_size"] = 32
        # vLLM 0.29 dies on a CPU when it prefills a request that has a seed in chunks: "CPU Generator does not use
        # offset". No chunks, then, and room for the longest prompt.
        arguments |= {"enable_chunked_prefill": False, "max_num_batched_tokens": config.max_model_len}
        if not PARALLEL & config.extra.keys():
            arguments["distributed_executor_backend"] = "serve.engines.executor.OneProcess"
    if config.gpus > 1:
        arguments["tensor_parallel_size"] = round(config.gpus)
    if 0 < config.gpus < 1:
        arguments["gpu_memory_utilization"] = round(0.9 * config.gpus, 3)  # 0.9 is vLLM's share of a whole one
    if config.adapters is not None:
        arguments |= {"enable_lora": True, "max_loras": config.max_adapters, "max_lora_rank": config.max_lora_rank}
    return arguments | config.extra


def engine_environment(config: EngineConfig) -> dict[str, str]:
    """Environment of a replica's processes. The settings without a GPU are measured: docs/benchmarks.md."""
    if config.gpus > 0:
        return {"VLLM_BATCH_INVARIANT": "1"} if config.batch_invariant else {}
    # Threads that spin while they wait for each other take the cores from whatever they wait for.
    waiting = {"OMP_WAIT_POLICY": "passive"}
    return waiting | {"VLLM_CPU_KVCACHE_SPACE": str(config.kv_cache_gib), "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}


def engine_bundles(config: EngineConfig) -> list[dict[str, float]]:
    """Resources of one replica, as the bundles of a placement group."""
    if config.gpus == 0:
        return [{"CPU": config.cpus}]
    first = {"CPU": config.cpus, "GPU": min(config.gpus, 1.0)}
    return [first, *({"GPU": 1.0} for _ in range(round(config.gpus) - 1))]


class Model(NamedTuple):
    """What an engine serves."""

    name: str
    """What clients ask for."""
    source: str
    """Hugging Face folder or id, or the URL of a folder, which each replica copies to its node before it loads it."""
    chat_template: str | None = None
    """Jinja text for a model that brings none."""
    described: str | None = None
    """Folder on this node that holds the configuration, where `source` is a URL."""


def slug_of(name: str) -> str:
    """A model's name as part of an address, and as Ray writes it in the name of its deployment."""
    return name.replace("/", "--").replace(".", "_")


def application_of(name: str) -> str:
    """Name of a model's Serve application."""
    return f"wavecoder-{slug_of(name)}"


def deployment_of(name: str) -> str:
    """Name of the deployment in it."""
    return f"LLMServer:{slug_of(name)}"


def _parsing(model: Model, config: EngineConfig) -> dict[str, Any]:
    """Arguments of vLLM's server by which it reads calls of tools and reasoning."""
    found = parsers_of(
        names_of(model.name, model.described or model.source), config.tool_parser, config.reasoning_parser
    )
    tools = {"enable_auto_tool_choice": True, "tool_call_parser": found.tool} if found.tool else {}
    return tools | ({"reasoning_parser": found.reasoning} if found.reasoning else {})


def llm_config(
    model: Model, config: EngineConfig, environment: dict[str, str], replicas: int | None = None
) -> dict[str, Any]:
    """Fields of `ray.serve.llm.LLMConfig` for one model.

    Args:
        model: what to serve.
        config: how its replicas run.
        environment: more environment variables of the replicas, such as `HF_HUB_OFFLINE`.
        replicas: how many to begin with, where others decide how many there are; None lets Serve's autoscaling.

    Raises:
        FileNotFoundError: there are no adapters where they are said to be.
    """
    autoscaling = {
        "min_replicas": config.min_replicas,
        "max_replicas": config.max_replicas,
        "target_ongoing_requests": config.max_num_seqs,  # a replica more when one cannot hold what is asked
        "downscale_delay_s": config.idle_s,
    }
    scaling: dict[str, Any] = {"autoscaling_config": autoscaling} if replicas is None else {"num_replicas": replicas}
    fields: dict[str, Any] = {
        # Of a URL Ray would fetch every file itself, without patience: the replica does it (serve/engines/replica.py).
        "model_loading_config": {
            "model_id": model.name,
            "model_source": model.name if is_url(model.source) else model.source,
        },
        "accelerator_type": config.accelerator_type,
        "placement_group_config": {"bundles": engine_bundles(config)},
        "engine_kwargs": engine_arguments(config)
        | {"enable_prompt_tokens_details": True}  # so that answers say how much of the prompt came from the cache
        | ({"chat_template": model.chat_template} if model.chat_template else {})
        | _parsing(model, config)
        | config.extra,  # what is said there counts, whatever it is
        "deployment_config": scaling
        | {
            "max_ongoing_requests": 4 * config.max_num_seqs,
            "graceful_shutdown_timeout_s": config.drain_s,
            "ray_actor_options": {"num_cpus": 0},  # the bundles are all that a replica needs
        },
        "runtime_env": {"env_vars": engine_environment(config) | environment},
        "log_engine_metrics": config.engine_metrics,
    }
    if config.adapters is not None and not is_object_storage(config.adapters):
        fields["engine_kwargs"]["lora_modules"] = [
            {"name": f"{model.name}:{name}", "path": path} for name, path in local_adapters(config.adapters).items()
        ]
    elif config.adapters is not None:
        fields["lora_config"] = {
            "dynamic_lora_loading_path": config.adapters,
            "max_num_adapters_per_replica": config.max_adapters,
        }
    return fields


def deployment_options(fields: dict[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the Serve deployment of one model, as `ray.serve.llm.build_llm_deployment` gives them.

    Args:
        fields: of `llm_config`.
        inherited: runtime environment of the job.
    """
    kind = fields["accelerator_type"]
    # As Ray asks for a node with such a GPU.
    hint = {f"accelerator_type:{'A10G' if kind == 'A10' else kind}": 0.001} if kind else {}
    first, *others = (bundle | hint for bundle in fields["placement_group_config"]["bundles"])
    return fields["deployment_config"] | {
        "name": deployment_of(fields["model_loading_config"]["model_id"]),
        "placement_group_bundles": [{"GPU": 0} | first, *others],
        "placement_group_strategy": "PACK",
        "health_check_period_s": 10,
        "health_check_timeout_s": 10,
        "ray_actor_options": fields["deployment_config"]["ray_actor_options"]
        | {"runtime_env": {**inherited, **fields["runtime_env"]}},
    }
