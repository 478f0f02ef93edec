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


def looks_around(schema: Any) -> bool:
    """Whether a pattern looks ahead or behind, anywhere in a JSON schema."""
    if isinstance(schema, dict):
        pattern = schema.get("pattern")
        found = isinstance(pattern, str) and LOOKAROUND.search(pattern) is not None
        return found or any(map(looks_around, schema.values()))
    return isinstance(schema, list) and any(map(looks_around, schema))


def leave_limited_strings_to_llguidance() -> None:
    """Tell vLLM that xgrammar knows neither limits of length nor patterns: it turns to llguidance then.

    xgrammar lets a model write no quotation mark, backslash or line break into such a string
    (findings/xgrammar_limited_strings.sh), and takes a pattern for the whole of it (findings/xgrammar_patterns.sh).
    """
    from vllm.v1.structured_output import backend_xgrammar

    whole = backend_xgrammar.has_xgrammar_unsupported_json_features

    @functools.wraps(whole)
    def is_unknown(schema: dict[str, Any]) -> bool:
        return whole(schema) or (limits_a_string(schema) and not looks_around(schema))

    backend_xgrammar.has_xgrammar_unsupported_json_features = is_unknown
