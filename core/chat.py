"""How the rooms ask an LLM: `ray_jobs/` hands them a client of `serve/`, engines inside Ray Data, or a scripted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict


@dataclass(frozen=True)
class ChatRequest:
    """One question to an LLM."""

    model: str
    """The endpoint's name for it."""
    messages: list[dict[str, str]]
    """`role` and `content` of each."""
    max_tokens: int
    """Most tokens of the answer."""
    temperature: float = 0.0
    """0 is greedy."""
    seed: int | None = None
    """Of sampling."""
    schema: dict[str, Any] | None = None
    """JSON schema that the answer must have, where the endpoint can see to it."""
    stop: list[str] | None = None
    """Texts that end the answer."""


class ChatAnswer(TypedDict):
    """What came back for one question; a JSON value, as journals keep it."""

    text: str
    """Without the thinking; empty where there is no answer."""
    finish_reason: str
    """"length" where the answer was cut off."""
    prompt_tokens: int
    cached_tokens: int
    """Of the prompt, those that the endpoint's cache held."""
    completion_tokens: int
    seconds: float
    """Of the last try."""
    error: str
    """Empty where there is an answer; else a short reason, then perhaps a colon and details."""
    blame: NotRequired[str]
    """Of an error: "model" where the model gave no answer (a refusal, a content filter, no choice), "question" where
    the endpoint refused this question (too long for the model), "endpoint" where it failed."""
    reasoning: NotRequired[str]
    """What the model thought aloud."""
    cache_written_tokens: NotRequired[int]
    reasoning_tokens: NotRequired[int]


class Chat(Protocol):
    """Asks an LLM; a failure of one question is data: its `error` is not empty."""

    async def __call__(self, request: ChatRequest, /) -> ChatAnswer:
        """The answer of one question."""


class CompletingChat(Chat, Protocol):
    """One that can also continue plain text."""

    async def complete(self, request: ChatRequest, /) -> ChatAnswer:
        """What continues the one message's text, with no chat template around it."""
