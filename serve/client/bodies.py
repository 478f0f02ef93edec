"""The bytes of a 200 → an answer in OpenAI's, Anthropic's or Ollama's form, in whatever form they came. Pure.

One JSON value, a stream that nobody asked for, JSON line by line, JSON inside JSON, an answer inside a gateway's
wrapping, and the own forms of Google's API, of OpenAI's Responses and of Ollama's `generate`.
"""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from serve.client.errors import error_in

Row = dict[str, Any]

WRAPPINGS = ("data", "result", "output", "response", "body", "completion")
"""Fields in which gateways put another server's answer."""

MOST_WRAPPINGS = 3

MOST_UNPACKED = 1 << 20
"""Bytes of a packed body that are read."""

_OF_ARROW = {"br": "brotli", "zstd": "zstd"}

_COMMENTS = re.compile(r"\A(?:[\s\x00\ufeff]*:[^\n]*\n)+")
_STREAM = re.compile(r"(?:data|event|id|retry):")
_DECODER = json.JSONDecoder(strict=False)


def parsed(body: bytes) -> Any:
    """The JSON of a body: its first value, or the whole answer that its parts make.

    Raises:
        ValueError: there is none.
        RecursionError, TypeError, AttributeError: it is of no form that is known here.
    """
    text = _COMMENTS.sub("", _text(body)).strip("\x00\ufeff \t\r\n")
    if _STREAM.match(text):
        return _joined(_events(text), ended="[DONE]" in text)
    value, end = _DECODER.raw_decode(text)
    if isinstance(value, dict) and _is_part(value):
        parts = [value, *_values(text[end:])]
        return _joined(parts, ended=any(part.get("done") is True for part in parts))
    if isinstance(value, list) and len(value) > 1:  # Google's stream is a list
        return _joined(value, ended=False)
    return unwrapped(value)


def unpacked(body: bytes, encodings: str, most: int = MOST_UNPACKED) -> bytes:
    """What a body holds that may be packed, in the ways that its headers name; as it is where it is not packed so.

    Args:
        body: as it came.
        encodings: of `Content-Encoding`.
        most: bytes that are unpacked.
    """
    for name in reversed(encodings.lower().replace(" ", "").split(",")):
        with contextlib.suppress(zlib.error, OSError):
            if name in {"gzip", "x-gzip"}:
                body = _inflated(body, zlib.MAX_WBITS | 16, most)
            elif name == "deflate":  # with zlib's frame, or without
                body = _inflated(body, zlib.MAX_WBITS if body and body[0] & 15 == 8 else -zlib.MAX_WBITS, most)
            elif name in _OF_ARROW:
                body = pa.CompressedInputStream(pa.BufferReader(body), _OF_ARROW[name]).read(most)
    return body


def _inflated(body: bytes, wbits: int, most: int) -> bytes:
    inflate = zlib.decompressobj(wbits=wbits)
    plain = inflate.decompress(body, most)
    if not (inflate.eof or inflate.unconsumed_tail):
        raise zlib.error("cut off")
    return plain


def _text(body: bytes) -> str:
    """A body as text, also in UTF-16 with its mark, or packed by gzip although no header says so."""
    body = unpacked(body, "gzip") if body.startswith(b"\x1f\x8b") else body
    return body.decode("utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "replace")


def unwrapped(value: Any, depth: int = MOST_WRAPPINGS) -> Any:
    """The answer that a JSON value holds, as it is or inside a wrapping; the value itself where it holds none."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = _DECODER.decode(value.strip())
    if isinstance(value, list) and len(value) == 1:
        value = unwrapped(value[0], depth - 1) if depth else value
    if not isinstance(value, dict) or "choices" in value or isinstance(value.get("message"), dict):
        return value
    if (answer := _other_form(value)) is not None:
        return answer
    for name in WRAPPINGS if depth and "content" not in value else ():
        inner = value.get(name)
        if isinstance(inner, dict | list) or (isinstance(inner, str) and inner.lstrip().startswith("{")):
            found = unwrapped(inner, depth - 1)
            if isinstance(found, dict) and ("choices" in found or "content" in found or "message" in found):
                return {"usage": value.get("usage")} | found
    if isinstance(value.get("response"), dict) and "usage" in value:  # Cloudflare's, of JSON that it has parsed
        return _chat({"content": value["response"]}, "stop", value["usage"])
    return value


def _other_form(value: Row) -> Row | None:
    """An answer of Google's own API, of the Responses API, or of Ollama's `generate`, as a chat's; None: it is none."""
    if value.get("error"):
        return None
    if isinstance(candidates := value.get("candidates"), list) and candidates:
        first = candidates[0]
        content = first.get("content") or {}
        message = {"content": content.get("parts") if isinstance(content, dict) else content}
        return _chat(message, first.get("finishReason"), value.get("usageMetadata"))
    items = value.get("output")
    if value.get("object") == "response" or (isinstance(items, list) and "output_text" in value):
        why = (value.get("incomplete_details") or {}).get("reason")
        parts = [part for item in items or () for part in _parts_of(item)] or value.get("output_text")
        return _chat({"content": parts}, why or value.get("status"), value.get("usage"))
    if isinstance(text := value.get("response"), str) and not text.lstrip().startswith('{"id"'):
        return _chat({"content": text, "thinking": value.get("thinking")}, value.get("done_reason"), value.get("usage")
                     or value)  # fmt: skip
    return None


def _chat(message: Row, finish: Any, usage: Any) -> Row:
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _parts_of(item: Row) -> list[Any]:
    """Parts of a message's content for an item of a response."""
    if item.get("type") == "function_call":
        return [{"type": "text", "text": item.get("arguments") or ""}]
    if item.get("type") == "reasoning":
        return [{"type": "reasoning", "text": item.get("summary") or item.get("content") or ""}]
    content = item.get("content")
    return content if isinstance(content, list) else [content or ""]


def _values(text: str) -> Iterator[Row]:
    """The objects that follow each other in a text."""
    while (text := text.lstrip("\x00\ufeff, \t\r\n")).startswith("{"):
        value, end = _DECODER.raw_decode(text)
        yield value
        text = text[end:]


def _is_part(value: Row) -> bool:
    """Whether it is one of several parts of an answer."""
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, dict):
        return "delta" in first and "message" not in first
    return value.get("done") is False


def _events(text: str) -> list[Any]:
    """The JSON values in a stream's events, whatever ends their lines, and over however many lines each goes."""
    found = list[Any]()
    for event in re.sub(r"\r\n|\r", "\n", text).split("\n\n"):
        found += _values("\n".join(re.findall(r"^data:(.*)$", event, re.MULTILINE)))
    return found


def _joined(chunks: list[Any], *, ended: bool) -> Any:
    """A stream's chunks as the answer that they are parts of; an error as it is."""
    message, usage, finish = dict[str, Any](), None, None
    for chunk in chunks:
        if error_in(chunk) is not None:
            return chunk
        if (response := _whole_response(chunk)) is not None:
            return unwrapped(response)
        part = chunk if "choices" in chunk else _part_of_others(chunk)
        if isinstance(told := part.get("usage"), dict):  # Anthropic tells what came in first, and the rest at the end
            usage = (usage or {}) | {name: value for name, value in told.items() if value is not None}
        for choice in (part.get("choices") or [])[:1]:
            finish = choice.get("finish_reason") or finish
            delta = choice.get("delta") or choice.get("message") or {"content": choice.get("text") or ""}
            _add(message, delta)
    if not (ended or finish):
        return {"error": {"message": "the stream broke off", "code": 502}}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _add(message: Row, delta: Row) -> None:
    """Add what a chunk says to the message before it: text to text, parts to parts, a call's arguments to its own."""
    for name, said in delta.items():
        had = message.get(name)
        if name == "tool_calls" and isinstance(said, list):
            message[name] = _with_calls(had if isinstance(had, list) else [], said)
        elif isinstance(had, list) or isinstance(said, list):  # Mistral's thinking comes as parts, then text as text
            message[name] = [*_as_parts(had), *_as_parts(said)]
        else:
            message[name] = (had or "") + said if isinstance(said, str) else had or said


def _as_parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []


def _with_calls(calls: list[Row], more: list[Row]) -> list[Row]:
    """Calls of tools with the next pieces of their arguments."""
    by_index = {call["index"]: call for call in calls}
    for place, piece in enumerate(more):
        index, function = piece.get("index", place), piece.get("function") or {}
        call = by_index.setdefault(index, {"index": index, "function": {"arguments": ""}})
        had, said = call["function"]["arguments"], function.get("arguments")
        call["function"] = {"arguments": had + said if isinstance(said, str) and isinstance(had, str) else said or had}
    return list(by_index.values())


def _whole_response(chunk: Row) -> Row | None:
    """The response that the last event of a stream of the Responses API holds."""
    ends = {"response.completed", "response.incomplete", "response.failed"}
    response = chunk.get("response") if chunk.get("type") in ends else None
    return response if isinstance(response, dict) else None


def _choice_of_google(candidate: Row) -> Row:
    """A choice of a chunk for a candidate in an event of Google's streams."""
    parts = (candidate.get("content") or {}).get("parts") or []
    said = {"content": "", "thinking": ""}
    for part in parts:
        said["thinking" if part.get("thought") else "content"] += part.get("text") or ""
    return {"delta": said, "finish_reason": candidate.get("finishReason")}


def _part_of_others(chunk: Row) -> Row:
    """An event of Anthropic's or Google's streams, or a line of Ollama's own, as a chunk."""
    if isinstance(candidates := chunk.get("candidates"), list):
        choices = [_choice_of_google(candidate) for candidate in candidates[:1]]
        return {"choices": choices, "usage": chunk.get("usageMetadata")}
    kind, delta = chunk.get("type"), chunk.get("delta") or {}
    if kind == "message_start":
        return {"usage": chunk["message"].get("usage")}
    if kind == "content_block_delta":
        text = delta.get("text") or delta.get("partial_json") or ""
        return {"choices": [{"delta": {"content": text, "thinking": delta.get("thinking") or ""}}]}
    if kind == "message_delta":
        return {"choices": [{"delta": {}, "finish_reason": delta.get("stop_reason")}], "usage": chunk.get("usage")}
    if "done" not in chunk:
        return chunk
    delta = chunk.get("message") or {"content": chunk.get("response"), "thinking": chunk.get("thinking")}
    choice = {"delta": delta, "finish_reason": chunk.get("done_reason")}
    return {"choices": [choice], "usage": chunk if chunk["done"] else None}
