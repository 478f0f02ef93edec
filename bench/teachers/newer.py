"""Eight teachers of kinds that came later: other APIs' bodies, packed, line by line, wrapped, or written on and on.

As those of `odd.py`: each a function of the question, with a bill of its own.
"""

from __future__ import annotations

import gzip
import json

from bench.teachers.endpoint import Reply, completion, refusal
from bench.teachers.odd import Bill, Body, Teacher, right_answer

PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
EVENTS = {"Content-Type": "text/event-stream"}


def open_weights(bill: Bill, number: int, body: Body) -> Reply:
    """Channels of an open model before a server that does not read them; the answer where the thinking belongs."""
    if "max_tokens" in body:
        inner = {"message": "max_tokens is not supported, use max_completion_tokens", "param": "max_tokens"}
        return 400, {"detail": {"error": inner}}, {}
    text, drafts = right_answer(body), 'A draft: {"overall": "no"}.'
    said = [
        f"<|channel|>analysis<|message|>{drafts}<|end|><|start|>assistant<|channel|>final<|message|>{text}<|return|>",
        f"<|channel|>final <|constrain|>json<|message|>{text}",
        None,
        f"analysis{drafts}assistantfinal{text}",
    ][number % 4]
    kept = {"reasoning": f"{drafts}\n{text}"} if said is None else {}
    return completion(said, "eos" if number % 2 else "stop", bill.usage(text, len(drafts) // 4), **kept)  # fmt: skip


def line_by_line(bill: Bill, number: int, body: Body) -> Reply:
    """Streams although nobody asked: lines of JSON, Ollama's own, or events with names and numbers."""
    text = right_answer(body)
    half, usage = len(text) // 2, bill.usage(text)
    parts: list[Body] = [{"index": 0, "delta": {"role": "assistant", "content": text[:half]}},
                         {"index": 0, "delta": {"content": text[half:]}, "finish_reason": "stop"}]  # fmt: skip
    chunks = [*({"choices": [part]} for part in parts), {"choices": [], "usage": usage}]
    if number % 4 == 0:
        return 200, "\n".join(map(json.dumps, chunks)).encode(), LINES
    if number % 4 == 1:
        events = [f"id: {at}\nevent: chunk\ndata: {json.dumps(each)}\n\n" for at, each in enumerate(chunks)]
        return 200, ("retry: 500\n\n" + "".join(events) + "data: [DONE]\n\n").encode(), EVENTS
    bill.cost -= (usage["prompt_tokens_details"]["cached_tokens"] * (0.1 - 1.0)) / 1e6  # it tells of no cache
    counts = {"prompt_eval_count": usage["prompt_tokens"], "eval_count": usage["completion_tokens"]}
    end = {"done": True, "done_reason": "stop"} | counts
    if number % 4 == 2:
        own = [{"message": {"content": text[:half]}, "done": False}, {"message": {"content": text[half:]}} | end]
        return 200, "\n".join(map(json.dumps, own)).encode(), LINES
    return 200, {"response": text} | end, {}


def wrapped(bill: Bill, number: int, body: Body) -> Reply:
    """Behind a gateway that puts answers into its own envelopes, and errors, too."""
    if "seed" in body:
        return 200, {"code": 400, "message": "parameter seed is not supported", "data": None}, {}
    text = right_answer(body)
    _, answer, _ = completion(text, usage=bill.usage(text))
    envelopes: list[object] = [
        {"code": 0, "message": "success", "data": answer},
        {"statusCode": 200, "body": json.dumps(answer)},
        {"success": True, "errors": [], "result": answer},
        [answer],
        {**answer, "error": {"code": 0, "message": "OK"}} if isinstance(answer, dict) else answer,
        json.dumps(answer),
    ]
    return 200, json.dumps(envelopes[number % len(envelopes)]).encode(), {"Content-Type": "application/json"}


def own_forms(bill: Bill, number: int, body: Body) -> Reply:
    """Answers in the form of the Responses API or of Google's, whatever was asked."""
    text = right_answer(body)
    usage = bill.usage(text, 30)
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    if number % 2:
        content = [{"type": "output_text", "text": text, "annotations": []}]
        items = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                 {"type": "message", "content": content}]  # fmt: skip
        told = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"],
                "input_tokens_details": {"cached_tokens": cached}}  # fmt: skip
        return 200, {"object": "response", "status": "completed", "error": None, "output": items, "usage": told}, {}
    parts = [{"text": "hm", "thought": True}, {"text": text}]
    told = {"promptTokenCount": usage["prompt_tokens"], "candidatesTokenCount": usage["completion_tokens"] - 30,
            "totalTokenCount": usage["total_tokens"], "cachedContentTokenCount": cached}  # fmt: skip
    first = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    return 200, {"candidates": [first], "usageMetadata": told}, {}


def runs_on(bill: Bill, number: int, body: Body) -> Reply:
    """Writes its JSON and goes on, with blanks or marks, until its room is used up."""
    text = right_answer(body)
    tail = ["\n \n" * 200, "<|im_end|>" * 40, "\n```\n\nThis is what it does:", ""][number % 4]
    said = f"```json\n{text}{tail}" if number % 4 == 2 else text + tail
    return completion(said, "length", bill.usage(said))


def counts_oddly(bill: Bill, number: int, body: Body) -> Reply:
    """Tells its tokens as texts, as fractions, in a list, twice, or in the last choice."""
    text = right_answer(body)
    usage = bill.usage(text)
    prompt, out, cached = usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]
    told: list[object] = [
        {"prompt_tokens": str(prompt), "completion_tokens": f"{out}.0", "prompt_tokens_details": cached},
        {"prompt_tokens": float(prompt), "completion_tokens": float(out), "prompt_tokens_details": cached},
        [usage],
    ]
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    if number % 5 < len(told):
        return 200, {"choices": [choice], "usage": told[number % 5]}, {}
    if number % 5 == 3:
        return 200, {"choices": [choice | {"usage": usage}]}, {}
    first = json.dumps({"usage": {"prompt_tokens": 1, "completion_tokens": 1}, "choices": [choice]})
    return 200, f'{first[:-1]}, "usage": {json.dumps(usage)}}}'.encode(), {"Content-Type": "application/json"}


def behind_proxies(bill: Bill, number: int, body: Body) -> Reply:
    """Packed bodies, blanks before the JSON, redirects on its own host, and pages of those in between."""
    if number % 40 == 7:
        return 307, {}, {"Location": "/elsewhere/v1/chat/completions"}
    if number % 40 == 19:
        return 200, "<!doctype html><title>We are back soon</title>", {}
    if number % 40 == 31:
        return refusal(408, "upstream timed out", {"Retry-After": "0.02"})
    text = right_answer(body)
    _, answer, _ = completion(text, usage=bill.usage(text))
    raw = b" \n" * (number % 3 * 400) + json.dumps(answer, ensure_ascii=False).encode()
    kind = {"Content-Type": "application/json"}
    return [(200, gzip.compress(raw), PACKED), (200, gzip.compress(raw), kind), (200, raw, kind)][number % 3]


def other_clouds(bill: Bill, number: int, body: Body) -> Reply:
    """Counts of a cache as Amazon and Alibaba have them, Anthropic's stream, Cloudflare's parsed JSON, 201 and 202."""
    if "seed" in body:
        words = "body.seed: property 'body.seed' is unsupported"
        return 400, {"message": words, "type": "invalid_request_error", "param": "validation_error"}, {}
    if number % 40 == 11:
        return 202, b"", {}
    text, kind = right_answer(body), number % 4
    prompt, out, cached = bill.dice.randrange(500, 900), len(text) // 4, bill.dice.randrange(0, 300)
    written = bill.dice.randrange(0, 200) if kind != 3 else 0
    bill.take(prompt, out, cached, written)
    plain = prompt - cached - written
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    told: Body = {"prompt_tokens": prompt, "completion_tokens": out}
    told["prompt_tokens_details"] = {"cached_tokens": cached, "cache_creation_input_tokens": written}
    if kind == 0:
        told = {"inputTokens": plain, "outputTokens": out, "totalTokens": prompt + out, "cacheReadInputTokens": cached,
                "cacheWriteInputTokens": written}  # fmt: skip
    if kind < 2:
        return 200 + kind, {"choices": [choice], "usage": told}, {}
    if kind == 3:
        return 200, {"result": {"response": json.loads(text), "usage": told}, "success": True, "errors": []}, {}
    begun = {"input_tokens": plain, "cache_read_input_tokens": cached, "cache_creation_input_tokens": written}
    parts: list[Body] = [
        {"type": "message_start", "message": {"content": [], "usage": begun | {"output_tokens": 1}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": out}},
        {"type": "message_stop"},
    ]
    return 200, "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in parts).encode(), EVENTS


NEWER: dict[str, Teacher] = {
    teacher.__name__: teacher
    for teacher in (open_weights, line_by_line, wrapped, own_forms, runs_on, counts_oddly, behind_proxies, other_clouds)
}
