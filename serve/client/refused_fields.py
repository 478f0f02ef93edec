"""What an endpoint refuses by name → rules by which it is sent no more. Pure.

Servers word such refusals in many ways: OpenAI's `param`, FastAPI's `loc`, a name somewhere in a sentence, in camel
case, or inside another provider's error. The field that is named first counts.
"""

from __future__ import annotations

import re

from serve.client.errors import NO_ENDPOINT, EndpointError
from serve.client.rules import Body, EndpointRules
from serve.client.schema_dialects import LIMITS

STATUSES = frozenset({400, 422, 500, 501})
"""Statuses that refusals of fields come with. llama.cpp says 500 where a chat template refuses a role."""

_PLAINLY = re.compile(
    r"unsupported|unimplemented|unavailable|not (?:be )?(?:supported|permitted|allowed|accepted|recogni[sz]ed"
    r"|implemented|available|enabled)|(?:un|not )(?:known|recogni[sz]ed|expected)|extra (?:inputs|fields)"
    r"|cannot find field"
    r"|do(?:es)?(?: not|n['’]t) (?:support|accept|allow|recogni[sz]e|take|work)|deprecated|no longer|incompatible"
    r"|no such (?:field|parameter)|unrecogni[sz]ed|(?:has|have) been removed|may not be|disallowed|should not exist",
    re.IGNORECASE,
)
REFUSES = re.compile(
    rf"{_PLAINLY.pattern}|invalid|not (?:be )?valid|is not one of"
    r"|(?:only|must) (?:be|the default|supports?|alternate)|must (?:not|follow|satisfy)"
    r"|following must|(?:cannot|can['’]t) (?:both )?be|has to be|\bonly\b|should (?:not )?be|forbidden"
    r"|\bremove\b|fixed (?:to|at)|cannot use|非法|不支持",
    re.IGNORECASE,
)
"""How servers say that they do not take something."""

_QUESTION_TOO_LARGE = re.compile(
    r"(?<!less than the )(?<!less than the `)context.?(?:length|window|size)"
    r"|too many (?:input |prompt )?tokens|max(?:imum)?[_ ]model[_ ]len"
    r"|(?:prompt|input|request|messages?|conversation)\b[^.;]{0,40}\btoo (?:long|large|big)",
    re.IGNORECASE,
)
"""How they say that a question is too large, which has other remedies."""

_STREAMS_ONLY = re.compile(
    r"only supports? (?:the )?stream|non.?streaming\b[^.;]{0,40} not (?:be )?(?:supported|allowed)"
    r"|stream(?:ing)?['\"`]? (?:is required|must be (?:set to )?(?:true|enabled)|has to be true)"
    r"|(?:set|enable|use) [`'\"]?stream(?:ing)?[`'\"]?(?:=| to |: ?)true|(?:must|should) have [`'\"]?stream ?= ?true",
    re.IGNORECASE,
)
"""How they say that they answer by streams alone."""

_LIMIT_OUT_OF_RANGE = re.compile(
    r"too (?:large|big|high|long|many|small|low)|at (?:most|least)|maximum|minimum|exceed"
    r"|(?:greater|less|more|fewer) than|[<>]|range|between|positive|ceiling|\bcap\b|surpass",
    re.IGNORECASE,
)
"""How they say that a token limit's value is refused, not its name."""

_OTHER_LIMITS = r"max(?:imum)?.?(?:new|output|completion)?.?tokens|(?:completion|output|generated) tokens|num.?predict"
"""How servers name a token limit, whatever the field is called."""

_NUMBER = re.compile(r"(?<![\w.\-/])(\d{1,3}(?:,\d{3})+|\d+)(?![\w\-]|\.\d)")
"""A number that is no part of a model's name or version."""

_LEAST = 16
"""A smaller number is no endpoint's limit."""

_WHAT_IS_TAKEN = re.compile(
    r"(?<!not )(?<!un)\b(?:allowed|supported|permitted|valid|known|accepted|available|expected)(?: [a-z]+){0,3}"
    r"\s*[:=\[({][^.;)\]}]*|(?:expected one of|did you mean|one of the following)[^.;]*",
    re.IGNORECASE,
)
"""Lists of what a server does take, which name fields that it does not refuse."""

_VAGUE = re.compile(
    r"(?:body|model|messages?|prompt|request|parameters?|input|json|root|__root__|quota|\w*error|[$./#]*)",
    re.IGNORECASE,
)
"""Causes that name no field that could be left out."""

_PARENT = re.compile(r"\b(?:body|request|parameters?|params|generation_?config)\.", re.IGNORECASE)
"""What some servers write before a field's name."""

_THINKING = r"(?:thinking|reasoning)(?! models?\b)|budget|chat.?template.?kwargs"

_ROLE = (
    r"^messages\S*role$|messages\S*role: input should be ['\"`]user|(?:developer|system) instruction"
    r"|\bROLE['\"`]? (?:role|message|prompt|instruction)|\brole['\"`: =]+ROLE|roles? must alternate"
    r"|(?:variant|value|role|support)s?:? ['\"`]?ROLE\b|\b(?:unknown|invalid|unsupported|unexpected) role"
    r"|['\"`]ROLE['\"`] is not one of|\bonly user(?:(?!ROLE)[^.!]){1,40} roles? (?:are|is)\b"
)

_MISSED_LEAST = ("seed", "random_seed", "stop", "response_format.strict", "response_format",
                 "max_completion_tokens", "temperature")  # fmt: skip
"""Fields in the order in which they are left out where a refusal does not say which it means."""

_ALIASES = {
    "stop": r"(?<![\w.])stop(?:[_ -]?(?:sequence|word|string)s?)?(?!\w)",
    "response_format": r"response.?(?:format|schema|mime.?type)|\bword ['\"`]?json|json.?(?:schema|object|mode|output)"
                       r"|guided|structured.?outputs?"
                       r"|invalid schema|grammar|schema (?:is too|produces|contains)"
                       rf"|additionalproperties|{'|'.join(sorted(LIMITS))}",
    "output_config": r"output.?(?:config|format)|json.?schema|structured.?outputs?|grammar|additionalproperties|schema",
    "response_format.strict": r"\bstrict\b",
    "cache_control": r"cache.?control",
    "thinking": _THINKING,
    "reasoning": _THINKING,
    "reasoning_effort": _THINKING,
    "chat_template_kwargs": _THINKING,
}  # fmt: skip
"""Field → how refusals name it, where that is not by its own name."""


def learn(rules: EndpointRules, error: EndpointError, body: Body) -> tuple[EndpointRules, str] | None:
    """Rules without what an endpoint just refused by name.

    Args:
        rules: by which the body was made.
        error: its answer.
        body: that was refused.

    Returns:
        The new rules, and in words what is sent no more; None when the refusal names nothing that could be left out.
    """
    routed = error.status == 404 and NO_ENDPOINT.search(error.words)
    if (error.status not in STATUSES and not routed) or _QUESTION_TOO_LARGE.search(error.words):
        return None
    if routed and "requested parameters" in error.words:
        return _fewer(rules, body)
    if _STREAMS_ONLY.search(error.words) and (other := _with_stream(rules, body)):
        return other
    if other := _smaller_limit(rules, error, body) or _no_thinking(rules, error):
        return other
    if _STREAMS_ONLY.search(error.words):
        return None  # asked for a stream already
    for words in (_WHAT_IS_TAKEN.sub(lambda found: " " * len(found[0]), error.words), error.words):
        named = [(place, rules.model_copy(update=change), said) for field, change, said in _changes(rules)
                 if _is_sent(field, rules, body) and _is_refused(field, rules, error)
                 and (place := _place(error, words, _pattern(field, rules))) is not None]  # fmt: skip
        if named:
            _, changed, said = min(named, key=lambda one: one[0])
            return changed, said
    return None


def _smaller_limit(rules: EndpointRules, error: EndpointError, body: Body) -> tuple[EndpointRules, str] | None:
    """Rules with the most tokens of an answer that an endpoint names, where more were asked for.

    It names the number that was sent, its own, and perhaps the least: the largest below what was sent is its own.
    """
    sent = body.get(rules.token_limit, body.get("max_tokens"))  # a plain text's is always max_tokens
    words = error.words
    if not isinstance(sent, int) or not _LIMIT_OUT_OF_RANGE.search(words) or _PLAINLY.search(words):
        return None
    if re.search(r"\b(?:inputs|input tokens|prompt|messages|context)\b", words, re.IGNORECASE):
        return None  # the question counts too
    if _place(error, words, rf"{_pattern(rules.token_limit, rules)}|{_OTHER_LIMITS}") is None:
        return None
    numbers = [int(each[1].replace(",", "")) - _is_exclusive(words[: each.start()], words[each.end() :])
               for each in _NUMBER.finditer(words)]  # fmt: skip
    smaller = [number for number in numbers if number < sent]
    most = max(smaller, default=0)
    if most < _LEAST:
        return None
    return rules.model_copy(update={"most_tokens": most}), f"{rules.token_limit} above {most:,}"


def _is_exclusive(before: str, behind: str) -> bool:
    """Whether a limit's number is itself too high, by the words around it."""
    below = re.search(r"(?:<|\b(?:less|fewer|lower|smaller) than) [`'\"]?\Z", before, re.IGNORECASE)
    return below is not None or behind.lower().startswith(" (exclusive)")


def _fewer(rules: EndpointRules, body: Body) -> tuple[EndpointRules, str] | None:
    """Rules with one field less, for a refusal that names none: the one that is missed least."""
    sent = {field: (change, said) for field, change, said in _changes(rules) if _is_sent(field, rules, body)}
    for field in _MISSED_LEAST:
        if field in sent:
            change, said = sent[field]
            return rules.model_copy(update=change), said
    return None


def _with_stream(rules: EndpointRules, body: Body) -> tuple[EndpointRules, str] | None:
    """Rules that ask for a stream, for an endpoint that answers in no other way (Alibaba's of some models)."""
    if "stream" in body:
        return None
    options = {"stream_options": {"include_usage": True}} if rules.api == "chat" else {}
    changed = rules.model_copy(update={"extra": rules.extra | {"stream": True} | options})
    return changed, "questions without a stream (sent with stream: true)"


def _no_thinking(rules: EndpointRules, error: EndpointError) -> tuple[EndpointRules, str] | None:
    """Rules that turn thinking off, where an endpoint wants that said for whole answers (Alibaba's)."""
    wanted = re.search(
        r"enable_thinking\W{0,2} ?(?:must be set to|必须设置为) ?false"
        r"|enable.thinking[^.]{0,30} when .?stream.?=.?false",
        error.words,
        re.IGNORECASE,
    )
    if wanted is None or rules.api != "chat" or rules.extra.get("enable_thinking") is False:
        return None
    changed = rules.model_copy(update={"extra": rules.extra | {"enable_thinking": False}})
    return changed, "thinking without a stream (sent with enable_thinking: false)"


def _is_refused(field: str, rules: EndpointRules, error: EndpointError) -> bool:
    """Whether an error that names a field refuses it, rather than its value or something else."""
    said = f"{error.code} {error.words}".replace("_", " ")
    if field == rules.token_limit and _LIMIT_OUT_OF_RANGE.search(error.words):
        return bool(_PLAINLY.search(said))
    if error.status >= 500:
        roles = field == "messages.role" and "roles must alternate" in error.words
        return roles or bool(_PLAINLY.search(error.words))
    # A form of answers has many ways to be refused, and a simpler one does no harm.
    return field in {"response_format", "output_config"} or bool(_cause(error) or REFUSES.search(said))


def _changes(rules: EndpointRules) -> list[tuple[str, Body, str]]:
    """Field of the body, what to change when it is refused, and the change in words; of two at one place the first."""
    limit = rules.token_limit
    other = "max_tokens" if limit == "max_completion_tokens" else "max_completion_tokens"
    changes: list[tuple[str, Body, str]] = [
        ("temperature", {"temperature": False}, "temperature"),
        ("random_seed", {"seed": ""}, "random_seed"),
        ("seed", {"seed": ""}, "seed"),
        ("stop", {"stop": False}, "stop"),
        ("stop_sequences", {"stop": False}, "stop_sequences"),
        ("cache_control", {"cache_control": False}, "cache_control"),
    ]
    if rules.api == "chat":
        changes.insert(0, (limit, {"token_limit": other}, f"{limit} (sent as {other})"))
    if rules.strict:
        changes.append(("response_format.strict", {"strict": None}, "response_format.json_schema.strict"))
    format_, words = _less_format(rules)
    if format_:
        changes += [(field, format_, words) for field in ("response_format", "output_config")]
    if rules.api == "chat" and rules.system != "user":
        less = "system" if rules.system == "developer" else "user"
        changes.append(("messages.role", {"system": less}, f"messages of role {rules.system} (sent as {less}'s)"))
    for field in rules.extra:
        rest = {name: value for name, value in rules.extra.items() if name != field}
        changes.append((field, {"extra": rest}, field))
    return changes


def _less_format(rules: EndpointRules) -> tuple[Body, str]:
    """The next simpler way to ask for JSON."""
    if rules.response_format == "json_schema" and rules.schema_dialect in {"full", "vllm", "unlimited"}:
        return {"schema_dialect": "plain"}, "keywords of the JSON schema (sent without limits of length and number)"
    if rules.response_format == "json_schema":
        simpler = "json_object" if rules.api == "chat" else "none"
        return {"response_format": simpler}, f"response_format json_schema (sent as {simpler})"
    if rules.response_format in {"json_object", "value"}:
        return {"response_format": "none"}, "response_format"
    return {}, ""


def _is_sent(field: str, rules: EndpointRules, body: Body) -> bool:
    """Whether a body holds a field, or what is named so inside of one."""
    if field == "messages.role":
        return any(one.get("role") == rules.system for one in body.get("messages") or ())
    if field == "cache_control":
        return rules.cache_control
    return field.partition(".")[0] in body


def _place(error: EndpointError, words: str, pattern: str) -> int | None:
    """Where an error names a field: 0 for its `param`, then places in its words; None where it does not."""
    if param := _cause(error):
        names = [param, *re.split(r"[.\s]+", param)]
        return 0 if any(re.search(pattern, name, re.IGNORECASE) for name in names) else None
    found = re.search(pattern, _PARENT.sub(lambda each: " " * len(each[0]), words), re.IGNORECASE)
    return 1 + found.start() if found else None


def _cause(error: EndpointError) -> str:
    """The fields that an error names as its cause; empty where that is none that could be left out."""
    params = [re.sub(r"^(?:[$#./]+|body\.)+", "", param) for param in error.param.split()]
    return " ".join(param for param in params if not _VAGUE.fullmatch(param))


def _pattern(field: str, rules: EndpointRules) -> str:
    """How a field's name is found: also in camel case, or with blanks."""
    if field == "messages.role":
        return _ROLE.replace("ROLE", rules.system)
    return _ALIASES.get(field, rf"(?<![\w.]){re.escape(field).replace('_', '[_ -]?')}(?!\w)")
