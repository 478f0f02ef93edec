"""Text only: a part of a message, an item or an input that names an address would have the engine fetch it."""

from __future__ import annotations

import re
from typing import Any

from serve.gateway.admission import RefusalError

_PARTS_OF_MESSAGES = {
    "text": {"type", "text", "cache_control", "annotations", "prompt_cache_breakpoint"},
    "refusal": {"type", "refusal"},
}
"""Type → what goes on of a part. Clients note more beside a text, such as LangChain its `id`."""

_MEDIA = re.compile("image|audio|video|file|url")
"""Fields that are no notes: vLLM takes a part of type text that also names an image for an image."""

_PARTS_OF_ITEMS = {
    "input_text": {"type", "text", "prompt_cache_breakpoint"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
    "summary_text": {"type", "text"},
    "reasoning_text": {"type", "text"},
}

_ITEMS = ("message", "reasoning", "function_call", "function_call_output")
"""Items of the Responses API; the others are of tools that OpenAI runs itself."""


def check_messages(body: dict[str, Any]) -> None:
    """Refuse messages of a chat that hold more than text, refusals and calls of tools.

    Raises:
        RefusalError: they do.
    """
    messages = body.get("messages")
    elsewhere = "; a body with input belongs to /v1/responses" if "input" in body else ""
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise RefusalError(400, "invalid_messages", f"messages must be a list of objects{elsewhere}", param="messages")
    for place, message in enumerate(messages):
        _check_content(message.get("content"), _PARTS_OF_MESSAGES, f"messages[{place}].content")
        if message.get("audio") is not None:
            raise _only_text(f"messages[{place}].audio", "audio")


def check_items(body: dict[str, Any]) -> None:
    """Refuse a response's input that holds more than text and calls of the client's own tools.

    Raises:
        RefusalError: it does.
    """
    given = body.get("input")
    if isinstance(given, str):
        given = []
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        elsewhere = "; a body with messages belongs to /v1/chat/completions" if "messages" in body else ""
        raise RefusalError(400, "invalid_value", f"input must be text or a list of objects{elsewhere}", param="input")
    for place, item in enumerate(given):
        kind, where = item.get("type", "message"), f"input[{place}]"
        if kind not in _ITEMS:
            raise RefusalError(400, "unsupported_content", f"{where}: {kind!r} is not supported here", param="input")
        for field in ("content", "summary", "output"):
            _check_content(item.get(field), _PARTS_OF_ITEMS, f"{where}.{field}")


def check_tools(body: dict[str, Any]) -> None:
    """Refuse tools that are no functions; of a choice among some of them, leave these in alone.

    Engines know no `tool_choice` of type `allowed_tools`: offering no others comes to the same.

    Raises:
        RefusalError: there are others.
    """
    tools = body.get("tools") or []
    for place, tool in enumerate(tools if isinstance(tools, list) else [tools]):
        if not isinstance(tool, dict) or tool.get("type", "function") != "function":
            kind = str(tool.get("type") if isinstance(tool, dict) else type(tool).__name__)[:40]
            message = f"tools[{place}]: only functions, which the client runs, are supported here, not {kind!r}"
            raise RefusalError(400, "unsupported_field", message, param="tools")
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return
    choice = choice.get("allowed_tools", choice)  # the Responses API has no object inside
    allowed = choice.get("tools") if isinstance(choice, dict) else None
    if not isinstance(allowed, list) or choice.get("mode") not in ("auto", "required"):
        message = "tool_choice: allowed_tools needs mode, auto or required, and tools"
        raise RefusalError(400, "invalid_value", message, param="tool_choice")
    names = [_name_of(tool) for tool in allowed]
    body["tools"], body["tool_choice"] = [tool for tool in tools if _name_of(tool) in names], choice["mode"]
    if not body["tools"]:
        raise RefusalError(400, "invalid_value", "tool_choice: allowed_tools names none of tools", param="tool_choice")


def _name_of(tool: Any) -> Any:
    """The name of a tool, which a chat has in an object inside."""
    function = tool.get("function", tool) if isinstance(tool, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def check_input(body: dict[str, Any]) -> None:
    """Refuse to embed what is no text and no tokens: vLLM also embeds chats, whose parts may name addresses.

    Raises:
        RefusalError: it is something else.
    """
    given = body.get("input")
    parts = given if isinstance(given, list) else [given]
    inner = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    if "messages" in body or any(isinstance(each, dict | list) for each in inner):
        raise RefusalError(400, "unsupported_content", "input must be text, tokens, or a list of either", param="input")


def _check_content(content: Any, known: dict[str, set[str]], where: str) -> None:
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise RefusalError(400, "invalid_messages", f"{where} must be text or a list of parts", param=where)
    for part in content:
        kind = str(part.get("type"))[:40] if isinstance(part, dict) else type(part).__name__
        fields = known.get(kind)
        if fields is None:
            raise _only_text(where, kind)
        for field in part.keys() - fields:
            if _MEDIA.search(field):
                raise _only_text(where, field[:40])
            del part[field]


def _only_text(where: str, kind: str) -> RefusalError:
    message = f"{where}: only text is served here, not {kind!r}"
    return RefusalError(400, "unsupported_content", message, param=where.split("[")[0])
