"""Answers on their way to the client: server-sent events passed on as they come, tokens counted. No server here."""

from __future__ import annotations

import json
import re
from typing import Any

_END_OF_EVENT = re.compile(rb"\r?\n\r?\n")


class Meter:
    """Passes a stream on event by event and reads its usage."""

    def __init__(self, prompt_tokens: int, *, hide_usage: bool) -> None:
        """Args: prompt_tokens: a guess, until the engine says. hide_usage: keep the usage event from the client."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, 0
        self._hide_usage, self._rest = hide_usage, b""
        self.finished, self.failed = False, False
        """`[DONE]` has come; an event was an error of the engine, which is not for the client."""

    def feed(self, chunk: bytes) -> bytes:
        """What of a chunk can be passed on: whole events, so that a cut stream never ends inside one."""
        *events, self._rest = _END_OF_EVENT.split(self._rest + chunk)
        return b"".join(event + b"\n\n" for event in events if self._wanted(event))

    def end(self) -> bytes:
        """What is left at the end, if it is a whole event."""
        event, self._rest = self._rest.strip(), b""
        return event + b"\n\n" if event and self._wanted(event) and self.finished else b""

    def _wanted(self, event: bytes) -> bool:
        data = b"\n".join(line[5:].strip() for line in event.splitlines() if line.startswith(b"data:"))
        self.finished = self.finished or data == b"[DONE]"
        if b'"usage"' not in data and b'"error"' not in data:
            self.completion_tokens += b'"choices"' in data  # about one token each; the usage event sets it right
            return True
        try:
            content = json.loads(data)
        except ValueError:
            return True
        if not isinstance(content, dict):
            return True
        if content.get("error"):
            self.failed = True
            return False
        if not self.read(content):
            self.completion_tokens += 1
        return bool(content.get("choices")) or not self._hide_usage

    def read(self, answer: Any) -> bool:
        """Take the usage of an answer; False if it has none."""
        usage = answer.get("usage") if isinstance(answer, dict) else None
        if not isinstance(usage, dict):
            return False
        self.prompt_tokens = max(0, int(usage.get("prompt_tokens") or 0))
        self.completion_tokens = max(0, int(usage.get("completion_tokens") or 0))
        return True

    @property
    def tokens(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.completion_tokens
