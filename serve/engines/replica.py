"""One replica: `ray.serve.llm`'s server around a vLLM engine, answering HTTP itself for those who know the secret."""

from __future__ import annotations

import asyncio
from typing import Any

import ray
from ray import serve
from ray.llm._internal.serve.engines.vllm.vllm_engine import VLLMEngine
from ray.serve.llm import LLMConfig
from ray.serve.llm.deployment import LLMServer
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
from vllm.entrypoints.openai.models.protocol import LoRAModulePath
from vllm.renderers.registry import RENDERER_REGISTRY

from core.node_copy import is_url, node_copy
from serve.engines.grammars import leave_limited_strings_to_llguidance
from serve.engines.guard import OnlyWithSecret

# What users write is text in the chats of this process's engine.
RENDERER_REGISTRY.renderers["hf"] = ("serve.engines.renderer", "LiteralRenderer")
leave_limited_strings_to_llguidance()


class Engine(VLLMEngine):
    """`ray.serve.llm`'s engine with the executor that was asked for: without a GPU Ray takes vLLM's "mp", unasked."""

    def _start_async_llm_engine(self, vllm_engine_args: Any, vllm_engine_config: Any, placement_group: Any) -> Any:
        parallel = vllm_engine_config.parallel_config
        asked = self.llm_config.engine_kwargs.get("distributed_executor_backend")
        parallel.distributed_executor_backend = asked or parallel.distributed_executor_backend
        return super()._start_async_llm_engine(vllm_engine_args, vllm_engine_config, placement_group)

    async def start(self) -> None:
        """Start, without a task on each node that fetches the model from a mirror.

        We name no mirror: a URL is copied by `_fetch`, and vLLM knows folders and the hub. The task would import
        everything once more, 12 s of CPU, while the engine waits for it.
        """
        self.llm_config.get_or_create_callback().ctx.run_init_node = False
        await super().start()


@serve.ingress()
class Replica(LLMServer):
    """A deployment's class, which answers with the application that it builds."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, llm_config: dict[str, Any], *, secret: str, source: str = ""
    ) -> None:
        """Load the engine.

        Args:
            llm_config: what and how, as fields of `LLMConfig`.
            secret: bearer token of those who may ask.
            source: of the weights; a URL is copied to this node, and to the others that share the engine.
        """
        self._secret = secret
        config = LLMConfig(**llm_config)
        if "lora_modules" in (arguments := config.engine_kwargs):  # as vLLM's command line hands them to its server
            arguments["lora_modules"] = [LoRAModulePath(**module) for module in arguments["lora_modules"]]
        if is_url(source):
            # Where Ray too notes what it has fetched: the settings are read once and kept.
            config.get_engine_config().hf_model_id = await asyncio.to_thread(_fetch, source)
        await super().__init__(config, engine_cls=Engine)

    async def _start_engine(self) -> None:
        """Start the engine, without Ray's actor that records that one has: it keeps 0.25 GiB and stays for good."""
        await self.engine.start()

    async def __serve_build_asgi_app__(self) -> Any:
        """The application of vLLM's own server, guarded."""
        app = await super().__serve_build_asgi_app__()
        app.middleware_stack = None  # vLLM has built it already: it is built again, with the guard, when first needed
        app.add_middleware(OnlyWithSecret, secret=self._secret)
        return app


def _fetch(source: str) -> str:
    """Copy weights to each node of this replica's placement group; returns the copy's path, the same on all."""
    copy = node_copy(source)
    group = ray.util.get_current_placement_group()
    bundles = len(group.bundle_specs) if group is not None else 1
    if bundles > 1:
        fetch = ray.remote(num_cpus=0, max_retries=3)(node_copy)
        ray.get([
            fetch.options(scheduling_strategy=PlacementGroupSchedulingStrategy(group, bundle)).remote(source)
            for bundle in range(1, bundles)
        ])  # fmt: skip
    return copy
