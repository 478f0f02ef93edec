"""The allow-list of addresses, the checks of a request's head, and refusals as OpenAI and Anthropic word them.

What a body may hold is in `ask.py`. No server here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import NamedTuple

from serve.gateway.keys import Key, Route
from serve.gateway.limits import Wait
from serve.gateway.settings import GatewayConfig


class Address(NamedTuple):
    """What is answered at one address."""

    method: str
    route: Route
    """Scope that a key needs."""
    kind: str = ""
    """What the body is, once translated: chat, completions, embeddings, responses, tokenize or detokenize."""
    upstream: str = ""
    """Where the engine answers it: behind /v1, or at the root for what vLLM has there."""


CHAT = Address("POST", "chat", "chat", "/chat/completions")

ADDRESSES: dict[bytes, Address] = {
    b"/v1/models": Address("GET", "models"),
    b"/v1/chat/completions": CHAT,
    b"/v1/messages": CHAT,
    b"/v1/messages/count_tokens": Address("POST", "chat", "tokenize", "/tokenize"),
    b"/v1/responses": Address("POST", "chat", "responses", "/responses"),
    b"/v1/completions": Address("POST", "completions", "completions", "/completions"),
    b"/v1/embeddings": Address("POST", "embeddings", "embeddings", "/embeddings"),
    b"/tokenize": Address("POST", "chat", "tokenize", "/tokenize"),
    b"/detokenize": Address("POST", "chat", "detokenize", "/detokenize"),
    b"/metrics": Address("GET", "metrics"),
}
"""Path, byte for byte, → what is there. One slash at the end of an API's path is ignored; nothing else is normalised,
so no spelling leads anywhere else."""

MODEL_PREFIX = b"/v1/models/"

MESSAGES = b"/v1/messages"
"""Addresses that begin so speak Anthropic's words, errors too."""

MODELS = b"/v1/models"
"""Both APIs list models here: a client that says which version of Anthropic's it speaks gets Anthropic's list."""

ENCODINGS = ("identity", "gzip", "deflate")
"""Forms in which a body may come."""

CONTEXT_EXCEEDED = "context_length_exceeded"
"""OpenAI's code for a question, or question and answer, that an engine's context does not hold."""

MOST_HEAD_BYTES = 32_768
"""Of a request line and its headers."""


class RefusalError(Exception):
    """A request that ends with an error body."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        allow: str = "",
        details: dict[str, str] | None = None,
    ) -> None:
        """An error.

        Args:
            status: of HTTP.
            code: as in OpenAI's error object.
            message: what a person reads.
            param: field that is to blame.
            retry_after_s: for the headers that say when to retry.
            allow: for the header that says which methods there are.
            details: of Anthropic's error object, which its clients read.
        """
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.retry_after_s, self.allow, self.details = retry_after_s, allow, details

    def body(self) -> bytes:
        """OpenAI's error object, as JSON."""
        error = {"message": self.message, "type": error_type(self.status), "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()

    def message_body(self, request_id: str) -> bytes:
        """Anthropic's error object, as JSON."""
        named = {404: "not_found_error", 413: "request_too_large", 503: "overloaded_error", 504: "timeout_error"}
        # Claude Code shortens a conversation by itself when it reads these words.
        too_long = self.code == CONTEXT_EXCEEDED and "prompt is too long" not in self.message.lower()
        message = f"prompt is too long: {self.message}" if too_long else self.message
        error: dict[str, object] = {"type": named.get(self.status, error_type(self.status)), "message": message}
        error |= {"details": self.details} if self.details else {}
        return json.dumps({"type": "error", "error": error, "request_id": request_id}).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Response headers that belong to it."""
        if self.status == 401:
            return [(b"www-authenticate", b"Bearer")]
        if self.code == "insufficient_quota":
            return [(b"x-should-retry", b"false")]  # OpenAI's and Anthropic's clients would try again
        if self.retry_after_s is not None:
            whole_s = max(1, math.ceil(self.retry_after_s))
            after_ms = max(1, math.ceil(self.retry_after_s * 1000))
            return [(b"retry-after", str(whole_s).encode()), (b"retry-after-ms", str(after_ms).encode())]
        if self.allow:
            return [(b"allow", self.allow.encode())]
        if self.code == "unsupported_encoding":
            return [(b"accept-encoding", ", ".join(ENCODINGS[1:]).encode())]
        return []


def error_type(status: int) -> str:
    """OpenAI's word for a kind of error."""
    named = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    return named.get(status, "api_error" if status >= 500 else "invalid_request_error")


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


def speaks_anthropic(path: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a client reads Anthropic's objects, errors too."""
    if path.startswith(MESSAGES):
        return True
    is_openais = path in ADDRESSES and not path.startswith(MODELS)
    return not is_openais and any(name == b"anthropic-version" for name, _ in headers)


def address_of(path: bytes) -> Address:
    """What is at a path.

    Raises:
        RefusalError: nothing is.
    """
    path = path.removesuffix(b"/") if path.startswith(b"/v1/") else path
    address = ADDRESSES.get(path)
    if address is None and path.startswith(MODEL_PREFIX):
        address = ADDRESSES[MODEL_PREFIX.removesuffix(b"/")]
    if address is None:
        raise RefusalError(404, "unknown_url", _nothing_at(path))
    return address


def _nothing_at(path: bytes) -> str:
    """What is said of an address that is not served: a base URL with /v1 too many or too few is named."""
    shown = path[:100].decode("latin-1")
    for known in sorted(ADDRESSES, key=len, reverse=True):
        if known.startswith(b"/v1/") and path.removesuffix(b"/").endswith(known.removeprefix(b"/v1")):
            how = "ends in /v1" if not known.startswith(MESSAGES) else "ends before /v1"
            return f"there is nothing at {shown}; {known.decode()} is served (a client's base URL {how})"
    served = ", ".join(sorted(known.decode() for known in ADDRESSES if known.startswith(b"/v1/")))
    return f"there is nothing at {shown}; served are {served}"


def methods_of(address: Address) -> str:
    """What an address takes, as the header `Allow` lists it."""
    return "GET, HEAD, OPTIONS" if address.method == "GET" else f"{address.method}, OPTIONS"


def check_method(address: Address, method: str) -> None:
    """Refuse a method that an address does not take.

    Raises:
        RefusalError: it takes another.
    """
    if method not in methods_of(address).split(", "):
        allowed = methods_of(address)
        raise RefusalError(405, "method_not_allowed", f"this address takes {address.method}", allow=allowed)


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
    if encoding_of(headers) not in ENCODINGS:
        raise RefusalError(415, "unsupported_encoding", f"a body's Content-Encoding may be {', '.join(ENCODINGS)}")
    if int(header(headers, b"content-length") or 0) > config.max_body_bytes:
        raise too_large(config)


def encoding_of(headers: list[tuple[bytes, bytes]]) -> str:
    """How a body is compressed."""
    return (header(headers, b"content-encoding") or "identity").strip().lower().removeprefix("x-")


def too_large(config: GatewayConfig) -> RefusalError:
    """The refusal of a long body."""
    return RefusalError(413, "request_too_large", f"a request may have {config.max_body_bytes} bytes at most")


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
