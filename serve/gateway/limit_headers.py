"""What a key has left of its rates, in the headers that OpenAI's and Anthropic's clients read to pace themselves."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from serve.gateway.limits import Left

Headers = list[tuple[bytes, bytes]]


def of_openai(left: list[Left]) -> Headers:
    """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`; the reset as a duration such as `1m2.5s`."""
    return _written(
        {
            f"x-ratelimit-{name}-{each.kind}": value
            for each in left
            for name, value in (
                ("limit", str(each.limit)),
                ("remaining", str(each.remaining)),
                ("reset", _duration(each.reset_s)),
            )
        }
    )


def of_anthropic(left: list[Left], now: float) -> Headers:
    """`anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}`; the reset as a time.

    Args:
        left: of the key.
        now: seconds since the epoch.
    """
    return _written(
        {
            f"anthropic-ratelimit-{each.kind}-{name}": value
            for each in left
            for name, value in (
                ("limit", str(each.limit)),
                ("remaining", str(each.remaining)),
                ("reset", _time(now + each.reset_s)),
            )
        }
    )


def _written(fields: dict[str, str]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in fields.items()]


def _duration(seconds: float) -> str:
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds / 1000, 60)
    return (f"{int(minutes)}m" if minutes else "") + f"{rest:.3f}".rstrip("0").rstrip(".") + "s"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(math.ceil(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
