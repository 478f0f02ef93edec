"""Which library decodes by a client's JSON schema, where vLLM chooses ("auto")."""

from __future__ import annotations

import functools
from typing import Any

LENGTHS = frozenset({"minLength", "maxLength"})


def limits_a_string(schema: Any) -> bool:
    """Whether a JSON schema limits the length of a string, anywhere in it."""
    if isinstance(schema, dict):
        return not LENGTHS.isdisjoint(schema) or any(map(limits_a_string, schema.values()))
    return isinstance(schema, list) and any(map(limits_a_string, schema))


def leave_limited_strings_to_llguidance() -> None:
    """Tell vLLM that xgrammar does not know limits of length: it turns to llguidance then.

    xgrammar lets a model write no quotation mark, backslash or line break into such a string
    (findings/xgrammar_limited_strings.sh).
    """
    from vllm.v1.structured_output import backend_xgrammar

    whole = backend_xgrammar.has_xgrammar_unsupported_json_features

    @functools.wraps(whole)
    def is_unknown(schema: dict[str, Any]) -> bool:
        return whole(schema) or limits_a_string(schema)

    backend_xgrammar.has_xgrammar_unsupported_json_features = is_unknown
