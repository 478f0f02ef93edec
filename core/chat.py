"""How the rooms ask an LLM: `ray_jobs/` hands them a client of `serve/`, engines inside Ray Data, or a scripted one."""

from __future__ import annotations

from typing import Any, Protocol


class Chat(Protocol):
    """Asks an LLM; a failure of one question is data: its `error` is not empty."""

    async def __call__(
        self,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """`{text, finish_reason, prompt_tokens, cached_tokens, completion_tokens, seconds, error}`.

        Perhaps also `reasoning`, more counts of tokens, and the `blame` of an error: "model" where the model gave no
        answer (a refusal, a content filter, no choice), "question" where the endpoint refused this question (too long
        for the model), "endpoint" where it failed.

        Args:
            model: the endpoint's name for it.
            messages: `role` and `content` of each.
            max_tokens: most tokens of the answer.
            temperature: 0 is greedy.
            seed: of sampling.
            schema: JSON schema that the answer must have, where the endpoint can see to it.
        """


class CompletingChat(Chat, Protocol):
    """One that can also continue plain text."""

    async def complete(
        self, *, model: str, prompt: str, max_tokens: int, temperature: float, seed: int, stop: list[str]
    ) -> dict[str, Any]:
        """The same of a plain text that is continued, up to one of `stop`."""
