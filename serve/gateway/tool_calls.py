"""Calls of tools as OpenAI's clients put them together, where a server writes them otherwise.

Clients join a streamed call's parts by `index`, and read its id, type and name in the first part alone. Gemini's and
other servers leave out the index, repeat it or begin at 1; they have no id, say the name in every part, or write
arguments as an object. Clients then mix calls, or end with an error.
"""

from __future__ import annotations

import json
import uuid
from typing import Any


class CallParts:
    """Which calls one answer has begun."""

    def __init__(self) -> None:
        self._arguments: dict[int, str] = {}
        """Number of a call → its arguments so far."""
        self._of_id: dict[str, int] = {}
        self._of_index: dict[int, int] = {}
        """The server's index → the call that it meant last."""
        self._last = -1

    def mend(self, calls: Any) -> bool:
        """Mend a delta's calls in place; whether there was anything to mend."""
        before = json.dumps(calls)
        for call in only_calls(calls):
            self._mend(call, call["function"])
        return before != json.dumps(calls)

    def _mend(self, call: dict[str, Any], function: dict[str, Any]) -> None:
        number, begins = self._number(call, function)
        call["index"] = number
        if begins:
            whole_call(call, function)
            self._arguments[number] = function["arguments"]
            self._of_id[call["id"]] = number
            return
        for name in ("id", "type"):
            call.pop(name, None)
        function.pop("name", None)
        function["arguments"] = _written(function.get("arguments"))
        self._arguments[number] += function["arguments"]

    def _number(self, call: dict[str, Any], function: dict[str, Any]) -> tuple[int, bool]:
        """Which call a part belongs to, and whether it is its first."""
        index, id_, named = call.get("index"), call.get("id"), bool(function.get("name"))
        told = index if isinstance(index, int) and index >= 0 else None
        number = self._of_index.get(told) if told is not None else self._last if self._arguments else None
        if isinstance(id_, str) and id_ in self._of_id:
            number = self._of_id[id_]
        elif number is not None and named and (id_ or _is_whole(self._arguments[number])):
            number = None  # another call under the same index
        begins = number is None
        if number is None:
            number = len(self._arguments)  # clients count from 0 on, too
        self._of_index[number if told is None else told] = self._last = number
        return number, begins


def only_calls(calls: Any) -> list[dict[str, Any]]:
    """What of a list is a call; the rest is taken out of it."""
    if not isinstance(calls, list):
        return []
    calls[:] = [call for call in calls if isinstance(call, dict) and isinstance(call.get("function"), dict)]
    return calls


def whole_call(call: dict[str, Any], function: dict[str, Any]) -> None:
    """Give a call, or its first part, what it lacks: an id, its type, a name, and arguments as text."""
    if not isinstance(call.get("id"), str) or not call["id"]:
        call["id"] = f"call_{uuid.uuid4().hex}"
    call["type"] = "function"
    function["name"] = function.get("name") or ""
    function["arguments"] = _written(function.get("arguments"))


def _written(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _is_whole(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True
