"""A JSON schema in the dialect that an endpoint takes: without the keywords that it refuses or gets wrong. Pure.

What is left out limits lengths and numbers only, so an answer by the dialect has the form that was asked for; the
checks behind it see to the rest.

xgrammar, with which vLLM and SGLang decode, writes no escape into a string of limited length: no quotation mark,
backslash or line break (findings/xgrammar_limited_strings.sh). llguidance does. vLLM turns to it by itself where a
schema asks for what xgrammar does not know, anywhere in it.
"""

from __future__ import annotations

from typing import Any

PLAIN = frozenset({"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
                   "description", "$ref", "$defs"})  # fmt: skip
"""Keywords that all dialects know."""

KEYWORDS = {
    "plain": PLAIN,
    "openai": PLAIN,
    "anthropic": PLAIN | {"allOf", "default", "format"},
    "unlimited": PLAIN | {"allOf", "format", "minimum", "maximum", "minItems", "maxItems", "prefixItems"},
    "gemini": PLAIN - {"const"} | {"title", "format", "minimum", "maximum", "minItems", "maxItems", "prefixItems"},
}
"""Dialect → keywords that it knows. `openai`: strict structured outputs, without limits of length and number, which
some of its models know and others refuse. `unlimited`: without lengths of strings. `anthropic`: its
`output_config.format`. `gemini`: Google's schemas."""

TO_LLGUIDANCE = {"llguidance": {"type": "array", "uniqueItems": False}}
"""A definition that nothing refers to, with a keyword that xgrammar does not know and that asks for nothing."""

LIMITS = frozenset({"minlength", "maxlength", "minitems", "maxitems", "uniqueitems", "minproperties", "maxproperties",
                    "pattern", "patternproperties"})  # fmt: skip
"""Keywords, in lower case, by which the refusal of a schema can be told."""


def in_dialect(schema: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The schema with the dialect's keywords alone.

    `full` is the schema itself, and `vllm` has vLLM decode it with llguidance. In the others, every object has all its
    properties required and no others, as strict structured outputs ask.
    """
    if dialect == "full":
        return schema
    if dialect == "vllm":
        return schema | {"$defs": schema.get("$defs", {}) | TO_LLGUIDANCE}
    return _kept(schema, KEYWORDS[dialect])


def _kept(schema: dict[str, Any], keywords: frozenset[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in schema.items():
        if name not in keywords:
            continue
        if name in {"properties", "$defs"}:
            kept[name] = {key: _kept(inner, keywords) for key, inner in value.items()}
        elif name in {"anyOf", "allOf", "prefixItems"}:
            kept[name] = [_kept(inner, keywords) for inner in value]
        elif name == "items" and isinstance(value, dict):
            kept[name] = _kept(value, keywords)
        else:
            kept[name] = value
    if kept.get("type") == "object" and "properties" in kept:
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    return kept
