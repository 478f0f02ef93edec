"""What the body of a request may hold, and how much it can use.

What is checked is what is sent on: the body is parsed once and written anew, so that nothing that two parsers read
differently (keys given twice, odd numbers, framing) reaches the engine. No server here.
"""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from serve.gateway.admission import RefusalError, may_ask, unknown_model
from serve.gateway.keys import Key
from serve.gateway.parts import check_input, check_items, check_messages, check_tools
from serve.gateway.settings import GatewayConfig

ENGINE_FIELDS = frozenset(
    {"chat_template", "kv_transfer_params", "media_io_kwargs", "mm_processor_kwargs", "priority", "request_id"}
    | {"vllm_xargs", "cache_salt", "data_parallel_rank", "ec_transfer_params", "logits_processors", "prompt_embeds"}
    | {"stream_interval", "previous_input_messages", "session_id"}
)
"""Fields of vLLM with which a client could run a template or code of its own, hand over tensors, go before others,
meddle with them, or have more tokens written than the events of a stream show."""

REFUSED_FIELDS = {
    "chat": ("audio", "functions", "function_call", "web_search_options", "moderation"),
    "completions": ("suffix",),
    "responses": ("previous_response_id", "conversation", "prompt", "background", "moderation"),
}
"""Fields of OpenAI's API that no engine here can do: with a value they are refused by name. `null`, `false`
and empty values are ignored."""

IGNORED_FIELDS = frozenset(
    {"store", "metadata", "service_tier", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"}
    | {"modalities", "verbosity", "prediction"}
)
"""Fields of OpenAI's API without which the answer is as good. They go no further: other servers may not know them."""

TEMPLATE_FIELDS = frozenset({"chat_template", "tokenize", "tools", "messages", "conversation", "documents"})
"""What `chat_template_kwargs` must not name: the template itself, and what the request's own fields hold."""

BYTES_PER_TOKEN = 3
"""To guess a prompt's tokens from its size; code has 3 to 4."""


class Ask(NamedTuple):
    """A request to the engine that has passed the checks."""

    model: str
    body: bytes
    """What is sent on."""
    stream: bool
    hide_usage: bool
    """The client did not ask for the stream's last event, the usage, which the accounts need."""
    prompt_tokens: int
    """A guess."""
    max_tokens: int
    """The most that it can use, prompt included."""

    def for_what_is_left(self) -> Ask | None:
        """The same without `max_tokens`: an engine then writes as much as its context leaves. None if it has none."""
        body = json.loads(self.body)
        return self._replace(body=_written(body)) if body.pop("max_tokens", None) is not None else None


def parse(raw: bytes) -> dict[str, Any]:
    """A body's JSON object.

    Raises:
        RefusalError: it is none.
    """

    def finite(text: str) -> float:
        if not math.isfinite(value := float(text)):  # NaN, Infinity, 1e999: they would go on as words that are no JSON
            raise ValueError(text)
        return value

    try:
        body = json.loads(raw, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError):
        raise RefusalError(400, "invalid_json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "invalid_json", "the body must be a JSON object")
    return body


def read_ask(body: dict[str, Any], kind: str, key: Key, config: GatewayConfig, context: int) -> Ask:
    """Check a body and make the one that is sent on.

    Args:
        body: parsed; changed.
        kind: as `Address.kind`.
        key: who asks.
        config: the limits.
        context: most tokens, prompt and answer together, that the engine takes for one choice.

    Raises:
        RefusalError: it is not allowed.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RefusalError(400, "missing_model", "model must name the model", param="model")
    if not may_ask(key, model):
        raise unknown_model(model)
    _check_fields(body, kind)
    if kind == "chat" or (kind == "tokenize" and "messages" in body):
        check_messages(body)
        for message in body["messages"]:  # OpenAI's newer word, which few chat templates know
            message.update({"role": "system"} if message.get("role") == "developer" else {})
    if kind == "embeddings":
        check_input(body)
    if kind == "responses":
        check_items(body)
    if kind in {"chat", "responses", "tokenize"}:
        check_tools(body)
    if not isinstance(body.get("stream"), bool | None):  # the engine would take 1 or "yes" for true
        raise RefusalError(400, "invalid_value", "stream must be true or false", param="stream")
    choices = _choices(body, kind, config)
    prompt_tokens = len(written := _written(body)) // BYTES_PER_TOKEN + 1
    if kind in {"tokenize", "detokenize"}:
        return Ask(model, written, False, False, 0, 0)
    asked = 0 if kind == "embeddings" else _asked(body, kind, choices, config, context)
    stream = body.get("stream") is True and kind != "embeddings"
    hide_usage = stream and kind != "responses" and _with_usage(body)
    most = min(prompt_tokens + asked, context * choices)
    return Ask(model, _written(body), stream, hide_usage, min(prompt_tokens, most), most)


def _check_fields(body: dict[str, Any], kind: str) -> None:
    """Refuse by name what is not served; drop what changes nothing."""
    for field in sorted(ENGINE_FIELDS & body.keys()):
        raise RefusalError(400, "unknown_field", f"{field} is not allowed here", param=field)
    for field in REFUSED_FIELDS.get(kind, ()):
        if body.get(field) in (None, False, "", []):
            body.pop(field, None)
        else:
            raise RefusalError(400, "unsupported_field", f"{field} is not supported here", param=field)
    if body.get("modalities") not in (None, ["text"]):
        raise RefusalError(400, "unsupported_field", "modalities: only text is served here", param="modalities")
    for field in IGNORED_FIELDS & body.keys() if kind != "responses" else ():  # which answers with what it was asked
        del body[field]
    options = body.get("chat_template_kwargs")
    for field in sorted(TEMPLATE_FIELDS & options.keys()) if isinstance(options, dict) else ():
        where = f"chat_template_kwargs.{field}"
        raise RefusalError(400, "unknown_field", f"{where} is not allowed here", param="chat_template_kwargs")


def _choices(body: dict[str, Any], kind: str, config: GatewayConfig) -> int:
    """Answers that are asked for, or texts to embed, all together.

    Raises:
        RefusalError: too many.
    """
    if kind == "embeddings":
        inputs = _batch(body.get("input"))
        if inputs > config.max_inputs:
            message = f"a request may hold {config.max_inputs} inputs at most, and this one holds {inputs}"
            raise RefusalError(400, "too_many_inputs", message, param="input")
        return inputs
    prompts = _batch(body.get("prompt"))
    choices = max(_whole(body, "n"), _whole(body, "best_of")) * prompts
    if choices > config.max_choices:
        message = f"a request may ask for {config.max_choices} answers at most"
        message += f", and this one holds {prompts} prompts" if prompts > 1 else ""
        raise RefusalError(400, "too_many_choices", message, param="prompt" if prompts > 1 else "n")
    return choices


def _written(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a pair of surrogates: a tokenizer would fail at it
        raise RefusalError(400, "invalid_json", "the body holds text that is no Unicode") from None


def _whole(body: dict[str, Any], field: str, least: int = 1) -> int:
    value = body.get(field)
    if value is None:
        return 1
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RefusalError(400, "invalid_value", f"{field} must be a whole number from {least} on", param=field)
    return value


def _batch(given: Any) -> int:
    """Prompts in a field that holds a text, tokens, or a list of either."""
    return len(given) if isinstance(given, list) and given and isinstance(given[0], str | list) else 1


def _asked(body: dict[str, Any], kind: str, choices: int, config: GatewayConfig, context: int) -> int:
    """Tokens that may be written, all choices together; where the client names none, the gateway's limit is put in."""
    names = {"completions": ("max_tokens",), "responses": ("max_output_tokens",)}.get(
        kind, ("max_completion_tokens", "max_tokens")
    )
    # A prompt that is echoed with its logprobs needs no answer.
    least = 0 if kind == "completions" and body.get("echo") is True else 1
    fields = [field for field in names if body.get(field) is not None]
    asked = max((_whole(body, field, least) for field in fields), default=None)
    if config.max_tokens is not None:
        if (1 if asked is None else asked) * choices > config.max_tokens:
            message = f"a request may have {config.max_tokens} tokens written at most, all its choices together"
            raise RefusalError(400, "max_tokens_exceeded", message, param=(fields or names)[0])
        if asked is None:
            asked = body[names[-1]] = config.max_tokens // choices
    return min(context if asked is None else asked, context) * choices


def _with_usage(body: dict[str, Any]) -> bool:
    """Ask for a stream's usage; True if the client did not."""
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise RefusalError(400, "invalid_value", "stream_options must be an object", param="stream_options")
    body["stream_options"] = options | {"include_usage": True}
    return options.get("include_usage") is not True
