"""What an endpoint's error says, in every form in which servers write one, and whose failure it is. Pure.

A failure of the account (no money, no key) ends the job; one of a question ends that question alone; all others pass,
and the question is asked again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

MAX_WORDS = 500
"""Characters of an endpoint's words that are kept."""


class Blame(Enum):
    """Whose failure an error is, and so what happens next."""

    KEY = "key"
    """The key is refused: the job ends."""
    ACCOUNT = "account"
    """Nothing is left to spend: the job ends."""
    MODEL = "model"
    """There is no such model or address: the job ends, unless others were answered."""
    FORBIDDEN = "forbidden"
    """403: the key's failure, or of what stands in one prompt; a harmless question tells which."""
    QUESTION = "question"
    """This question alone."""
    BUSY = "busy"
    """Too many requests: asked again when the endpoint says, or with growing pauses."""
    BROKEN = "broken"
    """A failure that may pass: asked again some times."""


@dataclass(frozen=True)
class EndpointError:
    """One error, whatever its form was."""

    status: int
    """HTTP status; of the error itself where it came inside a 200. 0: there was no whole answer."""
    words: str = ""
    """What a person reads, on one line."""
    code: str = ""
    """`code` and `type` of the error, in lower case, with a blank between."""
    param: str = ""
    """Field that the endpoint names as its cause."""
    html: bool = False
    """A page for browsers, as firewalls and proxies send."""
    details: str = ""
    """The whole error as text, for what hides in `metadata` or `details`."""


def read_error(status: int, body: bytes) -> EndpointError:
    """The error that a body tells; the body's own words where it is no JSON.

    Args:
        status: HTTP status of the answer.
        body: as it came.
    """
    text = body[:65536].decode("utf-8", "replace").strip()
    found = error_in(_parsed(text))
    if found is None:
        html = text[:1] == "<" or "<html" in text[:500].lower()
        return EndpointError(status, _line(_title(text) if html else text), html=html)
    return error_of(found, status)


def error_of(found: Any, status: int = 200) -> EndpointError:
    """An error object, or a text in its place.

    Args:
        found: of `error_in`.
        status: of HTTP; the error's own counts where HTTP says that all is well.
    """
    if not isinstance(found, dict):
        return EndpointError(500 if status == 200 else status, _line(_words(found)), details=_text(found))
    names = [str(found[name]) for name in ("code", "type", "status") if isinstance(found.get(name), str | int)]
    code, words = " ".join(names).lower(), _line(_words(found) or _text(found))
    if status == 200:
        status = _own_status(found, code, words)
    param = found.get("param")
    return EndpointError(
        status, words, code, param if isinstance(param, str) else _located(found), details=_text(found)[:65536]
    )


def error_in(value: Any) -> Any:
    """The error that a JSON value tells, None where it tells none.

    `{"error": …}` (OpenAI, Anthropic), the same in a list (Google), `{"object": "error", …}` (older vLLM, Mistral),
    `{"detail": …}` (FastAPI), `{"message": …}` and `{"errors": […]}` (gateways).
    """
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict):
        return None
    if value.get("error"):
        return value["error"]
    if value.get("object") == "error" or value.get("type") == "error":
        return value
    if "choices" in value or "content" in value:
        return None
    if value.get("errors"):
        return value["errors"][0] if isinstance(value["errors"], list) else value["errors"]
    return value if value.get("detail") or value.get("message") else None


ACCOUNT = re.compile(
    r"insufficient[_ ]quota|billing_hard_limit|billing_not_active|account_deactivated|arrearage"
    r"|insufficient[_ ](balance|credits?|funds?)|credit balance is too low|out of credits|payment[_ ]required"
    r"|spend(ing)? limit|credit limit|usage limit|requires more credits|key limit exceeded",
    re.IGNORECASE,
)
"""Codes and words of an account that has nothing left to spend."""

KEY = re.compile(r"authentication_error|invalid[_ ]api[_ ]key|incorrect api key|^api key not valid", re.IGNORECASE)
MODERATED = re.compile(r"moderation|flagged|content[_ ](policy|filter)|content_management", re.IGNORECASE)
TOO_LARGE = re.compile(r"request too large|context_length", re.IGNORECASE)
DAY_IS_OVER = re.compile(r'"quotaId"\s*:\s*"[^"]*PerDay')
"""Google's 429 of a quota that comes back tomorrow."""


def blame(error: EndpointError) -> Blame:
    """Whose failure it is.

    Words count only where a server writes them itself: a 422 may repeat the whole prompt.
    """
    said, status = f"{error.code} {error.words}", error.status
    if status == 401 or (status in {400, 403} and (KEY.search(error.code) or KEY.search(error.words))):
        return Blame.KEY
    if status == 402 or (status in {400, 403, 429} and not error.html and ACCOUNT.search(said)):
        return Blame.ACCOUNT
    if status == 403:
        return Blame.QUESTION if MODERATED.search(said + error.details) and not error.html else Blame.FORBIDDEN
    if status == 404:
        return Blame.MODEL
    if status == 429:
        if DAY_IS_OVER.search(error.details):
            return Blame.ACCOUNT
        return Blame.QUESTION if TOO_LARGE.search(said) else Blame.BUSY  # more than a minute's allowance never passes
    if status == 529:
        return Blame.BUSY
    if status in {0, 408, 409, 425} or status >= 500:
        return Blame.BROKEN
    return Blame.QUESTION


def _own_status(found: dict[str, Any], code: str, words: str) -> int:
    """The HTTP status that an error inside a 200 would have had."""
    for name in ("code", "status", "status_code"):
        number = found.get(name)
        if isinstance(number, int | str) and re.fullmatch(r"[45]\d\d", str(number)):
            return int(number)
    said = f"{code} {words}".lower()
    for pattern, status in (
        (r"rate.?limit|too many requests|resource_exhausted|insufficient[_ ]quota", 429),
        (r"overloaded", 529),
        (r"authentication|invalid_api_key", 401),
        (r"billing|insufficient[_ ](balance|credit)", 402),
        (r"permission", 403),
        (r"model_not_found|not_found_error", 404),
        (r"context_length|invalid_request|invalid_prompt|invalid_argument|content_(policy|filter)|moderation", 400),
    ):
        if re.search(pattern, said):
            return status
    return 500


def _words(value: Any) -> str:
    """What a person reads of an error."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        for name in ("message", "msg", "detail", "error", "description", "title"):
            if value.get(name):
                where = ".".join(map(str, value["loc"])) + ": " if isinstance(value.get("loc"), list) else ""
                return where + _words(value[name])
    return ""


def _located(found: dict[str, Any]) -> str:
    """The field that FastAPI's `detail: [{loc: [body, field], msg}]` names, also inside an error's `message`."""
    for name in ("detail", "message", "errors"):
        entries = found.get(name)
        entries = entries.get("detail") if isinstance(entries, dict) else entries
        if isinstance(entries, list) and entries and isinstance(entries[0], dict):
            place = entries[0].get("loc")
            if isinstance(place, list):
                return ".".join(str(part) for part in place if part != "body")
    return ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _title(page: str) -> str:
    found = re.search(r"<title[^>]*>(.*?)</title", page, re.IGNORECASE | re.DOTALL)
    return f"a web page, {found.group(1).strip()!r}" if found else re.sub(r"<[^>]{0,300}>", " ", page)


def _text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (ValueError, RecursionError):
        return ""


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_WORDS].encode("utf-8", "replace").decode()
