"""Reasoning under both names that clients read.

vLLM 0.29 says `reasoning`. DeepSeek's API began with `reasoning_content`, and LangChain, LiteLLM, the AI SDK and most
coding agents read that one alone: they would show an answer that begins after a long silence.
"""

from __future__ import annotations

import json
import re
from typing import Any

_ONE_NAME = re.compile(rb'"reasoning"\s*:\s*"')
_DATA = re.compile(rb"^data:[ ]?(.*)$", re.DOTALL)


def with_both_names(answer: bytes) -> bytes:
    """An answer, or an event of a stream, whose messages have `reasoning_content` too where they have `reasoning`.

    What has none, has both already, or is no JSON on one line is returned as it is.
    """
    if not _ONE_NAME.search(answer) or b'"choices"' not in answer:
        return answer
    event = _DATA.match(answer)
    try:
        content = json.loads(event[1] if event else answer)
    except (ValueError, RecursionError):
        return answer
    if not _add(content):
        return answer
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"data: " + body if event else body


def _add(content: Any) -> bool:
    """Add the other name to every message or delta that lacks it; whether there was one."""
    choices = content.get("choices") if isinstance(content, dict) else None
    added = False
    for choice in choices if isinstance(choices, list) else []:
        for name in ("message", "delta"):
            part = choice.get(name) if isinstance(choice, dict) else None
            if isinstance(part, dict) and isinstance(part.get("reasoning"), str) and not part.get("reasoning_content"):
                part["reasoning_content"] = part["reasoning"]
                added = True
    return added
