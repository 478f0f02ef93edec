"""A scripted upstream: answers every API of a good engine, and misbehaves as a model's name says."""

import json
from collections import Counter

from aiohttp import web

from tests.serve.stub import USAGE, Upstream

WORDS = ["Hello", " from", " the engine"]
OVERFLOW = {"object": "error", "message": "This model's maximum context length is 64 tokens.", "type": "BadRequestError",
            "param": None, "code": 400}  # fmt: skip
DIED = {"error": {"message": "CUDA error", "type": "InternalServerError", "code": 500}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
MODELS = ("good", "crlf", "lines", "no-usage", "no-done", "cut", "error-in-200", "error-then-done", "busy", "overflow")


class Scripted(Upstream):
    """Good unless the model says otherwise."""

    def __init__(self):
        super().__init__()
        self.asked_busy = Counter()

    async def models(self, request):
        """As OpenAI lists them."""
        listed = [{"id": name, "object": "model", "created": 1, "owned_by": "me"} for name in MODELS]
        return web.json_response({"object": "list", "data": listed})

    async def answer(self, request):
        """One answer."""
        body, api = await request.json(), request.path.rpartition("/")[2]
        model = body["model"]
        if model.partition("-with_")[0] not in MODELS:
            return web.json_response({"error": {"message": f"The model `{model}` does not exist."}}, status=404)
        if model == "overflow":
            return web.json_response(OVERFLOW, status=400)
        if model.startswith("busy"):
            self.asked_busy[model] += 1
            if self.asked_busy[model] % 2:
                return web.json_response({"error": {"message": "full"}}, status=429, headers={"Retry-After": "0.2"})
        if model == "error-in-200":
            return web.json_response(OVERFLOW)
        if api == "tokenize":
            return web.json_response({"count": 4, "max_model_len": 64, "tokens": [1, 2, 3, 4]})
        if api == "embeddings":
            rows = [{"object": "embedding", "index": at, "embedding": [0.5, 0.25]} for at in range(len(body["input"]))]
            return web.json_response({"object": "list", "data": rows, "model": model, "usage": USAGE})
        if api == "responses":
            return await self.responses(request, body)
        return await (self.streaming(request, body) if body.get("stream") else self.whole(body, api))

    async def whole(self, body, api):
        """A chat or a completion."""
        text = "".join(WORDS)
        if (body.get("response_format") or {}).get("type") == "json_schema":
            text = '{"city": "Oslo"}'
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "text": text}
        if wants_call(body):
            choice |= {"finish_reason": "tool_calls", "message": message | {"content": None, "tool_calls": [CALL]}}
        kind = "text_completion" if api == "completions" and "prompt" in body else "chat.completion"
        answer = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"], "choices": [choice]}
        return web.json_response(answer | {"usage": USAGE})

    async def streaming(self, request, body):
        """A chat's events."""
        model = body["model"]
        deltas = [{"role": "assistant", "content": WORDS[0]}, *({"content": word} for word in WORDS[1:])]
        if wants_call(body):
            halves = [{"arguments": part} for part in ('{"city": ', '"Oslo"}')]
            first = CALL | {"index": 0, "function": {"name": "weather", "arguments": ""}}
            deltas = [
                {"role": "assistant", "tool_calls": [first]},
                *({"tool_calls": [{"index": 0, "function": half}]} for half in halves),
            ]
        if (body.get("response_format") or {}).get("type") == "json_schema":
            deltas = [{"content": '{"city": '}, {"content": '"Oslo"}'}]
        events = [chunk(model, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        reason = "tool_calls" if wants_call(body) else "stop"
        events.append(chunk(model, [{"index": 0, "delta": {}, "finish_reason": reason}]))
        if model != "no-usage":
            events.append(chunk(model, []) | {"usage": USAGE})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if model == "cut":
            await response.write(written(events[:2]))
            request.transport.close()
            return response
        if model == "error-then-done":
            events = [*events[:2], DIED]
        out = written(events) + (b"" if model == "no-done" else b"data: [DONE]\n\n")
        out = out.replace(b', "choices"', b',\ndata: "choices"') if model == "lines" else out
        await response.write(out.replace(b"\n", b"\r\n") if model == "crlf" else out)
        return response

    async def responses(self, request, body):
        """OpenAI's Responses API, as far as clients look."""
        text = "".join(WORDS)
        part = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        made = {"id": "resp_1", "object": "response", "created_at": 1, "model": body["model"], "status": "completed",
                "output": [item], "usage": usage, "tools": [], "tool_choice": "auto",
                "parallel_tool_calls": True}  # fmt: skip
        if not body.get("stream"):
            return web.json_response(made)
        at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        events = [
            {"type": "response.created", "response": made | {"output": [], "usage": None, "status": "in_progress"}},
            {"type": "response.output_item.added", "output_index": 0, "item": item | {"content": []}},
            {"type": "response.content_part.added", **at, "part": part | {"text": ""}},
            *({"type": "response.output_text.delta", **at, "delta": word, "logprobs": []} for word in WORDS),
            {"type": "response.completed", "response": made},
        ]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, event in enumerate(events):
            data = json.dumps(event | {"sequence_number": number})
            await response.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
        return response


def wants_call(body):
    """Whether a call of a tool is the answer: not behind one that was answered."""
    return bool(body.get("tools")) and body["messages"][-1]["role"] != "tool"


def chunk(model, choices):
    """An event's content."""
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices}


def written(events):
    """Events as bytes."""
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)
