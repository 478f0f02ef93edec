"""The body of an answer → text, thinking and tokens, in every form in which endpoints send it. Pure.

Nothing raises on any bytes: what is no answer is an error that says why.
"""

from __future__ import annotations

import json
import re
from typing import Any

from core.text import storable
from serve.client.errors import EndpointError, error_in, error_of

FINISHES = {
    "length": {"length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "incomplete",
               "model_context_window_exceeded", "max_length"},
    "content_filter": {"content_filter", "safety", "recitation", "refusal", "prohibited_content", "blocklist", "spii",
                       "moderation", "sensitive", "language", "guardrail_intervened", "content_filtered",
                       "image_safety"},
    "stop": {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "end"},
    "tool_calls": {"tool_calls", "tool_use", "function_call"},
}  # fmt: skip
"""OpenAI's word → the words of others (Anthropic, Google, Mistral, Cohere, text-generation-inference)."""

BROKE_OFF = {
    "error",
    "abort",
    "aborted",
    "insufficient_system_resource",
    "engine_error",
    "network_error",
    "other_error",
}
"""Words of a model that was stopped in the middle (vLLM, DeepSeek, Mistral, OpenRouter, Zhipu): asked again."""

MALFORMED = "malformed answer"

_FINISH = {word: name for name, words in FINISHES.items() for word in words}

_MARKS = "think|thinking|thought|thoughts|reasoning|scratchpad|analysis|reflection"
THINKING = re.compile(
    rf"[\s\ufeff]*(?:<((?:[a-z]{{1,8}}:)?(?:{_MARKS}))>(.*?)(?:</\1>|\Z)|\[think\](.*?)(?:\[/think\]|\Z)"
    r"|◁think▷(.*?)(?:◁/think▷|\Z))",
    re.DOTALL | re.IGNORECASE,
)
"""Thinking at a text's beginning. Models of Qwen and DeepSeek, ByteDance's with a prefix, Mistral's, Moonshot's."""

THINKING_END = re.compile(rf"(?:</(?:[a-z]{{1,8}}:)?(?:{_MARKS})>|\[/THINK\]|◁/think▷)[ \t]*\r?\n", re.IGNORECASE)

Row = dict[str, Any]


def read_completion(body: bytes) -> Row | EndpointError:
    """The answer that the body of a 200 holds.

    Returns:
        `text, reasoning, finish_reason, error, blame` and the tokens of `read_usage`; or the error that came in an
        answer's place. `blame` is "model" where the model did not answer, "endpoint" where the body is no answer.
    """
    try:
        completion = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return failed(MALFORMED, "endpoint")
    if (error := error_in(completion)) is not None:
        return error_of(error)
    try:
        return _answer(completion)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return failed(MALFORMED, "endpoint")


def failed(error: str, blame: str) -> Row:
    """What stands in an answer's place.

    Args:
        error: short reason, then perhaps a colon and details.
        blame: "model", "question" or "endpoint".
    """
    return {"text": "", "reasoning": "", "finish_reason": "error", "error": error[:600].rstrip(": "),
            "blame": blame} | read_usage({})  # fmt: skip


def _answer(completion: Row) -> Row | EndpointError:
    usage = completion.get("usage") or {}
    if "choices" in completion:
        choices = completion["choices"]
        if choices is None or choices == []:
            return failed("no choice", "model") | read_usage(usage)
        choice = choices[0]
        if choice.get("error"):
            return error_of(choice["error"])
        message = choice.get("message") or {"content": choice.get("text")}
        finish, usage = choice.get("finish_reason"), usage or choice.get("usage") or {}
    else:  # Anthropic's own form
        choice, message, finish = completion, {"content": completion["content"]}, completion.get("stop_reason")
    finish = finish.get("type") if isinstance(finish, dict) else finish
    if not isinstance(finish, str | None):
        return failed(MALFORMED, "endpoint")
    if (finish or "").lower() in BROKE_OFF:
        return error_of({"message": f"the endpoint broke off ({finish})", "code": 502})
    finish = _FINISH.get(re.split(r"[:\s]", (finish or "").lower())[0], finish or "")
    text, reasoning, refused = _texts(message.get("content"))
    text = text if "{" in text else _called(message) or text
    if "text" not in choice:  # a plain completion's text is as it is
        text, thought = split_thinking(text)
        reasoning += thought
    reasoning = reasoning or _reasoning(message)
    if not text and finish != "length" and reasoning.rstrip("` \r\n").endswith("}"):  # never told where thinking ended
        text = reasoning
    error = ""
    if finish == "content_filter" or (not text and (refused or message.get("refusal"))):
        error = "refused"
    elif not text and finish != "length":
        error = "only thinking" if reasoning else "empty answer"
    return {"text": storable(text), "reasoning": storable(reasoning), "finish_reason": finish, "error": error,
            "blame": "model" if error else ""} | read_usage(usage)  # fmt: skip


def _reasoning(message: Row) -> str:
    """Thinking beside a content, under the names of DeepSeek, vLLM, Ollama and OpenRouter."""
    for name in ("reasoning_content", "reasoning", "thinking", "reasoning_details"):
        if value := message.get(name):
            return "".join(_texts(value)[:2])
    return ""


def _texts(content: Any) -> tuple[str, str, str]:
    """Text, thinking and refusal of a content: a text, None, a part, or parts of several kinds.

    Raises:
        TypeError: it is none of these.
    """
    if content is None or isinstance(content, str):
        return content or "", "", ""
    if isinstance(content, dict) and ("text" in content or "type" in content):
        content = [content]
    if not isinstance(content, list):
        raise TypeError("no content")
    text, thinking, refused = list[str](), list[str](), list[str]()
    for part in content:
        kind = "text" if isinstance(part, str) else part.get("type", "text")
        if isinstance(part, str):
            text.append(part)
        elif kind.startswith(("thinking", "reasoning", "redacted")) or part.get("thought") is True:
            names = ("thinking", "reasoning", "text", "summary", "content")
            thinking.append(_texts(next((part[name] for name in names if part.get(name)), ""))[0])
        elif kind == "tool_use":
            text.append(json.dumps(part["input"]))
        elif kind == "refusal":
            refused.append(part.get("refusal") or part.get("text") or "refused")
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "".join(thinking), "".join(refused)


def _called(message: Row) -> str:
    """Arguments of the first tool call: what a model writes that answers a schema by calling a function."""
    calls = message.get("tool_calls") or (
        [{"function": message["function_call"]}] if message.get("function_call") else []
    )
    arguments = calls[0]["function"].get("arguments") if calls else ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def split_thinking(text: str) -> tuple[str, str]:
    """What a reasoning model wrote behind its thinking, and the thinking.

    A template may have written the opening mark already: then all before a closing mark at a line's end is thinking,
    unless the text begins as an answer does.
    """
    thoughts, position = [], 0
    while (found := THINKING.match(text, position)) is not None:
        thoughts.append(next(filter(None, found.groups()[1:]), "").strip())
        position = found.end()
    text = text[position:]
    if not thoughts and not text.lstrip("\ufeff \t\r\n").startswith(("{", "[", "`", "~")):
        *before, text = THINKING_END.split(text)
        thoughts += [part.strip() for part in before]
    return (text.lstrip() if thoughts else text), "\n".join(thoughts)


def read_usage(usage: Any) -> Row:
    """`prompt_tokens`, of which `cached_tokens` and `cache_written_tokens`; `completion_tokens` and `reasoning_tokens`.

    OpenAI's form; Anthropic's, whose input leaves out what the cache held; DeepSeek's hits. Where the total is more
    than both sums (Google, xAI), the difference is thinking, and charged as tokens out.
    """
    usage = usage if isinstance(usage, dict) else {}

    def number(*names: str) -> int:
        for name in names:
            value: Any = usage
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**31:
                return int(value)
        return 0

    prompt, completion = number("prompt_tokens", "input_tokens"), number("completion_tokens", "output_tokens")
    cached = number("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
                    "prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens")  # fmt: skip
    written = number("cache_creation_input_tokens", "prompt_tokens_details.cache_write_tokens")
    reasoning = number("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens")
    if "prompt_tokens" not in usage and "cache_read_input_tokens" in usage:  # Anthropic's own form
        prompt += cached + written
    unseen = number("total_tokens") - prompt - completion
    if unseen > 0 and prompt:  # a total alone does not say what of it came in
        completion, reasoning = completion + unseen, max(reasoning, unseen)
    return {"prompt_tokens": prompt, "cached_tokens": min(cached, prompt), "cache_written_tokens": min(written, prompt),
            "completion_tokens": completion, "reasoning_tokens": min(reasoning, completion)}  # fmt: skip
