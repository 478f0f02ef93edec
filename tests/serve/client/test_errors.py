"""Errors as servers write them: whose failure each is, in whatever form it comes, and the words that a person needs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.client.errors import Blame, blame, error_in, error_of, read_error

PAGE = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>Request 7f3 was stopped</body></html>"


def told(status: int, /, **error: object) -> object:
    return read_error(status, json.dumps({"error": error}).encode())


def flat(status: int, /, **error: object) -> object:
    return read_error(status, json.dumps(error).encode())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (told(401, message="wrong"), Blame.KEY),
        (told(400, message="API key not valid. Please pass a valid one.", status="INVALID_ARGUMENT"), Blame.KEY),
        (told(402, message="pay first"), Blame.ACCOUNT),
        (told(403, type="billing_error", message="An invoice is open"), Blame.ACCOUNT),
        (told(429, message="You have reached your monthly budget of 20 dollars"), Blame.ACCOUNT),
        (told(429, message="Account suspended: the last payment failed"), Blame.ACCOUNT),
        (flat(403, message="Missing Authentication Token"), Blame.KEY),
        (flat(403, __type="ExpiredTokenException", message="The security token included in the request is expired"), Blame.KEY),
        (told(403, message="Permission denied: API key not valid"), Blame.KEY),
        (flat(403, __type="AccessDeniedException", message="You don't have access to the model with this ID."), Blame.MODEL),
        (flat(400, __type="ThrottlingException", message="Rate exceeded"), Blame.BUSY),
        (told(400, type="engine_overloaded_error", message="The engine is overloaded"), Blame.BUSY),
        (told(400, type="invalid_request_error", message="rate_limit_error is no parameter"), Blame.QUESTION),
        (told(429, message="You exceeded it", code="insufficient_quota"), Blame.ACCOUNT),
        (told(429, message="You exceeded it", type="insufficient_quota"), Blame.ACCOUNT),
        (told(400, type="invalid_request_error", message="Your credit balance is too low to access this"), Blame.ACCOUNT),
        (told(403, message="Key limit exceeded (total limit)"), Blame.ACCOUNT),
        (told(429, message="slow", status="RESOURCE_EXHAUSTED",
              details=[{"violations": [{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}]}]), Blame.ACCOUNT),
        (told(429, message="slow", details=[{"violations": [{"quotaId": "GenerateRequestsPerMinute"}]}]), Blame.BUSY),
        (told(429, message="Rate limit reached", code="rate_limit_exceeded"), Blame.BUSY),
        (told(429, message="Request too large for m on tokens per min: Limit 30000, Requested 41000"), Blame.QUESTION),
        (told(529, type="overloaded_error", message="Overloaded"), Blame.BUSY),
        (told(403, message="Your input was flagged", metadata={"reasons": ["violence"]}), Blame.QUESTION),
        (told(403, message="not for you"), Blame.FORBIDDEN),
        (read_error(403, PAGE), Blame.FORBIDDEN),
        (read_error(502, PAGE), Blame.BROKEN),
        (told(400, message="The response was filtered", code="content_filter"), Blame.QUESTION),
        (told(400, message="maximum context length is 2048 tokens"), Blame.QUESTION),
        (told(413, message="too large"), Blame.QUESTION),
        (read_error(422, json.dumps({"detail": [{"loc": ["body", "x"], "msg": "no", "input": "invalid_api_key"}]}).encode()),
         Blame.QUESTION),
        (told(404, message="no such model"), Blame.MODEL),
        (told(500, message="oops"), Blame.BROKEN),
        (told(400, message="API key expired. Please renew the API key.", status="INVALID_ARGUMENT"), Blame.KEY),
        (flat(400, code="Client specified an invalid argument", error="Incorrect API key provided: xa***."), Blame.KEY),
        (told(401, message="You exceeded your current quota", code="insufficient_quota"), Blame.ACCOUNT),
        (told(403, message="You have either used all available credits or reached the monthly spending limit"), Blame.ACCOUNT),
        (told(412, message="Account a is suspended, possibly due to reaching the monthly spending limit"), Blame.ACCOUNT),
        (told(403, code="AllocationQuota.FreeTierOnly", message="The free tier of the model has been exhausted."), Blame.ACCOUNT),
        (told(429, type="exceeded_current_quota_error", message="Your account org-1 is suspended"), Blame.ACCOUNT),
        (told(400, code="Arrearage", message="Access denied, please make sure your account is in good standing."), Blame.ACCOUNT),
        (flat(403, code=30001, message="Sorry, your account balance is insufficient", data=None), Blame.ACCOUNT),
        (flat(403, code=403, reason="NOT_ENOUGH_BALANCE", message="not enough balance"), Blame.ACCOUNT),
        (told(429, code="1113", message="余额不足"), Blame.ACCOUNT),
        (told(429, message="Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more"), Blame.ACCOUNT),
        (told(429, message="Quota exceeded for metric: free_tier_requests, limit: 0, model: m"), Blame.ACCOUNT),
        (told(403, message="Your prepaid balance has been depleted."), Blame.ACCOUNT),
        (told(403, message="Wallet is empty; top up to continue"), Blame.ACCOUNT),
        (told(429, message="Organization budget exhausted for November"), Blame.ACCOUNT),
        (told(400, message="Billing account disabled; please contact sales"), Blame.ACCOUNT),
        (told(400, message="API Key not found. Please pass a valid API key.", status="INVALID_ARGUMENT"), Blame.KEY),
        (told(400, message="model 'm' is not deployed in this region"), Blame.MODEL),
        (read_error(402, b"<html>Payment Required</html>"), Blame.ACCOUNT),
        (read_error(402, b"Payment Required"), Blame.ACCOUNT),
        (read_error(403, b"insufficient credits"), Blame.ACCOUNT),
        (told(429, code="rate_limit_exceeded", message="Rate limit reached on requests per min. Please add a payment method to "
                                                       "increase your limits."), Blame.BUSY),
        (told(429, message="Quota exceeded for metric: requests, limit: 20, model: m"), Blame.BUSY),
        (told(429, message="Service tier capacity exceeded for this model.", code="3505"), Blame.BUSY),
        (read_error(429, b"<html><title>You are being rate limited</title>out of credits</html>"), Blame.BUSY),
        (read_error(429, b"Too Many Requests"), Blame.BUSY),
        (told(498, message="Flex tier capacity exceeded"), Blame.BUSY),
        (told(503, message="Loading model", type="unavailable_error"), Blame.BUSY),
        (flat(503, error="Model m is currently loading", estimated_time=20.0), Blame.BUSY),
        (told(403, message='Your input was flagged for "harassment". No credits were charged.', metadata={"flagged_input": "x"}),
         Blame.QUESTION),
        (told(403, message="Input token count + max_tokens must be less than the context length of the model"), Blame.QUESTION),
        (told(400, message="[{'loc': ('body', 'x'), 'msg': 'no', 'input': '" + "x" * 300 + " insufficient_funds'}]"), Blame.QUESTION),
        (told(400, message="Content Exists Risk"), Blame.QUESTION),
        (told(501, message="not for this model"), Blame.QUESTION),
        (told(400, message="m is not a valid model ID"), Blame.MODEL),
        (told(400, message="Model Not Exist"), Blame.MODEL),
        (told(400, message="Invalid model: m", type="invalid_model", code="1500"), Blame.MODEL),
        (told(403, message="Project `p` does not have access to model `m`", code="model_not_found"), Blame.MODEL),
        (told(400, code="model_decommissioned", message="The model `m` has been decommissioned"), Blame.MODEL),
        (told(400, message="This model does not support tools"), Blame.QUESTION),
        (read_error(405, b"Method Not Allowed"), Blame.MODEL),
        (flat(424, error="Request failed during generation", error_type="generation"), Blame.BROKEN),
        (read_error(520, PAGE), Blame.BROKEN),
        (read_error(0, b""), Blame.BROKEN),
    ],
)  # fmt: skip
def test_whose_failure_it_is(error, expected):
    assert blame(error) is expected


@pytest.mark.parametrize(
    ("body", "words", "param"),
    [
        ({"error": {"message": "m", "param": "seed"}}, "m", "seed"),
        ({"error": "plain"}, "plain", ""),
        ({"message": "top", "object": "error"}, "top", ""),
        ([{"error": {"message": "listed"}}], "listed", ""),
        ({"detail": "short"}, "short", ""),
        ({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, "seed", "seed"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "Extra"}]}}, "Extra", "seed"),
        ({"type": "error", "error": {"type": "api_error", "message": "inner"}}, "inner", ""),
        ({"errors": [{"message": "first"}]}, "first", ""),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": "the upstream is full"}}},
            "the upstream is full",
            "",
        ),
        (
            {"error": {"message": "outer", "metadata": {"raw": '{"error": {"message": "inner", "param": "seed"}}'}}},
            "inner",
            "seed",
        ),
        ({"error": {"message": 'wrapped - {"error": {"message": "inner", "param": "stop"}}'}}, "inner", "stop"),
        ({"error": {"message": "bad", "details": [{"fieldViolations": [{"field": "seed"}]}]}}, "bad", "seed"),
        (
            {"statusCode": 400, "error": "Bad Request", "message": ["property seed should not exist"]},
            "should not exist",
            "",
        ),
        ({"message": "[{'type': 'x', 'loc': ('body', 'seed'), 'msg': 'no'}]"}, "no", "seed"),
        ({"code": 7, "msg": "short words"}, "short words", ""),
    ],
)
def test_the_words_of_every_form(body, words, param):
    error = read_error(400, json.dumps(body).encode())
    assert words in error.words and error.param == param and error.status == 400


def test_a_page_is_told_by_its_title():
    error = read_error(403, PAGE)
    assert error.html and error.words == "a web page, 'Access denied'"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "m", "code": 503}, 503),
        ({"message": "m", "code": "429"}, 429),
        ({"type": "overloaded_error", "message": "m"}, 529),
        ({"message": "Rate limit exceeded"}, 429),
        ({"code": "context_length_exceeded", "message": "m"}, 400),
        ("who knows", 500),
        ("rate limit reached", 429),
        ({"message": "insufficient balance", "type": "api_error"}, 402),
    ],
)
def test_an_error_inside_a_200_has_the_status_that_it_means(error, status):
    assert error_of(error).status == status


def test_what_a_router_says_inside_a_200_is_an_error():
    body = {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}
    assert error_of(error_in(body)).status == 402
    assert error_in({"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}}) is None


@given(st.binary(), st.integers(0, 600))
def test_any_body_is_an_error_of_one_line(body, status):
    error = read_error(status, body)
    assert isinstance(blame(error), Blame)
    assert "\n" not in error.words and len(error.words) <= 500
    error.words.encode()


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "message", "detail", "code", "loc"]), inner)))  # fmt: skip
def test_any_json_is_read(value):
    found = error_in(value)
    if found is not None:
        assert error_of(found).status
