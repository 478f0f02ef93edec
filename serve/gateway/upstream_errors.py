"""What a client is told of an engine's error: the engine's words about the request, nothing about its insides.

Servers of the OpenAI API word errors in many ways: OpenAI's object, vLLM's older `{"object": "error"}`, a bare message,
a string, FastAPI's list of details, a list of errors. They come as a status, inside a 200, or as an event of a stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from serve.client.completions import BROKE_OFF, finish_word
from serve.gateway.admission import CONTEXT_EXCEEDED, RefusalError

MOST_CHARACTERS = 2000
"""Of an engine's words."""

MOST_WAIT_S = 86_400.0
"""Longest `Retry-After` that is passed on."""

_PLACES_OF_WORDS = ("message", "msg", "detail", "details", "error", "errors", "title", "reason", "base_resp",
                    "status_msg", "error_message", "errorMessage", "error_description", "err", "Error",
                    "Message")  # fmt: skip
_CODE = re.compile(r"[a-z][a-z0-9_]{2,63}")
_KINDS = {"invalid_request_error": 400, "validation": 400, "not_found_error": 404, "rate_limit_error": 429}
_KINDS |= {"overloaded_error": 503, "timeout_error": 504, "server_error": 500, "api_error": 500, "error": 500}
"""Kinds of error in OpenAI's, Anthropic's and TGI's words, with the status that they come with."""

_STATUS_OF_CODE = _KINDS | {"context_length_exceeded": 400, "rate_limit_exceeded": 429, "request_too_large": 413}

_NO_MODEL = re.compile(r"(?:no such|unknown) model|model.{0,300}(?:does not exist|not found|not loaded)", re.IGNORECASE)
_NO_MODEL_IN_400 = re.compile(r"(?:the |requested )*model\b[^.;]{0,100} (?:does not exist|not found)", re.IGNORECASE)
_OVERFLOW = re.compile(
    r"maximum context length|context (?:length|window|size)|max(?:imum)? model len|prompt is too long"
    r"|input token count[^.]{0,40} exceeds|`inputs`[^.]{0,40}(?:must be <=|less than)",
    re.IGNORECASE,
)


class Words(NamedTuple):
    """What an error says."""

    message: str
    param: str | None = None
    code: str | None = None
    """As OpenAI's clients tell errors apart, such as `context_length_exceeded`."""
    status: int | None = None
    """HTTP status, where the body names one."""


def is_error(content: Any) -> bool:
    """Whether an answer's body, or an event's data, is an error although it came with status 200."""
    if isinstance(content, list):
        return bool(content) and all(isinstance(each, dict) and is_error(each) for each in content)
    if not isinstance(content, dict):
        return False
    if content.get("error") or content.get("object") == "error" or content.get("type") == "error":
        return True
    if isinstance(state := content.get("base_resp"), dict) and state.get("status_code"):  # MiniMax
        return True
    if content.keys() & {"choices", "data", "usage", "response", "item", "part", "delta"}:
        return False
    known = content.keys() & {"object", "type", "id"}  # an answer, or a flat error such as vLLM's of a BadRequestError
    return bool(
        _text_of({name: content[name] for name in _PLACES_OF_WORDS[:3] if name in content} if known else content)
    )


def error_of_choice(content: Any) -> Any:
    """The error that stands in an answer's first choice, as routers put it there; None where none does."""
    choices = content.get("choices") if isinstance(content, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return None
    if not (first.get("error") or (finish_word(first.get("finish_reason")) or "").lower() in BROKE_OFF):
        return None
    return {"error": first.get("error") or {"message": "the provider broke off", "code": 502}}


def words_of(content: Any) -> Words:
    """What a parsed error body says; an empty message where it says nothing."""
    source = content[0] if isinstance(content, list) and content else content
    inner = source
    for place in ("error", "detail", "Error"):
        if isinstance(source, dict) and isinstance(source.get(place), dict):
            inner = source[place]
            break
    # Ray wraps vLLM's words as "Message: … (Request ID: …), Internal exception: …".
    message = _text_of(source).removeprefix("Message: ").partition(" (Request ID: ")[0].strip()[:MOST_CHARACTERS]
    if not isinstance(inner, dict):
        return Words(message)
    fields = [each for each in (inner, source) if isinstance(each, dict)]
    param = next((each["param"] for each in fields if isinstance(each.get("param"), str)), None)
    names = [each.get(name) for each in fields for name in ("code", "type", "error_type")]
    code = next((name for name in names if isinstance(name, str) and _CODE.fullmatch(name)), None)
    numbers = [each.get(name) for each in fields for name in ("code", "status_code", "http_status_code", "status")]
    status = next((number for each in numbers if (number := _status(each)) is not None), None)
    return Words(message, param, code, status)


def refusal_of(status: int, body: bytes, headers: Mapping[str, str]) -> RefusalError:
    """The refusal that an engine's answer with an error status becomes.

    Args:
        status: of its answer.
        body: whatever it holds.
        headers: of its answer, by name in any case.
    """
    return _refusal(status, _read(body), wait_s(headers, datetime.now(UTC)))


def refusal_in_answer(content: Any) -> RefusalError:
    """The refusal that an error inside a 200 becomes; without a status of its own it is the engine's failure."""
    words = words_of(content)
    return _refusal(words.status or _STATUS_OF_CODE.get(words.code or "", 500), words, None)


def wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks to wait: `retry-after-ms`, or `Retry-After` as seconds, a fraction or a date."""
    given = {name.lower(): value.strip() for name, value in headers.items()}
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        if re.fullmatch(r"\d{1,12}(\.\d*)?|\.\d+", given.get(name, "")):
            return min(float(given[name]) / scale, MOST_WAIT_S)
    try:
        until = parsedate_to_datetime(given.get("retry-after", ""))
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), MOST_WAIT_S)


def _refusal(status: int, words: Words, wait: float | None) -> RefusalError:
    wait = 1.0 if wait is None else wait
    if status == 429:
        return RefusalError(429, "overloaded", "the engine has all it can do; try again", retry_after_s=wait)
    if status in {425, 498, 503, 529}:
        return RefusalError(503, "unavailable", "the engine cannot answer now; try again", retry_after_s=wait)
    if status in {408, 504, 522, 524}:
        return RefusalError(504, "timeout", "the answer did not come in time")
    if status < 400 or (status >= 500 and status != 501) or status in {401, 402, 403, 407, 424, 460, 499}:
        return RefusalError(502, "upstream_error", "the engine failed")
    if (status == 404 and _NO_MODEL.search(words.message)) or (status == 400 and _NO_MODEL_IN_400.match(words.message)):
        return RefusalError(404, "model_not_found", "there is no such model", param="model")
    if status in {404, 405}:
        return RefusalError(404, "not_answered", "the engine does not answer this address")
    message = words.message or "the engine does not take this request"
    code = CONTEXT_EXCEEDED if _OVERFLOW.search(message) else (words.code or "invalid_request")
    code = "invalid_request" if code in _KINDS else code
    return RefusalError(413 if status == 413 else 400, code, message, param=words.param)


def _read(body: bytes) -> Words:
    """Words of a body that may be anything: plain text counts, a page of HTML or a traceback does not."""
    try:
        text = body.decode().strip()
    except UnicodeDecodeError:
        return Words("")
    try:
        return words_of(json.loads(text))
    except (ValueError, RecursionError):
        inside = text.startswith(("<", "{", "[")) or "Traceback" in text
        return Words("" if inside else text[:MOST_CHARACTERS])


def _text_of(content: Any) -> str:
    """The words in an error of any shape, found where such objects keep them."""
    if isinstance(content, str):
        inside = _parsed(content) if content.lstrip().startswith("{") else None  # a router's: another server's body
        return (_text_of(inside) if inside is not None else "") or content
    if isinstance(content, list):
        return "; ".join(text for each in content[:8] if (text := _text_of(each)))
    if not isinstance(content, dict):
        return ""
    text = next((text for place in _PLACES_OF_WORDS if (text := _text_of(content.get(place)))), "")
    where = content.get("loc")
    if text and isinstance(where, list) and where:
        return f"{'.'.join(str(part) for part in where)}: {text}"
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _status(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599 else None
