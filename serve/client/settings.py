"""Where a client finds an endpoint, and how it asks."""

from typing import Any

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from core.settings import Settings


class EndpointConfig(Settings):
    """An OpenAI-compatible endpoint as its clients see it."""

    url: str
    """Base URL that ends in /v1, or as the endpoint's documents have it; a query stays behind the path."""

    api_key_env: str | None = None
    """Environment variable that holds the key; the key itself is never written to a config. None sends none."""

    timeout_s: PositiveFloat = 600.0
    """Longest wait for one answer."""

    max_retries: NonNegativeInt = 5
    """Tries after a broken connection, a time-out or a 5xx, with growing pauses. A 429 or 529 is asked again when the
    endpoint says, or after growing pauses, until it has answered nobody for `timeout_s`."""

    concurrency: PositiveInt = 1024
    """Most requests in flight; fewer while the endpoint says 429, 503 or 529, or takes longer than half of
    `timeout_s`."""

    preset: str | None = None
    """Preset of what the endpoint takes (`presets.yaml`); None goes by the URL's host."""

    rules: dict[str, Any] = {}
    """Single rules on top of the preset's, by the names of `serve.client.rules.EndpointRules`."""

    thinking: bool | None = None
    """Whether a reasoning model thinks; None leaves its own way."""
