"""What hosted endpoints and local servers really send, in the words of each: errors, answers, waits, refusals of fields.

Other forms of the same kinds are in test_errors.py, test_completions.py, test_retry_after.py and test_refused_fields.py.
"""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from core.chat import ChatRequest
from serve.client import chat
from serve.client.chat import ChatClient
from serve.client.completions import read_completion
from serve.client.errors import Blame, EndpointError, blame, read_error
from serve.client.refused_fields import learn
from serve.client.retry_after import seconds_to_wait
from serve.client.rules import EndpointRules, chat_body
from serve.client.settings import EndpointConfig
from tests.scripted_teacher import ScriptedTeacher, completion, refusal

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
YES = '{"a": 1}'
ACCOUNT, BROKEN, BUSY, FORBIDDEN, KEY, MODEL, QUESTION = (
    Blame.ACCOUNT, Blame.BROKEN, Blame.BUSY, Blame.FORBIDDEN, Blame.KEY, Blame.MODEL, Blame.QUESTION)  # fmt: skip


def openai(message, code=None, kind="invalid_request_error", param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def google(code, message, status):
    return [{"error": {"code": code, "message": message, "status": status}}]


@pytest.mark.parametrize(
    ("status", "body", "whose"),
    [
        # A 503 that says "busy" is waited for, like a 429; any other may be a broken server.
        (503, google(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"), BUSY),
        (503, openai("Service is too busy. Use another provider for a while.", "service_unavailable_error"), BUSY),
        (503, openai("The server is overloaded or not ready yet.", "overloaded", "server_error"), BUSY),
        (503, {"error": {"code": 503, "message": "no slot available", "type": "unavailable_error"}}, BUSY),
        (503, {"object": "error", "message": "The request queue is full.", "type": "SERVICE_UNAVAILABLE", "code": 503}, BUSY),
        (503, openai("server busy, please try again. maximum pending requests exceeded", kind="api_error"), BUSY),
        (503, "Request dropped due to backpressure (num_queued_requests=10, max_queued_requests=10).", BUSY),
        (503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure", BROKEN),
        (503, "no healthy upstream", BROKEN),
        (429, openai("The system is experiencing high demand and cannot process your request.", "NoCapacity"), BUSY),
        (429, {"message": "We're experiencing high traffic right now!", "code": "queue_exceeded", "param": "queue"}, BUSY),
        (429, "error code: 1015", BUSY),
        # What is spent does not come back in a minute.
        (429, google(429, "Your project has exceeded its monthly spending cap.", "RESOURCE_EXHAUSTED"), ACCOUNT),
        (429, google(429, "Your prepayment credits are depleted.", "RESOURCE_EXHAUSTED"), ACCOUNT),
        (429, {"object": "error", "message": "Monthly token limit exceeded", "type": "rate_limited"}, ACCOUNT),
        (429, {"message": "Too many tokens per day, please wait before trying again."}, ACCOUNT),
        (429, {"message": "Tokens per day limit exceeded - too many tokens processed.", "code": "token_quota_exceeded"}, ACCOUNT),
        (403, {"code": "The caller may not", "error": "Your newly created team doesn't have any credits yet."}, ACCOUNT),
        (402, {"error": "You have exceeded your monthly included credits for Inference Providers."}, ACCOUNT),
        (400, {"error": True, "message": "Insufficient credits"}, ACCOUNT),
        (429, openai("Rate limit reached on requests per day (RPD): Limit 200, Used 200. Please try again in 7m12s."), BUSY),
        # Who asks, and from where: a harmless question is refused as well.
        (400, google(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"), FORBIDDEN),
        (400, openai("Organization has been restricted. Please reach out to support.", "organization_restricted"), FORBIDDEN),
        (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "This organization has been disabled."}},
         FORBIDDEN),
        (400, google(400, "Missing or invalid Authorization header.", "INVALID_ARGUMENT"), KEY),
        (407, "<html><title>407 Proxy Authentication Required</title></html>", KEY),
        # A model that is not to be had.
        (400, openai("The requested model 'x' is not supported by any provider you have enabled.", "model_not_supported"), MODEL),
        (400, openai("The model `x` requires terms acceptance.", "model_terms_required"), MODEL),
        (403, openai("The model `x` is blocked at the project level.", "model_permission_blocked_project"), MODEL),
        (403, openai("Model access denied.", "Model.AccessDenied", "Model.AccessDenied"), MODEL),
        (400, openai("/chat/completions: Invalid model name passed in model=x. Call `/v1/models`"), MODEL),
        (400, {"error": "No models loaded. Please load a model in the developer page"}, MODEL),
        (400, openai('"x" does not support chat'), MODEL),
        (200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}, MODEL),
        (400, {"result": None, "success": False, "errors": [{"code": 5007, "message": "No such model @cf/x or task"}]}, MODEL),
        # One question's, and what passes.
        (498, {"message": "blocked input or output"}, QUESTION),
        (498, openai("Flex tier capacity exceeded", "capacity_exceeded", "capacity"), BUSY),
        (403, {"code": "not allowed", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK"}, QUESTION),
        (200, {"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}, QUESTION),
        (446, openai("The guardrail checks have failed"), QUESTION),
        (400, {"error": "Model has unloaded or crashed.."}, BROKEN),
        (499, google(499, "The operation was cancelled.", "CANCELLED"), BROKEN),
        (424, {"message": "The model returned the following errors: internal"}, BROKEN),
        (524, "error code: 524", BROKEN),
        (422, {"object": "error", "message": {"detail": [{"loc": ["body", "temperature"], "msg": "at most 1.5"}]}}, QUESTION),
    ],
)  # fmt: skip
def test_whose_failure_it_is(status, body, whose):
    error = read_error(status, (body if isinstance(body, str) else json.dumps(body)).encode())
    assert blame(error) is whose, error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": True, "message": "the words"}, "the words"),
        ({"error": 500, "reason": "the words"}, "the words"),
        ({"error": json.dumps({"error": {"message": "the words"}})}, "the words"),
    ],
)
def test_words_beside_an_error_that_is_none_are_kept(body, words):
    assert words in read_error(400, json.dumps(body).encode()).words


def choice(message, finish="stop", **more):
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]} | more


def written(*chunks, end="data: [DONE]\n\n"):
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end


HALVES = [
    {"choices": [{"delta": {"role": "assistant", "content": '{"a"'}}]},
    {"choices": [{"delta": {"content": ": 1}"}}]},
]
LAST = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}


@pytest.mark.parametrize(
    ("body", "reasoning"),
    [
        (choice({"content": YES, "extra_content": {"google": {"thought_signature": "x"}}}), ""),
        (": keep-alive\n\n: OPENROUTER PROCESSING\n\n" + json.dumps(choice({"content": YES})), ""),
        ("\n\n\n" + json.dumps(choice({"content": YES, "reasoning_content": "hm"})), "hm"),
        (json.dumps(choice({"content": YES})) + "\x00", ""),
        (json.dumps(choice({"content": YES})) + '\n{"usage": 1}', ""),
        (written(*HALVES, LAST), ""),
        (written(*HALVES, LAST, end="").replace("data: ", "data:").replace("\n", "\r\n"), ""),
        (": ping\n\n" + written(*HALVES), ""),
        ({"code": 0, "data": choice({"content": YES})}, ""),
        ({"output": choice({"content": YES}), "usage": {"input_tokens": 9, "output_tokens": 4}}, ""),
        ({"choices": [{"delta": {"content": YES}, "finish_reason": "stop"}]}, ""),
        (choice({"text": YES}), ""),
        (choice({"content": {"a": 1}}), ""),
        (choice({"content": None, "tool_calls": [{"name": "json", "arguments": YES}]}), ""),
        (choice({"content": None, "tool_calls": {"0": {"function": {"arguments": YES}}}}), ""),
        (choice({"content": None, "tool_calls": [{"function": {"arguments": ""}}, {"function": {"arguments": YES}}]}), ""),
        (choice({"content": YES, "reasoning": {"content": "hm", "effort": "low"}}), "hm"),
        (choice({"content": YES, "reasoning": 7}), ""),
        (choice({"content": YES, "reasoning_text": "hm"}), "hm"),
        (choice({"content": YES, "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}), ""),
        (choice({"content": YES, "reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]}), "hm"),
        (choice({"content": f"<think time=3>hm</think>{YES}"}), "hm"),
        (choice({"content": f"<antThinking>hm</antThinking>{YES}"}), "hm"),
        (choice({"content": f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{YES}<|return|>"}),
         "hm"),
        (choice({"content": f"<|channel|>final <|constrain|>json<|message|>{YES}"}), ""),
    ],
)  # fmt: skip
def test_a_right_answer_is_used_whatever_it_comes_in(body, reasoning):
    found = read_completion((body if isinstance(body, str) else json.dumps(body)).encode())
    assert (found["text"], found["reasoning"], found["error"]) == (YES, reasoning, "")


@pytest.mark.parametrize("chunks", [HALVES, [*HALVES, {"error": {"message": "gone", "code": 502}}]])
def test_a_stream_nobody_asked_for_that_breaks_off_is_no_answer(chunks):
    found = read_completion(written(*chunks, end="").encode())
    assert isinstance(found, EndpointError) and blame(found) is BROKEN


@pytest.mark.parametrize(
    ("word", "finish", "error"),
    [
        ("maxPredictedTokensReached", "length", ""),
        ("contextLengthReached", "length", ""),
        ("content_filter: RECITATION", "content_filter", "refused"),
        ("ERROR_TOXIC", "content_filter", "refused"),
        ("COMPLETE", "stop", ""),
    ],
)
def test_words_for_the_end_of_an_answer(word, finish, error):
    found = read_completion(json.dumps(choice({"content": "x"}, word)).encode())
    assert (found["finish_reason"], found["error"]) == (finish, error)


def test_tokens_that_are_told_as_texts_are_counted():
    usage = {"prompt_tokens": "9", "completion_tokens": "4"}
    found = read_completion(json.dumps(choice({"content": YES}, usage=usage)).encode())
    assert (found["prompt_tokens"], found["completion_tokens"]) == (9, 4)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"ratelimitbysize-reset": "32", "ratelimitbysize-remaining": "0"}, "", 32),
        ({"Retry-After": "3, 3"}, "", 3),
        ({"Retry-After": '"5"'}, "", 5),
        ({"X-Retry-After": "6"}, "", 6),
        ({"Retry-After": "2026-11-28T13:00:20+01:00"}, "", 20),
        ({"RateLimit": '"perday";r=100;t=4000, "perminute";r=0;t=12'}, "", 12),
        ({"x-ratelimit-reset-tokens-minute": "11.38", "x-ratelimit-remaining-tokens-minute": "0"}, "", 11.38),
        ({}, "Please wait a minute and try again", 60),
        ({}, "try again in about 20 seconds", 20),
        ({}, "retry after approximately one hour", 3600),
        ({}, "try again in ~20s", 20),
        ({}, "请在30秒后重试", 30),
        ({}, "wait and see", 0),
    ],
)  # fmt: skip
def test_how_long_to_wait(headers, body, seconds):
    assert seconds_to_wait(headers, body, NOW) == pytest.approx(seconds, abs=0.01)


ASKED = ChatRequest("m", [{"role": "system", "content": "As JSON."}, {"role": "user", "content": "Hello"}], 64, 0.0, 7,
                    {"type": "object", "properties": {"a": {"type": "integer"}}}, ["###"])  # fmt: skip


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (openai("deepseek-reasoner does not support Json Output."), {"schema_dialect": "plain"}),
        (google(400, "Developer instruction is not enabled for models/gemma-3-27b-it", "INVALID_ARGUMENT"), {"system": "user"}),
        (openai("API 调用参数有误，请检查文档。temperature 参数非法", "1210"), {"temperature": False}),
        ({"message": "Malformed input request: #: extraneous key [seed] is not permitted"}, {"seed": ""}),
        ({"detail": "[400]: Unsupported parameter(s): `seed`", "title": "Bad Request", "status": 400}, {"seed": ""}),
        (openai("One of the parameters contains invalid values. {'seed': Extra inputs are not permitted}"), {"seed": ""}),
        ({"error": "'response_format.type' must be 'json_schema' or 'text'"}, {"schema_dialect": "plain"}),
        (openai("Range of max_tokens should be [1, 48]"), {"most_tokens": 48}),
    ],
)  # fmt: skip
def test_what_is_left_out(body, change):
    rules = EndpointRules()
    changed, _ = learn(rules, read_error(400, json.dumps(body).encode()), chat_body(rules, ASKED))
    assert changed == rules.model_copy(update=change)


def ask(url, *questions):
    client = ChatClient(EndpointConfig(url=f"{url}/v1", max_retries=1))

    async def one_after_another():
        return [await client(ChatRequest("m", [{"role": "user", "content": text}], 5)) for text in questions]

    return asyncio.run(one_after_another())


def test_an_endpoint_that_only_streams_is_asked_once_without(monkeypatch):
    monkeypatch.setattr(chat, "MAX_ANSWER_BYTES", 200)  # a stream takes many bytes for a token
    words = "This model only support stream mode, please enable the stream parameter to access the model. "
    teacher = ScriptedTeacher(
        lambda _, body: (
            (200, written(*HALVES, LAST).encode(), {})
            if body.get("stream")
            else refusal(400, words, code="invalid_parameter_error")
        )
    )
    with teacher.running() as url:
        answers = ask(url, "a", "b")
    assert [(one["text"], one["error"], one["completion_tokens"]) for one in answers] == [(YES, "", 4)] * 2
    assert [body.get("stream") for body in teacher.asked] == [None, True, True]


def test_a_place_that_is_not_served_ends_the_job_and_a_blocked_word_does_not():
    words = "User location is not supported for the API use."
    teacher = ScriptedTeacher(lambda *_: refusal(400, words))
    with teacher.running() as url, pytest.raises(PermissionError, match="location is not supported"):
        ask(url, "a", "b", "c")
    assert len(teacher.asked) == 2  # one question, and one that tells whether it was the question
    teacher = ScriptedTeacher(lambda _, body: refusal(498, "blocked input or output")
                              if body["messages"][-1]["content"] == "bad" else completion("yes"))  # fmt: skip
    with teacher.running() as url:
        assert [answer["blame"] for answer in ask(url, "a", "bad", "b")] == ["", "question", ""]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_host_is_asked_as_the_first_was_and_no_other_host_sees_the_key(status, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "s3cret")

    def question(url):
        config = EndpointConfig(url=f"{url}/v1", max_retries=0, api_key_env="SOME_KEY", rules={"key_header": "api-key"})
        return asyncio.run(ChatClient(config)(ChatRequest("m", [{"role": "user", "content": "a"}], 5)))

    teacher = ScriptedTeacher(lambda *_: completion("yes"))
    with teacher.running() as answers:
        moved = ScriptedTeacher(lambda *_: (status, "", {"Location": f"{answers}/v1/chat/completions?a=b"}))
        with moved.running() as url:
            assert question(url)["text"] == "yes"
        assert teacher.asked == moved.asked and teacher.paths == ["/v1/chat/completions?a=b"]
        away = answers.replace("127.0.0.1", "localhost")
        elsewhere = ScriptedTeacher(lambda *_: (status, "", {"Location": f"{away}/v1?token=t0ken"}))
        with (
            elsewhere.running() as url,
            pytest.raises(ValueError, match=f"{status}: it redirects to {away}/v1; ") as caught,
        ):
            question(url)
        assert "t0ken" not in str(caught.value) and len(teacher.asked) == 1
        endless = ScriptedTeacher(lambda number, _: (status, "", {"Location": f"/v1/{number}"}))
        with endless.running() as url:
            assert "redirects more than" in question(url)["error"]
