"""A chat with any OpenAI-compatible endpoint: one row's question → one row's answer, failures as data."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import openai

from serve.endpoint import EndpointConfig


class ChatClient:
    """Asks an endpoint. Picklable: it carries an address, and opens its connections where it is first used."""

    def __init__(self, config: EndpointConfig) -> None:
        """Args: config: where the endpoint is and how patient to be."""
        self._config = config
        self._client: openai.AsyncOpenAI | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_config": self._config, "_client": None}

    async def __call__(
        self,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        schema: dict[str, Any] | None = None,
        stop: list[str] | None = None,
    ) -> dict[str, Any]:
        """One answer: `text, finish_reason, prompt_tokens, completion_tokens, error`; `error` is "" when it is one.

        Args:
            model: the name that the endpoint knows it by.
            messages: OpenAI chat messages.
            max_tokens: most tokens of the answer.
            temperature: 0 is greedy.
            seed: of the sampling.
            schema: JSON schema that the answer must follow (structured decoding).
            stop: strings that end the answer.

        Raises:
            ConnectionError: the endpoint does not answer, after retries.
            PermissionError: it refuses the key.
        """
        request: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": max_tokens}
        request |= {"temperature": temperature, "seed": seed, "stop": stop}
        if schema is not None:
            request["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return await self._ask(self._connected().chat.completions.create, request)

    async def complete(
        self,
        *,
        model: str,
        prompt: str,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: list[str] | None = None,
    ) -> dict[str, Any]:
        """The continuation of a plain text (/v1/completions, no chat template): the same answer, the same errors."""
        request: dict[str, Any] = {"model": model, "prompt": prompt, "max_tokens": max_tokens}
        request |= {"temperature": temperature, "seed": seed, "stop": stop or None}
        return await self._ask(self._connected().completions.create, request)

    async def _ask(self, create: Callable[..., Awaitable[Any]], request: dict[str, Any]) -> dict[str, Any]:
        try:
            completion = await create(**{name: value for name, value in request.items() if value is not None})
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise PermissionError(
                f"{self._config.url} refuses the key in ${self._config.api_key_env}: {error}"
            ) from None
        except (openai.APIConnectionError, openai.InternalServerError) as error:
            raise ConnectionError(f"no answer from {self._config.url} for model {request['model']}: {error}") from None
        except openai.APIStatusError as error:
            return _failure(f"{error.status_code}: {error.message[:500]}")
        except openai.OpenAIError as error:
            return _failure(f"{type(error).__name__}: {str(error)[:500]}")
        return _answer(completion)

    def _connected(self) -> openai.AsyncOpenAI:
        if self._client is None:
            key_name = self._config.api_key_env
            key = os.environ.get(key_name) if key_name else "none"
            if not key:
                raise PermissionError(f"the key of {self._config.url} is to come from ${key_name}, which is not set")
            self._client = openai.AsyncOpenAI(
                base_url=self._config.url,
                api_key=key,
                timeout=self._config.timeout_s,
                max_retries=self._config.max_retries,
            )
        return self._client


def _answer(completion: Any) -> dict[str, Any]:
    if not completion.choices:
        return _failure("the answer holds no choice")
    choice, usage = completion.choices[0], completion.usage
    text = (choice.message.content if hasattr(choice, "message") else choice.text) or ""
    return {
        "text": text,
        "finish_reason": choice.finish_reason or "",
        "prompt_tokens": usage.prompt_tokens if usage else 0,
        "completion_tokens": usage.completion_tokens if usage else 0,
        "error": "" if text else "empty answer",
    }


def _failure(error: str) -> dict[str, Any]:
    return {"text": "", "finish_reason": "error", "prompt_tokens": 0, "completion_tokens": 0, "error": error}
