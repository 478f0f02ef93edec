"""Reasoning reaches clients that read either name of it; calls of tools come as OpenAI's clients join them."""

import json

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from serve.gateway.chat_answers import mended_answer
from serve.gateway.streams import Meter
from serve.gateway.tool_calls import CallParts


def event(delta):
    return b"data: " + json.dumps({"id": "a", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def deltas(stream):
    return [json.loads(part[6:])["choices"][0]["delta"] for part in stream.split(b"\n\n") if part]


def test_a_stream_says_reasoning_by_both_names_and_keeps_its_text():
    meter = Meter(3, hide_usage=True)
    passed = meter.feed(event({"role": "assistant"}) + event({"reasoning": 'über "it"\n'}) + event({"content": "ok"}))
    thought = 'über "it"\n'
    expected = [{"role": "assistant"}, {"reasoning": thought, "reasoning_content": thought}, {"content": "ok"}]
    assert deltas(passed) == expected


def test_a_whole_answer_says_it_by_both_names():
    message = {"role": "assistant", "content": "4", "reasoning": "2 + 2"}
    body = json.dumps({"choices": [{"message": message}, {"message": {"content": "5"}}]}).encode()
    found = [choice["message"] for choice in json.loads(mended_answer(body))["choices"]]
    assert found == [message | {"reasoning_content": "2 + 2"}, {"content": "5"}]


@pytest.mark.parametrize("body", [
    b'{"choices": [{"message": {"content": "no thought"}}]}',
    b'{"choices": [{"message": {"content": "x", "reasoning": null}}]}',
    b'{"choices": [{"delta": {"reasoning": "a", "reasoning_content": "a"}}]}',
    b'{"choices": [{"delta": {"content": "say \\"reasoning\\": \\"x\\""}}]}',
    b'{"reasoning": "high", "choices": "none"}',
    b'{"choices": [{"message": {"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}}]}',
    b'{"choices": [{"delta": {"reasoning": "cut',
])  # fmt: skip
def test_all_else_is_passed_on_byte_by_byte(body):
    assert mended_answer(body) == body


def joined(*deltas_in, choice=0):
    """What openai-python makes of the calls in a stream that the meter has passed on."""
    meter, state = Meter(3, hide_usage=True), ChatCompletionStreamState()
    chunks = [{"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m",
               "choices": [{"index": choice, "delta": delta, "finish_reason": None}]} for delta in deltas_in]  # fmt: skip
    chunks[-1]["choices"][0]["finish_reason"] = "tool_calls"
    raw = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)
    out = b"".join(meter.feed(raw[at : at + 11]) for at in range(0, len(raw), 11))
    for part in out.split(b"\n\n")[:-1]:
        state.handle_chunk(ChatCompletionChunk.model_validate_json(part.removeprefix(b"data: ")))
    calls = state.current_completion_snapshot.choices[0].message.tool_calls
    assert all(call.id and call.type == "function" for call in calls)
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def part(arguments=None, name=None, **more):
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    return {"function": function} | more


def calls(*parts):
    return {"tool_calls": list(parts)}


TWO = [("look", {"at": 1}), ("go", {"to": 2})]


@pytest.mark.parametrize(("deltas_in", "found"), [
    ([calls(part('{"at": 1}', "look", id="a"), part('{"to": 2}', "go", id="b"))], TWO),
    ([calls(part('{"at": 1}', "look", id="a", index=0)), calls(part('{"to": 2}', "go", id="b", index=0))], TWO),
    ([calls(part("", "look", id="a", index=0)), calls(part('{"at": 1}', index=0)),
      calls(part("", "go", id="b", index=0)), calls(part('{"to"', index=0)), calls(part(": 2}", index=0))], TWO),
    ([calls(part('{"at": 1}', "look")), calls(part('{"to": 2}', "go"))], TWO),
    ([calls(part('{"at": 1}', "look", id="", index=0)), calls(part('{"to": 2}', "go", id="", index=0))], TWO),
    ([calls(part({"at": 1}, "look", id="a")), calls(part({"to": 2}, "go", id="b"))], TWO),
    ([calls(part('{"at"', "look", id="a", type="function", index=0)),
      calls(part(": 1}", "look", id="a", type="function", index=0)), calls(part('{"to": 2}', "go", id="b", index=1))], TWO),
    ([calls(part("", "look", id="a")), calls(part('{"at"')), calls(part(": 1}")), calls(part('{"to": 2}', "go", id="b"))], TWO),
    ([calls(part('{"at"', "look", id="a", index=1)), calls(part('{"to"', "go", id="b", index=2)),
      calls(part(": 1}", index=1)), calls(part(": 2}", index=2))], TWO),
    ([calls(None, part('{"at": 1}', "look", index=None))], TWO[:1]),
    ([calls(part(None, "look", id="a", index=0)), calls(part('{"at": 1}', id="another", index=0))], TWO[:1]),
])  # fmt: skip
def test_streamed_calls_are_joined_by_openais_client(deltas_in, found):
    assert joined(*deltas_in) == found


def test_calls_as_openai_streams_them_go_on_byte_by_byte():
    first = {"index": 0, "id": "a", "type": "function", "function": {"name": "look", "arguments": ""}}
    raw = event(calls(first)) + event(calls({"index": 0, "function": {"arguments": '{"at": 1}'}}))
    assert Meter(3, hide_usage=True).feed(raw) == raw


def test_a_whole_answers_calls_have_ids_and_text():
    found = [
        {"function": {"name": "look", "arguments": {"at": 1}}},
        {"id": "b", "type": None, "function": {"name": "go"}},
    ]
    body = mended_answer(json.dumps({"choices": [{"message": calls(*found)}]}).encode())
    first, second = json.loads(body)["choices"][0]["message"]["tool_calls"]
    assert first["id"]
    assert (first["type"], first["function"]) == ("function", {"name": "look", "arguments": '{"at": 1}'})
    assert second == {"id": "b", "type": "function", "function": {"name": "go", "arguments": ""}}


def test_arguments_nested_too_deep_for_a_parser_are_passed_on():
    call = {"function": {"name": "f", "arguments": "[" * 100_000}}
    parts = CallParts()
    for _ in range(2):
        assert parts.mend([json.loads(json.dumps(call))])
