"""Anthropic's client talks to the gateway before a stub of the endpoint."""

import json
import subprocess
import sys

import anthropic
import pytest

from serve.gateway.admission import RefusalError
from serve.gateway.anthropic import to_chat
from serve.gateway.limits import Limits
from tests.serve.stub import until

HELLO = {"model": "wavecoder", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
TOOL = {"name": "look", "description": "looks", "input_schema": {"properties": {"at": {"type": "string"}}}}


def chat_of(**fields):
    return to_chat(HELLO | fields)


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
        usage = stream.get_final_message().usage
        assert (usage.input_tokens, usage.output_tokens) == (7, 3)
    until(lambda: len(access_log()) == 2)
    assert [(line["path"], line["completion_tokens"]) for line in access_log()] == [("/v1/messages", 3)] * 2


def test_a_conversation_that_the_server_is_to_keep_is_sent_whole_each_time(talking, upstream):
    _, client = talking
    answer = client.beta.messages.create(**HELLO, thread={"type": "create"})
    assert answer.content[0].text == "one two three"
    with pytest.raises(anthropic.NotFoundError, match="send all of its messages") as lost:
        client.beta.messages.create(**HELLO, thread={"type": "continue", "previous_message_id": answer.id})
    assert lost.value.body["error"]["details"] == {"error_code": "thread_not_found"}
    thread = client.beta.messages.thread(model="wavecoder", max_tokens=20)
    for _ in range(3):
        assert thread.send({"role": "user", "content": "go on"}).content[0].text == "one two three"
    assert [len(sent["messages"]) for _, sent, _ in upstream.seen] == [1, 1, 3, 5]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/files", "served are /v1/chat/completions, "),
        ("/chat/completions", "/v1/chat/completions is served (a client's base URL ends in /v1)"),
        ("/v1/v1/chat/completions", "/v1/chat/completions is served (a client's base URL ends in /v1)"),
        ("/v1/v1/messages", "/v1/messages is served (a client's base URL ends before /v1)"),
        ("/openai/v1/responses/", "/v1/responses is served (a client's base URL ends in /v1)"),
        ("/v1/audio/speech", "/v1/audio/speech; served are "),
    ],
)
def test_what_is_not_served_is_refused_by_name(gateway, path, told):
    error = gateway().client.post(path, json={}).json()["error"]
    assert (error["code"], path.removesuffix("/") in error["message"]) == ("unknown_url", True)
    assert told in error["message"]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "one"}}, "one"),
        ({"type": "document", "title": "T", "context": "C", "source": {"type": "text", "data": "one"}}, "T\nC\none"),
        ({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "one"}]}}, "one"),
        ({"type": "search_result", "title": "T", "source": "s", "content": [{"type": "text", "text": "one"}]}, "T\ns\none"),
    ],
)  # fmt: skip
def test_text_is_taken_out_of_documents_and_search_results(block, text):
    assert chat_of(messages=[{"role": "user", "content": [block]}])["messages"][0]["content"] == text


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": {"a": 1}, "content": "x"}]}, "messages.0.role"),
        ({"tools": [{"type": [], "name": "f", "input_schema": {}}]}, "tools.0.type"),
        ({"tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": ["auto"]}}, "tool_choice.type"),
        ({"thread": {"type": ["create"]}}, "thread"),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "base64", "data": "x"}}]}]},
         "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text"}}]}]},
         "messages.0.content.0.source.data"),
    ],
)  # fmt: skip
def test_what_has_another_form_is_refused_by_name(fields, where):
    with pytest.raises(RefusalError) as refused:
        chat_of(**fields)
    assert (refused.value.param, refused.value.status < 500) == (where, True)


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
    with pytest.raises(anthropic.NotFoundError, match="not_found_error") as missing:
        narrow.messages.create(**HELLO)
    assert missing.value.request_id == missing.value.body["request_id"]
    poor = client.with_options(api_key=running.new_key(limits=Limits(tokens_total=30)))
    with pytest.raises(anthropic.RateLimitError):
        poor.messages.create(**HELLO | {"max_tokens": 1000})
    with pytest.raises(anthropic.APIStatusError, match="request_too_large") as large:
        client.messages.create(**HELLO | {"system": "x" * 2**21})
    assert large.value.status_code == 413
    assert not upstream.seen
    with pytest.raises(anthropic.NotFoundError, match="not_found_error"):
        client.messages.batches.list()
    upstream.break_after = 2
    with pytest.raises(anthropic.APIError, match="broke off"), client.messages.stream(**HELLO) as stream:
        list(stream.text_stream)


@pytest.mark.parametrize("whole", [True, False])
def test_more_tokens_than_the_context_leaves_are_as_many_as_it_leaves(talking, upstream, whole):
    _, client = talking
    upstream.context = 40
    asked = HELLO | {"max_tokens": 32_000}
    if whole:
        assert client.messages.create(**asked).content[0].text == "one two three"
    else:
        with client.messages.stream(**asked) as stream:
            assert stream.get_final_text() == "one two three"
    assert [sent.get("max_tokens") for _, sent, _ in upstream.seen] == [32_000, None]
    upstream.context = 3
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: This model's maximum context length"):
        client.messages.create(**asked)
    assert len(upstream.seen) == 4


def test_the_request_id_is_found_where_its_client_looks(talking):
    _, client = talking
    response = client.messages.with_raw_response.create(**HELLO)
    assert response.headers["request-id"] == response.headers["x-request-id"] == response.parse()._request_id


def test_tokens_are_counted_by_the_engine(talking, upstream):
    _, client = talking
    upstream.error = (200, json.dumps({"count": 9, "max_model_len": 64, "tokens": [1] * 9}), {})
    counted = client.messages.count_tokens(model="wavecoder", messages=HELLO["messages"], system="Be short.")
    assert counted.input_tokens == 9
    path, sent, _ = upstream.seen[-1]
    assert path == "/tokenize"
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]


def test_two_different_keys_are_one_too_many(gateway):
    running = gateway()
    answer = running.client.post("/v1/messages", json=HELLO, headers={"x-api-key": "wc-0-0"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_first_request_imports_no_engine():
    code = "import sys, serve.gateway.app; sys.exit(any(name.split('.')[0] in {'vllm', 'torch', 'ray'} for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The translation by itself


def test_a_turn_with_tools_becomes_calls_and_results():
    chat = chat_of(
        tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        system=[{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "é"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "dark"}],
                 "is_error": True},
                {"type": "text", "text": "and now?"}]},
        ],
    )  # fmt: skip
    function = {"name": "look", "arguments": '{"at": "é"}'}
    assert chat["messages"] == [
        {"role": "system", "content": "a\n\nb"},
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": "I look.", "reasoning": "hm",
         "tool_calls": [{"id": "t1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "t1", "content": "Error: dark"},
        {"role": "user", "content": "and now?"},
    ]  # fmt: skip
    parameters = {"type": "object", **TOOL["input_schema"]}
    assert chat["tools"] == [
        {"type": "function", "function": {"name": "look", "description": "looks", "parameters": parameters}}
    ]
    assert (chat["tool_choice"], chat["parallel_tool_calls"]) == ("required", False)


def test_claude_codes_words_of_the_system_come_first_or_as_the_users():
    chat = chat_of(
        system=[{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=1f3;"},
                {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "system", "content": "Be kind."}, {"role": "user", "content": "a"},
            {"role": "system", "content": [{"type": "text", "text": "Skills: none."}]}, {"role": "user", "content": "b"},
            {"role": "assistant", "content": "c"}, {"role": "system", "content": "It is late."},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "dark"}]},
            {"role": "system", "content": "Go on."},
        ],
    )  # fmt: skip
    assert [(one["role"], one["content"]) for one in chat["messages"]] == [
        ("system", "Be brief.\n\nBe kind."), ("user", "a\n\nSkills: none.\n\nb"), ("assistant", "c"),
        ("user", "It is late."), ("assistant", None), ("tool", "dark"), ("user", "Go on."),
    ]  # fmt: skip


def test_two_results_of_tools_stay_two():
    results = [{"type": "tool_result", "tool_use_id": name, "content": name} for name in "ab"]
    chat = chat_of(messages=[{"role": "user", "content": [one]} for one in results])
    assert [(one["tool_call_id"], one["content"]) for one in chat["messages"]] == [("a", "a"), ("b", "b")]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, "auto"), ({"type": "auto"}, "auto"), ({"type": "none"}, "none"),
        ({"type": "tool", "name": "look"}, {"type": "function", "function": {"name": "look"}}),
    ],
)  # fmt: skip
def test_the_choice_of_a_tool(choice, expected):
    assert chat_of(tools=[TOOL], tool_choice=choice)["tool_choice"] == expected


def test_the_form_of_the_answer_and_the_effort():
    form = {"type": "json_schema", "schema": {"type": "object"}}
    chat = chat_of(output_config={"format": form, "effort": "low"}, metadata={"user_id": "x"}, service_tier="auto")
    assert chat["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert chat["reasoning_effort"] == "low"
    assert not chat.keys() & {"metadata", "service_tier"}


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"messages": []}, "messages"), ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"), ({"messages": ["x"]}, "messages.0"),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "messages.0.content.0"),
        ({"max_tokens": None}, "max_tokens"), ({"max_tokens": True}, "max_tokens"), ({"system": 3}, "system"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0.type"),
        ({"tools": [TOOL], "tool_choice": {"type": "best"}}, "tool_choice.type"), ({"container": "c"}, "container"),
        ({"tools": [{"name": "x"}]}, "tools.0.input_schema"), ({"mcp_servers": [{}]}, "mcp_servers"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ],
)  # fmt: skip
def test_what_is_not_served_is_refused_by_its_place(fields, where):
    with pytest.raises(RefusalError) as refused:
        chat_of(**fields)
    assert refused.value.status == 400
    assert refused.value.message.startswith(f"{where}: ")


def test_the_beginning_of_an_answer_is_gone_on_with():
    begun = [*HELLO["messages"], {"role": "assistant", "content": '{"a":'}]
    chat = chat_of(messages=begun)
    assert chat["messages"][-1] == {"role": "assistant", "content": '{"a":'}
    assert (chat["continue_final_message"], chat["add_generation_prompt"]) == (True, False)
    called = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]}
    for messages in (HELLO["messages"], [*begun, *HELLO["messages"]], [*HELLO["messages"], called]):
        assert "continue_final_message" not in chat_of(messages=messages)


def test_fields_that_ask_for_nothing_are_ignored():
    assert chat_of(mcp_servers=[], container=None, fallbacks=[]) == chat_of()
