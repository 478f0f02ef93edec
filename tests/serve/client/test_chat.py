"""What the client makes of an endpoint's manners: each refusal, delay and oddity that HTTP can bring."""

import asyncio
import json
import pickle
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.chat import ChatRequest
from serve.client.chat import GIVEN_UP_IN_A_ROW, ChatClient
from serve.client.settings import EndpointConfig

ANSWER = {
    "id": "1", "object": "chat.completion", "created": 0, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4,
              "prompt_tokens_details": {"cached_tokens": 2}},
}  # fmt: skip


@pytest.fixture
def endpoint():
    """An HTTP server that gives `replies` (status, body) one after another, the last for ever, and keeps what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((json.loads(body), self.headers.get("Authorization")))
            status, reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Retry-After", server.retry_after)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.replies, server.asked, server.retry_after = [(200, ANSWER)], [], "0"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server, **settings):
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    client = ChatClient(EndpointConfig(url=url, **({"max_retries": 2} | settings)))
    messages = [{"role": "user", "content": "hi"}]
    return asyncio.run(client(ChatRequest("m", messages, 5, seed=7, schema={"type": "object"})))


def test_an_answer_and_what_was_asked(endpoint):
    answer = ask(endpoint)
    assert 0 <= answer.pop("seconds") < 10
    assert answer == {
        "text": "hello",
        "reasoning": "",
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "cached_tokens": 2,
        "cache_written_tokens": 0,
        "completion_tokens": 1,
        "reasoning_tokens": 0,
        "error": "",
        "blame": "",
    }
    body, key = endpoint.asked[0]
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (body["seed"], body["temperature"], body["max_tokens"]) == (7, 0.0, 5)
    assert "stop" not in body
    assert key == "Bearer none"


def test_a_busy_endpoint_is_asked_again(endpoint):
    endpoint.replies = [(429, {}), (503, {}), (200, ANSWER)]
    assert ask(endpoint)["text"] == "hello"
    assert len(endpoint.asked) == 3


def test_a_question_that_it_refuses_is_data(endpoint):
    endpoint.replies = [(400, {"error": {"message": "too long"}})]
    answer = ask(endpoint)
    assert answer["text"] == ""
    assert answer["error"].startswith("the endpoint says 400: ")
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(endpoint, form):
    endpoint.retry_after = (
        "1.2" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    )
    endpoint.replies = [(429, {}), (200, ANSWER)]
    begun = time.monotonic()
    assert ask(endpoint)["text"] == "hello"
    assert time.monotonic() - begun > 1.1
    assert len(endpoint.asked) == 2


def test_an_endpoint_that_wants_to_be_left_alone_for_long_ends_the_job(endpoint):
    endpoint.replies, endpoint.retry_after = [(429, {})], "86400"
    with pytest.raises(ConnectionError, match="left alone for 86400 s"):
        ask(endpoint)


def test_a_quota_that_is_used_up_and_a_model_that_is_unknown_end_the_job(endpoint):
    endpoint.replies = [(429, {"error": {"code": "insufficient_quota"}})]
    with pytest.raises(PermissionError, match="quota is used up"):
        ask(endpoint)
    assert len(endpoint.asked) == 1
    endpoint.replies = [(404, {"error": "no such model"})]
    with pytest.raises(ValueError, match="knows no model 'm'"):
        ask(endpoint)


def test_an_endpoint_that_cannot_be_reached_ends_the_job():
    client = ChatClient(EndpointConfig(url="http://127.0.0.1:9/v1", max_retries=0))
    with pytest.raises(ConnectionError, match="no answer from http"):
        asyncio.run(client(ChatRequest("m", [], 1)))
    with pytest.raises(ValueError, match="no URL"):
        asyncio.run(ChatClient(EndpointConfig(url="nonsense"))(ChatRequest("m", [], 1)))


def test_a_question_at_which_an_endpoint_fails_is_data_until_it_fails_at_all_of_them(endpoint):
    endpoint.replies = [(500, {})]
    client = ChatClient(EndpointConfig(url=f"http://127.0.0.1:{endpoint.server_address[1]}/v1", max_retries=0))

    async def ask_many():
        answers = [await client(ChatRequest("m", [], 1)) for _ in range(GIVEN_UP_IN_A_ROW - 1)]
        with pytest.raises(ConnectionError, match="says 500"):
            await client(ChatRequest("m", [], 1))
        return [answer["error"] for answer in answers]

    assert asyncio.run(ask_many()) == ["the endpoint says 500: {}"] * (GIVEN_UP_IN_A_ROW - 1)


def test_the_key_comes_from_the_environment_and_is_never_told(endpoint, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "s3cret")
    assert ask(endpoint, api_key_env="SOME_KEY")["text"] == "hello"
    assert endpoint.asked[-1][1] == "Bearer s3cret"
    endpoint.replies = [(401, {"error": {"message": "no"}})]
    with pytest.raises(PermissionError, match="SOME_KEY") as caught:
        ask(endpoint, api_key_env="SOME_KEY")
    assert "s3cret" not in str(caught.value)
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(PermissionError, match="which is not set"):
        ask(endpoint, api_key_env="SOME_KEY")


def test_a_client_travels_without_its_connections(endpoint):
    client = ChatClient(EndpointConfig(url="http://127.0.0.1:9/v1"))

    async def travel():
        client._connected()
        return pickle.loads(pickle.dumps(client))

    assert asyncio.run(travel())._session is None
