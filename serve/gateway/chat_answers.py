"""Chat answers as OpenAI's clients read them, where an engine writes them otherwise.

Reasoning has two names: vLLM 0.29 says `reasoning`. DeepSeek's API began with `reasoning_content`, and LangChain,
LiteLLM, the AI SDK and most coding agents read that one alone: they would show an answer that begins after a long
silence. Calls of tools are mended (`tool_calls.py`). An event that holds a whole message, as servers send that do not
stream what they are asked to, becomes a part. The reason for an answer's end is said in OpenAI's words: pydantic-ai
refuses answers with others, and the AI SDK takes them for a failure. All else goes on byte by byte.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from serve.client.completions import finish_word
from serve.gateway.tool_calls import CallParts, only_calls, whole_call

ODD_FINISH = re.compile(rb'"finish_reason":\s*(?!\s|null|"(?:stop|length|tool_calls|content_filter|function_call)")')
"""A reason for an answer's end that is none of OpenAI's."""

_WHOLE = re.compile(rb'"reasoning"\s*:\s*"|"tool_calls"\s*:\s*\[(?!\s*\])|' + ODD_FINISH.pattern)
MAY_NEED_MENDING = re.compile(_WHOLE.pattern + rb'|"message"\s*:\s*\{')
"""What an event of a stream holds that may need it."""


class ChatStream:
    """The chunks of a stream, as they come."""

    def __init__(self) -> None:
        self._calls: dict[Any, CallParts] = defaultdict(CallParts)
        """Number of a choice → its calls."""

    def mended(self, data: bytes) -> bytes:
        """An event's data, as clients read it."""
        if not MAY_NEED_MENDING.search(data):
            return data
        return _mended(data, "delta", lambda choice, calls: self._calls[str(choice.get("index"))].mend(calls))

    def last_chunk(self, data: bytes) -> bytes:
        """What says that the choices of a chunk have ended, where its server ended the stream without saying so.

        LiteLLM and the AI SDK take a stream without a reason for its end for one that failed.
        """
        content = json.loads(data)
        content["choices"] = [self._ended(choice) for choice in content["choices"] if isinstance(choice, dict)]
        content.pop("usage", None)
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def _ended(self, choice: dict[str, Any]) -> dict[str, Any]:
        index: Any = choice.get("index", 0)
        said: dict[str, Any] = {"text": ""} if "text" in choice else {"delta": {"content": ""}}
        return {"index": index, **said, "finish_reason": "tool_calls" if str(index) in self._calls else "stop"}


def whole_choices(content: dict[str, Any]) -> bool:
    """Leave in a chunk only choices that clients can read, each with a delta or a text; whether it was otherwise.

    Every client loops over `choices` and reads `delta.content`: `null` for either ends it with an error.
    """
    given = content.get("choices")
    choices = [choice for choice in given if isinstance(choice, dict)] if isinstance(given, list) else []
    changed = choices != given
    content["choices"] = choices
    for choice in choices:
        if not isinstance(choice.get("delta"), dict) and not choice.keys() & {"text", "message"}:
            choice["delta"], changed = {}, True
    return changed


def mended_answer(body: bytes) -> bytes:
    """The same of an answer that is no stream."""
    return _mended(body, "message", lambda _, calls: _mend_whole(calls)) if _WHOLE.search(body) else body


def _mended(data: bytes, place: str, mend_calls: Any) -> bytes:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    choices = content.get("choices") if isinstance(content, dict) else None
    changed = False
    for choice in choices if isinstance(choices, list) else []:
        if place == "delta" and isinstance(choice, dict) and isinstance(choice.get("message"), dict):
            choice["delta"] = choice.pop("message") | (choice.get("delta") or {})
            content["object"], changed = "chat.completion.chunk", True
        changed |= isinstance(choice, dict) and _say_finish(choice)
        part = choice.get(place) if isinstance(choice, dict) else None
        if isinstance(part, dict):
            changed |= _name_reasoning_twice(part)
            changed |= mend_calls(choice, part.get("tool_calls"))
    if not changed:
        return data
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _name_reasoning_twice(part: dict[str, Any]) -> bool:
    """Say reasoning by both names; whether one was missing."""
    if not isinstance(part.get("reasoning"), str) or part.get("reasoning_content"):
        return False
    part["reasoning_content"] = part["reasoning"]
    return True


def _say_finish(choice: dict[str, Any]) -> bool:
    """Say in OpenAI's word why an answer ended; whether another was said."""
    given = choice.get("finish_reason")
    if given is None or given == "function_call":  # which OpenAI said before it had tools
        return False
    choice["finish_reason"] = finish_word(given) or None
    return bool(choice["finish_reason"] != given)


def _mend_whole(calls: Any) -> bool:
    before = json.dumps(calls)
    for call in only_calls(calls):
        whole_call(call, call["function"])
    return before != json.dumps(calls)
