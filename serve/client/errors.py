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


BARE_WORDS = ("detail", "message", "msg", "error_description", "error_message", "errorMessage", "Message", "err")
"""Fields of an error's words where no `error` is around them."""

CODES = ("code", "type", "status", "reason", "__type", "error_type", "errorType")
"""Fields of an error's kind; the last three are Amazon's and text-generation-inference's."""

NO_ERROR = frozenset({"0", "200", "ok", "success", "none", "no error"})


class Blame(Enum):
    """Whose failure an error is, and so what happens next."""

    KEY = "key"
    """The key is refused: the job ends."""
    ACCOUNT = "account"
    """Nothing is left to spend: the job ends."""
    MODEL = "model"
    """There is no such model, or not at this address: the job ends, unless others were answered."""
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
    """Field that the endpoint names as its cause; several have blanks between them."""
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
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        found = {"message": found}
    inner = _passed_on(found)
    names = [str(found[name]) for name in CODES if isinstance(found.get(name), str | int)]
    code, words = " ".join(names).lower(), _line(_words(found) or _text(found))
    if inner is not None and inner.words not in words:
        words = _line(f"{words}: {inner.words}")
    if status == 200:
        status = _own_status(found, code, words)
    code, param = f"{code} {inner.code}".strip() if inner else code, _cause(found) or (inner.param if inner else "")
    return EndpointError(status, words, code, param or _cause_in_words(words), details=_text(found)[:65536])


def _passed_on(found: dict[str, Any]) -> EndpointError | None:
    """Another server's error inside of one, as routers pass it on: `metadata.raw`, or JSON within the words."""
    metadata = found.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if raw is None and isinstance(text := found.get("message"), str) and (start := text.find("{")) >= 0:
        raw = text[start : text.rfind("}") + 1]
    value = _parsed(raw) if isinstance(raw, str) else raw
    inner = error_in(value)
    if isinstance(inner, dict | str):
        return error_of({"message": inner} if isinstance(inner, str) else {**inner, "metadata": None}, 400)
    return EndpointError(400, _line(raw)) if isinstance(metadata, dict) and isinstance(raw, str) else None


def error_in(value: Any) -> Any:
    """The error that a JSON value tells, None where it tells none.

    `{"error": …}` (OpenAI, Anthropic), the same in a list (Google), `{"object": "error", …}` (older vLLM, Mistral),
    `{"detail": …}` (FastAPI), `{"message": …}`, `{"msg": …}` and `{"errors": […]}` (gateways).
    """
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict):
        return None
    if value.get("error") and not _is_no_error(value["error"]):
        beside = {name: value[name] for name in ("message", "reason", "detail", "details", "code") if value.get(name)}
        bare = not isinstance(value["error"], dict | list)  # a text, or no more than `true` or a number
        return {"error": value["error"]} | beside if bare else value["error"]
    if value.get("object") == "error" or value.get("type") == "error":
        return value
    if isinstance(value.get("Error"), dict):  # Amazon's
        return value["Error"]
    if isinstance(state := value.get("base_resp"), dict) and state.get("status_code"):  # MiniMax, inside a 200
        number = _OF_MINIMAX.get(state["status_code"]) if isinstance(state["status_code"], int) else None
        return {"message": state.get("status_msg"), "type": "api_error"} | ({"code": number} if number else {})
    if "choices" in value or "content" in value or _is_message(value.get("message")):
        return None
    if value.get("errors"):
        return value["errors"][0] if isinstance(value["errors"], list) else value["errors"]
    return value if any(value.get(name) for name in BARE_WORDS) else None


def _is_no_error(error: Any) -> bool:
    """Whether an error object says that there is none: it is empty, or its code and words are of a success."""
    if not isinstance(error, dict):
        return False
    told = {str(each).lower().strip(" .!") for each in error.values() if each not in (None, "", [], {}, False)}
    return told <= NO_ERROR


def _is_message(value: Any) -> bool:
    """Whether it is what a model wrote, in Ollama's and Cohere's own forms."""
    return isinstance(value, dict) and "content" in value


ACCOUNT = re.compile(
    r"insufficient[_ ]quota|exceeded_current_quota|freetieronly|billing_hard_limit|billing_not_active"
    r"|account_deactivated|arrearage|in arrears|overdue (?:balance|payment|invoice|bill)|accountoverdue"
    r"|欠费|余额不足|(?:insufficient|not[_ ]enough)[_ ](?:account[_ ])?(?:balance|credits?|funds?)"
    r"|balance (?:is|has been) (?:insufficient|too low|empty|depleted|exhausted|used up)"
    r"|budget (?:is |has been )?(?:exceeded|exhausted|used up)"
    r"|wallet (?:is empty|balance)|billing (?:account )?(?:is )?disabled"
    r"|(?:credit|account) balance is|(?:out of|no (?:remaining|available|more)|used all(?: available)?) credits"
    r"|payment[_ ]required|credits? (?:have|has|are|is)(?: been)? (?:exhausted|depleted|used up)"
    r"|run out of (?:credits|funds)"
    r"|(?:spend(?:ing)?|credit|usage|billing) (?:limit|cap)|budget_?exceeded|exceeded ?budget|over budget"
    r"|have any credits|monthly (?:token|request) limit|(?:tokens|requests) per day limit exceeded"
    r"|too many tokens per day|insufficient_user_quota|quota is not enough|token_quota_reached|setlimitexceeded"
    r"|额度(?:不足|已用[尽完])|[今每]日限额|exhausted (?:its|your) free|enter a payment method"
    r"|requires a valid credit card"
    r"|requires more credits|key limit exceeded|out of call volume quota|free[- ]models[- ]per[- ]day"
    r"|trial key[^.]{0,60} month|free (?:tier|quota|allocation)[^.]{0,40} exhausted|used up your"
    r"|account[^.]{0,60} (?:is|has been) suspended|account suspended|billing_error|past due|payment failed"
    r"|(?:reached|exceeded) (?:your|the|its)[^.]{0,20} budget",
    re.IGNORECASE,
)
"""Codes and words of an account that has nothing left to spend."""

_NOT_PAID_FOR = re.compile(r"quota (?:is|has been) (?:exceeded|reached|exhausted)|enable billing|billing to be enabled",
                           re.IGNORECASE)  # fmt: skip
"""The same in a 400 or 403; in a 429 such a quota may be a minute's."""

_A_MINUTES_QUOTA = re.compile(r"allocated quota exceeded|(?:aliyun|alibabacloud)\.com/", re.IGNORECASE)
"""Words of Alibaba's `insufficient_quota`, which is a minute's tokens; OpenAI's is an account with nothing left."""

_ACCOUNT_STATUSES = frozenset({400, 401, 403, 412, 429})
_WORDS_OF_ITS_OWN = 300
"""Characters at an error's beginning: what it repeats of a prompt stands behind."""

KEY = re.compile(
    r"authentication_error|invalid[_ ]api[_ ]key|api_key_invalid|(?:incorrect|invalid|expired|revoked|disabled|missing)"
    r"[_ ]api[_ ]?key|^(?:the |your )?api[_ ]key (?:is |has |was )?(?:been |currently |reported as )*(?:not valid"
    r"|not found|invalid|expired|revoked|disabled|missing|blocked|suspended|leaked)|\bexpired_key\b"
    r"|(?:missing|invalid) (?:authorization header|authentication token)|api key not valid"
    r"|expiredtokenexception|unrecognizedclientexception|security token[^.]{0,40} (?:invalid|expired)",
    re.IGNORECASE,
)
MODEL = re.compile(
    r"model_not_found|invalid_model|model_not_available|model_decommissioned|deploymentnotfound|not a valid model\b"
    r"|model_not_exist"
    r"|^(?:invalid|unknown|unsupported|unavailable|no such) model\b(?! (?:parameter|argument|input|output))"
    r"|^(?:the )?(?:requested )?model[^;]{0,80}"
    r" (?:does not exist|not exist|(?:is )?not (?:found|deployed|served)"
    r"|has been (?:deprecated|retired|decommissioned))"
    r"|model identifier is invalid|unable to access model|does not have access to model"
    r"|model_not_supported|model_terms_required|model_permission_blocked|model\.accessdenied|invalid model name"
    r"|don['’]t have access to the model|^no models? (?:is |are )?loaded|^\S+ does not support chat\b"
    r"|must be verified to use the model"
    r"|unavailable_model|on-demand throughput isn['’]t supported|operation does not work with the specified model"
    r"|^model[^;]{0,80} is enabled only for api versions"
    r"|not (?:supported )?in (?:the )?v1/chat/completions|模型不存在"
    r"|^api version (?:is )?not supported|^(?:no )?access to (?:the )?model\b|^model (?:access is denied"
    r"|(?:is )?disabled)|^failed to load model|^could not route to"
    r"|^(?:key|user|team|org\w*|project) not allowed to access model"
    r"|^this model requires a subscription|not allowed to sample from this model",
    re.IGNORECASE,
)
"""Codes and words of a model that is not there or not to be had, in errors that are no 404."""

NO_ENDPOINT = re.compile(r"^no endpoints found that (?:support|can handle)\b", re.IGNORECASE)
"""Words of OpenRouter's 404 of a model that is there, and not with what is asked of it."""

SHUT_OUT = re.compile(
    r"(?:organi[sz]ation|account|project|user) has been (?:disabled|restricted|suspended|blocked|locked)"
    r"|(?:location|country|region|territory) (?:is )?not supported",
    re.IGNORECASE,
)
"""Words, in a 400, about who asks and from where: as a 403."""

MODERATED = re.compile(
    r"moderation|moderated|flagged|content[_ ](policy|filter)|content_management|inappropriate|guardrail|safety|unsafe"
    r"|sensitive|data_inspection|usage guidelines|^blocked",
    re.IGNORECASE,
)
TOO_LARGE = re.compile(r"request too large|too large to process|context[_ ](?:length|window|size)", re.IGNORECASE)
WAITED_FOR = re.compile(
    r"\bloading\b|\bwarming up\b|\bstarting up\b|not (?:yet )?loaded|overloaded|\bbusy\b|queue[^.]{0,20} full"
    r"|no (?:free |available )?slots?\b|backpressure|over capacity|high (?:demand|traffic)|slow down",
    re.IGNORECASE,
)
"""A 503 of a server that has too much to do, or whose model will be there."""

CRASHED = re.compile(
    r"model (?:has (?:been )?)?(?:unloaded|crashed)|EngineCore encountered|^server_error|DEGRADED function",
    re.IGNORECASE,
)
"""Words and codes of a 400 that passes: LM Studio loads the model again, vLLM and NVIDIA's functions start again."""

SLOW_DOWN = re.compile(r"throttling|overloaded|too_?many_?requests|rate_?limit_?(?:error|exceeded|reached)")
"""Codes of a 400 that is a 429: Amazon's, Moonshot's."""

_OF_MINIMAX = {1002: 429, 1039: 429, 1041: 429, 1004: 401, 2049: 401, 1008: 402, 2056: 402, 1026: 400, 1027: 400,
               2013: 400}  # fmt: skip
"""MiniMax's numbers of errors inside a 200 → the HTTP status that they mean."""

DAY_IS_OVER = re.compile(r'"quotaId"\s*:\s*"[^"]*PerDay|\blimit: 0(?![\d.])')
"""Google's 429 of a quota that comes back tomorrow, or that is none."""


def blame(error: EndpointError) -> Blame:
    """Whose failure it is.

    Words count only where a server writes them itself: a 422 may repeat the whole prompt.
    """
    said, status = f"{error.code} {error.words[:_WORDS_OF_ITS_OWN]}", error.status
    if _is_unpaid(error, said):
        return Blame.ACCOUNT
    if status in {401, 407} or (status in {400, 403} and (KEY.search(error.code) or KEY.search(error.words))):
        return Blame.KEY
    if status == 404 and NO_ENDPOINT.search(error.words):
        return Blame.QUESTION
    if (
        300 <= status < 400
        or status in {404, 405, 410}
        or (status in {400, 403} and (MODEL.search(error.code) or MODEL.search(error.words)))
    ):
        return Blame.MODEL
    if status == 403 and not error.html and (MODERATED.search(said + error.details) or TOO_LARGE.search(said)):
        return Blame.QUESTION
    if status == 403 or (status == 400 and SHUT_OUT.search(error.words)):
        return Blame.FORBIDDEN
    if status == 429:
        if DAY_IS_OVER.search(error.details):
            return Blame.ACCOUNT
        return Blame.QUESTION if TOO_LARGE.search(said) else Blame.BUSY  # more than a minute's allowance never passes
    if status == 498 and MODERATED.search(error.words):  # Cohere's 498; Groq's is a full tier
        return Blame.QUESTION
    waited_for = status == 503 and not error.html and WAITED_FOR.search(said)
    if status in {420, 498, 529} or waited_for or (status == 400 and SLOW_DOWN.search(error.code)):
        return Blame.BUSY
    if status == 400 and (CRASHED.search(error.words) or CRASHED.search(error.code)):
        return Blame.BROKEN
    too_large = status == 500 and TOO_LARGE.search(said)  # llama.cpp
    # A 202 is a promise of an answer elsewhere.
    may_pass = status < 300 or status in {408, 409, 421, 424, 425, 499} or (status >= 500 and status != 501)
    return Blame.BROKEN if may_pass and not too_large else Blame.QUESTION


def _is_unpaid(error: EndpointError, said: str) -> bool:
    """Whether an account has nothing left to spend."""
    if error.status == 402:
        return True
    if error.status not in _ACCOUNT_STATUSES or error.html:
        return False
    if error.status == 429 and _A_MINUTES_QUOTA.search(error.words):
        return False
    return bool(ACCOUNT.search(said) or (error.status in {400, 403} and _NOT_PAID_FOR.search(said)))


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
        (r"billing|(insufficient|not enough)[_ ](balance|credit|fund)|payment required", 402),
        (r"permission", 403),
        (r"model_not_found|not_found_error|unexpected endpoint", 404),
        (r"context_length|invalid_(request|prompt|argument)|content_(policy|filter)|moderation|sensitive", 400),
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
        for name in ("message", "msg", "detail", "error", "reason", "description", "title", *BARE_WORDS[3:]):
            if value.get(name) and value[name] is not True:
                where = ".".join(map(str, value["loc"])) + ": " if isinstance(value.get("loc"), list) else ""
                return where + _words(value[name])
    return ""


def _cause(value: Any, depth: int = 0) -> str:
    """The fields that an error names, in the ways of OpenAI, FastAPI, RFC 9457 and Google; empty: it names none."""
    if depth > 4:
        return ""
    if isinstance(value, list):
        return " ".join(dict.fromkeys(filter(None, (_cause(each, depth + 1) for each in value[:20]))))
    if not isinstance(value, dict):
        return ""
    if isinstance(place := value.get("loc"), list):
        return ".".join(str(part) for part in place if part != "body")
    for name in ("param", "parameter", "field", "pointer", "property"):
        if isinstance(value.get(name), str) and value[name]:
            return str(value[name])
    inner = ("detail", "details", "message", "errors", "fieldViolations", "innererror")
    return next((name for each in inner if (name := _cause(value.get(each), depth + 1))), "")


def _cause_in_words(words: str) -> str:
    """The same of a list of details that was printed by Python, as vLLM does."""
    found = re.search(r"'loc': [(\[]'body', '([\w.]+)'", words)
    return found[1] if found else ""


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
