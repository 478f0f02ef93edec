"""Answers on their way to the client: server-sent events passed on as they come, tokens counted. No server here."""

from __future__ import annotations

import json
import re
from typing import Any

from serve.client.completions import read_usage
from serve.gateway.chat_answers import MAY_NEED_MENDING, ODD_FINISH, ChatStream, whole_choices
from serve.gateway.upstream_errors import error_of_choice, is_error

_END_OF_EVENT = re.compile(rb"(?>\r\n|\r|\n){2}")

MOST_EVENT_BYTES = 16 * 1024 * 1024
"""An event that is longer is none: what is held back of it must end."""

DONE = b"[DONE]"

_DATA = b"data: "

_FINISH = re.compile(rb'"finish_reason":\s*["{\[]')
"""That some choice has ended."""


class Meter:
    """Passes a stream on event by event and reads its usage, until it ends or the engine says that it failed."""

    def __init__(self, prompt_tokens: int, *, hide_usage: bool) -> None:
        """Args: prompt_tokens: a guess, until the engine says. hide_usage: keep the usage event from the client."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, 0
        self._hide_usage, self._rest, self._last_choice = hide_usage, b"", b""
        self._chat, self._is_told, self._has_finish = ChatStream(), False, False
        self._instead = b""
        """What goes on in an event's place."""
        self.finished = False
        """The last event has come: `[DONE]`, or the one that ends a response."""
        self.error: Any = None
        """An error of the engine, parsed; nothing behind it is passed on, nor is itself."""

    def feed(self, chunk: bytes) -> bytes:
        """What of a chunk can be passed on: whole events, so that a cut stream never ends inside one."""
        held = self._rest + chunk
        *events, rest = _END_OF_EVENT.split(held) if b"\r" in held else held.split(b"\n\n")
        self._rest = rest.lstrip(b"\r\n")
        if events and not self._over and _are_tokens(held, events):  # nearly always: looked at, not taken apart
            self._last_choice = events[-1][len(_DATA) :]
            self._look_for_finish(held)
            self._count(len(events))
            return held[: len(held) - len(rest)]
        if len(self._rest) > MOST_EVENT_BYTES:
            self.error, self._rest = "an event without end", b""
        return self._passed(events)

    def end(self) -> bytes:
        """What is left at the end, if it is a whole event; and the end itself, where a server leaves it out.

        Call it only where the connection was closed in order.
        """
        event, self._rest = self._rest.strip(), b""
        left = self._passed([event]) if event and _is_whole(event) else b""
        if not self.finished and self.error is None and _has_finish_reason(self._last_choice):
            self.finished = True
            left += b"data: " + DONE + b"\n\n"
        return left

    def _passed(self, events: list[bytes]) -> bytes:
        passed = []
        for event in events:
            if self._over:
                break
            self._instead = event
            self._look_for_finish(event)
            if event.strip() and self._wanted(event):
                if is_done := self.finished and read_event(event)[1].strip(b'"').upper() == DONE:
                    passed.append(self._untold_end())
                passed.append((_DATA + DONE if is_done else self._mended(self._instead.lstrip(b"\r\n"))) + b"\n\n")
        return b"".join(passed)

    def _look_for_finish(self, data: bytes) -> None:
        self._has_finish = self._has_finish or _FINISH.search(data) is not None

    def _untold_end(self) -> bytes:
        """The event that ends the choices of a stream whose server did not say that they had."""
        if self._has_finish or not self._last_choice:
            return b""
        return _DATA + self._chat.last_chunk(self._last_choice) + b"\n\n"

    def _mended(self, event: bytes) -> bytes:
        """An event as clients of a chat read it."""
        if not MAY_NEED_MENDING.search(event):
            return event
        data = read_event(event)[1]
        mended = self._chat.mended(data)
        return event if mended is data else b"data: " + mended

    @property
    def _over(self) -> bool:
        return self.finished or self.error is not None

    def _wanted(self, event: bytes) -> bool:
        name, data = read_event(event)
        if not data:  # a comment, which keeps the connection open
            return True
        if data.strip(b'"').upper() == DONE:
            self.finished = True
            return True
        if name != b"error" and b'"choices"' in data and _has_part(data) and not _may_matter(data):
            self._last_choice = data
            self._count(1)
            return True
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):  # a proxy's page, or an engine's last words: no client could read it
            self.error = data.decode("utf-8", "replace")
            return False
        if name == b"error" or is_error(content):
            self.error = content or "an error without words"
            return False
        self.error = error_of_choice(content)
        if self.error is not None:
            return False
        return self._counted(content, data) if isinstance(content, dict) else True

    def _counted(self, content: dict[str, Any], data: bytes) -> bool:
        """Count an event that is no error; False if it is not for the client."""
        response = content.get("response")  # of the Responses API, whose events carry their type
        kind = str(content.get("type", ""))
        if kind.startswith("response."):
            self._count(kind.endswith(".delta"))
            self.finished = kind in {"response.completed", "response.failed", "response.incomplete"}
            self.read(response)
            return True
        if whole_choices(content):
            self._instead = _DATA + json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
        has_choice = bool(content["choices"])
        if has_choice:
            self._last_choice = data
        is_told = self.read(content)
        if not is_told:
            self._count(has_choice)
        return has_choice or (is_told and not self._hide_usage)

    def read(self, answer: Any) -> bool:
        """Take the usage of an answer; False if it has none."""
        usage = usage_of(answer)
        if usage is None:
            return False
        told = read_usage(usage)
        self.prompt_tokens = told["prompt_tokens"] or self.prompt_tokens
        self.completion_tokens = told["completion_tokens"] or self.completion_tokens
        self._is_told = told["completion_tokens"] > 0
        return bool(told["prompt_tokens"] or told["completion_tokens"])

    def _count(self, events: int) -> None:
        """Count about one token an event, until the engine says how many they are."""
        if not self._is_told:
            self.completion_tokens += events

    @property
    def failed(self) -> bool:
        """Whether the engine said that it failed."""
        return self.error is not None

    @property
    def tokens(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.completion_tokens


def _are_tokens(held: bytes, events: list[bytes]) -> bool:
    """Whether all events are pieces of an answer that go on as they came: one line each, and only text.

    Args:
        held: the bytes that they were cut from.
        events: without the empty lines behind them, at least one.
    """
    if _may_matter(held) or b'"reasoning"' in held or b"\r" in held:
        return False
    if (b'"tool_calls"' in held or b'"message"' in held) and MAY_NEED_MENDING.search(held):
        return False
    for event in events:  # a loop: this is done for every token
        if not event.startswith(b"data: {") or b'"choices"' not in event or b"\n" in event or not _has_part(event):
            return False
    return True


def _has_part(data: bytes) -> bool:
    """Whether it has a piece of an answer where clients look for one."""
    return b'"delta":{' in data or b'"delta": {' in data or b'"text":' in data


def _may_matter(data: bytes) -> bool:
    """Whether something in it may be a usage, an error, or the end of an answer that is not whole or in odd words.

    In text, quotes have a backslash before them: what stands between two without one is a name or a whole value.
    """
    return b'"usage"' in data or b'"error"' in data or ODD_FINISH.search(data) is not None


def read_event(event: bytes) -> tuple[bytes, bytes]:
    """Name and data of an event, as the standard of server-sent events has them."""
    if event.startswith(b"data: ") and b"\n" not in event and b"\r" not in event:  # nearly all
        return b"", event[6:].strip()
    if event.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
        (b"{", b"[")
    ):  # JSON without a field's name: an error, as some write it
        return b"", event.strip()
    name, data = b"", []
    for line in event.removeprefix(b"\xef\xbb\xbf").splitlines():
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.strip())
        elif field == b"event":
            name = value.strip().lower()
        elif field == b"error":  # llama.cpp's older servers
            name = b"error"
            data.append(value.strip())
    return name, b"\n".join(data)


def usage_of(answer: Any) -> dict[str, Any] | None:
    """The usage of an answer or a chunk, where servers put it: Groq beside it, Moonshot in the last choice."""
    if not isinstance(answer, dict):
        return None
    choices = answer.get("choices")
    beside = [answer, answer.get("x_groq"), *(choices[:1] if isinstance(choices, list) else [])]
    found = [each["usage"] for each in beside if isinstance(each, dict) and isinstance(each.get("usage"), dict)]
    return found[0] if found else None


def _is_whole(event: bytes) -> bool:
    """Whether an event that the stream's end cut off lacks only its empty line."""
    _, data = read_event(event)
    if data == DONE:
        return True
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _has_finish_reason(data: bytes) -> bool:
    """Whether the last event with a choice was a last one."""
    try:
        choices = json.loads(data)["choices"] if b'"finish_reason"' in data else []
    except (ValueError, RecursionError):
        return False
    return isinstance(choices, list) and any(isinstance(each, dict) and each.get("finish_reason") for each in choices)
