"""What a client may send: the allow-list of routes, the checks of head and body, and refusals as OpenAI words them.

What is checked is what is sent on: the body is parsed once and written anew, so that nothing that two parsers read
differently (keys given twice, odd numbers, framing) reaches the engine. No server here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from serve.gateway.keys import Key, Route
from serve.gateway.limits import Wait
from serve.gateway.settings import GatewayConfig

ROUTES: dict[bytes, tuple[str, Route]] = {
    b"/v1/models": ("GET", "models"),
    b"/v1/chat/completions": ("POST", "chat"),
    b"/v1/messages": ("POST", "chat"),
    b"/v1/completions": ("POST", "completions"),
    b"/v1/embeddings": ("POST", "embeddings"),
    b"/metrics": ("GET", "metrics"),
}
"""Path, byte for byte, → method and route. Nothing is normalised, so no spelling leads anywhere else."""

MODEL_PREFIX = b"/v1/models/"

MESSAGES = b"/v1/messages"
"""Chat in Anthropic's words, errors too."""

ENGINE_FIELDS = frozenset(
    {"chat_template", "kv_transfer_params", "media_io_kwargs", "mm_processor_kwargs", "priority", "request_id"}
    | {"vllm_xargs", "cache_salt", "data_parallel_rank", "ec_transfer_params", "logits_processors", "prompt_embeds"}
    | {"stream_interval"}
)
"""Fields of vLLM with which a client could run a template or code of its own, hand over tensors, go before others,
meddle with them, or have more tokens written than the events of a stream show."""

TEXT_PART = {"type", "text", "cache_control"}
"""What a part of a message may hold. vLLM takes a part of type text that also names an image for an image."""

MOST_HEAD_BYTES = 32_768
"""Of a request line and its headers."""

BYTES_PER_TOKEN = 3
"""To guess a prompt's tokens from its size; code has 3 to 4."""


class RefusalError(Exception):
    """A request that ends with an error body."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        """Args: as in OpenAI's error object, and the HTTP status."""
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.retry_after_s = retry_after_s

    def body(self) -> bytes:
        """OpenAI's error object, as JSON."""
        error = {"message": self.message, "type": error_type(self.status), "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()

    def message_body(self) -> bytes:
        """Anthropic's error object, as JSON."""
        error = {"type": error_type(self.status), "message": self.message}
        return json.dumps({"type": "error", "error": error}).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Response headers that belong to it."""
        if self.status == 401:
            return [(b"www-authenticate", b"Bearer")]
        if self.retry_after_s is not None:
            return [(b"retry-after", str(max(1, math.ceil(self.retry_after_s))).encode())]
        return []


def error_type(status: int) -> str:
    """OpenAI's word for a kind of error."""
    named = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    return named.get(status, "api_error" if status >= 500 else "invalid_request_error")


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


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """A header that may come once.

    Raises:
        RefusalError: it comes twice.
    """
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise RefusalError(400, "duplicate_header", f"the header {name.decode()} comes more than once")
    return values[0].decode("latin-1") if values else None


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The key that a request shows, as OpenAI's clients do or as Anthropic's.

    Raises:
        RefusalError: it shows two.
    """
    scheme, _, secret = (header(headers, b"authorization") or "").partition(" ")
    shown = {secret.strip() if scheme.lower() == "bearer" else "", (header(headers, b"x-api-key") or "").strip()} - {""}
    if len(shown) > 1:
        raise RefusalError(400, "duplicate_header", "Authorization and x-api-key show different keys")
    return shown.pop() if shown else None


def route_of(path: bytes, method: str) -> Route:
    """The route of a path.

    Raises:
        RefusalError: there is none, or not for this method.
    """
    expected, route = ROUTES.get(path, ("GET", "models") if path.startswith(MODEL_PREFIX) else ("", None))
    if route is None:
        raise RefusalError(404, "unknown_url", "there is nothing at this address")
    if method != expected:
        raise RefusalError(405, "method_not_allowed", f"this address takes {expected}")
    return route


def check_size(path: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse a long head: the server's own bound is on heads that come in pieces only."""
    if len(path) + sum(len(name) + len(value) + 4 for name, value in headers) > MOST_HEAD_BYTES:
        raise RefusalError(431, "head_too_large", f"a request's head may have {MOST_HEAD_BYTES} bytes at most")


def check_head(headers: list[tuple[bytes, bytes]], config: GatewayConfig) -> None:
    """Refuse what a body must not come as, before it is read."""
    if header(headers, b"transfer-encoding") is not None and header(headers, b"content-length") is not None:
        raise RefusalError(400, "ambiguous_length", "Content-Length and Transfer-Encoding must not come together")
    if (header(headers, b"content-type") or "").partition(";")[0].strip().lower() != "application/json":
        raise RefusalError(415, "unsupported_media_type", "send the request with Content-Type: application/json")
    if (header(headers, b"content-encoding") or "identity") != "identity":
        raise RefusalError(415, "unsupported_encoding", "send the request without Content-Encoding")
    if int(header(headers, b"content-length") or 0) > config.max_body_bytes:
        raise too_large(config)


def too_large(config: GatewayConfig) -> RefusalError:
    """The refusal of a long body."""
    return RefusalError(413, "request_too_large", f"a request may have {config.max_body_bytes} bytes at most")


def read_ask(raw: bytes, route: str, key: Key, config: GatewayConfig, context: int) -> Ask:
    """Check a body and make the one that is sent on.

    Args:
        raw: as the client sent it.
        route: chat, completions or embeddings.
        key: who asks.
        config: the limits.
        context: most tokens, prompt and answer together, that the engine takes for one choice.

    Raises:
        RefusalError: it is not allowed.
    """
    body = _parsed(raw)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RefusalError(400, "missing_model", "model must name the model", param="model")
    if not may_ask(key, model):
        raise unknown_model(model)
    for field in sorted(ENGINE_FIELDS & body.keys()):
        raise RefusalError(400, "unknown_field", f"{field} is not allowed here", param=field)
    if route == "chat":
        _check_messages(body.get("messages"))
    if route == "embeddings":
        _check_input(body)
    if not isinstance(body.get("stream"), bool | None):  # the engine would take 1 or "yes" for true
        raise RefusalError(400, "invalid_value", "stream must be true or false", param="stream")
    choices = max(_whole(body, "n", 1), _whole(body, "best_of", 1)) * _batch(
        body.get("input" if route == "embeddings" else "prompt")
    )
    if choices > config.max_choices:
        raise RefusalError(
            400, "too_many_choices", f"a request may ask for {config.max_choices} answers at most", param="n"
        )
    prompt_tokens = len(raw) // BYTES_PER_TOKEN + 1
    asked = 0 if route == "embeddings" else _asked(body, route, choices, config, context)
    stream = body.get("stream") is True and route != "embeddings"
    hide_usage = stream and _with_usage(body)
    most = min(prompt_tokens + asked, context * choices)
    return Ask(model, _written(body), stream, hide_usage, min(prompt_tokens, most), most)


def may_ask(key: Key, model: str) -> bool:
    """Whether a key is for a model."""
    return key.models is None or model in key.models


def unknown_model(model: str) -> RefusalError:
    """The refusal of a model that is not there, or not for this key: which of the two, the client does not learn."""
    return RefusalError(404, "model_not_found", f"there is no model {model[:100]!r} for this key", param="model")


def over_limit(wait: Wait) -> RefusalError:
    """The refusal of a key that has used up a limit."""
    if wait.limit == "tokens_total":
        return RefusalError(
            429, "insufficient_quota", f"this request may use more than is left of this key's {wait.size} tokens"
        )
    if math.isinf(wait.seconds):
        message = f"this request may use more than this key's limit {wait.limit} ({wait.size}); lower max_tokens"
        return RefusalError(400, "request_exceeds_limit", message, param="max_tokens")
    message = f"this key's limit {wait.limit} ({wait.size}) is reached; try again in {math.ceil(wait.seconds)} s"
    return RefusalError(429, "rate_limit_exceeded", message, retry_after_s=wait.seconds)


def _parsed(raw: bytes) -> dict[str, Any]:
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


def _written(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a pair of surrogates: a tokenizer would fail at it
        raise RefusalError(400, "invalid_json", "the body holds text that is no Unicode") from None


def _check_messages(messages: Any) -> None:
    """Text only: a part that names an address would have the engine fetch it."""
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise RefusalError(400, "invalid_messages", "messages must be a list of objects", param="messages")
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        if not all(
            isinstance(part, dict) and part.get("type") == "text" and part.keys() <= TEXT_PART for part in parts
        ):
            raise RefusalError(400, "unsupported_content", "only text is served here", param="messages")


def _check_input(body: dict[str, Any]) -> None:
    """Texts and tokens only: vLLM also embeds chats, whose parts may name addresses."""
    given = body.get("input")
    parts = given if isinstance(given, list) else [given]
    inner = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    if "messages" in body or any(isinstance(each, dict | list) for each in inner):
        raise RefusalError(400, "unsupported_content", "input must be text, tokens, or a list of either", param="input")


def _whole(body: dict[str, Any], field: str, default: int) -> int:
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RefusalError(400, "invalid_value", f"{field} must be a whole number from 1 on", param=field)
    return value


def _batch(given: Any) -> int:
    """Prompts in a field that holds a text, tokens, or a list of either."""
    return len(given) if isinstance(given, list) and given and isinstance(given[0], str | list) else 1


def _asked(body: dict[str, Any], route: str, choices: int, config: GatewayConfig, context: int) -> int:
    """Tokens that may be written, all choices together; where the client names none, the gateway's limit is put in."""
    names = ("max_tokens",) if route == "completions" else ("max_completion_tokens", "max_tokens")
    fields = [field for field in names if body.get(field) is not None]
    asked = max((_whole(body, field, 1) for field in fields), default=None)
    if config.max_tokens is not None:
        if (asked or 1) * choices > config.max_tokens:
            message = f"a request may have {config.max_tokens} tokens written at most, all its choices together"
            raise RefusalError(400, "max_tokens_exceeded", message, param="max_tokens")
        if asked is None:
            asked = body["max_tokens"] = config.max_tokens // choices
    return min(asked or context, context) * choices


def _with_usage(body: dict[str, Any]) -> bool:
    """Ask for a stream's usage; True if the client did not."""
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise RefusalError(400, "invalid_value", "stream_options must be an object", param="stream_options")
    body["stream_options"] = options | {"include_usage": True}
    return options.get("include_usage") is not True
