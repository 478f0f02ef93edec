"""Anthropic's Messages API in front of a chat endpoint: what a client sends becomes a chat request.

It is then checked and limited as every other; `anthropic_answers.py` translates the answer back. Written after
Anthropic's published API reference (version 2023-06-01); vLLM has a translation, too, but importing it takes 24 s.
"""

from __future__ import annotations

import json
from typing import Any

from serve.gateway.admission import RefusalError

_SAME = ("model", "max_tokens", "temperature", "top_p", "top_k", "stream")
"""Fields that a chat request has under the same name."""

_IGNORED = {"metadata", "service_tier", "thinking", "context_management", "inference_geo", "betas", "speed"}
_IGNORED |= {"cache_control", "diagnostics", "user_profile_id", "workspace_id"}
"""Fields without which the answer is as good: who asks, priority, how much to think."""

_KNOWN = {*_SAME, *_IGNORED, "messages", "system", "stop_sequences", "tools", "tool_choice", "output_config",
          "output_format", "thread"}  # fmt: skip

_BILLING = "x-anthropic-billing-header"
"""How a block begins by which Claude Code says who pays. It differs from request to request: in front of a prompt it
would keep the engine from finding any of it in its cache."""

_TOOL_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def to_chat(body: dict[str, Any], *, counting: bool = False) -> dict[str, Any]:
    """Body of a Messages request → body of a chat request.

    Args:
        body: parsed.
        counting: it is a request to count tokens, which names no `max_tokens`.

    Raises:
        RefusalError: it is none.
    """
    for field in sorted(body.keys() - _KNOWN):
        if body[field] not in (None, False, "", [], {}):
            raise _invalid(field, "this field is not supported here")
    _check_thread(body.get("thread"))
    if not counting and not (isinstance(body.get("max_tokens"), int) and body["max_tokens"] is not True):
        raise _invalid("max_tokens", "must be a whole number")
    chat = {field: body[field] for field in _SAME if body.get(field) is not None}
    chat["messages"] = _messages(body.get("system"), body.get("messages"))
    if body.get("stop_sequences"):
        chat["stop"] = body["stop_sequences"]
    if body.get("tools"):
        chat["tools"] = [_tool(tool, f"tools.{place}") for place, tool in enumerate(_list(body["tools"], "tools"))]
        chat |= _tool_choice(body.get("tool_choice"))
    return chat | _output(body) | _begun(chat["messages"][-1])


def _begun(last: dict[str, Any]) -> dict[str, Any]:
    """Has vLLM go on with the beginning of an answer, which this API takes as the last message."""
    if last["role"] != "assistant" or not last["content"] or last.get("tool_calls"):
        return {}
    return {"continue_final_message": True, "add_generation_prompt": False}


def _invalid(where: str, what: str) -> RefusalError:
    return RefusalError(400, "invalid_request", f"{where}: {what}", param=where)


def _check_thread(given: Any) -> None:
    """Answer a conversation that is to be kept by the server as any other, and refuse to go on with one.

    Nothing is kept here. Anthropic's clients read the code and send the whole conversation again.
    """
    if given is not None and _object(given, "thread").get("type") != "create":
        message = "thread: no conversation is kept here; send all of its messages"
        raise RefusalError(404, "thread_not_found", message, param="thread", details={"error_code": "thread_not_found"})


def _list(given: Any, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise _invalid(where, "must be a list")
    return given


def _object(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _invalid(where, "must be an object")
    return given


def _string(given: Any, where: str) -> str:
    if not isinstance(given, str):
        raise _invalid(where, "must be a string")
    return given


def _system(given: Any) -> list[dict[str, Any]]:
    text = _text(given, "system") if given is not None else ""
    return [{"role": "system", "content": text}] if text else []


def _text(given: Any, where: str) -> str:
    """A text, or blocks of text, as one text."""
    if isinstance(given, str):
        return given
    texts = [_block_text(block, f"{where}.{place}") for place, block in enumerate(_list(given, where))]
    return "\n\n".join(text for text in texts if not text.startswith(_BILLING))


def _block_text(block: Any, where: str) -> str:
    """The text of a block: documents and results of a search hold some, too."""
    kind = _object(block, where).get("type")
    if kind == "document":
        source, place = block.get("source"), f"{where}.source"
        source = source if isinstance(source, dict) else {}
        if source.get("type") == "text":
            return _titled(block, _string(source.get("data"), f"{place}.data"), where)
        if source.get("type") == "content":
            return _titled(block, _text(source.get("content"), f"{place}.content"), where)
    if kind == "search_result":
        return _titled(block, _text(block.get("content"), f"{where}.content"), where)
    if kind != "text":
        message = f"{where}: only text is served here, not {str(kind)[:40]!r}"
        raise RefusalError(400, "unsupported_content", message, param=where)
    return _string(block.get("text"), f"{where}.text")


def _titled(block: dict[str, Any], text: str, where: str) -> str:
    """A text behind what its block says about it."""
    said = [_string(block[name], f"{where}.{name}") for name in ("title", "context") if block.get(name) is not None]
    said += [_string(block["source"], f"{where}.source")] if isinstance(block.get("source"), str) else []
    return "\n".join([*said, text])


def _messages(system: Any, given: Any) -> list[dict[str, Any]]:
    """Turns as chat templates demand them: the system's words first, users' turns that follow each other as one.

    Claude Code has system messages between the others. Many templates refuse them there: they become the user's.
    """
    chat = _system(system)
    if not _list(given, "messages"):
        raise _invalid("messages", "at least one message is required")
    for place, message in enumerate(given):
        where = f"messages.{place}"
        role, content = _object(message, where).get("role"), message.get("content")
        if role not in ("user", "assistant", "system"):  # a tuple: a list or an object is no key of a set
            raise _invalid(f"{where}.role", "must be user or assistant")
        if role == "system" and chat and chat[-1]["role"] != "system":
            role = "user"
        if isinstance(content, str):
            turns = [{"role": role, "content": content}]
        elif role == "assistant":
            turns = [_assistant(_list(content, f"{where}.content"), f"{where}.content")]
        else:
            turns = _user(role, _list(content, f"{where}.content"), f"{where}.content")
        if chat and turns[0]["role"] == chat[-1]["role"] != "assistant" and "tool_call_id" not in turns[0]:
            chat[-1]["content"] += "\n\n" + turns.pop(0)["content"]
        chat += turns
    return chat


def _user(role: str, blocks: list[Any], where: str) -> list[dict[str, Any]]:
    """Results of tools are messages of their own in a chat, before what the user adds."""
    results, texts = [], []
    for place, block in enumerate(blocks):
        here = f"{where}.{place}"
        if _object(block, here).get("type") == "tool_result":
            text = _text(block.get("content") or "", f"{here}.content")
            text = f"Error: {text}" if block.get("is_error") is True else text
            call = _string(block.get("tool_use_id"), f"{here}.tool_use_id")
            results.append({"role": "tool", "tool_call_id": call, "content": text})
        else:
            texts.append(_block_text(block, here))
    return results + ([{"role": role, "content": "\n\n".join(texts)}] if texts or not results else [])


def _assistant(blocks: list[Any], where: str) -> dict[str, Any]:
    texts, thoughts, calls = [], [], []
    for place, block in enumerate(blocks):
        here = f"{where}.{place}"
        kind = _object(block, here).get("type")
        if kind == "thinking":
            thoughts.append(_string(block.get("thinking"), f"{here}.thinking"))
        elif kind == "tool_use":
            arguments = json.dumps(_object(block.get("input"), f"{here}.input"), ensure_ascii=False)
            function = {"name": _string(block.get("name"), f"{here}.name"), "arguments": arguments}
            calls.append({"id": _string(block.get("id"), f"{here}.id"), "type": "function", "function": function})
        elif kind != "redacted_thinking":  # nothing that an engine could read
            texts.append(_block_text(block, here))
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
    if not texts and not calls:
        message["content"] = ""
    return message | ({"reasoning": "".join(thoughts)} if thoughts else {}) | ({"tool_calls": calls} if calls else {})


def _tool(tool: Any, where: str) -> dict[str, Any]:
    if _object(tool, where).get("type") not in (None, "custom"):
        raise _invalid(f"{where}.type", "only tools of the client are supported here")
    function: dict[str, Any] = {"name": _string(tool.get("name"), f"{where}.name")}
    if tool.get("description") is not None:
        function["description"] = _string(tool["description"], f"{where}.description")
    function["parameters"] = {"type": "object"} | _object(tool.get("input_schema"), f"{where}.input_schema")
    if tool.get("strict") is not None:
        function["strict"] = tool["strict"]
    return {"type": "function", "function": function}


def _tool_choice(given: Any) -> dict[str, Any]:
    if given is None:
        return {"tool_choice": "auto"}
    kind = _object(given, "tool_choice").get("type")
    fields: dict[str, Any] = {}
    if given.get("disable_parallel_tool_use") is True:
        fields["parallel_tool_calls"] = False
    if kind == "tool":
        name = _string(given.get("name"), "tool_choice.name")
        return fields | {"tool_choice": {"type": "function", "function": {"name": name}}}
    if not isinstance(kind, str) or kind not in _TOOL_CHOICES:
        raise _invalid("tool_choice.type", f"must be one of {', '.join([*_TOOL_CHOICES, 'tool'])}")
    return fields | {"tool_choice": _TOOL_CHOICES[kind]}


def _output(body: dict[str, Any]) -> dict[str, Any]:
    """What is asked of the answer's form, and how hard to think."""
    config = _object(body.get("output_config") or {}, "output_config")
    wanted = config.get("format") or body.get("output_format")
    fields: dict[str, Any] = {}
    if wanted is not None:
        schema = _object(_object(wanted, "output_config.format").get("schema"), "output_config.format.schema")
        named = {"name": "answer", "schema": schema, "strict": True}
        fields["response_format"] = {"type": "json_schema", "json_schema": named}
    if config.get("effort") is not None:
        fields["reasoning_effort"] = _string(config["effort"], "output_config.effort")
    return fields
