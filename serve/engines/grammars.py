"""Which library decodes by a client's JSON schema, where vLLM chooses ("auto")."""

from __future__ import annotations

import functools
import re
from typing import Any

LENGTHS = frozenset({"minLength", "maxLength"})
LOOKAROUND = re.compile(r"\(\?<?[=!]")
"""In a regular expression. xgrammar ignores it, and llguidance refuses the schema."""


def limits_a_string(schema: Any) -> bool:
    """Whether a JSON schema limits the length of a string or gives it a pattern, anywhere in it."""
    if isinstance(schema, dict):
        limited = not LENGTHS.isdisjoint(schema) or isinstance(schema.get("pattern"), str)
        return limited or any(map(limits_a_string, schema.values()))
    return isinstance(schema, list) and any(map(limits_a_string, schema))


_NOTES = frozenset({
    "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$defs", "definitions",
    "$schema", "$id", "$comment", "anyOf", "allOf",
})  # fmt: skip
"""Keywords that narrow nothing by themselves, and those beside which others are asked for."""


def narrows_twice(schema: Any) -> bool:
    """Whether `anyOf` or `allOf` stands beside other keywords, or `allOf` has several members, anywhere in a schema.

    A property may have the name of a keyword; then the schema is read as if it were one, which costs nothing but speed.
    """
    if isinstance(schema, dict):
        several = isinstance(schema.get("allOf"), list) and len(schema["allOf"]) > 1
        beside = isinstance(schema.get("anyOf", schema.get("allOf")), list) and not schema.keys() <= _NOTES
        return several or beside or any(map(narrows_twice, schema.values()))
    return isinstance(schema, list) and any(map(narrows_twice, schema))


def looks_around(schema: Any) -> bool:
    """Whether a pattern looks ahead or behind, anywhere in a JSON schema."""
    if isinstance(schema, dict):
        pattern = schema.get("pattern")
        found = isinstance(pattern, str) and LOOKAROUND.search(pattern) is not None
        return found or any(map(looks_around, schema.values()))
    return isinstance(schema, list) and any(map(looks_around, schema))


def leave_limited_strings_to_llguidance() -> None:
    """Tell vLLM that xgrammar knows no limits of length, no patterns, and no `anyOf` beside other keywords.

    vLLM turns to llguidance then. xgrammar lets a model write no quotation mark, backslash or line break into such a
    string (findings/xgrammar_limited_strings.sh). It takes a pattern for the whole of it
    (findings/xgrammar_patterns.sh), and forgets what stands beside `anyOf` or `allOf` (findings/xgrammar_any_of.sh).
    """
    from vllm.v1.structured_output import backend_xgrammar

    whole = backend_xgrammar.has_xgrammar_unsupported_json_features

    @functools.wraps(whole)
    def is_unknown(schema: dict[str, Any]) -> bool:
        return whole(schema) or ((limits_a_string(schema) or narrows_twice(schema)) and not looks_around(schema))

    backend_xgrammar.has_xgrammar_unsupported_json_features = is_unknown
