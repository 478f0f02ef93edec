"""The gateway before a stub of the endpoint: who gets in, what goes through, and what hostile clients get."""

import json
import socket
import threading
import time
from datetime import UTC, datetime

import openai
import pytest

from serve.gateway.keys import read_usage, revoke_key
from serve.gateway.limits import Limits
from tests.serve.stub import error_of, running_gateway, until

QUESTION = [{"role": "user", "content": "hello"}]
JSON = {"Content-Type": "application/json"}


# Who gets in


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/models/wavecoder"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/embeddings"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/v1/chat/completions"),
        ("DELETE", "/"),
        ("GET", "/docs"),
        ("GET", "/-/routes"),
        ("GET", "/health/"),
    ],
)
def test_every_route_asks_for_a_key(shared, upstream_seen, method, path):
    for authorization in (None, "Bearer", "Bearer wc-0-0", "Basic Zm9v", f"Bearer {shared.secret}x", shared.secret):
        headers = {"Authorization": authorization or ""}
        refused = shared.client.request(method, path, headers=headers)
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
    assert not upstream_seen()


def test_health_needs_none(shared):
    response = shared.client.get("/health", headers={"Authorization": ""})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_an_openai_client_talks_to_it_whole_and_streaming(gateway, upstream):
    running = gateway()
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.secret) as client:
        assert [model.id for model in client.models.list().data] == ["wavecoder", "org/other"]
        assert client.models.retrieve("org/other").id == "org/other"
        answer = client.chat.completions.create(model="wavecoder", messages=QUESTION)
        assert answer.choices[0].message.content == "one two three"
        for options in ({}, {"stream_options": {"include_usage": True}}):
            stream = client.chat.completions.create(model="wavecoder", messages=QUESTION, stream=True, **options)
            chunks = list(stream)
            text = "".join(chunk.choices[0].delta.content for chunk in chunks if chunk.choices)
            assert text == "one two three"
            assert [chunk.usage.total_tokens for chunk in chunks if not chunk.choices] == ([10] if options else [])
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("wavecoder/../x")
    assert running.chat().headers["x-request-id"]
    assert {path for path, _, _ in upstream.seen} == {"/v1/chat/completions"}


def test_a_key_is_held_to_its_models_and_routes(gateway):
    running = gateway()
    narrow = running.new_key(models=("org/other",), routes=("models", "chat"))
    bearer = {"Authorization": f"Bearer {narrow}"}
    assert [model["id"] for model in running.client.get("/v1/models", headers=bearer).json()["data"]] == ["org/other"]
    assert "/disk/model" not in running.client.get("/v1/models").text  # where vLLM's weights lie
    assert error_of(running.client.get("/v1/models/wavecoder", headers=bearer)) == (404, "model_not_found")
    assert error_of(running.chat(secret=narrow)) == (404, "model_not_found")
    assert running.chat(secret=narrow, model="org/other").status_code == 200
    assert error_of(running.client.post("/v1/completions", headers=bearer)) == (403, "route_not_allowed")
    assert error_of(running.client.get("/metrics", headers=bearer)) == (403, "route_not_allowed")


def test_a_key_ends_when_it_is_revoked_or_expires(gateway):
    running = gateway()
    assert error_of(running.chat(secret=running.new_key(expires=datetime.now(UTC)))) == (401, "invalid_api_key")
    assert running.chat().status_code == 200
    revoke_key(running.keys, running.key.id)
    assert error_of(running.chat()) == (401, "invalid_api_key")


def test_limits_answer_429_and_say_when(gateway, upstream):
    running = gateway()
    slow = running.new_key(limits=Limits(requests_per_minute=1))
    assert running.chat(secret=slow).status_code == 200
    refused = running.chat(secret=slow)
    assert error_of(refused) == (429, "rate_limit_exceeded")
    assert 50 < int(refused.headers["retry-after"]) <= 60
    poor = running.new_key(limits=Limits(tokens_total=38))
    assert running.chat(secret=poor, max_tokens=1000).status_code == 429  # it might use them
    request = {"secret": poor, "max_tokens": 1}
    upstream.error = (500, "boom", {})
    assert running.chat(**request).status_code == 502  # costs nothing
    upstream.error = None
    assert [running.chat(**request).status_code for _ in range(2)] == [200, 429]
    small = running.new_key(limits=Limits(tokens_per_minute=50))
    assert error_of(running.chat(secret=small)) == (400, "request_exceeds_limit")  # it named no max_tokens


def test_quotas_outlive_the_gateway(gateway, upstream, tmp_path):
    with running_gateway(upstream.url, tmp_path) as first:
        secret = first.new_key(limits=Limits(tokens_total=60))
        assert first.chat(secret=secret, max_tokens=10).status_code == 200
    (used,) = [account["total_tokens"] for account in read_usage(first.keys).values()]
    assert used == 10
    second = gateway()
    assert second.chat(secret=secret, max_tokens=16).status_code == 200
    assert error_of(second.chat(secret=secret, max_tokens=16)) == (429, "insufficient_quota")


# What goes through


def test_only_the_checked_body_goes_further(gateway, upstream):
    running = gateway()
    smuggled = {
        "x-request-id": "mine", "x-request-timeout-seconds": "1", "x-request-disconnect-disabled": "?1",
        "serve_multiplexed_model_id": "other", "x-forwarded-for": "1.2.3.4", "cookie": "a=b", "origin": "http://evil",
    }  # fmt: skip
    body = b'{"model": "wavecoder", "model": "org/other", "messages": [{"role": "user", "content": "hi"}]}'
    response = running.client.post("/v1/chat/completions?x=1", content=body, headers=JSON | smuggled)
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control")]
    ((path, sent, headers),) = upstream.seen
    headers = {name.lower(): value for name, value in headers.items()}
    assert path == "/v1/chat/completions"
    assert sent["model"] == "org/other"
    assert headers.pop("x-request-id") == response.headers["x-request-id"] != "mine"
    assert set(headers) <= {"host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}
    assert running.secret not in json.dumps(headers)


def test_a_stream_comes_as_it_is_made(gateway, upstream):
    running, upstream.pause_s = gateway(), 0.3
    begun, times = time.monotonic(), []
    body = {"model": "wavecoder", "messages": QUESTION, "stream": True}
    with running.client.stream("POST", "/v1/chat/completions", json=body) as response:
        times = [time.monotonic() - begun for line in response.iter_lines() if "delta" in line]
    assert times[1] - times[0] > 0.15
    assert times[2] - times[1] > 0.15


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_vanishes_frees_its_slot(gateway, upstream, access_log, stream):
    running, upstream.pause_s = gateway(max_in_flight=1), 30.0
    body = json.dumps({"model": "wavecoder", "messages": QUESTION, "stream": stream, "max_tokens": 20}).encode()
    with (
        running.client.stream("POST", "/v1/completions", content=body, headers=JSON)
        if stream
        else Vanishing(running, body)
    ):
        until(lambda: upstream.under_way == 1)
        assert error_of(running.chat()) == (429, "overloaded")
    until(lambda: upstream.gone == 1 and upstream.under_way == 0)
    upstream.pause_s = 0
    until(lambda: running.chat().status_code == 200)
    (line,) = [line for line in access_log() if line["outcome"] == "client_gone"]
    assert line["status"] == 499
    assert line["stream"] is stream


class Vanishing:
    """A client that sends a request and closes without reading."""

    def __init__(self, running, body):
        self.connection = socket.create_connection(("127.0.0.1", running.port))
        self.connection.sendall(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ((400, '{"error": {"message": "prompt too long", "param": "messages"}}', {}), (400, "invalid_request")),
        (
            (400, '{"error": {"message": "Message: no. (Request ID: 1), Internal exception: ray.x"}}', {}),
            (400, "invalid_request"),
        ),
        ((422, '{"detail": []}', {}), (400, "invalid_request")),
        ((404, '{"error": {"message": "no such model"}}', {}), (404, "model_not_found")),
        ((404, '{"detail": "Not Found"}', {}), (404, "unsupported_url")),  # of a model that is listed
        ((405, "", {}), (404, "unsupported_url")),
        ((429, "busy", {"Retry-After": "7"}), (429, "overloaded")),
        ((500, "Traceback: secret/path.py", {}), (502, "upstream_error")),
        ((503, "", {}), (503, "unavailable")),
        ((408, "Request timed out", {}), (504, "timeout")),
        ((302, "", {"Location": "http://127.0.0.1:1/"}), (502, "upstream_error")),
    ],
)
def test_the_engines_errors_are_told_without_its_insides(shared, error, expected):
    shared.upstream.error = error
    response = shared.chat()
    shared.upstream.error = None
    assert error_of(response) == expected
    assert "Traceback" not in response.text
    assert "Internal" not in response.text
    assert response.headers.get("retry-after") == ("7" if expected[0] == 429 else "1" if expected[0] == 503 else None)


def test_an_engine_that_breaks_off_ends_the_stream_with_an_error(gateway, upstream):
    running, upstream.break_after = gateway(), 2
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.secret, max_retries=0) as client:
        stream = client.chat.completions.create(model="wavecoder", messages=QUESTION, stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            list(stream)


def test_an_engine_that_is_not_there_or_too_slow(gateway, upstream):
    upstream.pause_s = 30.0
    slow = gateway(request_timeout_s=0.2)
    assert error_of(slow.chat()) == (504, "timeout")
    until(lambda: upstream.under_way == 0)  # and it is not left working
    good, upstream.url = upstream.url, "http://127.0.0.1:9/v1"
    gone = gateway()
    upstream.url = good
    assert error_of(gone.chat()) == (502, "upstream_unavailable")
    assert error_of(gone.client.get("/v1/models")) == (502, "upstream_unavailable")


def test_many_clients_at_once_some_vanishing_all_get_their_answer(gateway, upstream, access_log):
    running, upstream.pause_s = gateway(), 0.05
    texts = []

    def ask(number):
        body = {"model": "wavecoder", "messages": QUESTION, "stream": True}
        with running.client.stream("POST", "/v1/chat/completions", json=body) as response:
            lines = response.iter_lines()
            if number % 3 == 0:
                next(lines)
                return
            texts.append("".join(line for line in lines))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(45)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 30
    assert len(set(texts)) == 1
    assert texts[0].endswith("data: [DONE]")
    until(lambda: upstream.under_way == 0)
    until(lambda: len(access_log()) == 45)
    operator = {"Authorization": f"Bearer {running.new_key(routes=('metrics',))}"}
    exposition = running.client.get("/metrics", headers=operator).text
    assert "wavecoder_gateway_in_flight 0.0" in exposition


def test_embeddings_are_of_text_and_tokens(shared, upstream_seen):
    part = [{"type": "image_url", "image_url": {"url": "http://x/"}}]
    for body in ({"messages": [{"role": "user", "content": part}]}, {"input": part}, {"input": [part]}):
        response = shared.client.post("/v1/embeddings", json={"model": "wavecoder"} | body)
        assert error_of(response) == (400, "unsupported_content")
    assert not upstream_seen()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "invalid_json"),
        ("[]", "invalid_json"),
        ("{", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ('{"model": NaN}', "invalid_json"),
        ('{"n": ' + "1" * 5000 + "}", "invalid_json"),
        ('{"temperature": 1e999}', "invalid_json"),
        ('{"model": "wavecoder", "messages": [{"role": "user", "content": "\\ud800"}]}', "invalid_json"),
        ({"model": None}, "missing_model"),
        ({"model": ["wavecoder"]}, "missing_model"),
        ({"messages": "hi"}, "invalid_messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}]},
         "unsupported_content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "image_url": {"url": "http://x/"}}]}]},
         "unsupported_content"),
        ({"stream": 1}, "invalid_value"),  # true to vLLM
        ({"stream": True, "stream_interval": 1000}, "unknown_field"),  # a thousand tokens in an event
        ({"chat_template": "{{ 1 }}"}, "unknown_field"),
        ({"priority": -5}, "unknown_field"),
        ({"prompt_embeds": "gAR9"}, "unknown_field"),  # a pickle, once
        ({"logits_processors": ["os.system"]}, "unknown_field"),
        ({"n": 1000}, "too_many_choices"),
        ({"best_of": 1000}, "too_many_choices"),
        ({"n": True}, "invalid_value"),
        ({"prompt": ["x"] * 100}, "too_many_choices"),
        ({"max_tokens": -1}, "invalid_value"),
        ({"max_tokens": "9"}, "invalid_value"),
        ({"stream": True, "stream_options": 3}, "invalid_value"),
    ],
)  # fmt: skip
def test_a_body_is_checked(shared, upstream_seen, body, code):
    if isinstance(body, dict):
        body = json.dumps({"model": "wavecoder", "messages": QUESTION} | body)
    response = shared.client.post("/v1/chat/completions", content=body, headers=JSON)
    assert error_of(response) == (400, code)
    assert not upstream_seen()


def test_the_gateways_token_limit_counts_all_choices_and_is_written_in(gateway, upstream):
    running = gateway(max_tokens=100)
    assert error_of(running.chat(max_tokens=101)) == (400, "max_tokens_exceeded")
    assert error_of(running.chat(max_completion_tokens=60, n=2)) == (400, "max_tokens_exceeded")
    assert running.chat(n=2).status_code == 200
    assert upstream.seen[-1][1]["max_tokens"] == 50


# Logs


def test_the_access_log_holds_neither_prompts_nor_keys(gateway, access_log, tmp_path):
    running = gateway()
    running.chat(messages=[{"role": "user", "content": "my secret plan"}])
    running.client.get("/nowhere?key=abc", headers={"Authorization": "Bearer sk-mistyped"})
    until(lambda: len(access_log()) == 2)
    text = (tmp_path / "access.jsonl").read_text()
    for secret in ("my secret plan", running.secret.split("-", 2)[2], "sk-mistyped", "key=abc"):
        assert secret not in text
    first, second = sorted(access_log(), key=lambda line: line["status"])
    assert (first["key"], first["status"], first["model"]) == (running.key.id, 200, "wavecoder")
    assert (first["prompt_tokens"], first["completion_tokens"]) == (7, 3)
    assert (second["status"], second["outcome"]) == (401, "invalid_api_key")


def test_prompts_are_logged_when_asked_for(gateway, access_log):
    running = gateway(log_prompts=True)
    running.chat(messages=[{"role": "user", "content": "my plan"}])
    until(access_log)
    assert "my plan" in access_log()[0]["request"]


# Without keys


def test_without_keys_this_machine_is_served_and_pages_of_strangers_are_not(gateway):
    running = gateway(keys=False)
    assert running.chat().status_code == 200
    assert running.client.get("/v1/models", headers={"Host": "localhost:8000"}).status_code == 200
    for host in ("evil.example:8000", "127.0.0.1.evil.example", "", "10.0.0.1"):
        assert error_of(running.client.get("/v1/models", headers={"Host": host})) == (403, "host_not_allowed")
    body = json.dumps({"model": "wavecoder", "messages": QUESTION})
    simple = running.client.post("/v1/chat/completions", content=body, headers={"Content-Type": "text/plain"})
    assert error_of(simple) == (415, "unsupported_media_type")  # what a form of another site could send


def test_without_keys_hosts_of_containers_are_answered_where_they_are_named(gateway):
    running = gateway(keys=False, hosts=("host.docker.internal", "0.0.0.0"))
    for host in ("host.docker.internal:8000", "HOST.docker.internal", "0.0.0.0:8000", "localhost"):
        assert running.client.get("/v1/models", headers={"Host": host}).status_code == 200
    refused = running.client.get("/v1/models", headers={"Host": "evil.example:8000"})
    assert error_of(refused) == (403, "host_not_allowed")
    assert "'evil.example', too, name it in serve.gateway.hosts" in refused.json()["error"]["message"]
