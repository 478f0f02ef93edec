"""Bodies of a 200 in the forms of other APIs, in wrappings, as lines and as streams: the one answer that all hold."""

import gzip
import json

import pytest

from serve.client.completions import read_completion
from serve.client.errors import EndpointError

YES = {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}],
       "usage": {"prompt_tokens": 9, "completion_tokens": 4}}  # fmt: skip
PARTS = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "y"}}]},
    {"choices": [{"index": 0, "delta": {"content": "es"}, "finish_reason": "stop"}]},
    {"choices": [], "usage": YES["usage"]},
]
OLLAMA = [
    {"message": {"role": "assistant", "content": "y"}, "done": False},
    {"message": {"role": "assistant", "content": "es"}, "done": False},
    {"message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4},
]
EVENTS = "".join(f"data: {json.dumps(part)}\n\n" for part in PARTS) + "data: [DONE]\n\n"


def read(body: object) -> object:
    return read_completion(body if isinstance(body, bytes) else json.dumps(body).encode())


def lines(parts: list, end: str = "\n") -> bytes:
    return end.join(map(json.dumps, parts)).encode()


@pytest.mark.parametrize(
    "body",
    [
        [YES],
        json.dumps(YES),
        {"data": YES},
        {"code": 0, "message": "success", "result": YES},
        {"success": True, "errors": [], "messages": [], "result": {"response": "yes", "usage": YES["usage"]}},
        {"statusCode": 200, "headers": {}, "body": json.dumps(YES)},
        {"response": json.dumps({"id": "x"} | YES)},
        {"output": {"data": [YES]}},
        YES | {"error": {"code": 0, "message": "Success."}},
        YES | {"error": {"code": None, "message": None, "details": []}},
        {"candidates": [{"content": {"parts": [{"text": "yes"}], "role": "model"}, "finishReason": "STOP"}],
         "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}},
        {"object": "response", "status": "completed", "usage": {"input_tokens": 9, "output_tokens": 4}, "error": None,
         "output": [{"type": "reasoning", "summary": []},
                    {"type": "message", "content": [{"type": "output_text", "text": "yes", "annotations": []}]}]},
        {"output_text": "yes", "output": [], "status": "completed", "usage": {"input_tokens": 9, "output_tokens": 4}},
        {"response": "yes", "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4},
        {"id": "x", "message": {"content": [{"type": "text", "text": "yes"}]}, "finish_reason": "COMPLETE",
         "usage": {"billed_units": {"input_tokens": 9, "output_tokens": 4}, "tokens": {"input_tokens": 70}}},
        lines(OLLAMA), lines(OLLAMA, "\r\n"), lines(PARTS), lines(PARTS, "\n\n"),
        lines([{"response": "yes", "done": False}, {"response": "", "done": True, "done_reason": "stop",
                                                    "prompt_eval_count": 9, "eval_count": 4}]),
        b"id: 7\n" + EVENTS.encode(),
        b"retry: 500\n\n" + EVENTS.encode(),
        EVENTS.replace("data: {", "event: chunk\nid: 1\ndata: {").encode(),
        b"\n \n: waiting\n\n: waiting\n\n" + EVENTS.encode(),
        b"\x00\x00\n" + json.dumps(YES).encode(),
        json.dumps(YES).encode("utf-16"),
        gzip.compress(json.dumps(YES).encode()),
    ],
)  # fmt: skip
def test_one_answer_in_many_bodies(body):
    found = read(body)
    assert isinstance(found, dict)
    assert (found["text"], found["error"]) == ("yes", "")
    assert found["finish_reason"] in {"stop", ""}
    assert (found["prompt_tokens"], found["completion_tokens"]) == (9, 4)


def test_line_ends_inside_of_a_text_are_the_texts():
    assert read(b'{"choices": [{"message": {"content": "y\te\ns"}, "finish_reason": "stop"}]}')["text"] == "y\te\ns"


def test_an_answer_cut_off_is_one_in_every_form():
    cut = {"object": "response", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
           "output": [{"type": "message", "content": [{"type": "output_text", "text": "ye"}]}]}  # fmt: skip
    google = {"candidates": [{"content": {"parts": [{"text": "ye"}]}, "finishReason": "MAX_TOKENS"}]}
    assert [read(body)["finish_reason"] for body in (cut, google)] == ["length", "length"]


@pytest.mark.parametrize(
    "body",
    [
        lines(OLLAMA[:2]),
        lines(PARTS[:1]),
        lines([*OLLAMA[:1], {"error": "the runner stopped"}]),
        {"Error": {"Code": "ThrottlingException", "Message": "too many requests"}},
        {"errorMessage": "task timed out", "errorType": "x"},
        {"object": "response", "status": "failed", "error": {"code": "server_error", "message": "no"}, "output": []},
    ],
)
def test_what_broke_off_or_failed_is_an_error_in_every_form(body):
    found = read(body)
    assert isinstance(found, EndpointError) and found.words


def test_a_packed_body_is_unpacked_no_further_than_an_answer_may_be_long():
    found = read(gzip.compress(b" " * (1 << 24)))
    assert found["error"] == "malformed answer"


def stream(*deltas, finish="stop"):
    parts = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    parts.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": YES["usage"]})
    return ("".join(f"data: {json.dumps(part)}\n\n" for part in parts) + "data: [DONE]\n\n").encode()


def call(text, index=0, **more):
    return {"tool_calls": [{"index": index, "function": {"arguments": text}} | more]}


def test_arguments_of_a_call_are_joined_in_a_stream():
    found = read(stream({"role": "assistant", "content": None}, call("", id="c1", type="function"), call('{"a": '),
                        call("[]", 1), call('"x"}'), finish="tool_calls"))  # fmt: skip
    assert (found["text"], found["error"], found["finish_reason"]) == ('{"a": "x"}', "", "tool_calls")


def test_parts_and_texts_are_joined_in_a_stream():
    def thought(text):
        return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}

    found = read(stream({"role": "assistant", "content": ""}, thought("h"), thought("m"), {"content": "y"},
                        {"content": "es"}))  # fmt: skip
    assert (found["text"], found["reasoning"], found["error"]) == ("yes", "hm", "")
    details = [{"reasoning_details": [{"type": "reasoning.text", "text": text}]} for text in "hm"]
    found = read(stream(*details, {"content": "yes"}))
    assert (found["text"], found["reasoning"]) == ("yes", "hm")


@pytest.mark.parametrize(
    "calls", [[None], ["x"], [{"index": "a"}, {"index": None}], [{"function": {"arguments": {"a": 1}}}]]
)
def test_odd_calls_in_a_stream_raise_nothing(calls):
    assert read(stream({"tool_calls": calls}, {"content": "yes"}))["text"] in {"", "yes", '{"a": 1}'}
