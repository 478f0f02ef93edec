"""Refusals of fields in the words of many servers: what is left out, and what a refusal must not change."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat import ChatRequest
from serve.client.errors import EndpointError, read_error
from serve.client.refused_fields import learn
from serve.client.rules import EndpointRules, chat_body, messages_body

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}, "required": ["a"]}
TURNS = [
    {"role": "system", "content": "As JSON."},
    {"role": "user", "content": "Which seed and temperature does max_tokens need?"},
]
ASKED = ChatRequest("m", TURNS, 64, 0.0, 7, SCHEMA, ["###"])

LIMIT = {"token_limit": "max_completion_tokens"}
NO_TEMPERATURE, NO_SEED, NO_STOP = {"temperature": False}, {"seed": ""}, {"stop": False}
PLAIN, OBJECT, NO_FORM = {"schema_dialect": "plain"}, {"response_format": "json_object"}, {"response_format": "none"}
AS_USER = {"system": "user"}


def refused(status, body, **rules):
    """The rules that a refusal changes, None where it changes none."""
    rules = EndpointRules(**rules)
    sent = messages_body(rules, ASKED) if rules.api == "messages" else chat_body(rules, ASKED)
    body = body if isinstance(body, str) else json.dumps(body)
    found = learn(rules, read_error(status, body.encode()), sent)
    if found is None:
        return None
    before, after = rules.model_dump(), found[0].model_dump()
    return {name: value for name, value in after.items() if before[name] != value}


def openai(message, param=None, code=None):
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def google(message):
    return [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]


def anthropic(message):
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}, "request_id": "req_1"}


def fastapi(field, message="Extra inputs are not permitted"):
    return {
        "detail": [{"type": "extra_forbidden", "loc": ["body", field], "msg": message, "input": TURNS[1]["content"]}]
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                "max_tokens", "unsupported_parameter"), LIMIT),
        (openai("Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
                "temperature", "unsupported_value"), NO_TEMPERATURE),
        (openai("Unrecognized request argument supplied: seed"), NO_SEED),
        (openai("Unknown parameter: 'stop'.", "stop", "unknown_parameter"), NO_STOP),
        (openai("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."), PLAIN),
        (openai("Invalid schema for response_format 'answer': In context=('properties', 'a'), 'maxLength' is not permitted.",
                "response_format"), PLAIN),
        (openai("Unsupported value: 'messages[0].role' does not support 'system' with this model.", "messages[0].role",
                "unsupported_value"), AS_USER),
        ({"error": {"code": "BadRequest", "message": "response_format value as json_schema is enabled only for api versions "
                                                     "2024-08-01-preview and later"}}, PLAIN),
        ({"error": {"code": "Invalid input", "status": 422, "message": "invalid input error",
                    "details": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}},
         NO_SEED),
        ({"object": "error", "message": fastapi("seed"), "type": "invalid_request_message_error"}, NO_SEED),
        ({"object": "error", "message": "Response format json_schema is not supported for this model", "code": "3051"}, PLAIN),
        (google('Invalid JSON payload received. Unknown name "seed": Cannot find field.'), NO_SEED),
        (google("Invalid JSON payload received. Unknown name \"maxLength\" at 'generation_config.response_schema"
                ".properties[0].value': Cannot find field."), PLAIN),
        (google("The specified schema produces a constraint that has too many states for serving."), PLAIN),
        (openai("This response_format type is unavailable now"), PLAIN),
        (openai("Failed to deserialize the JSON body into the target type: response_format: unknown variant `json_schema`, "
                "expected one of `text`, `json_object` at line 1 column 90"), PLAIN),
        ({"error": {"message": "Provider returned error", "code": 400, "metadata": {"provider_name": "OpenAI", "raw": json.dumps(
            openai("Unsupported parameter: 'temperature' is not supported with this model.", "temperature"))}}}, NO_TEMPERATURE),
        (openai("litellm.UnsupportedParamsError: gpt-5 models don't support temperature=0.0. Only temperature=1 is supported. "
                "To drop unsupported params set `litellm.drop_params = True`"), NO_TEMPERATURE),
        (openai("litellm.BadRequestError: OpenAIException - " + json.dumps(openai("Unknown parameter: 'seed'.", "seed"))), NO_SEED),
        (openai("[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted', 'input': "
                "'the temperature of max_tokens'}]"), NO_SEED),
        (openai("The provided JSON schema contains features not supported by xgrammar."), PLAIN),
        ({"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400}, AS_USER),
        ({"object": "error", "message": "Conversation roles must alternate user/assistant/user/assistant/..."}, AS_USER),
        ({"error": "Input validation error: `temperature` must be strictly positive", "error_type": "validation"}, NO_TEMPERATURE),
        ({"error": "Template error: syntax error: System role not supported (in <string>:1)", "error_type": "template_error"}, AS_USER),
        ({"error": {"code": 400, "message": "Failed to initialize samplers: failed to parse grammar"}}, PLAIN),
        ({"error": {"code": 400, "message": "JSON schema conversion failed:\nUnrecognized schema: {}"}}, PLAIN),
        ({"code": "Client specified an invalid argument", "error": "Argument not supported on this model: stop"}, NO_STOP),
        (openai("property 'seed' is unsupported, did you mean 'temperature'?"), NO_SEED),
        (openai("Allowed fields are: model, messages, max_tokens, temperature. Unexpected field: seed"), NO_SEED),
        (openai("temperature, top_p and seed are not supported by this model"), NO_TEMPERATURE),
        (openai("maxTokens is deprecated, please send maxCompletionTokens"), LIMIT),
        (openai("Additional properties are not allowed ('seed' was unexpected)"), NO_SEED),
        ("ChatCompletionRequest got an unexpected keyword argument 'seed'", NO_SEED),
        ({"title": "Bad request", "detail": "Unknown member", "errors": [{"pointer": "#/seed", "detail": "not allowed"}]}, NO_SEED),
        (openai("`temperature` may only be set to 1 when thinking is enabled."), NO_TEMPERATURE),
        (openai("`max_tokens` has been removed for reasoning deployments; supply `max_completion_tokens`."), LIMIT),
        (openai("Parameter max_tokens may not be used with this deployment."), LIMIT),
        (openai("This deployment ignores sampling: remove temperature from the request."), NO_TEMPERATURE),
        (openai("temperature: this model is sampled at 1.0 only"), NO_TEMPERATURE),
        (openai("Value of temperature is fixed to 1 for this series."), NO_TEMPERATURE),
        (openai("seed is a beta feature that your plan cannot use"), NO_SEED),
        (openai("Passing `seed` is disallowed."), NO_SEED),
        ({"errors": [{"code": "E42", "title": "bad request", "detail": "property seed should not exist"}]}, NO_SEED),
        (openai("messages[0].role: Input should be 'user' or 'assistant'"), AS_USER),
        (openai("Requested 64 output tokens but the ceiling is 24."), {"most_tokens": 24}),
        (openai("max_tokens must be < 48"), {"most_tokens": 47}),
        (openai("messages must contain the word 'json' in some form", "messages"), PLAIN),
        (google("* GenerateContentRequest.generation_config.response_schema.properties[a].max_length: field is not supported"), PLAIN),
        (openai("The value of max_tokens (64) surpasses the cap of 32"), {"most_tokens": 32}),
    ],
)  # fmt: skip
def test_what_is_left_out(body, expected):
    assert refused(400, body) == refused(422, body) == expected


@pytest.mark.parametrize(
    ("body", "rules", "expected"),
    [
        (anthropic("temperature: Extra inputs are not permitted"), {"temperature": True}, NO_TEMPERATURE),
        (anthropic("output_config.format: Extra inputs are not permitted"), {}, PLAIN),
        (anthropic("This model does not support structured outputs"), {"schema_dialect": "anthropic"}, NO_FORM),
        (anthropic("The compiled grammar is too large, which would cause performance issues."), {}, PLAIN),
        (anthropic("system.0.cache_control: Extra inputs are not permitted"), {"cache_control": True}, {"cache_control": False}),
        (anthropic("thinking: adaptive thinking is not supported on this model"), {"extra": {"thinking": {"type": "adaptive"}}},
         {"extra": {}}),
        (anthropic("stop_sequences: each stop sequence must not be whitespace"), {}, NO_STOP),
        (anthropic("max_tokens: 64 > 32, which is the maximum allowed number of output tokens for m"), {},
         {"most_tokens": 32}),
    ],
)  # fmt: skip
def test_what_is_left_out_at_anthropics_api(body, rules, expected):
    rules = {"api": "messages", "seed": "", "temperature": False} | rules
    assert refused(400, body, **rules) == expected


@pytest.mark.parametrize(
    ("body", "extra", "left"),
    [
        (openai("Unsupported value: 'reasoning_effort' does not support 'none' with this model.", "reasoning_effort"),
         {"reasoning_effort": "none", "top_p": 1}, {"top_p": 1}),
        (google("Budget 0 is invalid. This model only works in thinking mode."), {"reasoning_effort": "none"}, {}),
        ({"error": "Argument not supported on this model: reasoningEffort"}, {"reasoning_effort": "low"}, {}),
        (openai("chat_template_kwargs is not supported"), {"chat_template_kwargs": {"enable_thinking": False}}, {}),
        (openai("unknown field topK"), {"top_k": 3}, {}),
    ],
)  # fmt: skip
def test_fields_of_the_settings_are_left_out_too(body, extra, left):
    assert refused(400, body, extra=extra) == {"extra": left}


@pytest.mark.parametrize(
    "words",
    [
        "This model only support stream mode, please enable the stream parameter to access the model. ",
        "Streaming is required for this model",
        "stream must be set to true",
        "Non-streaming requests are not supported. Please set stream=true.",
    ],
)
def test_an_endpoint_that_only_streams_is_asked_for_a_stream(words):
    streams = {"stream": True, "stream_options": {"include_usage": True}}
    assert refused(400, openai(words)) == {"extra": streams}
    assert refused(400, anthropic(words), api="messages") == {"extra": {"stream": True}}
    assert refused(400, openai(words), extra=streams) is None
    assert refused(400, openai("Unknown parameter: stream_options", "stream_options"), extra=streams) == {
        "extra": {"stream": True}
    }


def test_a_reasoning_model_that_takes_no_temperature_keeps_its_effort():
    body = openai("Reasoning models do not support temperature")
    assert refused(400, body, extra={"reasoning_effort": "low"}) == NO_TEMPERATURE


@pytest.mark.parametrize(
    "body",
    [
        openai("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", "messages"),
        openai("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens", "max_tokens"),
        openai("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"),
        openai("Requested token count exceeds the model's maximum context length of 4096 tokens."),
        openai("prompt is too long: 210000 tokens > 200000 maximum"),
        openai("The response was filtered due to the prompt triggering our content management policy.", "prompt", "content_filter"),
        openai("Failed to generate JSON. Please adjust your prompt.", None, "json_validate_failed"),
        google("User location is not supported for the API use."),
        {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}},
        openai("we could not read this"),
        "<html><title>400 Bad Request</title>seed temperature</html>",
    ],
)  # fmt: skip
def test_what_changes_no_rule(body):
    assert refused(400, body) is None


def test_a_500_changes_a_rule_only_where_it_names_what_it_does_not_take():
    jinja = {"error": {"code": 500, "message": "Jinja Exception: System role not supported", "type": "server_error"}}
    assert refused(500, jinja) == AS_USER
    assert refused(500, openai("Jinja Exception: Conversation roles must alternate user/assistant/user/...")) == AS_USER
    assert refused(500, openai("the grammar worker died", "response_format")) is None
    assert refused(503, jinja) is None


def test_a_developers_role_becomes_the_systems_first():
    body = openai("messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`")
    assert refused(400, body, system="developer") == {"system": "system"}
    assert refused(400, body) is None


@given(st.text(), st.text(), st.sampled_from([400, 422, 500]))
def test_any_words_are_read(words, param, status):
    rules = EndpointRules()
    found = learn(rules, EndpointError(status, words, param=param), chat_body(rules, ASKED))
    assert found is None or found[0] != rules


@pytest.mark.parametrize(
    ("body", "most"),
    [
        (openai("max_tokens is too large: 64. This model supports at most 48 completion tokens, whereas you provided 64.",
                "max_tokens", "invalid_value"), 48),
        (anthropic("max_tokens: 64 > 48, which is the maximum allowed number of output tokens for some-model-3-20250101"), 48),
        (openai("Invalid max_tokens value, the valid range of max_tokens is [1, 48]"), 48),
        (openai("`max_tokens` must be less than or equal to `48`, the maximum value for `max_tokens` of this model"), 48),
        (google("Unable to submit request because it has a maxOutputTokens value of 64 but the supported range is from 1 "
                "(inclusive) to 49 (exclusive)."), 48),
        (fastapi("max_tokens", "Input should be less than or equal to 48"), 48),
    ],
)  # fmt: skip
def test_a_limit_that_is_too_high_is_lowered_to_the_one_that_is_named(body, most):
    assert refused(400, body) == {"most_tokens": most}
    assert chat_body(EndpointRules(most_tokens=most), ASKED)["max_tokens"] == most
    assert chat_body(EndpointRules(most_tokens=100), ASKED)["max_tokens"] == 64


@pytest.mark.parametrize("words", ["max_tokens is too small: 64. It must be at least 128.", "max_tokens must be positive",
                                   "This model's maximum context length is 48 tokens, and max_tokens is 64.",
                                   "temperature 2 is too high: at most 1", "The prompt is too long: 90 tokens, at most 48"])  # fmt: skip
def test_what_is_no_upper_limit_of_answers_lowers_nothing(words):
    assert "most_tokens" not in (refused(400, openai(words)) or {})


def test_the_limit_of_a_plain_text_is_learnt_whatever_a_chats_is_called():
    rules = EndpointRules(token_limit="max_completion_tokens")
    error = read_error(400, json.dumps(openai("max_tokens is too large: 64, at most 48")).encode())
    found = learn(rules, error, {"model": "m", "prompt": "def f", "max_tokens": 64})
    assert found is not None and found[0].most_tokens == 48
