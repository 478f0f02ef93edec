"""One replica: `ray.serve.llm`'s server around a vLLM engine, answering HTTP itself for those who know the secret."""

from __future__ import annotations

from typing import Any

from ray.serve.llm import LLMConfig
from ray.serve.llm.deployment import LLMServer
from vllm.entrypoints.openai.models.protocol import LoRAModulePath
from vllm.renderers.registry import RENDERER_REGISTRY

from serve.engines.guard import OnlyWithSecret

# What users write is text in the chats of this process's engine.
RENDERER_REGISTRY.renderers["hf"] = ("serve.engines.renderer", "LiteralRenderer")


class Replica(LLMServer):
    """A deployment's class; `serve.ingress()` makes it answer with the application that it builds."""

    async def __init__(self, llm_config: LLMConfig, *, secret: str) -> None:  # type: ignore[misc]  # Serve awaits it
        """Load the engine.

        Args:
            llm_config: what and how.
            secret: bearer token of those who may ask.
        """
        self._secret = secret
        if "lora_modules" in (arguments := llm_config.engine_kwargs):  # as vLLM's command line hands them to its server
            arguments["lora_modules"] = [LoRAModulePath(**module) for module in arguments["lora_modules"]]
        await super().__init__(llm_config)

    async def __serve_build_asgi_app__(self) -> Any:
        """The application of vLLM's own server, guarded."""
        app = await super().__serve_build_asgi_app__()
        app.middleware_stack = None  # vLLM has built it already: it is built again, with the guard, when first needed
        app.add_middleware(OnlyWithSecret, secret=self._secret)
        return app
