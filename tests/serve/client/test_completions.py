"""Bodies of answers: every form in which an answer, its thinking and its tokens come, and what comes in its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.client.completions import read_completion, read_usage, split_thinking
from serve.client.errors import EndpointError


def read(message: dict, finish: str | None = "stop", **more: object) -> object:
    return read_completion(json.dumps({"choices": [{"message": message, "finish_reason": finish}]} | more).encode())


def part(kind: str, text: str) -> dict:
    return {"type": kind, "text": text}


@pytest.mark.parametrize(
    ("message", "finish", "text", "reasoning", "error"),
    [
        ({"content": "yes"}, "stop", "yes", "", ""),
        ({"content": "yes", "reasoning_content": "hm"}, "stop", "yes", "hm", ""),
        ({"content": "yes", "reasoning": "hm"}, None, "yes", "hm", ""),
        ({"content": "<think>\nhm\n</think>\n\nyes"}, "stop", "yes", "hm", ""),
        ({"content": "so the plan is clear\n</think>\nyes"}, "stop", "yes", "so the plan is clear", ""),
        ({"content": '{"code": "a</think>\\n"}'}, "stop", '{"code": "a</think>\\n"}', "", ""),
        ({"content": [part("text", "y"), part("text", "es")]}, "end_turn", "yes", "", ""),
        ({"content": [{"type": "thinking", "thinking": [part("text", "hm")]}, part("text", "yes")]}, "stop", "yes", "hm", ""),
        ({"content": None, "tool_calls": [{"function": {"name": "answer", "arguments": '{"a": 1}'}}]}, "tool_calls", '{"a": 1}', "",
         ""),
        ({"content": None, "reasoning_content": "hm"}, "length", "", "hm", ""),
        ({"content": "<think>never ending"}, "MAX_TOKENS", "", "never ending", ""),
        ({"content": None, "reasoning_content": "hm"}, "stop", "", "hm", "only thinking"),
        ({"content": ""}, "stop", "", "", "empty answer"),
        ({"content": None, "refusal": "I will not"}, "stop", "", "", "refused"),
        ({"content": "half"}, "SAFETY", "half", "", "refused"),
        ({"content": "[THINK]hm[/THINK]yes"}, "stop", "yes", "hm", ""),
        ({"content": "\ufeff<seed:think>hm</seed:think>\nyes"}, "stop", "yes", "hm", ""),
        ({"content": "◁think▷hm◁/think▷ yes"}, "stop", "yes", "hm", ""),
        ({"content": None, "reasoning_content": 'so\n{"a": 1}'}, "stop", 'so\n{"a": 1}', 'so\n{"a": 1}', ""),
        ({"content": "<think>so\n```json\n{}\n```"}, "stop", "so\n```json\n{}\n```", "so\n```json\n{}\n```", ""),
        ({"content": "yes", "thinking": "hm"}, "stop", "yes", "hm", ""),
        ({"content": "yes", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, "stop", "yes", "hm", ""),
        ({"content": [{"type": "output_text", "text": "yes"}]}, "completed", "yes", "", ""),
        ({"content": {"type": "text", "text": "yes"}}, "stop", "yes", "", ""),
        ({"content": [{"type": "refusal", "refusal": "I will not"}]}, "stop", "", "", "refused"),
        ({"content": "Calling.", "tool_calls": [{"function": {"name": "a", "arguments": {"a": 1}}}]}, "tool_calls", '{"a": 1}', "", ""),
        ({"content": '{"a": 2}', "tool_calls": []}, "stop", '{"a": 2}', "", ""),
        ({"content": None, "function_call": {"name": "a", "arguments": '{"a": 1}'}}, "function_call", '{"a": 1}', "", ""),
        ({"content": None}, "content_filter: PROHIBITED_CONTENT", "", "", "refused"),
        ({"role": "assistant"}, "length", "", "", ""),
        (None, "length", "", "", ""),
        ({"content": [{"type": "json", "json": {"a": 1}}]}, "stop", '{"a": 1}', "", ""),
        ({"content": [{"type": "text", "text": {"value": "yes", "annotations": []}}, None]}, "stop", "yes", "", ""),
        ({"content": [[part("text", "y")], "es"]}, ["stop"], "yes", "", ""),
        ({"content": {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "yes"}]}}, "stop", "yes", "hm", ""),
        ({"content": None, "parsed": {"a": 1}}, "stop", '{"a": 1}', "", ""),
        ({"content": "yes"}, 1, "yes", "", ""),
        ("yes", "stop", "yes", "", ""),
        ({"content": "\ud83d half a letter"}, "stop", "? half a letter", "", ""),
    ],
)  # fmt: skip
def test_forms_of_an_answer(message, finish, text, reasoning, error):
    found = read(message, finish)
    assert (found["text"], found["reasoning"], found["error"]) == (text, reasoning, error)
    assert found["blame"] == ("model" if error else "")


CHUNKS = [
    {"choices": [{"delta": {"content": "ye"}}]},
    {"choices": [{"delta": {"content": "s"}, "finish_reason": "stop"}]},
]


@pytest.mark.parametrize("body", [
    {"model": "m", "message": {"role": "assistant", "content": "yes"}, "done": True, "done_reason": "stop"},
    {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": [{"type": "text", "text": "yes"}]}},
    {"choices": {"0": {"message": {"content": "yes"}, "finish_reason": "stop"}}},
    "".join(f"data: {json.dumps(chunk)}\r\r" for chunk in CHUNKS) + "data: [DONE]\r\r",
    "".join("".join(f"data: {line}\n" for line in json.dumps(chunk, indent=1).split("\n")) + "\n" for chunk in CHUNKS),
    "".join(f"data: {json.dumps(chunk)}\n" for chunk in CHUNKS),
])  # fmt: skip
def test_answers_in_other_servers_forms(body):
    found = read_completion((body if isinstance(body, str) else json.dumps(body)).encode())
    assert (found["text"], found["finish_reason"], found["error"]) == ("yes", "stop", "")


@pytest.mark.parametrize("choices", [
    {"message": {"content": "yes"}, "finish_reason": "stop"},
    [{"messages": [{"role": "assistant", "content": "yes"}], "finish_reason": "stop"}],
    [{"message": {"content": ""}, "finish_reason": "stop"}, {"message": {"content": "yes"}, "finish_reason": "stop"}],
    [{"message": {"content": None, "reasoning": "hm"}}, {"message": {"content": "yes"}, "finish_reason": "stop"}],
])  # fmt: skip
def test_choices_of_other_forms(choices):
    found = read_completion(json.dumps({"choices": choices}).encode())
    assert (found["text"], found["finish_reason"], found["error"]) == ("yes", "stop", "")


@pytest.mark.parametrize("word", ["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens"])
def test_words_for_an_answer_that_was_cut_off(word):
    assert read({"content": "x"}, word)["finish_reason"] == "length"


def test_anthropics_own_form():
    body = {"type": "message", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}],
            "stop_reason": "max_tokens", "usage": {"input_tokens": 10, "cache_read_input_tokens": 90,
                                                   "cache_creation_input_tokens": 5, "output_tokens": 7}}  # fmt: skip
    found = read_completion(json.dumps(body).encode())
    assert (found["text"], found["reasoning"], found["finish_reason"]) == ("yes", "hm", "length")
    assert (found["prompt_tokens"], found["cached_tokens"], found["cache_written_tokens"]) == (105, 90, 5)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"code": 502, "message": "upstream fell over"}}, 502),
        ({"object": "error", "message": "busy", "code": 503}, 503),
        (
            {
                "choices": [
                    {"error": {"code": 429, "message": "later"}, "message": {"content": ""}, "finish_reason": "error"}
                ]
            },
            429,
        ),
        ({"choices": [{"message": {"content": "ha"}, "finish_reason": "insufficient_system_resource"}]}, 502),
        ({"choices": [{"message": {"content": "ha"}, "finish_reason": "abort"}]}, 502),
        ({"choices": [{"error": "rate limit exceeded", "finish_reason": None}]}, 429),
    ],
)
def test_an_error_in_an_answers_place(body, status):
    found = read_completion(json.dumps(body).encode())
    assert isinstance(found, EndpointError) and found.status == status and found.words


def test_no_choice_is_the_models_and_what_is_no_answer_is_the_endpoints():
    assert read_completion(b'{"choices": []}')["error"] == "no choice"
    assert read_completion(b'{"choices": []}')["blame"] == "model"
    assert read_completion(b'{"choices": null}')["error"] == "no choice"
    assert read_completion(b'\n\n  {"choices": [{"finish_reason": {"type": "length"}}]}')["finish_reason"] == "length"
    for body in (b"<html>", b"", b"[" * 100_000, b'{"choices": {}}', b'{"choices": [1]}', b'{"x": 1}', b"3",
                 b'{"choices": [{"message": {"content": 1}}]}'):  # fmt: skip
        found = read_completion(body)
        assert (found["error"], found["blame"]) == ("malformed answer", "endpoint")
    assert read_completion(b'\xef\xbb\xbf{"choices": [{"text": "x"}]}')["text"] == "x"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8},
          "completion_tokens_details": {"reasoning_tokens": 3}}, (9, 8, 4, 3)),
        ({"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 6}, (9, 6, 4, 0)),
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 33}, (9, 0, 24, 20)),
        ({"input_tokens": 9, "output_tokens": 4}, (9, 0, 4, 0)),
        ({"prompt_tokens": 9.0, "completion_tokens": 4.0}, (9, 0, 4, 0)),
        ({"total_tokens": 13}, (0, 0, 0, 0)),
        ([{"prompt_tokens": "9", "completion_tokens": "4.0"}], (9, 0, 4, 0)),
        ({"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 3, "totalTokenCount": 16,
          "cachedContentTokenCount": 5}, (9, 5, 7, 3)),
        ({"tokens": {"input_tokens": 12, "output_tokens": 5}, "billed_units": {"input_tokens": 9, "output_tokens": 4}},
         (9, 0, 4, 0)),
        ({"prompt_eval_count": 9, "eval_count": 4, "done": True}, (9, 0, 4, 0)),
        ({"id": "x", "usage": {"prompt_tokens": 9, "completion_tokens": 4}}, (9, 0, 4, 0)),
        ({"prompt_tokens": -1, "completion_tokens": "x", "prompt_tokens_details": None}, (0, 0, 0, 0)),
        (None, (0, 0, 0, 0)),
    ],
)  # fmt: skip
def test_tokens_of_every_form(usage, expected):
    found = read_usage(usage)
    names = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")
    assert tuple(found[name] for name in names) == expected


@given(st.binary())
def test_any_bytes_are_an_answer_or_an_error(body):
    found = read_completion(body)
    assert isinstance(found, EndpointError) or found["error"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["<think>" * 140_000, "<think></think>" * 60_000, "</think>\n" * 100_000, " " * 1_000_000]
)
def test_long_thinking_is_read_in_one_pass(text):
    assert isinstance(split_thinking(text)[0], str)
