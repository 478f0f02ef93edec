"""How long an endpoint asks to be left alone, from whatever headers and bodies say it with. Pure.

`retry-after-ms` (Azure, OpenAI), `Retry-After` in seconds or as a date (RFC 9110), the resets of rate limits that are
used up (`x-ratelimit-reset-requests: 6m0s`, `anthropic-ratelimit-tokens-reset: 2026-11-28T17:00:00Z`,
`X-RateLimit-Reset` as a time, `RateLimit: "default";r=0;t=30`), and the body: Google's `retryDelay`, the headers of
another provider that a router passes on, "Please try again in 1m30s".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 1e6
"""What is longer than eleven days is cut to that."""

RESET = re.compile(r"(x-|anthropic-)?rate-?limit(bysize)?-([a-z-]+-)?reset(-[a-z-]+)?")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_WORDY = re.compile(
    r"(?<![a-z])(?:(milli)sec(?:ond)?s?|(d)ays?|(h)(?:ou)?rs?|(m)in(?:ute)?s?|(s)ec(?:ond)?s?)(?![a-z])", re.IGNORECASE
)
_UNIT = r"(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])"
_AMOUNT = rf"(?:\d+(?:\.\d+)?|an?\b|one\b)\s*{_UNIT}"
IN_WORDS = re.compile(
    r"\b(?:again|retry|wait|available|resets?)\b(?:\s+(?:again|at least|will be))*\s*(?:in|after|for)?:?"
    rf"\s+(?:about\s+|approximately\s+|~\s*)?((?:{_AMOUNT}(?:,| and)?\s*)+)",
    re.IGNORECASE,
)
IN_FIELDS = re.compile(
    r'"(retryDelay|(?:retry_?(?:after|in)|resets?_?in|wait)(?:_?ms|_?sec(?:ond)?s?)?|estimated_time)"\s*:\s*"?(\d+(?:\.\d+)?)s?"?',
    re.IGNORECASE,
)


def seconds_to_wait(headers: Mapping[str, str], body: str = "", now: datetime | None = None) -> float:
    """Seconds; 0 where nothing is said that makes sense.

    Args:
        headers: of the refusal.
        body: of the refusal, for what only the body tells.
        now: the time; None asks the clock.
    """
    now = now or datetime.now(UTC)
    named = {name.lower(): value.strip(' "') if "retry-after" in name.lower() else value.strip()
             for name, value in headers.items()}  # fmt: skip
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0),
                       ("x-retry-after", 1.0)):  # fmt: skip
        if name in named and (found := _duration(named[name], unit, now)) > 0:
            return found
    resets = [
        _duration(value, 0.001 if name.endswith("-ms") else 1.0, now)
        for name, value in named.items()
        if RESET.fullmatch(name) and _used_up(named, name)
    ]
    if any(resets):
        return max(resets)
    if (limit := named.get("ratelimit")) and (found := _of_draft(limit)) > 0:
        return found
    return _in_body(body, now)


def _in_body(body: str, now: datetime) -> float:
    """What only the body tells; 0 where it tells nothing."""
    for inner in re.findall(r'"headers"\s*:\s*(\{[^{}]*\})', body):
        try:
            named = {str(name): str(value) for name, value in json.loads(inner).items()}
        except ValueError:
            continue
        if (found := seconds_to_wait(named, "", now)) > 0:
            return found
    if field := IN_FIELDS.search(body):
        return _sane(float(field[2]) * (0.001 if field[1].lower().endswith("ms") else 1.0))
    if words := IN_WORDS.search(body):
        amounts = re.sub(r"\b(?:an?|one)\b", "1", words[1].lower())
        return _duration(re.sub(r",|\band\b", " ", amounts).strip(), 1.0, now)
    chinese = re.search(r"(\d{1,6})\s*秒[之以]?后", body)
    return _sane(float(chinese[1])) if chinese else 0.0


def _of_draft(limit: str) -> float:
    """Seconds of a `RateLimit` header by either draft of the standard, where a limit of it is used up."""
    waits = [0.0]
    for one in limit.split(",") if ";" in limit else [limit]:
        left = re.search(r"\b(?:remaining=|r=)(\d+)", one)
        reset = re.search(r"\b(?:reset=|t=)(\d+)", one)
        if reset and (left is None or not int(left[1])):
            waits.append(_sane(float(reset[1])))
    return max(waits)


def _used_up(named: Mapping[str, str], reset: str) -> bool:
    """Whether the limit that resets is the one that refused; believed where its `remaining` is not told."""
    remaining = named.get(reset.replace("reset", "remaining"))
    return remaining is None or remaining.startswith(("0", "-"))


def _duration(text: str, unit: float, now: datetime) -> float:
    """Seconds from a number, a duration such as 1m30.5s, a time of day in any of three forms."""
    text = re.sub(r"^(\d+), +\d+$", r"\1", text)  # a header that came twice
    number = re.fullmatch(r"\d+(?:[.,]\d*)?|[.,]\d+", text)
    if number:
        value = float(text.replace(",", ".")) * unit
        if unit == 1.0 and value > 1e9:  # a time in seconds or milliseconds since 1970
            value = (value / 1000 if value > 1e11 else value) - now.timestamp()
        return _sane(value)
    short = "".join(_WORDY.sub(_letter, text).split()).lower().removeprefix("pt")
    if re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+", short):
        return _sane(sum(float(amount) * _UNITS[name] for amount, name in re.findall(r"([\d.]+)(ms|[smhd])", short)))
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            time = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return _sane(((time if time.tzinfo else time.replace(tzinfo=UTC)) - now).total_seconds())
    return 0.0


def _letter(unit: re.Match[str]) -> str:
    """A unit's sign for its word."""
    return "ms" if unit[1] else next(filter(None, unit.groups())).lower()


def _sane(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S) if math.isfinite(seconds) else 0.0
