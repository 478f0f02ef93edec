"""A model that is asked for data, here or at any endpoint: its settings, and what its failures mean. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import NonNegativeFloat

from core.settings import Execution, Settings

LEFT_OPEN = frozenset({"question", "endpoint"})
"""Blames of answers (`ChatClient`) after which the next run asks a row again: the endpoint refused or failed, and may
be mended by then. What the model itself did not answer is final."""


class PriceConfig(Settings):
    """What an endpoint charges for 1,000,000 tokens, in any one currency."""

    prompt: NonNegativeFloat
    """Tokens in."""

    completion: NonNegativeFloat
    """Tokens out, those of thinking too."""

    cached: NonNegativeFloat | None = None
    """Tokens in that its prefix cache held; None charges them as others."""

    cache_write: NonNegativeFloat | None = None
    """Tokens in that it wrote to its cache (Anthropic); None charges them as others."""

    batch: NonNegativeFloat = 0.5
    """Share of these prices that is charged for batches."""


class TeacherConfig(Settings):
    """A model that is asked for data."""

    model: str
    """Model: Hugging Face id, folder or packaged model where we serve it, the endpoint's name for it otherwise."""

    endpoint: str | None = None
    """URL of any OpenAI-compatible endpoint, ending in /v1, or of Anthropic's API; None serves the model on vLLM
    replicas of our own."""

    api_key_env: Annotated[str | None, Execution()] = None
    """Environment variable that holds the endpoint's key."""

    preset: Annotated[str | None, Execution()] = None
    """What the endpoint takes, by name (docs/teachers.md); None goes by the URL's host."""

    rules: Annotated[dict[str, Any], Execution()] = {}
    """Single rules on top of the preset's, such as `{token_limit: max_completion_tokens}` (docs/teachers.md)."""

    thinking: bool | None = None
    """Whether a reasoning model thinks before it answers; None leaves its own way."""


def failed_alike(failed: Mapping[str, int], examples: Mapping[str, str], rows: int, share: float) -> str:
    """One line that says why nearly all rows failed; empty where they did not.

    Args:
        failed: reason → rows.
        examples: reason → words about one of those rows.
        rows: of all.
        share: of the rows that must have failed for one reason.
    """
    if not rows or not failed:
        return ""
    reason, count = Counter(failed).most_common(1)[0]
    if count < share * rows:
        return ""
    example = " ".join(examples.get(reason, "").split())[:300]
    return f"{count:,} of {rows:,} rows failed alike: {reason}{f' ({example})' if example else ''}"
