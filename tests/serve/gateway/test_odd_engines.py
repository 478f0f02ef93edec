"""Answers of engines other than vLLM, as they really come, whole and streaming: what clients of each API make of them."""

import asyncio
import json

import pytest

from serve.gateway.anthropic_answers import stream, whole
from serve.gateway.chat_answers import mended_answer
from serve.gateway.streams import Meter
from serve.gateway.upstream_errors import refusal_of

USAGE = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def chunk(delta=None, finish=None, **more):
    return {"id": "1", "object": "chat.completion.chunk", "model": "m",
            "choices": [{"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}]} | more  # fmt: skip


A, END = chunk({"content": "a"}), chunk(finish="stop")


def written(*contents, before="data: ", end="\n\n", done=True):
    events = "".join(f"{before}{json.dumps(content)}{end}" for content in contents)
    return (events + (f"{before}[DONE]{end}" if done else "")).encode()


def passed(raw, size=10**6):
    """The meter behind a stream that came in pieces of a size, and what it passed on."""
    meter, out = Meter(3, hide_usage=True), b""
    for at in range(0, len(raw), size):
        out += meter.feed(raw[at : at + size])
    return meter, out + (b"" if meter.failed or meter.finished else meter.end())


def message_of(chat):
    """Blocks and stop reason of the message that a chat's events become."""

    async def parts():
        yield chat

    async def events():
        return [json.loads(line[6:]) for part in [each async for each in stream(parts())]
                for line in part.decode().split("\n") if line.startswith("data: ")]  # fmt: skip

    blocks, stop = [], None
    for event in asyncio.run(events()):
        if event["type"] == "content_block_start":
            blocks.append(event["content_block"] | {"written": ""})
        if event["type"] == "content_block_delta":
            blocks[-1]["written"] += next(value for name, value in event["delta"].items() if name != "type")
        if event["type"] == "message_delta":
            stop = event["delta"]["stop_reason"]
    return [(block.get("name", block["type"]), block["written"]) for block in blocks], stop


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize(
    "raw",
    [
        written(A, END, {"choices": None, "usage": USAGE}),
        written({"choices": [], "usage": USAGE}, A, END),
        written(A, chunk() | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]}),
        written({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 0}},
                *[chunk({"content": ""})] * 2, A, END),
        written(A, END, {"id": "1", "object": "chat.completion.chunk", "usage": USAGE}),
        written(A, END | {"x_groq": {"id": "x", "usage": USAGE}}),
        written(A | {"usage": {"prompt_tokens": 0, "completion_tokens": 0}}, END, {"choices": [], "usage": USAGE}),
        written({"choices": [], "prompt_filter_results": [{}], "id": "", "model": ""}, A, END | {"usage": USAGE}),
        b": keep-alive\n\nretry: 3000\n\nevent: ping\ndata: {}\n\ndata:\n\n" + written(A, END | {"usage": USAGE}),
        b"\xef\xbb\xbf: OPENROUTER PROCESSING\n" + written(A, END | {"usage": USAGE}, before="data:"),
        written({"choices": None}, {"id": "1", "choices": {}}, chunk() | {"choices": [None]}, A, END | {"usage": USAGE}),
        written(chunk() | {"choices": [{"index": 0, "delta": None}]}, A, chunk(finish={"type": "stop"}), {"usage": USAGE}),
        written(A, END | {"usage": USAGE}, end="\r\r"),
        written(A, END | {"usage": USAGE}, end="\n\r\n"),
        written(A, END, {"choices": [], "usage": {"prompt_tokens": "7", "completion_tokens": "4"}}),
        written(A, END, {"choices": [], "usage": {"prompt_tokens": 7.0, "completion_tokens": 4.0}}),
        written(A, END, {"choices": [], "usage": USAGE}, {"choices": [], "usage": {}}),
        written(A, END, {"choices": [], "usage": USAGE}, {"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": -1}}),
        written(A, END | {"usage": USAGE}, done=False) + b"data:\t[DONE]\n\n",
        written(A, END | {"usage": USAGE}, done=False) + b'data: "[done]"\r\n\r\n',
        written({"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "a"},
                                                           "finish_reason": "stop"}], "usage": USAGE}),
        written(A | {"error": None}, END | {"base_resp": {"status_code": 0}, "usage": USAGE}),
    ],
)  # fmt: skip
def test_a_whole_stream_is_one_with_its_tokens(raw, size):
    meter, out = passed(raw, size)
    assert (meter.failed, meter.finished, meter.tokens) == (False, True, 11)
    assert message_of(out) == ([("text", "a")], "end_turn")
    assert out.endswith(b"\n\ndata: [DONE]\n\n") and b'"message"' not in out


@pytest.mark.parametrize("size", [1, 10**6])
@pytest.mark.parametrize(
    ("word", "told"),
    [("eos", "stop"), ("COMPLETE", "stop"), ("MAX_TOKENS", "length"), ("tool_use", "tool_calls"), ({"type": "stop"}, "stop"),
     (["stop"], "stop"), ("finish_reason_stop", "stop"), ("own word", "own word"), ("length", "length"), (None, "stop")],
)  # fmt: skip
def test_a_client_is_told_why_an_answer_ended_in_openais_words(word, told, size):
    text = {"index": 0, "text": "", "finish_reason": word}
    for last in (chunk(finish=word), chunk() | {"choices": [text]}):
        _, out = passed(written(A, last), size)
        events = [json.loads(event[6:]) for event in out.decode().split("\n\n")[:-2]]
        assert [each["choices"][0]["finish_reason"] for each in events if each["choices"][0].get("finish_reason")] == [
            told
        ]
    if word is not None:
        answer = {"choices": [{"message": {"content": "a"}, "finish_reason": word}, text]}
        assert [
            each["finish_reason"] for each in json.loads(mended_answer(json.dumps(answer).encode()))["choices"]
        ] == [told] * 2


def test_a_stream_whose_server_says_no_reason_ends_by_its_calls():
    call = chunk({"tool_calls": [CALL | {"index": 0}]}) | {"usage": USAGE}
    _, out = passed(written(call))
    assert json.loads(out.decode().split("\n\n")[1][6:])["choices"] == [
        {"index": 0, "delta": {"content": ""}, "finish_reason": "tool_calls"}
    ]
    assert out.count(b'"usage"') == 1 and passed(b"data: [DONE]\n\n")[1] == b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    "last",
    [
        b"data: Internal Server Error\n\n",
        b"data: [ERROR] out of memory\n\ndata: [DONE]\n\n",
        b"data: <html>504</html>\n\n",
        written({"Error": {"Code": "ModelError", "Message": "x"}}),
        written({"errorMessage": "x", "errorCode": 500}),
        written({"error_message": "x"}),
        written(chunk(finish="abort")),
        written(chunk(finish="insufficient_system_resource")),
        written(chunk(finish={"type": "abort", "message": "x"})),
        b'[{"error": {"code": 503, "message": "x"}}]\n',
        b'[{"error": {"code": 503, "message": "x"}}\n,\n]',
        b'event: Error\ndata: {"code": 1}\n\n',
        written({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
        json.dumps({"error": {"code": 503, "message": "x"}}, indent=2).encode(),
        b'data:{"error":"Request failed during generation","error_type":"generation"}\n\n',
    ],
)
def test_a_stream_that_was_stopped_is_no_whole_one(last):
    meter, out = passed(written(A, done=False) + last)
    assert meter.failed or not meter.finished
    assert out == written(A, done=False)


@pytest.mark.parametrize(
    ("deltas", "blocks"),
    [
        ([{"content": [{"type": "text", "text": "a"}]}], [("text", "a")]),
        ([{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}, {"content": "a"}],
         [("thinking", "hm"), ("text", "a")]),
        ([{"tool_calls": [CALL]}], [("f", '{"a": 1}')]),
        ([{"tool_calls": [CALL | {"index": None}, CALL | {"id": "d"}]}], [("f", '{"a": 1}'), ("f", '{"a": 1}')]),
        ([{"tool_calls": [CALL | {"index": 0}]}, {"tool_calls": [CALL | {"index": 0, "id": "d"}]}],
         [("f", '{"a": 1}'), ("f", '{"a": 1}')]),
        ([{"tool_calls": [CALL | {"function": {"name": "f", "arguments": '{"a"'}}]},
          {"tool_calls": [{"id": "", "function": {"name": None, "arguments": ": 1}"}}]}], [("f", '{"a": 1}')]),
        ([{"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": None}}]},
          {"tool_calls": [{"index": 0, "id": "another", "function": {"arguments": '{"a": 1}'}}]}], [("f", '{"a": 1}')]),
        ([{"tool_calls": [CALL | {"function": {"name": "f", "arguments": {"a": 1}}}]}], [("f", '{"a": 1}')]),
        ([{"tool_calls": [None, CALL | {"function": None}]}, {"content": "a"}], [("text", "a")]),
        ([{"tool_calls": {"0": CALL}}, {"content": "a"}], [("text", "a")]),
    ],
)  # fmt: skip
def test_odd_deltas_are_blocks_of_a_message(deltas, blocks):
    _, out = passed(written(*map(chunk, deltas), END))
    calls = any(name == "f" for name, _ in blocks)
    assert message_of(out) == (blocks, "tool_use" if calls else "end_turn")


@pytest.mark.parametrize(
    ("message", "finish", "content", "stop"),
    [
        ({"content": [{"type": "text", "text": "a"}]}, "eos", [{"type": "text", "text": "a"}], "end_turn"),
        ({"content": "a"}, {"type": "length"}, [{"type": "text", "text": "a"}], "max_tokens"),
        ({"content": "a"}, "MAX_TOKENS", [{"type": "text", "text": "a"}], "max_tokens"),
        ({"content": "a"}, ["stop"], [{"type": "text", "text": "a"}], "end_turn"),
        ({"content": ""}, "SAFETY", [], "refusal"),
        ({"content": None, "tool_calls": [CALL | {"function": {"name": "f", "arguments": {"a": 1}}}, None]}, "tool_calls",
         [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}], "tool_use"),
        ({"content": "a", "tool_calls": {}, "reasoning": {"x": 1}}, "stop", [{"type": "text", "text": "a"}], "end_turn"),
        ("a", "stop", [], "end_turn"),
    ],
)  # fmt: skip
def test_odd_answers_are_messages(message, finish, content, stop):
    usage = {"prompt_tokens": "7", "completion_tokens": 4.0, "prompt_tokens_details": {"cached_tokens": "2"}}
    answer = json.loads(
        whole(json.dumps({"choices": [{"message": message, "finish_reason": finish}], "usage": usage}).encode())
    )
    assert (answer["content"], answer["stop_reason"]) == (content, stop)
    assert answer["usage"] == {
        "input_tokens": 5,
        "output_tokens": 4,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 2,
    }


@pytest.mark.parametrize(
    "words",
    [
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens",
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 3000",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Trying to keep the first 5100 tokens, but the model is loaded with context length of only 4096 tokens",
    ],
)
def test_an_overflow_is_told_as_one_in_whatever_words(words):
    refusal = refusal_of(400, json.dumps({"error": words}).encode(), {})
    assert (refusal.status, refusal.code, refusal.message) == (400, "context_length_exceeded", words)


@pytest.mark.parametrize(
    "body",
    [
        {"Error": {"Code": "BadRequest", "Message": "WORDS"}},
        {"errorMessage": "WORDS", "errorCode": 400},
        {"err": "WORDS"},
        {"error": {"message": json.dumps({"error": {"message": "WORDS"}}), "code": 400}},
        {"error": {"message": json.dumps({"detail": [{"msg": "WORDS"}]})}},
        {"error": "invalid_request", "error_description": "WORDS"},
    ],
)
def test_the_engines_words_are_found_in_other_places(body):
    words = "the prompt is too long: 9 tokens"
    refusal = refusal_of(400, json.dumps(body).replace("WORDS", words).encode(), {})
    assert words in refusal.message or body["error"] == refusal.message


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (301, 502), (302, 502), (304, 502), (204, 502), (202, 502), (407, 502), (424, 502), (499, 502), (460, 502),
        (425, 503), (498, 503), (522, 504), (524, 504), (520, 502), (451, 400), (413, 413),
    ],
)  # fmt: skip
def test_a_status_that_says_nothing_of_the_request_is_the_engines_failure(status, told):
    refusal = refusal_of(status, b'{"error": {"message": "inside"}}', {})
    assert refusal.status == told
    assert ("inside" in refusal.message) is (told in {400, 413})


@pytest.mark.parametrize(
    ("words", "status"),
    [("Model x not found", 404), ("The model `x` does not exist.", 404), ("The tool of the model was not found", 400)],
)
def test_a_400_about_the_model_is_told_as_a_404(words, status):
    assert refusal_of(400, json.dumps({"object": "error", "message": words}).encode(), {}).status == status
