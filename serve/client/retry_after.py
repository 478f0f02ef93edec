"""How long an endpoint asks to be left alone, from whatever headers and bodies say it with. Pure.

`retry-after-ms` (Azure, OpenAI), `Retry-After` in seconds or as a date (RFC 9110), the resets of rate limits that are
used up (`x-ratelimit-reset-requests: 6m0s`, `anthropic-ratelimit-tokens-reset: 2026-11-28T17:00:00Z`,
`X-RateLimit-Reset` as a time), and Google's `retryDelay` in the body.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 1e6
"""What is longer than eleven days is cut to that."""

RESET = re.compile(r"(x-|anthropic-)?rate-?limit-([a-z-]+-)?reset(-[a-z-]+)?")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_to_wait(headers: Mapping[str, str], body: str = "", now: datetime | None = None) -> float:
    """Seconds; 0 where nothing is said that makes sense.

    Args:
        headers: of the refusal.
        body: of the refusal, for what only the body tells.
        now: the time; None asks the clock.
    """
    now = now or datetime.now(UTC)
    named = {name.lower(): value.strip() for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        if name in named and (found := _duration(named[name], unit, now)) > 0:
            return found
    resets = [
        _duration(value, 1.0, now) for name, value in named.items() if RESET.fullmatch(name) and _used_up(named, name)
    ]
    if any(resets):
        return max(resets)
    delay = re.search(r'"retryDelay"\s*:\s*"([\d.]+)s"', body)
    return _duration(delay[1], 1.0, now) if delay else 0.0


def _used_up(named: Mapping[str, str], reset: str) -> bool:
    """Whether the limit that resets is the one that refused; believed where its `remaining` is not told."""
    remaining = named.get(reset.replace("reset", "remaining"))
    return remaining is None or remaining.startswith(("0", "-"))


def _duration(text: str, unit: float, now: datetime) -> float:
    """Seconds from a number, a duration such as 1m30.5s, a time of day in any of three forms."""
    number = re.fullmatch(r"\d+(?:[.,]\d*)?|[.,]\d+", text)
    if number:
        value = float(text.replace(",", ".")) * unit
        if unit == 1.0 and value > 1e9:  # a time in seconds or milliseconds since 1970
            value = (value / 1000 if value > 1e11 else value) - now.timestamp()
        return _sane(value)
    if re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+", text):
        return _sane(sum(float(amount) * _UNITS[name] for amount, name in re.findall(r"([\d.]+)(ms|[smhd])", text)))
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            time = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return _sane(((time if time.tzinfo else time.replace(tzinfo=UTC)) - now).total_seconds())
    return 0.0


def _sane(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S) if math.isfinite(seconds) else 0.0
