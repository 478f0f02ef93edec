"""Answers on their way to the client: server-sent events passed on as they come, tokens counted. No server here."""

from __future__ import annotations

import json
from typing import Any


class Meter:
    """Passes a stream on event by event and reads its usage."""

    def __init__(self, prompt_tokens: int, *, hide_usage: bool) -> None:
        """Args: prompt_tokens: a guess, until the engine says. hide_usage: keep the usage event from the client."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, 0
        self._hide_usage, self._rest = hide_usage, b""

    def feed(self, chunk: bytes) -> bytes:
        """What of a chunk can be passed on: whole events, so that a cut stream never ends inside one."""
        *events, self._rest = (self._rest + chunk).split(b"\n\n")
        return b"".join(event + b"\n\n" for event in events if self._wanted(event))

    def end(self) -> bytes:
        """What is left at the end."""
        return self._rest

    def _wanted(self, event: bytes) -> bool:
        if b'"usage"' not in event:
            self.completion_tokens += b'"choices"' in event  # about one token each; the usage event sets it right
            return True
        try:
            content = json.loads(event.removeprefix(b"data:"))
        except ValueError:
            return True
        if not isinstance(content, dict):
            return True
        if not self.read(content):
            self.completion_tokens += 1
        return bool(content.get("choices")) or not self._hide_usage

    def read(self, answer: Any) -> bool:
        """Take the usage of an answer; False if it has none."""
        usage = answer.get("usage") if isinstance(answer, dict) else None
        if not isinstance(usage, dict):
            return False
        self.prompt_tokens = int(usage.get("prompt_tokens") or 0)
        self.completion_tokens = int(usage.get("completion_tokens") or 0)
        return True

    @property
    def tokens(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.completion_tokens
