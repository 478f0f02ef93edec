"""Text without its secrets: the values that this process knows, and what looks like one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ray_jobs.cluster.job_api import find_token
from ray_jobs.cluster.secret_refs import SECRET_NAME

HIDDEN = "[hidden]"
SHORTEST = 6
"""Shorter values are words that stand elsewhere too."""

PATTERNS = (
    re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{6,}"),
    re.compile(r"(?i)((?:token|secret|passw(?:or)?d|api_?key|access_?key(?:_id)?|credentials?)[\"']?\s*[:=]\s*[\"']?)"
               r"(?!env:|file:)[^\s\"',;&}]{4,}"),
    re.compile(r"(\w+://)[^\s/@:]+:[^\s/@]+(?=@)"),
    re.compile(r"()\b(?:hf_[A-Za-z0-9]{8,}|sk-[\w-]{8,}|wc-[\w-]{16,}|AKIA[0-9A-Z]{12,}|gh[pousr]_[A-Za-z0-9]{20,})"),
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)  # fmt: skip
"""What looks like a secret; what stands in the first group is kept."""


def known_secrets(environment: Mapping[str, str] | None = None) -> list[str]:
    """Values of this process that are secrets, longest first."""
    found = {value for name, value in (environment or os.environ).items() if SECRET_NAME.search(name)}
    found.add(find_token() or "")
    return sorted(
        (value for value in found if len(value) >= SHORTEST and not value.startswith("/")), key=len, reverse=True
    )


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with `[hidden]` in the place of secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def redact_values(value: Any, secrets: list[str]) -> Any:
    """JSON values with `[hidden]` in the place of secrets, and of whatever is called one."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(inner, str) and SECRET_NAME.search(str(name)) and inner
            else redact_values(inner, secrets)
            for name, inner in value.items()
        }  # fmt: skip
    if isinstance(value, list | tuple):
        return [redact_values(inner, secrets) for inner in value]
    return redact(value, secrets) if isinstance(value, str) else value
