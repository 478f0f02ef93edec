"""The body of an answer → text, thinking and tokens, in every form in which endpoints send it. Pure.

Nothing raises on any bytes: what is no answer is an error that says why.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from core.text import storable
from serve.client.bodies import parsed
from serve.client.errors import EndpointError, error_in, error_of

FINISHES = {
    "length": {"length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "incomplete",
               "model_context_window_exceeded", "max_length", "error_limit", "maxpredictedtokensreached",
               "contextlengthreached", "time_limit", "maximum_tokens", "max_new_tokens"},
    "content_filter": {"content_filter", "safety", "recitation", "refusal", "prohibited_content", "blocklist", "spii",
                       "moderation", "sensitive", "language", "guardrail_intervened", "content_filtered",
                       "image_safety", "error_toxic"},
    "stop": {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "end", "eosfound",
             "stopstringfound", "finish"},
    "tool_calls": {"tool_calls", "tool_use", "function_call"},
}  # fmt: skip
"""OpenAI's word → the words of others (Anthropic, Google, Mistral, Cohere, LM Studio, text-generation-inference)."""

BROKE_OFF = {
    "error",
    "abort",
    "aborted",
    "insufficient_system_resource",
    "engine_error",
    "network_error",
    "other_error",
    "cancelled",
    "canceled",
}
"""Words of a model that was stopped in the middle (vLLM, DeepSeek, Mistral, OpenRouter, Zhipu): asked again."""

USAGES = ("usage", "billed_units", "tokens")
"""Fields in which servers put a usage into another object (Groq, Cohere)."""

OTHER_NAMES = {
    "prompt": ("promptTokenCount", "promptTokens", "inputTokens", "prompt_eval_count"),
    "completion": ("candidatesTokenCount", "completionTokens", "outputTokens", "eval_count"),
    "total": ("totalTokenCount", "totalTokens"),
}
"""Names of tokens in the own forms of Google's API, Amazon's and Ollama's."""

MALFORMED = "malformed answer"

_FINISH = {word: name for name, words in FINISHES.items() for word in words}

_MARKS = "think|thinking|thought|thoughts|reasoning|reason|scratchpad|analysis|reflection|antthinking"
THINKING = re.compile(
    rf"[\s\ufeff]*(?:<((?:[a-z]{{1,8}}[:_])?(?:{_MARKS}))(?:\s[^<>]{{0,100}})?>(.*?)(?:</\1>|\Z)"
    r"|\[think\](.*?)(?:\[/think\]|\Z)|◁think▷(.*?)(?:◁/think▷|\Z)"
    r"|(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary).{0,100}?<\|message\|>(.*?)(?:<\|end\|>|\Z))",
    re.DOTALL | re.IGNORECASE,
)
"""Thinking at a text's beginning. Models of Qwen and DeepSeek, ByteDance's with a prefix, Mistral's, Moonshot's, and
OpenAI's open ones before a server that does not read their channels."""

FINAL = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>final.{0,60}?<\|message\|>")
FINAL_END = re.compile(r"<\|(?:return|end)\|>\s*\Z")
"""Marks around what those open models write for the user."""

THINKING_END = re.compile(rf"(?:</(?:[a-z]{{1,8}}[:_])?(?:{_MARKS})>|\[/THINK\]|◁/think▷)[ \t]*\r?\n", re.IGNORECASE)

Row = dict[str, Any]


def read_completion(body: bytes) -> Row | EndpointError:
    """The answer that the body of a 200 holds.

    Returns:
        `text, reasoning, finish_reason, error, blame` and the tokens of `read_usage`; or the error that came in an
        answer's place. `blame` is "model" where the model did not answer, "endpoint" where the body is no answer.
    """
    try:
        completion = parsed(body)
    except (ValueError, RecursionError, TypeError, AttributeError):
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


def written_in_spite(error: EndpointError) -> Row | EndpointError | None:
    """What a model wrote, where an endpoint checks answers itself and sends them as an error (Groq's 400).

    Returns:
        As `read_completion`; None where the error holds no text of a model.
    """
    if "json_validate_failed" not in error.code:
        return None
    written = parsed(error.details.encode()).get("failed_generation") or ""
    cut_off = "tokens reached" in error.words
    return _of_message({"content": str(written)}, "length" if cut_off else "stop", {}) if written or cut_off else None


def _answer(completion: Row) -> Row | EndpointError:
    usage: Any = next((completion[name] for name in ("usage", "x_groq", "usageMetadata") if completion.get(name)), {})
    if "choices" in completion:
        choices = completion["choices"]
        if choices is None or choices == []:
            return failed("no choice", "model") | read_usage(usage)
        if isinstance(choices, dict):
            choices = [choices] if "message" in choices else list(choices.values())
        found = [_of_choice(choice, usage or choice.get("usage") or {}) for choice in choices]
        return next((one for one in found if isinstance(one, dict) and one["text"] and not one["error"]), found[0])
    if isinstance(feedback := completion.get("promptFeedback"), dict):  # Google's, of a prompt that it blocks
        return failed("refused" if feedback.get("blockReason") else "no choice", "model") | read_usage(usage)
    if completion.get("object") == "chat.completion":
        return failed("no choice", "model") | read_usage(usage)
    if isinstance(completion.get("message"), dict):  # Ollama's and Cohere's own forms
        finish = completion.get("done_reason", completion.get("finish_reason"))
        return _of_message(completion["message"], finish, usage or completion)
    return _of_message({"content": completion["content"]}, completion.get("stop_reason"), usage)  # Anthropic's own form


def _of_choice(choice: Row, usage: Row) -> Row | EndpointError:
    if choice.get("error"):
        return error_of(choice["error"])
    message = choice.get("message") or choice.get("messages") or choice.get("delta") or {"content": choice.get("text")}
    message = message[-1] if isinstance(message, list) else message
    message = {"content": message} if isinstance(message, str) else message
    return _of_message(message, choice.get("finish_reason"), usage, plain="text" in choice)


def _of_message(message: Row, finish: Any, usage: Any, *, plain: bool = False) -> Row | EndpointError:
    finish = finish_word(finish) or ""
    if finish.lower() in BROKE_OFF:
        return error_of({"message": f"the endpoint broke off ({finish})", "code": 502})
    text, reasoning, refused = _texts(message.get("content", message.get("text")))
    text = text if "{" in text else _called(message) or text
    if not plain:  # a plain completion's text is as it is
        text, thought = split_thinking(text)
        reasoning += thought
    reasoning = reasoning or _reasoning(message)
    if not text and isinstance(message.get("parsed"), dict):
        text = json.dumps(message["parsed"], ensure_ascii=False)
    if not text and finish != "length" and reasoning.rstrip("` \r\n").endswith("}"):  # never told where thinking ended
        text = reasoning
    error = ""
    if finish == "content_filter" or (not text and (refused or message.get("refusal"))):
        error = "refused"
    elif not text and finish != "length":
        error = "only thinking" if reasoning else "empty answer"
    return {"text": storable(text), "reasoning": storable(reasoning), "finish_reason": finish, "error": error,
            "blame": "model" if error else ""} | read_usage(usage)  # fmt: skip


def finish_word(finish: Any) -> str | None:
    """OpenAI's word for why an answer ended, or the server's own where it means something else; None: it is no word."""
    finish = finish.get("type") if isinstance(finish, dict) else finish
    finish = finish[0] if isinstance(finish, list) and len(finish) == 1 else finish
    if not isinstance(finish, str | None):
        return None
    word = re.split(r"[:\s]", (finish or "").lower())[0].removeprefix("finish_reason_")
    return _FINISH.get(word, finish or "")


def _reasoning(message: Row) -> str:
    """Thinking beside a content, under the names of DeepSeek, vLLM, Ollama, OpenRouter and others."""
    for name in ("reasoning_content", "reasoning", "thinking", "reasoning_details", "reasoning_text", "thoughts"):
        if value := message.get(name):
            value = value.get("content", value) if isinstance(value, dict) else value
            with contextlib.suppress(TypeError, AttributeError):  # thinking in an odd form costs no answer
                return "".join(_texts(value)[:2])
    return ""


def _texts(content: Any) -> tuple[str, str, str]:
    """Text, thinking and refusal of a content: a text, None, a part, parts of several kinds, or the object asked for.

    Raises:
        TypeError: it is none of these.
    """
    if content is None or isinstance(content, str):
        return content or "", "", ""
    if isinstance(content, dict) and isinstance(content.get("parts"), list):  # Google's own form
        content = content["parts"]
    if isinstance(content, dict) and not ("text" in content or "type" in content):
        return json.dumps(content, ensure_ascii=False), "", ""  # JSON that a server has parsed already
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise TypeError("no content")
    texts = ["", "", ""]
    for part in content:
        texts = list(map("".join, zip(texts, _texts_of_part(part), strict=True)))
    return texts[0], texts[1], texts[2]


def _texts_of_part(part: Any) -> tuple[str, str, str]:
    """As `_texts`, of one part."""
    if part is None or isinstance(part, str | list):
        return _texts(part)
    kind = part.get("type", "text")
    if kind.startswith(("thinking", "reasoning", "redacted")) or part.get("thought") is True:
        names = ("thinking", "reasoning", "text", "summary", "content")
        return "", _texts(next((part[name] for name in names if part.get(name)), ""))[0], ""
    if kind == "refusal":
        return "", "", part.get("refusal") or part.get("text") or "refused"
    text = part.get("text")
    if kind in {"tool_use", "json", "object"} and not isinstance(text, str):
        text = json.dumps(next(part[name] for name in ("input", "json", "object") if name in part), ensure_ascii=False)
    text = text.get("value") if isinstance(text, dict) else text  # as OpenAI's threads have it
    return text if isinstance(text, str) else "", "", ""


def _called(message: Row) -> str:
    """Arguments of the first tool call that has some: so a model answers a schema that is given it as a function's."""
    calls = message.get("tool_calls") or [{"function": message.get("function_call")}]
    calls = list(calls.values()) if isinstance(calls, dict) else calls
    functions = [call.get("function") or call for call in calls if isinstance(call, dict)]
    arguments = next((function["arguments"] for function in functions if function.get("arguments")), "")
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
    if (final := FINAL.match(text)) is not None:
        return FINAL_END.sub("", text[final.end() :]), "\n".join(thoughts)
    if not thoughts and not text.lstrip("\ufeff \t\r\n").startswith(("{", "[", "`", "~")):
        *before, text = THINKING_END.split(text)
        thoughts += [part.strip() for part in before]
    return (text.lstrip() if thoughts else text), "\n".join(thoughts)


def read_usage(usage: Any) -> Row:
    """`prompt_tokens`, of which `cached_tokens` and `cache_written_tokens`; `completion_tokens` and `reasoning_tokens`.

    OpenAI's form; Anthropic's, whose input leaves out what the cache held; DeepSeek's hits. Where the total is more
    than both sums (Google, xAI), the difference is thinking, and charged as tokens out.
    """
    usage = usage[0] if isinstance(usage, list) and len(usage) == 1 else usage
    usage = usage if isinstance(usage, dict) else {}
    usage = next((usage[name] for name in USAGES if isinstance(usage.get(name), dict)), usage)

    def number(*names: str) -> int:
        for name in names:
            value: Any = usage
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if isinstance(value, str) and (whole := re.fullmatch(r"(\d{1,9})(?:\.0*)?", value)):
                value = int(whole[1])
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**31:
                return int(value)
        return 0

    prompt = number("prompt_tokens", "input_tokens", *OTHER_NAMES["prompt"])
    completion = number("completion_tokens", "output_tokens", *OTHER_NAMES["completion"])
    cached = number("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
                    "prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens", "num_cached_tokens",
                    "cachedContentTokenCount", "cacheReadInputTokens")  # fmt: skip
    written = number("cache_creation_input_tokens", "prompt_tokens_details.cache_write_tokens",
                     "prompt_tokens_details.cache_creation_input_tokens", "cacheWriteInputTokens")  # fmt: skip
    reasoning = number("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens",
                       "reasoning_tokens")  # fmt: skip
    if "prompt_tokens" not in usage and usage.keys() & {"cache_read_input_tokens", "cacheReadInputTokens"}:
        prompt += cached + written  # Anthropic's own form, and Amazon's
    unseen = number("total_tokens", *OTHER_NAMES["total"]) - prompt - completion
    if unseen > 0 and prompt:  # a total alone does not say what of it came in
        completion, reasoning = completion + unseen, max(reasoning, unseen)
    return {"prompt_tokens": prompt, "cached_tokens": min(cached, prompt), "cache_written_tokens": min(written, prompt),
            "completion_tokens": completion, "reasoning_tokens": min(reasoning, completion)}  # fmt: skip
