"""A chat's answer, whole or streaming, in the words of Anthropic's Messages API.

A stream's blocks follow each other: one begins when the one before has ended. Arguments of tools that a server mixes
are held back until the tool before is complete.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

from serve.client.completions import finish_word, read_usage
from serve.gateway.streams import read_event, usage_of

_TIME = "%Y-%m-%dT%H:%M:%SZ"

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def whole(body: bytes) -> bytes:
    """A chat's answer → a message.

    Raises:
        ValueError: it is no answer.
    """
    answer = json.loads(body)
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("no choices")
    message = _object(choices[0].get("message"))
    blocks: list[dict[str, Any]] = []
    if thought := _reasoning(message):
        blocks.append({"type": "thinking", "thinking": thought, "signature": ""})
    if text := _text(message.get("content") or message.get("refusal")):
        blocks.append({"type": "text", "text": text})
    for call in _calls(message):
        function = _object(call.get("function"))
        used = {"name": function.get("name") or "", "input": _arguments(_written(function))}
        blocks.append({"type": "tool_use", "id": _call_id(call)} | used)
    stop = _stop(choices[0], uses_tools=any(block["type"] == "tool_use" for block in blocks))
    begun = _message(answer) | {"content": blocks, **stop, "usage": _usage(usage_of(answer))}
    return json.dumps(begun).encode()


def model_object(model: dict[str, Any]) -> dict[str, Any]:
    """A model as Anthropic describes one."""
    created = model.get("created")
    made = datetime.fromtimestamp(created if isinstance(created, int) and 0 <= created < 2**35 else 0, UTC)
    named = {"type": "model", "id": model["id"], "display_name": model["id"], "created_at": made.strftime(_TIME)}
    window = model.get("max_model_len")
    return named | ({"max_input_tokens": window} if isinstance(window, int) else {})


def model_list(models: list[dict[str, Any]]) -> dict[str, Any]:
    """All models on one page, as Anthropic lists them."""
    ends = (models[0]["id"], models[-1]["id"]) if models else (None, None)
    return {"data": models, "has_more": False, "first_id": ends[0], "last_id": ends[1]}


async def stream(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A chat's events → a message's. Whatever ends `parts` early ends this, too.

    Args:
        parts: each of whole events.
    """
    translation = _Stream()
    async for part in parts:
        events = [event for raw in part.split(b"\n\n") for event in translation.take(read_event(raw)[1])]
        if events:
            yield b"".join(events)
    if events := list(translation.end()):
        yield b"".join(events)


class _Stream:
    """Where a stream is: which block is open, and what waits behind it."""

    def __init__(self) -> None:
        self._begun, self._index = False, -1
        self._open: object = None
        """"text", "thinking", or the number of a tool's call."""
        self._calls: dict[int, dict[str, Any]] = {}
        """Number of a call → id, name, arguments so far, and how many of them were sent."""
        self._choice: dict[str, Any] = {}
        self._usage: dict[str, Any] | None = None
        self._num_tokens, self._uses_tools = 0, False

    def take(self, data: bytes) -> Iterator[bytes]:
        """Events of a message that follow from one of the chat."""
        if not data.startswith(b"{"):
            return
        chunk = json.loads(data.decode("utf-8", "replace"))
        if not self._begun:
            self._begun = True
            message = _message(chunk) | {"content": [], "stop_reason": None, "stop_sequence": None}
            yield _event("message_start", message=message | {"usage": _usage(chunk.get("usage"))})
            yield _event("ping")
        self._usage = usage_of(chunk) or self._usage
        for choice in filter(None, map(_object, _list(chunk.get("choices")))):
            if not choice.get("index"):
                yield from self._take_delta(_object(choice.get("delta")))
                if choice.get("finish_reason"):
                    self._choice = choice

    def _take_delta(self, delta: dict[str, Any]) -> Iterator[bytes]:
        if thought := _reasoning(delta):
            yield from self._part("thinking", {"type": "thinking_delta", "thinking": thought})
        if text := _text(delta.get("content") or delta.get("refusal")):
            yield from self._part("text", {"type": "text_delta", "text": text})
        for call in _calls(delta):
            self._num_tokens += 1
            function = _object(call.get("function"))
            number = call.get("index", 0)  # the older single call has none
            fresh = {"id": _call_id(call), "name": function.get("name") or "", "arguments": "", "sent": 0}
            known = self._calls.setdefault(number, fresh)
            known["arguments"] += _written(function)
            if self._open == number or not isinstance(self._open, int) or self._is_complete(self._open):
                yield from self._send_call(number)

    def _part(self, kind: str, delta: dict[str, Any]) -> Iterator[bytes]:
        self._num_tokens += 1
        if self._open != kind:
            yield from self._close()
            empty = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
            yield self._start(kind, empty)
        yield _event("content_block_delta", index=self._index, delta=delta)

    def _send_call(self, number: int) -> Iterator[bytes]:
        call = self._calls[number]
        if self._open != number:
            if not call["name"]:
                return
            yield from self._close_one()
            self._uses_tools = True
            yield self._start(number, {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}})
        if unsent := call["arguments"][call["sent"] :]:
            call["sent"] = len(call["arguments"])
            delta = {"type": "input_json_delta", "partial_json": unsent}
            yield _event("content_block_delta", index=self._index, delta=delta)

    def _is_complete(self, number: int) -> bool:
        try:
            json.loads(self._calls[number]["arguments"])
        except ValueError:
            return False
        return True

    def _start(self, kind: object, block: dict[str, Any]) -> bytes:
        self._open, self._index = kind, self._index + 1
        return _event("content_block_start", index=self._index, content_block=block)

    def _close_one(self) -> Iterator[bytes]:
        if self._open is not None:
            if isinstance(self._open, int):
                self._calls.pop(self._open)
            self._open = None
            yield _event("content_block_stop", index=self._index)

    def _close(self) -> Iterator[bytes]:
        """End what is open, and write the calls that waited."""
        yield from self._close_one()
        for number in sorted(self._calls):
            yield from self._send_call(number)
            yield from self._close_one()

    def end(self) -> Iterator[bytes]:
        """The last events."""
        if not self._begun:
            return
        yield from self._close()
        usage = _usage(self._usage)
        if not self._usage:
            usage["output_tokens"] = self._num_tokens  # about one a part
        yield _event("message_delta", delta=_stop(self._choice, uses_tools=self._uses_tools), usage=usage)
        yield _event("message_stop")


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()


def _message(answer: dict[str, Any]) -> dict[str, Any]:
    id_ = str(answer.get("id") or uuid.uuid4().hex).removeprefix("chatcmpl-")
    return {"id": f"msg_{id_}", "type": "message", "role": "assistant", "model": str(answer.get("model", ""))}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(content: Any) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(text for part in _list(content) if isinstance(text := _object(part).get("text"), str))


def _reasoning(message: dict[str, Any]) -> str:
    """VLLM has `reasoning`; others, and vLLM before, `reasoning_content`; Mistral, parts of the content."""
    found = message.get("reasoning") or message.get("reasoning_content")
    parts = [part.get("thinking") for part in map(_object, _list(message.get("content")))]
    return found if isinstance(found, str) else "".join(map(_text, parts))


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Calls of tools, the older single one too."""
    calls = message.get("tool_calls") or [{"function": message.get("function_call")}]
    return [call for call in _list(calls) if isinstance(call, dict) and _object(call.get("function"))]


def _written(function: dict[str, Any]) -> str:
    """A call's arguments as text: some servers have parsed them already."""
    arguments = function.get("arguments") or ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _call_id(call: dict[str, Any]) -> str:
    return str(call.get("id") or f"toolu_{uuid.uuid4().hex}")


def _arguments(text: str) -> dict[str, Any]:
    """Arguments of a tool's call; cut or broken ones in the form that Anthropic's documentation gives them."""
    try:
        arguments = json.loads(text or "{}")
    except ValueError:
        arguments = None
    return arguments if isinstance(arguments, dict) else {"INVALID_JSON": text}


def _stop(choice: dict[str, Any], *, uses_tools: bool) -> dict[str, Any]:
    """Why an answer ended: vLLM's `stop_reason` is the text at which it stopped.

    Where one tool is asked for, OpenAI's API and vLLM say "stop" behind its call, and Anthropic's does not.
    """
    sequence, finish = choice.get("stop_reason"), finish_word(choice.get("finish_reason"))
    if uses_tools and (finish or "stop") == "stop":
        return {"stop_reason": "tool_use", "stop_sequence": None}
    if isinstance(sequence, str) and finish == "stop":
        return {"stop_reason": "stop_sequence", "stop_sequence": sequence}
    return {"stop_reason": _STOP_REASONS.get(finish or "stop", "end_turn"), "stop_sequence": None}


def _usage(usage: Any) -> dict[str, Any]:
    told = read_usage(usage)
    cache = {
        "cache_creation_input_tokens": told["cache_written_tokens"],
        "cache_read_input_tokens": told["cached_tokens"],
    }
    fresh = told["prompt_tokens"] - told["cached_tokens"] - told["cache_written_tokens"]
    return {"input_tokens": max(0, fresh), "output_tokens": told["completion_tokens"]} | cache
