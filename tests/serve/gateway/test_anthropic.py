"""Anthropic's client talks to the gateway before a stub of the endpoint."""

import anthropic
import pytest

from serve.gateway.limits import Limits
from tests.serve.stub import until

pytestmark = [pytest.mark.slow, pytest.mark.engine]  # no engine starts, but vLLM is imported

HELLO = {"model": "wavecoder", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def talking(gateway, upstream):
    """A gateway and Anthropic's client of it."""
    running, upstream.with_role = gateway(), True
    with anthropic.Anthropic(base_url=running.url, api_key=running.secret, max_retries=0, timeout=60) as client:
        yield running, client


def test_whole_and_streaming_with_its_own_key_header(talking, upstream, access_log):
    _, client = talking
    answer = client.messages.create(**HELLO, system="Be short.", stop_sequences=["END"])
    assert (answer.content[0].text, answer.stop_reason) == ("one two three", "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 3)
    ((path, sent, headers),) = upstream.seen
    assert path == "/v1/chat/completions"
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert (sent["max_tokens"], sent["stop"]) == (20, ["END"])
    assert "x-api-key" not in {name.lower() for name in headers}
    with client.messages.stream(**HELLO) as stream:
        assert list(stream.text_stream) == ["one ", "two ", "three"]
        assert stream.get_final_message().usage.output_tokens == 3
    until(lambda: len(access_log()) == 2)
    assert [(line["path"], line["completion_tokens"]) for line in access_log()] == [("/v1/messages", 3)] * 2


def test_errors_are_anthropics(talking, upstream):
    running, client = talking
    with pytest.raises(anthropic.AuthenticationError, match="authentication_error"):
        client.with_options(api_key="wc-0-0").messages.create(**HELLO)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        client.messages.create(**HELLO | {"max_tokens": 0})
    image = {"type": "image", "source": {"type": "url", "url": "http://127.0.0.1/x.png"}}
    with pytest.raises(anthropic.BadRequestError, match="only text"):
        client.messages.create(**HELLO | {"messages": [{"role": "user", "content": [image]}]})
    with pytest.raises(anthropic.BadRequestError, match="cache_salt"):
        client.messages.create(**HELLO, extra_body={"cache_salt": "x"})
    narrow = client.with_options(api_key=running.new_key(models=("org/other",)))
    with pytest.raises(anthropic.NotFoundError):
        narrow.messages.create(**HELLO)
    poor = client.with_options(api_key=running.new_key(limits=Limits(tokens_total=30)))
    with pytest.raises(anthropic.RateLimitError):
        poor.messages.create(**HELLO | {"max_tokens": 1000})
    assert not upstream.seen
    upstream.break_after = 2
    with pytest.raises(anthropic.APIError, match="broke off"), client.messages.stream(**HELLO) as stream:
        list(stream.text_stream)


def test_two_different_keys_are_one_too_many(gateway):
    running = gateway()
    answer = running.client.post("/v1/messages", json=HELLO, headers={"x-api-key": "wc-0-0"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
