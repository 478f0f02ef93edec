"""What an endpoint takes: which fields it knows, by which names, in which dialect of JSON schema. Pure.

Rules come from a preset (`presets.yaml`, from published documents), then from settings. What an endpoint
refuses by name in spite of them is learnt from its refusal (`refused_fields.py`).
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, PositiveInt, ValidationError

from core.chat import ChatRequest
from serve.client.schema_dialects import in_dialect

PRESETS = Path(__file__).with_name("presets.yaml")

Body = dict[str, Any]


class EndpointRules(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """What is sent to an endpoint, and how."""

    api: Literal["chat", "messages"] = "chat"
    """OpenAI's `/chat/completions`, or Anthropic's `/messages`."""

    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105 - a field's name
    """Field that holds the most tokens of an answer."""

    most_tokens: PositiveInt | None = None
    """Most tokens of an answer that the endpoint takes; where more are wanted, so many are asked for."""

    temperature: bool | Literal["positive"] = True
    """Whether `temperature` is sent; "positive": where it is above 0. Text-generation-inference refuses 0, and is
    greedy without one."""

    seed: Literal["seed", "random_seed", ""] = "seed"
    """Field of the sampling's seed; empty sends none."""

    stop: bool = True
    """Whether `stop` is sent."""

    system: Literal["system", "developer", "user"] = "system"
    """Role of the system's message; "user" puts it before the first question."""

    response_format: Literal["json_schema", "value", "json_object", "none"] = "json_schema"
    """How the form of an answer is asked for: a schema, text-generation-inference's `{type: json, value: SCHEMA}`, any
    JSON object, or in the prompt alone."""

    schema_dialect: Literal["full", "vllm", "unlimited", "openai", "anthropic", "gemini", "plain"] = "full"
    """Keywords of a JSON schema that are sent (`schema_dialects.py`); `full` sends the schema as it is."""

    strict: bool | None = None
    """`strict` of a `json_schema`; None leaves it out."""

    key_header: str = "Authorization"
    """Header that carries the key: Authorization sends "Bearer KEY", any other the key alone."""

    headers: dict[str, str] = {}
    """More headers."""

    query: dict[str, str] = {}
    """Query of the URL, such as Azure's api-version."""

    extra: dict[str, Any] = {}
    """More fields of the body, such as `reasoning_effort`."""

    thinking_on: dict[str, Any] = {}
    """Fields of the body that turn a model's thinking on."""

    thinking_off: dict[str, Any] = {}
    """Fields of the body that turn it off."""

    tokenizer: str = ""
    """File tokenizer.json of the model, to count tokens with where the endpoint does not tell them. Without it they are
    estimated from the length of the texts."""

    cache_control: bool = False
    """Whether the shared beginning of prompts is marked for the endpoint's prompt cache (Anthropic)."""


@cache
def presets() -> dict[str, Body]:
    """Name → `hosts`, `documents`, `rules`, and `models`: pattern of a model's name → rules that differ for it."""
    found: dict[str, Body] = yaml.safe_load(PRESETS.read_text(encoding="utf-8"))
    return found


def preset_for(url: str) -> str:
    """The preset of a URL's host; "openai-compatible" where none names it."""
    host = (urlsplit(url).hostname or "").lower()
    for name, preset in presets().items():
        if any(host == known or host.endswith(f".{known}") for known in preset.get("hosts", ())):
            return name
    return "openai-compatible"


def rules_for(url: str, model: str = "", preset: str | None = None, settings: Body | None = None,
              *, thinking: bool | None = None) -> EndpointRules:  # fmt: skip
    """The rules of a model at an endpoint.

    Args:
        url: of the endpoint; names the preset where none is given.
        model: the endpoint's name for it.
        preset: of `presets`.
        settings: single rules on top.
        thinking: on or off; None leaves the model's own way.

    Raises:
        ValueError: there is no such preset or rule, or the endpoint cannot turn thinking on or off.
    """
    name = preset or preset_for(url)
    if name not in presets():
        raise ValueError(f"there is no preset {name!r} of an endpoint; there are {', '.join(sorted(presets()))}")
    values: Body = dict(presets()[name].get("rules", {}))
    for pattern, more in presets()[name].get("models", {}).items():
        if re.search(pattern, model):
            values |= more
    values |= settings or {}
    try:
        rules = EndpointRules(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"rules.{where} of the endpoint {url}: {first['msg']}") from None
    if thinking is not None:
        switch, way = (rules.thinking_on, "on") if thinking else (rules.thinking_off, "off")
        if not switch:
            raise ValueError(f"the preset {name} of the endpoint {url} does not say how thinking is turned {way}; "
                             f"say it in rules.thinking_{way}")  # fmt: skip
        rules = rules.model_copy(update={"extra": rules.extra | switch})
    return rules


def chat_body(rules: EndpointRules, request: ChatRequest) -> Body:
    """The body of `/chat/completions`."""
    body: Body = {
        "model": request.model,
        "messages": _messages(rules, request.messages),
        rules.token_limit: _within(rules, request.max_tokens),
    }
    if _sends_temperature(rules, request):
        body["temperature"] = request.temperature
    if rules.seed and request.seed is not None:
        body[rules.seed] = request.seed
    if rules.stop and request.stop:
        body["stop"] = request.stop
    if request.schema is not None and rules.response_format == "json_schema":
        described: Body = {"name": "answer", "schema": in_dialect(request.schema, rules.schema_dialect)}
        if rules.strict is not None:
            described["strict"] = rules.strict
        body["response_format"] = {"type": "json_schema", "json_schema": described}
    elif request.schema is not None and rules.response_format == "value":
        body["response_format"] = {"type": "json", "value": in_dialect(request.schema, rules.schema_dialect)}
    elif request.schema is not None and rules.response_format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body | rules.extra


def messages_body(rules: EndpointRules, request: ChatRequest) -> Body:
    """The body of Anthropic's `/messages`."""
    system = "\n\n".join(one["content"] for one in request.messages if one["role"] == "system")
    turns: list[Body] = [dict(one) for one in request.messages if one["role"] != "system"]
    body: Body = {"model": request.model, "max_tokens": _within(rules, request.max_tokens), "messages": turns}
    mark = {"cache_control": {"type": "ephemeral"}} if rules.cache_control else {}
    if system:
        body["system"] = [{"type": "text", "text": system} | mark] if mark else system
    if mark and len(turns) > 1:  # all but the last question is the same for many
        turns[-2]["content"] = [{"type": "text", "text": turns[-2]["content"]} | mark]
    if _sends_temperature(rules, request):
        body["temperature"] = min(request.temperature, 1.0)
    if rules.stop and request.stop:
        body["stop_sequences"] = request.stop
    if request.schema is not None and rules.response_format == "json_schema":
        schema = in_dialect(request.schema, rules.schema_dialect)
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body | rules.extra


def _sends_temperature(rules: EndpointRules, request: ChatRequest) -> bool:
    return request.temperature > 0 if rules.temperature == "positive" else rules.temperature


def _within(rules: EndpointRules, max_tokens: int) -> int:
    return max_tokens if rules.most_tokens is None else min(max_tokens, rules.most_tokens)


def _messages(rules: EndpointRules, messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """With the system's words where the endpoint takes them."""
    if rules.system == "system":
        return messages
    if rules.system == "developer":
        return [one | {"role": "developer"} if one["role"] == "system" else one for one in messages]
    system = [one["content"] for one in messages if one["role"] == "system"]
    turns = [dict(one) for one in messages if one["role"] != "system"]
    if system and turns and turns[0]["role"] == "user":
        turns[0]["content"] = "\n\n".join([*system, turns[0]["content"]])
    elif system:
        turns.insert(0, {"role": "user", "content": "\n\n".join(system)})
    return turns


def rules_changed(old: EndpointRules, new: EndpointRules) -> Body:
    """The single rules that differ, as JSON values."""
    before, after = old.model_dump(), new.model_dump()
    changed: Body = json.loads(json.dumps({name: value for name, value in after.items() if before[name] != value}))
    return changed
