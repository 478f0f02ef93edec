"""Anthropic's Messages API in front of a chat endpoint: vLLM's own translation, without its engine.

What a client sends becomes a chat request, which is then checked and limited as every other; its answer, whole or
streaming, is translated back. Importing this imports vLLM, which takes seconds where no engine was started before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
from pydantic import ValidationError
from vllm.entrypoints.anthropic.protocol import AnthropicMessagesRequest
from vllm.entrypoints.anthropic.serving import AnthropicServingMessages
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionResponse

from serve.gateway.admission import RefusalError

_CONVERTER = AnthropicServingMessages.__new__(AnthropicServingMessages)
"""Made without an engine: of the instance, its two converters read this table only."""
_CONVERTER.stop_reason_map = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def to_chat(raw: bytes) -> bytes:
    """Body of a Messages request → body of a chat request.

    Raises:
        RefusalError: it is none.
    """
    try:
        request = AnthropicMessagesRequest.model_validate_json(raw)
        chat = AnthropicServingMessages.to_chat_completion_request(request)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{where}: {first['msg']}" if where else str(first["msg"])
        raise RefusalError(400, "invalid_request", message, param=where or None) from None
    except ValueError:
        raise RefusalError(400, "invalid_request", "the request cannot be read as a Messages request") from None
    return chat.model_dump_json(exclude_none=True, exclude_unset=True).encode()


def whole(body: bytes) -> bytes:
    """A chat's answer → a message."""
    answer = ChatCompletionResponse.model_validate_json(body)
    return _CONVERTER.messages_full_converter(answer).model_dump_json(exclude_none=True).encode()


async def stream(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A chat's events → a message's. Whatever ends `parts` early ends this, too.

    Args:
        parts: each of whole events.
    """
    failures: list[Exception] = []

    async def events() -> AsyncIterator[str]:
        try:
            async for part in parts:
                for event in part.split(b"\n\n"):
                    if event.strip():
                        yield event.decode()
        except (aiohttp.ClientError, TimeoutError, RefusalError) as error:
            failures.append(error)  # the converter would make an event of it, and an end

    async for event in _CONVERTER.message_stream_converter(events()):
        yield event.encode()
    if failures:
        raise failures[0]
