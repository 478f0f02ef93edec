"""vLLM's renderer of chats with a tokenizer that reads what users write as text."""

from __future__ import annotations

from typing import Any

from vllm.renderers.hf import HfRenderer

from serve.engines.literal import literal_tokenizer


class LiteralRenderer(HfRenderer):
    """Takes the place of vLLM's own in the process that renders chats."""

    def __init__(self, config: Any, tokenizer: Any) -> None:
        """As vLLM makes its own."""
        super().__init__(config, tokenizer and literal_tokenizer(tokenizer))
