"""Errors as hosted endpoints, clouds, routers and local servers word them in late 2026: whose failure, what is learnt."""

import json

import pytest

from serve.client.errors import Blame, blame, read_error
from tests.serve.client.test_errors import flat, told
from tests.serve.client.test_refused_fields import NO_SEED, NO_STOP, NO_TEMPERATURE, OBJECT, PLAIN, openai, refused

ROUTED = "To learn more about provider routing, visit: https://openrouter.ai/docs/guides/routing/provider-selection"


@pytest.mark.parametrize(("error", "expected"), [
    # OpenRouter: 404 of what was asked for, and of the model
    (told(404, message=f"No endpoints found that support tool use. {ROUTED}", code=404), Blame.QUESTION),
    (told(404, message="No endpoints found that support image input", code=404), Blame.QUESTION),
    (told(404, message=f"No endpoints found that support the provided 'tool_choice' value. {ROUTED}"), Blame.QUESTION),
    (told(404, message=f"No endpoints found that can handle the requested parameters. {ROUTED}"), Blame.QUESTION),
    (told(404, message="No endpoints found for m:free.", code=404), Blame.MODEL),
    (told(404, message="No endpoints available matching your guardrail restrictions and data policy."), Blame.MODEL),
    (told(404, message="No allowed providers are available for the selected model.", code=404), Blame.MODEL),
    # A model that is there, and not for this key, plan or version
    (told(400, message="API version not supported", code="BadRequest"), Blame.MODEL),
    (told(403, message="No access to model: vendor/m", code="no_access"), Blame.MODEL),
    (flat(403, message="Model access is denied due to IAM user or service role is not authorized"), Blame.MODEL),
    (told(403, message="Access to model denied. Please make sure you are eligible.", code="AccessDenied.Unpurchased"),
     Blame.MODEL),
    (flat(403, error="this model requires a subscription, upgrade for access: https://ollama.com/upgrade"), Blame.MODEL),
    (flat(400, error={"message": 'Failed to load model "m". Error: insufficient system resources.'}), Blame.MODEL),
    (told(403, message="team not allowed to access model. This team can only access models=['a']. Tried to access b",
          type="team_model_access_denied", param="model"), Blame.MODEL),
    (flat(400, success=False, errors=[{"code": 7003, "message": "Could not route to /accounts/x/ai/v1/chat/completions"}]),
     Blame.MODEL),
    (flat(403, code=30003, message="Model disabled.", data=None), Blame.MODEL),
    (told(403, message="You are not allowed to sample from this model", type="invalid_request_error"), Blame.MODEL),
    # Keys in a 400 or 403
    (told(403, message="Your API key was reported as leaked. Please use another API key."), Blame.KEY),
    (flat(403, code="The caller does not have permission", error="API key is currently disabled: k***"), Blame.KEY),
    (told(400, message="Authentication Error, Expired Key", type="expired_key", code="400"), Blame.KEY),
    # What is left of an account, and what comes back by itself
    (told(429, message="该API的调用次数已达到今日限额，如有更多需求，请联系客服购买。", code="1304"), Blame.ACCOUNT),
    (told(429, message="Your account [1] has exhausted its free trial quota for the model.", code="QuotaExceeded"),
     Blame.ACCOUNT),
    (flat(403, detail={"error": "inference prohibited, please enter a Payment Method or top up your account"}),
     Blame.ACCOUNT),
    (told(403, message="AI Gateway requires a valid credit card on file to service requests."), Blame.ACCOUNT),
    (told(429, message="Allocated quota exceeded, please increase your quota limit.", code="insufficient_quota"),
     Blame.BUSY),
    (told(429, message="You exceeded your current quota, please check your plan. For details, see: "
                       "https://help.aliyun.com/en/model-studio/error-code#token-limit", code="insufficient_quota"), Blame.BUSY),
    (flat(400, detail="Function id 'f' version 'v': DEGRADED function cannot be invoked"), Blame.BROKEN),
    (told(429, message="No deployments available for selected model, Try again in 5 seconds. cooldown_list=[('x', "
                       "{'exception_received': 'AuthenticationError: Incorrect API key provided'})]"), Blame.BUSY),
    # A question that speaks of such things
    (told(400, message="messages: api version not supported, said the user"), Blame.QUESTION),
    (flat(422, detail=[{"loc": ["body", "x"], "msg": "no", "input": "please enter a Payment Method"}]), Blame.QUESTION),
])  # fmt: skip
def test_whose_failure_it_is_today(error, expected):
    assert blame(error) is expected


@pytest.mark.parametrize(("status", "body", "expected"), [
    (400, openai("Argument not supported on this model: stop"), NO_STOP),
    (400, openai("invalid temperature: only 1 is allowed for this model"), NO_TEMPERATURE),
    (400, {"message": "Malformed input request: #: extraneous key [seed] is not permitted, please reformat it"}, NO_SEED),
    (400, {"error_code": "BAD_REQUEST", "message": 'Bad request: json: unknown field "seed"\n'}, NO_SEED),
    (400, openai("litellm.UnsupportedParamsError: groq does not support parameters: ['seed'], for model=m. To drop these, "
                 "set `litellm.drop_params=True`"), NO_SEED),
    (400, {"message": "Unsupported JSON schema fields: 'maxLength'", "param": "response_format"}, PLAIN),
    (422, {"error": "Input validation error: grammar is not supported", "error_type": "validation"}, PLAIN),
    (400, {"object": "error", "message": "Failed to compile json grammar: unsupported keyword maxLength"}, PLAIN),
    (404, openai(f"No endpoints found that support tool use. {ROUTED}"), None),
    (404, openai("model m was not found, seed is not supported"), None),
])  # fmt: skip
def test_what_is_learnt_today(status, body, expected):
    assert refused(status, body) == expected


def test_a_router_that_names_no_parameter_is_asked_with_fewer():
    body = openai(f"No endpoints found that can handle the requested parameters. {ROUTED}")
    learnt, rules = [], {}
    while (change := refused(404, body, **rules)) is not None:
        learnt.append(change)
        rules |= change
    assert learnt[:2] == [NO_SEED, NO_STOP] and OBJECT in learnt and NO_TEMPERATURE in learnt
    assert rules.get("extra") is None and len(learnt) <= 12


def test_a_long_answer_that_needs_a_stream_keeps_its_length():
    body = openai("Requests with max_tokens > 40 must have stream=true")
    assert refused(400, body) == {"extra": {"stream": True, "stream_options": {"include_usage": True}}}
    assert refused(400, body, extra={"stream": True}) == {"most_tokens": 40}


def test_openais_own_quota_still_ends_the_job():
    said = "You exceeded your current quota, please check your plan and billing details."
    assert blame(read_error(429, json.dumps(openai(said, code="insufficient_quota")).encode())) is Blame.ACCOUNT
