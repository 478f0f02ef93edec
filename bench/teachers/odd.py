"""Ten teachers as odd as hosted ones are: their rules, moods, wrappings and bills, each a function of the question.

What each refuses and how it words it is written from the vendors' published documents and shares nothing with the
client's code. Every teacher keeps its own bill, of the answers that it sent whole.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers

from bench.teachers.endpoint import Reply, completion, refusal

Body = dict[str, Any]

PROMPT, COMPLETION, CACHED, CACHE_WRITE = 1.0, 4.0, 0.1, 1.25
"""Prices of a million tokens."""

WORDS = ["apples", "boats", "candles", "doors", "engines", "forests", "gardens", "houses",
         "islands", "jackets", "kettles", "ladders"]  # fmt: skip
"""Of which answers differ."""

PAGE = (
    "<html><head><title>Attention Required!</title></head><body>You have been blocked. seed temperature</body></html>"
)


class Bill:
    """What the answers of a teacher cost by its own count, and the dice of its moods."""

    def __init__(self, seed: int) -> None:
        """Args: seed: of the moods."""
        self.cost, self.dice = 0.0, random.Random(seed)
        self.refused: set[str] = set()
        """Questions that it will not answer, by design."""

    def take(self, prompt: int, out: int, cached: int = 0, written: int = 0) -> None:
        """Charge an answer."""
        plain = prompt - cached - written
        self.cost += (plain * PROMPT + cached * CACHED + written * CACHE_WRITE + out * COMPLETION) / 1e6

    def usage(self, text: str, thought: int = 0) -> Body:
        """Charge an answer and tell its tokens in OpenAI's form."""
        prompt, out = self.dice.randrange(500, 900), len(text) // 4 + thought
        cached = self.dice.randrange(0, 400)
        self.take(prompt, out, cached)
        return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out,
                "prompt_tokens_details": {"cached_tokens": cached},
                "completion_tokens_details": {"reasoning_tokens": thought}}  # fmt: skip


Teacher = Callable[[Bill, int, Body], Reply]


def right_answer(body: Body) -> str:
    """A right answer to a question: by its schema, or by the cases that it shows."""
    form = (
        (body.get("response_format") or {}).get("json_schema") or (body.get("output_config") or {}).get("format") or {}
    )
    shown = [_text(one["content"]) for one in body["messages"] if one["role"] == "assistant"]
    fields = list((form.get("schema") or {}).get("properties") or json.loads(shown[-1]))
    number = zlib.crc32(_text(body["messages"][-1]["content"]).encode())
    if "overall" in fields:
        kept = {"reason": f"Case {number} says so itself.", "answer": "yes"}
        return json.dumps({name: kept for name in fields if name != "overall"} | {"overall": "yes"})
    told = " ".join(random.Random(number).choices(WORDS, k=12))
    words = {
        "task_name": "code summarization",
        "instruction": f"Summarize how function {number} treats {told}.",
        "information": f"def number_{number}(): return {number}",
        "solution": f"It takes {told} and returns their sum with {number}.",
    }
    return json.dumps({name: words[name] for name in fields})


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _last(body: Body) -> str:
    return _text(body["messages"][-1]["content"])


def reasoning_model(bill: Bill, number: int, body: Body) -> Reply:
    """Takes the default temperature, no stop, strict schemas; now and then thinks until its room is used up."""
    if "max_tokens" in body:
        return refusal(400, "Unsupported parameter: 'max_tokens' is not supported with this model.",
                       param="max_tokens", code="unsupported_parameter")  # fmt: skip
    if body.get("temperature", 1) != 1:
        return refusal(400, "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) "
                            "value is supported.", param="temperature", code="unsupported_value")  # fmt: skip
    if "maxLength" in json.dumps(body.get("response_format")):
        return refusal(
            400, "Invalid schema for response_format 'answer': 'maxLength' is not permitted.", param="response_format"
        )
    if number % 20 == 0 and body["max_completion_tokens"] <= 512:
        return completion(None, "length", bill.usage("", 512))
    text = right_answer(body)
    return completion(text, usage=bill.usage(text, bill.dice.randrange(20, 200)), refusal=None)


def router(bill: Bill, number: int, body: Body) -> Reply:
    """Passes other providers' errors on, some inside a 200; refuses a seed in another provider's words."""
    if "seed" in body:
        inner = {"error": {"message": "Unknown parameter: 'seed'.", "param": "seed", "code": "unknown_parameter"}}
        return refusal(
            400, "Provider returned error", code=400, metadata={"raw": json.dumps(inner), "provider_name": "P"}
        )
    text = right_answer(body)
    moods: dict[int, Reply] = {
        3: refusal(200, "Provider returned error", code=502, metadata={"raw": "upstream connect error"}),
        9: (
            200,
            {"choices": [{"finish_reason": "error", "error": {"code": 429, "message": "later"}, "message": None}]},
            {},
        ),
        15: completion(text[:20], "error"),
        21: (503, {"error": {"code": 503, "message": "No instances available"}}, {"Retry-After": "0.02"}),
    }
    if number % 30 in moods:
        return moods[number % 30]
    _, answer, _ = completion(text, usage=bill.usage(text, 40), reasoning="hm", reasoning_details=[{"text": "hm"}])
    return 200, "\n\n   \n" + json.dumps(answer), {}


def thinker(bill: Bill, number: int, body: Body) -> Reply:
    """Thinks before it writes, in every kind of marks, with drafts."""
    text = right_answer(body)
    draft = 'Perhaps {"overall": 1, "instruction": "x"}? No.'
    form = number % 6
    said = [f"<think>\n{draft}\n</think>\n\n{text}", f"{draft}\n</think>\n{text}", f"[THINK]{draft}[/THINK]{text}",
            f"<seed:think>{draft}</seed:think>\n```json\n{text}\n```", f"◁think▷{draft}◁/think▷{text}",
            text][form]  # fmt: skip
    kept = {"reasoning_content": draft} if form == 5 else {}
    return completion(said, usage=bill.usage(text, len(draft) // 4), **kept)


def talker(bill: Bill, number: int, body: Body) -> Reply:
    """Wraps its JSON in all that chat models wrap it in."""
    text = right_answer(body)
    said = [f"Certainly!\r\n\r\n```json\r\n{text}\r\n```\r\nAnything else?", f"\ufeff{text}", f"{text}<|im_end|>",
            f"[{text}]", json.dumps({"answer": json.loads(text)}), json.dumps(text), f"<answer>{text}</answer></s>",
            f"~~~\n{text}\n~~~"]  # fmt: skip
    return completion(said[number % len(said)], usage=bill.usage(text))


def caller(bill: Bill, number: int, body: Body) -> Reply:
    """Answers by calling a function, or in parts."""
    text = right_answer(body)
    given: list[object] = [text, json.loads(text)]
    call = {"id": "1", "type": "function", "function": {"name": "answer", "arguments": given[number % 2]}}
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": text}]
    usage = bill.usage(text)
    if number % 4 == 0:
        return completion(parts, usage=usage)
    if number % 4 == 1:
        return completion(None, "function_call", usage, function_call=call["function"])
    return completion("Here it is." if number % 4 == 2 else None, "tool_calls", usage, tool_calls=[call])


def messages_api(bill: Bill, number: int, body: Body) -> Reply:
    """Anthropic's own form: cache written and read, thinking blocks, 529s, no temperature."""

    def bad(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Reply:
        return status, {"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}, headers or {}

    if "temperature" in body:
        return bad(400, "invalid_request_error", "temperature: Extra inputs are not permitted")
    if number % 25 == 0:
        return bad(529, "overloaded_error", "Overloaded")
    if number % 25 == 7:
        return bad(429, "rate_limit_error", "This request would exceed your rate limit", {"retry-after": "0.02"})
    text = right_answer(body)
    fresh, out = bill.dice.randrange(100, 300), len(text) // 4 + 30
    written, read = (800, 0) if number % 10 == 1 else (0, 800)
    bill.take(fresh + written + read, out, read, written)
    usage = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": out,
    }
    content = [{"type": "thinking", "thinking": "hm", "signature": "x"}, {"type": "text", "text": text}]
    return (
        200,
        {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn", "usage": usage},
        {},
    )


def json_mode_alone(bill: Bill, number: int, body: Body) -> Reply:
    """DeepSeek's: any JSON object but no schema, hits of the cache by another name, an engine that runs out."""
    if (body.get("response_format") or {}).get("type") == "json_schema":
        return refusal(400, "This response_format type is unavailable now", type="invalid_request_error", param=None)
    text = right_answer(body)
    if number % 30 == 11:
        return completion(text[:9], "insufficient_system_resource")
    prompt, cached, out = bill.dice.randrange(500, 900), 384, len(text) // 4
    bill.take(prompt, out, cached)
    usage = {"prompt_tokens": prompt, "completion_tokens": out, "prompt_cache_hit_tokens": cached,
             "prompt_cache_miss_tokens": prompt - cached}  # fmt: skip
    return completion(text, usage=usage)


def hides_its_thinking(bill: Bill, number: int, body: Body) -> Reply:
    """Gemini's: errors in a list, waits in the body, thinking in the total alone, other words for an end."""

    def bad(status: int, message: str, **more: object) -> Reply:
        return status, [{"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT"} | more}], {}

    if "seed" in body:
        return bad(400, 'Invalid JSON payload received. Unknown name "seed": Cannot find field.')
    if "maxLength" in json.dumps(body.get("response_format")):
        return bad(
            400, "Invalid JSON payload received. Unknown name \"maxLength\" at 'response_schema': Cannot find field."
        )
    if number % 40 == 13:
        delay = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.03s"}]
        return bad(429, "Resource has been exhausted (e.g. check quota).", details=delay)
    text = right_answer(body)
    usage = bill.usage(text, 55)
    out = usage["completion_tokens"] - 55
    told = {"prompt_tokens": usage["prompt_tokens"], "completion_tokens": out, "total_tokens": usage["total_tokens"],
            "prompt_tokens_details": usage["prompt_tokens_details"]}  # fmt: skip
    return completion(text, "STOP", told)


def firewalled(bill: Bill, number: int, body: Body) -> Reply:
    """Behind a firewall and a moderation that refuse some prompts for good, and a proxy that cuts answers short."""
    digest = zlib.crc32(_last(body).encode()) % 50
    if digest in {3, 17}:
        bill.refused.add(_last(body))
        if digest == 3:
            return 403, PAGE, {}
        return refusal(400, "The response was filtered due to the prompt triggering our content management policy.",
                       param="prompt", code="content_filter")  # fmt: skip
    if number % 40 == 5:
        return 429, "<html><title>429 Too Many Requests</title>out of credits</html>", {"Retry-After": "0.02"}
    if number % 40 == 25:
        return 200, "<html><title>Please wait</title></html>", {}
    text = right_answer(body)
    return completion(text, usage=bill.usage(text))


def silent(bill: Bill, number: int, body: Body) -> Reply:
    """Never tells what it took, or the sum alone; its own count leaves the chat template's tokens out, as ours does."""
    text = right_answer(body)
    prompt = sum(_count(_text(one["content"])) for one in body["messages"])
    out = _count(text)
    bill.take(prompt, out)
    status, answer, headers = completion(text)
    assert isinstance(answer, dict)
    answer["usage"] = {"total_tokens": prompt + out} if number % 2 else None
    return status, answer, headers


def _count(text: str) -> int:
    return len(TOKENIZER.encode(text, add_special_tokens=False))


def _tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # noqa: S106 - a token of text
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


TOKENIZER = _tokenizer()


def settings_of(name: str, folder: Path) -> dict[str, Any]:
    """What a user says of a teacher, beyond its address: most are found out by asking."""
    if name == "messages_api":
        return {"preset": "anthropic"}
    if name == "silent":
        TOKENIZER.save(str(folder / "tokenizer.json"))
        return {"rules": {"tokenizer": str(folder / "tokenizer.json")}}
    return {}


OLDER: dict[str, Teacher] = {
    teacher.__name__: teacher
    for teacher in (reasoning_model, router, thinker, talker, caller, messages_api, json_mode_alone, hides_its_thinking,
                    firewalled, silent)
}  # fmt: skip
