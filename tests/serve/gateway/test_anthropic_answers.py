"""A chat's answer in the Messages API's words: read by Anthropic's own client, whatever way the chat's events come."""

import asyncio
import json

import anthropic
import httpx2
import pytest

from serve.gateway.anthropic_answers import stream, whole

USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}


def chunk(delta=None, finish=None, **fields):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "model": "m", "choices": choices, **fields}


def call(index, id_=None, name=None, arguments=None):
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"tool_calls": [{"index": index, "function": function} | ({"id": id_} if id_ else {})]}


def events_of(*chunks):
    async def parts():
        for each in (*chunks, "[DONE]"):
            yield b"data: " + (each if isinstance(each, str) else json.dumps(each)).encode() + b"\n\n"

    async def collect():
        return b"".join([part async for part in stream(parts())])

    return asyncio.run(collect())


def read_by_client(*chunks):
    """The message that Anthropic's client makes of a stream."""
    body = events_of(*chunks)
    answer = lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)  # noqa: E731
    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = anthropic.Anthropic(base_url="http://x", api_key="k", http_client=http)
    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as reading:
        kinds = [event.type for event in reading]
        return reading.get_final_message(), kinds


def test_text_that_comes_with_the_role_is_not_lost():
    message, kinds = read_by_client(
        chunk({"role": "assistant", "content": "Yes, "}), chunk({"role": "assistant", "content": "it is."}),
        chunk({"role": "assistant", "content": ""}, "stop"),
    )  # fmt: skip
    assert message.content[0].text == "Yes, it is."
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 2)  # no usage came
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "max_tokens"), ("tool_calls", "tool_use"), ("content_filter", "refusal"), ("eos", "end_turn")],
)
def test_why_it_ended(finish, reason):
    message, _ = read_by_client(chunk({"content": "x"}), chunk({}, finish), chunk(usage=USAGE))
    assert message.stop_reason == reason
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (4, 5)
    answer = {"choices": [{"message": {"content": "x"}, "finish_reason": finish}], "usage": USAGE}
    assert json.loads(whole(json.dumps(answer).encode()))["stop_reason"] == reason


def test_a_stop_sequence_is_named():
    last = chunk({"content": ""}, "stop")
    last["choices"][0]["stop_reason"] = "END"
    message, _ = read_by_client(chunk({"content": "x"}), last)
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")


def test_thoughts_text_and_calls_are_blocks_one_after_the_other():
    message, kinds = read_by_client(
        chunk({"role": "assistant", "content": ""}), chunk({"reasoning": "hm"}), chunk({"reasoning_content": "m"}),
        chunk({"content": "I look."}), chunk(call(0, "c0", "look", "")), chunk(call(0, arguments='{"at": ')),
        chunk(call(0, arguments='"x"}')), chunk(call(1, "c1", "go", '{"to": 1}')), chunk({}, "tool_calls"),
    )  # fmt: skip
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert message.content[0].thinking == "hmm"
    assert [(block.id, block.name, block.input) for block in message.content[2:]] == [
        ("c0", "look", {"at": "x"}), ("c1", "go", {"to": 1})
    ]  # fmt: skip
    opened = [kind for kind in kinds if kind in {"content_block_start", "content_block_stop"}]
    assert opened == ["content_block_start", "content_block_stop"] * 4


def test_calls_that_come_mixed_are_told_apart():
    message, _ = read_by_client(
        chunk(call(0, "c0", "look", '{"a')), chunk(call(1, "c1", "go", '{"b')), chunk(call(0, arguments='": 1}')),
        chunk(call(1, arguments='": 2}')), chunk({}, "tool_calls"),
    )  # fmt: skip
    assert [(block.name, block.input) for block in message.content] == [("look", {"a": 1}), ("go", {"b": 2})]


@pytest.mark.parametrize(("finish", "reason"), [("stop", "tool_use"), ("length", "max_tokens")])
def test_a_call_that_was_asked_for_ends_as_one(finish, reason):
    said = call(0, "c0", "look", '{"at": 1}')
    message, _ = read_by_client(chunk(said), chunk({}, finish))
    assert (message.stop_reason, message.content[0].input) == (reason, {"at": 1})
    whole_said = {"choices": [{"message": said, "finish_reason": finish}]}
    assert json.loads(whole(json.dumps(whole_said).encode()))["stop_reason"] == reason


def test_a_whole_answer_with_calls():
    calls = [{"id": "c0", "function": {"name": "look", "arguments": '{"at": "x"}'}},
             {"id": "c1", "function": {"name": "go", "arguments": '{"cut": '}}]  # fmt: skip
    said = {"content": None, "reasoning": "hm", "tool_calls": calls}
    answer = {"id": "chatcmpl-9", "model": "m", "choices": [{"message": said, "finish_reason": "tool_calls"}]}
    message = anthropic.types.Message.model_validate_json(whole(json.dumps(answer).encode()))
    assert [block.type for block in message.content] == ["thinking", "tool_use", "tool_use"]
    assert [block.input for block in message.content[1:]] == [{"at": "x"}, {"INVALID_JSON": '{"cut": '}]
    assert (message.id, message.usage.output_tokens) == ("msg_9", 0)


@pytest.mark.parametrize("body", ["{}", "[]", '{"choices": []}', '{"choices": [3]}', "x"])
def test_what_is_no_answer_is_an_error(body):
    with pytest.raises(ValueError, match=r".*"):
        whole(body.encode())
