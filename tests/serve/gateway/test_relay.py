"""Engines that misbehave: what OpenAI's and Anthropic's clients are told, in each API, whole and streaming."""

import gzip
import json
import urllib.error
import urllib.request
import zlib

import anthropic
import openai
import pytest

from tests.serve.stub import running_gateway, stub_upstream

QUESTION = [{"role": "user", "content": "hello"}]
SSE = "text/event-stream"
WORD = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "text": "Hi", "delta": {"content": "Hi"}, "finish_reason": None}]}  # fmt: skip
DIED = {"error": {"message": "CUDA died", "type": "InternalServerError", "code": 500}}
TOO_LONG = {"object": "error", "message": "maximum context length is 64 tokens", "type": "BadRequestError", "code": 400}
APIS = ("chat", "completions", "messages", "responses")


def stream_of(*events):
    return b"".join(
        b"data: " + (each if isinstance(each, str) else json.dumps(each)).encode() + b"\n\n" for each in events
    )


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """A gateway, the stub behind it, and a function that asks through a client of each API."""
    with stub_upstream() as stub, running_gateway(stub.url, tmp_path_factory.mktemp("relay")) as running:
        running.upstream = stub
        with (
            openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.secret, max_retries=0) as of_openai,
            anthropic.Anthropic(base_url=running.url, api_key=running.secret, max_retries=0) as of_anthropic,
        ):
            running.ask = {
                "chat": lambda **f: of_openai.chat.completions.create(model="wavecoder", messages=QUESTION, **f),
                "completions": lambda **f: of_openai.completions.create(model="wavecoder", prompt="x", **f),
                "responses": lambda **f: of_openai.responses.create(model="wavecoder", input="x", **f),
                "messages": lambda **f: of_anthropic.messages.create(
                    model="wavecoder", max_tokens=9, messages=QUESTION, **f
                ),
            }
            yield running


@pytest.fixture
def answering(serving):
    """Sets what the engine answers with; asks through a client."""

    def ask(api, content_type, body, **fields):
        serving.upstream.raw = (content_type, body)
        answer = serving.ask[api](**fields)
        return list(answer) if fields.get("stream") else answer

    yield ask
    serving.upstream.raw = None


@pytest.mark.parametrize("api", APIS)
def test_an_error_and_done_in_one_chunk_are_no_end(answering, api):
    first = {"type": "response.created", "response": {"id": "r", "output": []}} if api == "responses" else WORD
    with pytest.raises((openai.APIError, anthropic.APIError), match="the engine failed"):
        answering(api, SSE, stream_of(first, DIED, "[DONE]"), stream=True)


WHOLE = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
         "choices": [{"index": 0, "text": "Hi", "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}}  # fmt: skip
RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [],
            "usage": {"input_tokens": 7, "output_tokens": 4, "total_tokens": 11}, "tools": [], "tool_choice": "auto",
            "parallel_tool_calls": True}  # fmt: skip


@pytest.mark.parametrize("api", APIS)
def test_an_answer_that_comes_at_once_is_a_stream_where_one_was_asked_for(answering, api):
    body = json.dumps(RESPONSE if api == "responses" else WHOLE, indent=1).encode()
    events = answering(api, "application/json", body, stream=True)
    if api == "chat":
        assert "".join(event.choices[0].delta.content for event in events if event.choices) == "Hi"
    if api == "completions":
        assert "".join(event.choices[0].text for event in events if event.choices) == "Hi"
    if api == "messages":
        kinds = [event.type for event in events]
        assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
        assert events[kinds.index("content_block_delta")].delta.text == "Hi"
    if api == "responses":
        assert [event.type for event in events] == ["response.created", "response.completed"]


@pytest.mark.parametrize("api", APIS)
def test_what_comes_at_once_and_is_an_error_is_one_of_a_stream_too(answering, api):
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="maximum context length"):
        answering(api, "application/json", json.dumps(TOO_LONG).encode(), stream=True)


@pytest.mark.parametrize("api", APIS)
def test_a_stream_that_nobody_asked_for_is_an_error(answering, api):
    with pytest.raises((openai.InternalServerError, anthropic.InternalServerError), match="cannot be read"):
        answering(api, SSE, stream_of(WORD, "[DONE]"))


@pytest.mark.parametrize("api", APIS)
def test_an_error_that_comes_first_is_a_status_with_the_engines_words(answering, api):
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="maximum context length") as refused:
        answering(api, SSE, stream_of(TOO_LONG, "[DONE]"), stream=True)
    assert api == "messages" or refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("body", [TOO_LONG, {"error": "maximum context length is 64", "error_type": "validation"}])
def test_an_error_inside_a_200_is_an_error(answering, api, body):
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="maximum context length"):
        answering(api, "application/json", json.dumps(body).encode())


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("body", [b"\xff\xfe{}", b"<html>", b"", b"[1]", b'"x"', b"[" * 100_000])
def test_what_is_no_answer_is_a_502(answering, api, body):
    with pytest.raises((openai.InternalServerError, anthropic.InternalServerError)) as failed:
        answering(api, "application/json", body)
    assert failed.value.status_code == 502


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("body", [b"", b"data: {\n\n", b"data: \xff\n\ndata: 3\n\n"])
def test_a_stream_of_nonsense_is_an_error_too(answering, api, body):
    with pytest.raises((openai.APIError, anthropic.APIError, ValueError)):
        answering(api, SSE, body, stream=True)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_way_to_write_events_is_read(answering, end):
    last = WORD | {"choices": [{"index": 0, "delta": {"content": "!"}, "finish_reason": "stop"}]}
    body = b": ping\n\n" + stream_of(WORD, last, "[DONE]").replace(b'", "', b'",\ndata: "')
    for api in ("chat", "messages"):
        events = answering(api, SSE, body.replace(b"\n", end), stream=True)
        assert "Hi" in str(events)
        assert "!" in str(events)


def test_models_of_an_odd_engine_are_a_502(serving, monkeypatch):
    async def odd(_session):
        raise ValueError

    monkeypatch.setattr("serve.client.upstream.OneServer.models", lambda _self, session: odd(session))
    assert serving.client.get("/v1/models").status_code == 502


# What clients send, and how


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress), ("identity", bytes)],
)
def test_compressed_bodies_are_taken_within_the_limit(serving, encoding, packed):
    def post(body):
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        return serving.client.post("/v1/chat/completions", content=packed(json.dumps(body).encode()), headers=headers)

    body = {"model": "wavecoder", "messages": QUESTION}
    assert post(body).status_code == 200
    assert post(body | {"x": " " * 2**20}).status_code == 413  # however small it was packed


@pytest.mark.parametrize("cut", [slice(0, -9), slice(1, None)])
def test_a_broken_gzip_is_refused(serving, cut):
    packed = gzip.compress(json.dumps({"model": "wavecoder", "messages": QUESTION}).encode())[cut]
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = serving.client.post("/v1/chat/completions", content=packed, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_encoding")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_client_that_sends_all_before_it_reads_learns_why_it_was_refused(serving, path):
    """urllib closes its connection after one request, and would find it reset."""
    headers = {"Authorization": f"Bearer {serving.secret}", "Content-Type": "application/json"}
    for size in (2**21, 2**24):
        request = urllib.request.Request(serving.url + path, b" " * size, headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 413
        assert b"1048576 bytes at most" in refused.value.read()


def test_other_methods_and_a_slash_at_the_end(serving):
    client = serving.client
    assert client.head("/v1/models").headers["content-length"] == str(len(client.get("/v1/models").content))
    assert (client.head("/").status_code, client.head("/health").status_code) == (200, 200)
    options = client.options("/v1/chat/completions")
    assert (options.status_code, options.headers["allow"]) == (204, "POST, OPTIONS")
    refused = client.get("/v1/embeddings")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST, OPTIONS")
    assert client.get("/v1/models/").json() == client.get("/v1/models").json()
    body = {"model": "wavecoder", "messages": QUESTION}
    assert client.post("/v1/chat/completions/", json=body).status_code == 200


def test_what_is_no_http_is_refused_in_json(serving):
    head, _, body = serving.raw(b"GET /v1/models HTTP/1.1\r\nHost x\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "invalid_http"


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/json"])
@pytest.mark.parametrize("start", [b"", b": here\n\n", b"event: chunk\n"])
def test_a_stream_is_known_by_how_it_begins_where_its_type_does_not_say_so(answering, content_type, start):
    end = WORD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    parts = answering("chat", content_type, start + stream_of(WORD, end, "[DONE]"), stream=True)
    assert [part.choices[0].delta.content for part in parts] == ["Hi", None]


def test_what_is_neither_a_stream_nor_an_answer_is_the_engines_failure(answering):
    with pytest.raises(openai.APIError, match="cannot be read"):
        answering("chat", "text/plain", b"upstream request timeout", stream=True)


def test_an_answer_that_is_called_created_is_one(serving):
    serving.upstream.error = (201, json.dumps(WHOLE), {"Content-Type": "application/json"})
    try:
        assert serving.ask["chat"]().choices[0].message.content == "Hi"
    finally:
        serving.upstream.error = None


@pytest.mark.parametrize("usage", [True, False])
@pytest.mark.parametrize(
    "odd",
    [
        {}, {"type": "ping"}, {"usage": WHOLE["usage"]}, {"choices": None}, {"choices": None, "usage": WHOLE["usage"]},
        WORD | {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
        WORD | {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 3}}]},
        WORD | {"choices": [None]}, WORD | {"choices": {}},
    ],
)  # fmt: skip
def test_no_event_of_a_stream_breaks_the_loop_that_every_client_writes(answering, odd, usage):
    end = WORD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    options = {"stream_options": {"include_usage": True}} if usage else {}
    parts = answering("chat", SSE, stream_of(odd, WORD, odd, end, odd, "[DONE]"), stream=True, **options)
    assert [choice.delta.content or "" for part in parts for choice in part.choices if choice.delta.content] == ["Hi"]
    told = [part.usage.completion_tokens for part in parts if part.usage]
    assert told == ([4] * 3 if usage and odd.get("usage") else [])


@pytest.mark.parametrize("api", ["chat", "completions", "messages"])
@pytest.mark.parametrize("choices", [None, [], {}, [None]])
def test_an_answer_without_choices_is_the_engines_failure(answering, api, choices):
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError), match="cannot be read"):
        answering(api, "application/json", json.dumps(WHOLE | {"choices": choices}).encode())


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_packed_although_nobody_asked_is_read(serving, stream):
    kind, body = (SSE, stream_of(WORD, "[DONE]")) if stream else ("application/json", json.dumps(WHOLE).encode())
    serving.upstream.raw = (kind, gzip.compress(body), {"Content-Encoding": "gzip"})
    answer = serving.ask["chat"](stream=stream)
    serving.upstream.raw = None
    choice = next(iter(answer)).choices[0] if stream else answer.choices[0]
    assert (choice.delta if stream else choice.message).content == "Hi"
