"""More of what endpoints send today, read from the threads of those who met it: budgets, gateways, other clouds.

As test_hosted_teachers.py, whose kinds these are.
"""

import json
from datetime import UTC, datetime

import pytest

from core.chat import ChatRequest
from serve.client.completions import read_completion, read_usage
from serve.client.errors import Blame, EndpointError, blame, read_error
from serve.client.refused_fields import learn
from serve.client.retry_after import seconds_to_wait
from serve.client.rules import EndpointRules, chat_body

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
ACCOUNT, BROKEN, BUSY, FORBIDDEN, KEY, MODEL, QUESTION = (
    Blame.ACCOUNT, Blame.BROKEN, Blame.BUSY, Blame.FORBIDDEN, Blame.KEY, Blame.MODEL, Blame.QUESTION)  # fmt: skip


def openai(message, code=None, kind="invalid_request_error", **more):
    return {"error": {"message": message, "type": kind, "code": code} | more}


@pytest.mark.parametrize(
    ("status", "body", "whose"),
    [
        # Databricks, watsonx, NIM, Cerebras
        (429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "REQUEST_LIMIT_EXCEEDED: workspace over its QPS for m."}, BUSY),
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "The given endpoint does not exist."}, MODEL),
        (403, {"errors": [{"code": "token_quota_reached", "message": "The plan's tokens of this month are spent."}],
               "trace": "5d", "status_code": 403}, ACCOUNT),
        (400, {"errors": [{"code": "model_not_supported", "message": "Model 'ibm/x' is not supported"}], "trace": "5d"}, MODEL),
        (404, {"status": 404, "title": "Not Found", "detail": "Function '23d4': Not found for account 'Q'"}, MODEL),
        (429, {"status": 429, "title": "Too Many Requests"}, BUSY),
        (429, {"message": "Requests per minute limit exceeded - too many requests sent.", "type": "too_many_requests_error",
               "param": "quota", "code": "request_quota_exceeded"}, BUSY),
        (429, {"message": "Requests per day limit exceeded - too many requests sent.", "type": "too_many_requests_error",
               "param": "quota", "code": "request_quota_exceeded"}, ACCOUNT),
        # Budgets of proxies
        (429, openai("The allowance of your team has been reached; ask the AI desk.", "429", "budget_exceeded"), ACCOUNT),
        (400, openai("ExceededBudget: User=ada over budget"), ACCOUNT),
        (403, openai("用户额度不足, 剩余额度: 0.00 (request id: 7)", "insufficient_user_quota", "new_api_error"), ACCOUNT),
        (403, openai("token quota is not enough, token remain quota: 1, need quota: 2", "pre_consume_token_quota_failed"), ACCOUNT),
        (403, {"statusCode": 403, "message": "Token quota is exceeded."}, ACCOUNT),
        (429, {"statusCode": 429, "message": "Token limit is exceeded. Try again in 12 seconds."}, BUSY),
        (429, {"error": {"code": "SetLimitExceeded", "message": "Your account has reached the set inference limit for the model; "
                         "the service has been paused."}}, ACCOUNT),
        (429, {"fault": {"faultstring": "Rate limit quota violation. Identifier : m",
                         "detail": {"errorcode": "policies.ratelimit.QuotaViolation"}}}, BUSY),
        (429, {"detail": "Infrastructure is at maximum capacity, try again later"}, BUSY),
        (429, openai("Concurrency limit exceeded: 4 of 4 units in use", "concurrency_limit_exceeded"), BUSY),
        (429, openai("Usage limit reached for 5 hour. Your limit will reset at 2026-11-30 15:00:00", "1308"), ACCOUNT),
        (400, [{"error": {"code": 400, "message": "The free tier is not available in your country. Please enable billing on your "
                          "project.", "status": "FAILED_PRECONDITION"}}], ACCOUNT),
        (403, openai("The gateway requires a valid credit card on file.", None, "customer_verification_required"), ACCOUNT),
        (429, openai("当前分组上游负载已饱和，请稍后再试", "1302"), BUSY),
        # MiniMax inside a 200
        (200, {"base_resp": {"status_code": 1004, "status_msg": "login fail: carry the secret in the 'Authorization' field"}}, KEY),
        (200, {"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}, KEY),
        (200, {"base_resp": {"status_code": 1002, "status_msg": "too fast"}}, BUSY),
        (200, {"base_resp": {"status_code": 1008, "status_msg": "balance"}}, ACCOUNT),
        (200, {"base_resp": {"status_code": 2013, "status_msg": "invalid params, messages"}}, QUESTION),
        # A model that is not to be had here
        (400, openai("Unavailable model: m", "unavailable_model"), MODEL),
        (400, openai("模型不存在，请检查模型代码。", "1211"), MODEL),
        (400, {"detail": "An error occurred (ValidationException) when calling the Converse operation: Invocation of model ID m with "
                         "on-demand throughput isn't supported. Retry with an inference profile."}, MODEL),
        (400, openai("The chatCompletion operation does not work with the specified model, m.", "OperationNotSupported"), MODEL),
        (400, openai("This model is only supported in v1/responses and not in v1/chat/completions.", None, param="model"), MODEL),
        (404, openai("No endpoints found matching your data policy.", 404), MODEL),
        (404, {"error": {"message": 'model "m" not found, try pulling it first', "type": "api_error"}}, MODEL),
        (400, openai("Model o9 is enabled only for api versions 2026-12-01-preview and later"), MODEL),
        (400, {"code": "invalid", "error": "Your API key is blocked"}, KEY),
        # One question's, though the status says that the server failed
        (500, {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}}, QUESTION),
        (500, {"error": {"code": 500, "message": "input (900 tokens) is too large to process. increase the physical batch size"}},
         QUESTION),
        (413, {"error": {"code": "tokens_limit_reached", "message": "Request body too large for m. Max size: 8000 tokens."}}, QUESTION),
        (451, openai("withheld for legal reasons"), QUESTION),
        (400, openai("The request was rejected because it was considered high risk", "content_filter"), QUESTION),
        # The server's
        (500, {"error": {"message": "model requires more system memory (7.5 GiB) than is available", "type": "api_error"}}, BROKEN),
        (202, "", BROKEN),
        (421, "Misdirected Request", BROKEN),
        (400, openai("The server had an error processing your request. You can retry it.", "server_error", "server_error"), BROKEN),
        (400, openai("EngineCore encountered an issue. See stack trace (above) for the root cause.", 400, "BadRequestError"), BROKEN),
        (400, {"error": "Model unloaded."}, BROKEN),
        (400, openai("Your organization must be verified to use the model `m`.", "unsupported_value", param="model"), MODEL),
        (503, openai("No available channel for model m under group default", "model_not_found", "new_api_error"), BROKEN),
    ],
)  # fmt: skip
def test_whose_failure_it_is(status, body, whose):
    error = read_error(status, (body if isinstance(body, str) else json.dumps(body)).encode())
    assert blame(error) is whose, error


ASKED = ChatRequest("m", [{"role": "system", "content": "As JSON."}, {"role": "user", "content": "Hello"}], 64, 0.0, 7,
                    {"type": "object", "properties": {"a": {"type": "integer"}}}, ["###"])  # fmt: skip
STREAM = {"extra": {"stream": True, "stream_options": {"include_usage": True}}}
NO_TEMPERATURE, NO_SEED, NO_STOP, AS_USER, PLAIN = (
    {"temperature": False}, {"seed": ""}, {"stop": False}, {"system": "user"}, {"schema_dialect": "plain"})  # fmt: skip


@pytest.mark.parametrize(
    ("body", "rules", "change"),
    [
        ({"error_code": "BAD_REQUEST", "message": "Model x.claude does not support the temperature parameter."}, {}, NO_TEMPERATURE),
        ({"error_code": "BAD_REQUEST", "message": 'Bad request: json: unknown field "seed"'}, {}, NO_SEED),
        ({"error_code": "BAD_REQUEST", "message": "Bad request: rpc error: code = InvalidArgument desc = max_tokens (64) cannot exceed "
                                                  "48. Please reduce the length of max output tokens generated."}, {}, {"most_tokens": 48}),
        ({"message": "body.seed: property 'body.seed' is unsupported", "type": "invalid_request_error", "param": "validation_error",
          "code": "wrong_api_format"}, {}, NO_SEED),
        (openai("`max_tokens` must be less than or equal to `48`, the maximum value for `max_tokens` is less than the `context_window` "
                "for this model"), {}, {"most_tokens": 48}),
        (openai("Extra inputs are not permitted, field: 'seed', value: 7"), {}, NO_SEED),
        (openai("Requests with max_tokens > 48 must have stream=true"), {}, STREAM),
        (openai("Requests with max_tokens > 48 must have stream=true"), STREAM, {"most_tokens": 48}),
        ({"detail": "An error occurred (ValidationException) when calling the Converse operation: This model doesn't support the "
                    "stopSequences field. Remove stopSequences and try again."}, {}, NO_STOP),
        ({"detail": "An error occurred (ValidationException): The maximum tokens you requested exceeds the model limit of 48. Try again "
                    "with a maximum tokens value that is lower than 48."}, {}, {"most_tokens": 48}),
        ([{"error": {"code": 400, "message": "it has a maxOutputTokens value of 64 but the supported range is from 1 (inclusive) to 49 "
                     "(exclusive)."}}], {}, {"most_tokens": 48}),
        (openai("The parameter `max_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 48, "
                "but got 64 instead.", "InvalidParameter", param="max_tokens"), {}, {"most_tokens": 48}),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "ChatRequest", "seed"], "msg": "Extra inputs are not permitted"}]}, {},
         NO_SEED),
        ({"error": {"code": 400, "message": "Invalid argument", "details": [{"fieldViolations": [
            {"field": "generation_config.seed", "description": "not supported"}]}]}}, {}, NO_SEED),
        (openai("'developer' is not one of ['system', 'assistant', 'user', 'function'] - 'messages.0.role'"), {"system": "developer"},
         {"system": "system"}),
        (openai("'system' is not one of ['user', 'assistant'] - 'messages.0.role'"), {}, AS_USER),
        ({"error": 'Error rendering prompt with jinja template: "Only user and assistant roles are supported!"'}, {}, AS_USER),
        (openai("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", param="messages"),
         {"response_format": "json_object"}, {"response_format": "none"}),
        (openai("invalid temperature: only 1 is allowed for this model"), {}, NO_TEMPERATURE),
        (openai("Model grok-x does not support parameter stop."), {}, NO_STOP),
        (openai("parameter.enable_thinking must be set to false for non-streaming calls", "invalid_parameter_error"), {},
         {"extra": {"enable_thinking": False}}),
        (openai("Error from provider (400): enable thinking can not be support when `stream=False`."), {},
         {"extra": {"enable_thinking": False}}),
        (openai('"m" does not support thinking'), {"extra": {"reasoning_effort": "low"}}, {"extra": {}}),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "store"], "msg": "Extra inputs are not permitted", "input": False},
                     {"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]},
         {"token_limit": "max_completion_tokens"}, {"token_limit": "max_tokens"}),
    ],
)  # fmt: skip
def test_what_is_left_out(body, rules, change):
    rules = EndpointRules(**rules)
    found = learn(rules, read_error(400, json.dumps(body).encode()), chat_body(rules, ASKED))
    assert found is not None and found[0] == rules.model_copy(update=change)


YES = '{"a": 1}'


def choice(message, finish="stop", **more):
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]} | more


def events(*contents, end=""):
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in contents) + end


ANTHROPIC = [
    {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": YES[:4]}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": YES[4:]}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]
GOOGLE = [
    {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": YES[:4]}]}}]},
    {"candidates": [{"content": {"parts": [{"text": YES[4:]}]}, "finishReason": "STOP"}],
     "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4}},
]  # fmt: skip
RESPONSE = {"object": "response", "status": "completed", "usage": {"input_tokens": 9, "output_tokens": 4},
            "output": [{"type": "message", "content": [{"type": "output_text", "text": YES}]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reasoning"),
    [
        (choice({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                             {"type": "text", "text": YES}]}), "hm"),
        ({"result": {"response": {"a": 1}, "usage": {"prompt_tokens": 9, "completion_tokens": 4}}, "success": True, "errors": []}, ""),
        (events(*ANTHROPIC), "hm"),
        (events({"type": "response.created", "response": {"object": "response", "status": "in_progress", "output": []}},
                {"type": "response.output_text.delta", "delta": YES},
                {"type": "response.completed", "response": RESPONSE}), ""),
        (json.dumps(GOOGLE), "hm"),
        ("".join(f"data: {json.dumps(each)}\r\n\r\n" for each in GOOGLE), "hm"),
        (choice({"content": YES}, "FINISH"), ""),
        (choice({"content": YES, "reasoning_content": ["h", "m"]}), "hm"),
        (choice({"content": YES, "refusal": ""}) | {"prompt_filter_results": [{}]}, ""),
        (choice({"content": f"<longcat_think>hm</longcat_think>{YES}"}), "hm"),
        ({"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": f"\n\n{YES}\n"}}], "error": {}}, ""),
    ],
)  # fmt: skip
def test_a_right_answer_is_used_whatever_it_comes_in(body, reasoning):
    found = read_completion((body if isinstance(body, str) else json.dumps(body)).encode())
    assert isinstance(found, dict), found
    assert (json.loads(found["text"]), found["reasoning"], found["error"]) == ({"a": 1}, reasoning, "")


def test_an_anthropic_stream_nobody_asked_for_has_its_tokens_and_its_end():
    found = read_completion(events(*ANTHROPIC).encode())
    assert (found["prompt_tokens"], found["completion_tokens"], found["finish_reason"]) == (9, 4, "stop")
    assert isinstance(read_completion(events(*ANTHROPIC[:6]).encode()), EndpointError)
    busy = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert blame(read_completion(events(*ANTHROPIC[:6], busy).encode())) is BUSY


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}},
            "refused",
        ),
        (
            {
                "id": "x",
                "object": "chat.completion",
                "model": "m",
                "usage": {"prompt_tokens": 9, "completion_tokens": 0},
            },
            "no choice",
        ),
    ],
)
def test_an_answer_without_choices_is_the_models(body, error):
    found = read_completion(json.dumps(body).encode())
    assert (found["error"], found["blame"], found["prompt_tokens"]) == (error, "model", 9)


@pytest.mark.parametrize(
    ("word", "finish"),
    [("time_limit", "length"), ("maximum_tokens", "length"), ("FINISH_REASON_MAX_TOKENS", "length"), ("STOP", "stop"),
     ("eos_token", "stop"), ("FINISH_REASON_SAFETY", "content_filter"), ("CONTENT_FILTERED", "content_filter")],
)  # fmt: skip
def test_words_for_the_end_of_an_answer(word, finish):
    assert read_completion(json.dumps(choice({"content": "x"}, word)).encode())["finish_reason"] == finish


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_a_cancelled_answer_is_asked_for_again(word):
    assert blame(read_completion(json.dumps(choice({"content": '{"a'}, word)).encode())) is BROKEN


@pytest.mark.parametrize(
    ("usage", "expected"),  # prompt, cached, written, completion, reasoning
    [
        ({"inputTokens": 9, "outputTokens": 4, "totalTokens": 113, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 40},
         (109, 60, 40, 4, 0)),
        ({"prompt_tokens": 100, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 0,
          "cache_creation_input_tokens": 90, "cache_type": "ephemeral"}}, (100, 0, 90, 4, 0)),
        ({"prompt_tokens": 100, "completion_tokens": 9, "reasoning_tokens": 5, "prompt_tokens_details": None}, (100, 0, 0, 9, 5)),
        ({"prompt_tokens": 100, "completion_tokens": 9, "num_cached_tokens": 64}, (100, 64, 0, 9, 0)),
        ({"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": None, "cache_creation_input_tokens": None}, (9, 0, 0, 4, 0)),
        ({"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 90},
          "cache_creation_input_tokens": 90}, (99, 0, 90, 4, 0)),
    ],
)  # fmt: skip
def test_tokens_of_every_form(usage, expected):
    found = read_usage(usage)
    names = ("prompt_tokens", "cached_tokens", "cache_written_tokens", "completion_tokens", "reasoning_tokens")
    assert tuple(found[name] for name in names) == expected


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, '{"error": {"message": "slow", "resets_in_seconds": 72}}', 72),
        ({}, '{"error": {"message": "slow", "retry_after_sec": 3}}', 3),
        ({}, '{"error": {"message": "slow", "metadata": {"retryAfterMs": 1500}}}', 1.5),
        ({}, "Limit resets in: 59 seconds", 59),
        ({}, "Your quota will reset after 1h2m3s.", 3723),
        ({}, "have exceeded the token rate limit of your pricing tier. Please retry after 86400 seconds.", 86400),
        ({}, '{"error": {"code": "RateLimitReached", "message": "Rate limit of 150 per 86400s exceeded. Please wait 61 seconds"}}', 61),
        ({"x-ratelimit-reset": "1796029230000"}, "", 30),
        ({"retry-after": "0"}, '{"error": {"details": [{"retryDelay": "26s"}]}}', 26),
    ],
)  # fmt: skip
def test_how_long_to_wait(headers, body, seconds):
    assert seconds_to_wait(headers, body, NOW) == pytest.approx(seconds, abs=0.01)
