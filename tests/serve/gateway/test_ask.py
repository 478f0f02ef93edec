"""What a body may hold, and what it is charged: by itself, without a server."""

import json
from datetime import UTC, datetime

import pytest

from serve.gateway.admission import RefusalError
from serve.gateway.ask import IGNORED_FIELDS, parse, read_ask
from serve.gateway.keys import Key
from serve.gateway.settings import GatewayConfig

KEY = Key(id="k", name="k", digest="0" * 64, created=datetime.now(UTC))
QUESTION = [{"role": "user", "content": "hello"}]


def asked(kind="chat", *, config=None, context=100, **fields):
    given = {"chat": {"messages": QUESTION}, "completions": {"prompt": "a"}, "responses": {"input": "a"}}
    body = {"model": "m"} | given.get(kind, {}) | fields
    return read_ask(parse(json.dumps(body).encode()), kind, KEY, config or GatewayConfig(), context)


def refused(kind="chat", **fields):
    with pytest.raises(RefusalError) as error:
        asked(kind, **fields)
    return error.value


def test_inputs_have_a_limit_of_their_own():
    assert asked("embeddings", input=["x"] * 2048).max_tokens > 0
    refusal = refused("embeddings", input=["x"] * 2049)
    assert (refusal.status, refusal.code, refusal.param) == (400, "too_many_inputs", "input")
    assert "2048 inputs" in refusal.message
    assert refused("embeddings", input=[[1, 2]] * 4, config=GatewayConfig(max_inputs=3)).code == "too_many_inputs"
    assert asked("embeddings", input=list(range(5000))).stream is False  # tokens of one input


def test_too_many_prompts_are_told_as_prompts():
    refusal = refused("completions", prompt=["x"] * 17)
    assert (refusal.code, refusal.param) == ("too_many_choices", "prompt")
    assert (refused("chat", n=17).code, refused("chat", n=17).param) == ("too_many_choices", "n")


def test_an_echo_needs_no_answer():
    ask = asked("completions", max_tokens=0, echo=True, logprobs=1)
    assert json.loads(ask.body)["max_tokens"] == 0
    assert ask.max_tokens == ask.prompt_tokens
    assert asked("completions", max_tokens=0, echo=True, config=GatewayConfig(max_tokens=5)).max_tokens
    for fields in ({}, {"echo": False}, {"echo": 1}):
        assert refused("completions", max_tokens=0, **fields).param == "max_tokens"
    assert refused("chat", max_tokens=0, echo=True).param == "max_tokens"


def test_refusals_null_and_developers_in_a_chat_are_taken():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Be short."}]}, *QUESTION,
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I will not"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]  # fmt: skip
    sent = json.loads(asked(messages=messages).body)["messages"]
    assert sent == [messages[0] | {"role": "system"}, *messages[1:]]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "text", "text": "x"}, 3, True, [3], ["x"], [{"type": "image_url", "image_url": {"url": "http://x/"}}],
        [{"type": "refusal", "refusal": "x", "image_url": "http://x/"}], [{"type": "input_audio"}], [{"text": "x"}],
        [{"type": ["text"], "text": "x"}],
    ],
)  # fmt: skip
def test_content_that_is_not_text_is_refused(content):
    assert refused(messages=[{"role": "user", "content": content}]).status == 400


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("chat", "audio", {"voice": "x"}), ("chat", "functions", [{"name": "f"}]), ("chat", "function_call", "auto"),
        ("chat", "web_search_options", {}), ("chat", "modalities", ["text", "audio"]), ("completions", "suffix", "x"),
        ("responses", "previous_response_id", "resp_1"), ("responses", "background", True),
        ("responses", "conversation", "c"), ("responses", "prompt", {"id": "p"}),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_by_name(kind, field, value):
    refusal = refused(kind, **{field: value})
    assert (refusal.status, refusal.code, refusal.param) == (400, "unsupported_field", field)
    assert field in refusal.message
    assert field not in json.loads(asked(kind, **{field: None}).body)


def test_what_changes_nothing_is_ignored():
    harmless = {"store": True, "metadata": {"a": "b"}, "service_tier": "flex", "user": "u", "verbosity": "low", "prediction": {"type": "content", "content": "x"},
                "safety_identifier": "s", "prompt_cache_key": "k", "prompt_cache_retention": "24h",
                "modalities": ["text"]}  # fmt: skip
    assert harmless.keys() == IGNORED_FIELDS
    assert json.loads(asked(**harmless).body).keys() == {"model", "messages"}


def test_a_template_is_not_smuggled_in_among_its_arguments():
    assert asked(chat_template_kwargs={"enable_thinking": False})
    for name in ("chat_template", "tokenize", "messages"):
        assert refused(chat_template_kwargs={name: "x"}).param == "chat_template_kwargs"


def test_a_responses_input_is_text_and_calls_of_functions():
    part = {"type": "input_text", "text": "x"}
    items = [
        {"role": "user", "content": [part]}, {"type": "reasoning", "id": "r", "summary": [], "content": None},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x", "annotations": []}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ]  # fmt: skip
    tool = {"type": "function", "name": "f", "parameters": {}}
    ask = asked("responses", input=items, tools=[tool], max_output_tokens=5, store=True, stream=True)
    assert (ask.stream, ask.hide_usage) == (True, False)
    assert ask.max_tokens == min(ask.prompt_tokens + 5, 100)
    assert json.loads(ask.body)["store"] is True
    for bad in (
        {"role": "user", "content": [{"type": "input_image", "image_url": "http://x/"}]},
        {"role": "user", "content": [part | {"image_url": "http://x/"}]}, {"type": "item_reference", "id": "x"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_file", "file_url": "http://x"}]},
        {"type": "web_search_call"}, {"type": ["message"]},
    ):  # fmt: skip
        assert refused("responses", input=[bad]).code == "unsupported_content"
    for bad in ({"type": "web_search"}, {"type": "mcp", "server_url": "http://x/"}, {"type": "code_interpreter"}, 3):
        assert refused("responses", tools=[bad]).param == "tools"
    codexs = [tool, {"type": "namespace", "name": "multi_agent_v1", "tools": [tool]}]
    assert "tools[1]" in (said := refused("responses", tools=codexs).message)
    assert "'namespace'" in said
    assert refused("responses", input=3).param == "input"


def test_tools_that_are_no_functions_are_refused_by_name_and_a_choice_among_some_offers_these_alone():
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in "abc"]
    refusal = refused(tools=[tools[0], {"type": "custom", "custom": {"name": "code"}}])
    assert (refusal.param, "tools[1]" in refusal.message, "'custom'" in refusal.message) == ("tools", True, True)
    some = {"mode": "required", "tools": [{"type": "function", "function": {"name": name}} for name in "ca"]}
    sent = json.loads(asked(tools=tools, tool_choice={"type": "allowed_tools", "allowed_tools": some}).body)
    assert (sent["tools"], sent["tool_choice"]) == ([tools[0], tools[2]], "required")
    flat = [{"type": "function", "name": name, "parameters": {}} for name in "ab"]
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "b"}]}
    sent = json.loads(asked("responses", tools=flat, tool_choice=choice).body)
    assert (sent["tools"], sent["tool_choice"]) == ([flat[1]], "auto")
    for odd in ({}, {"mode": "auto", "tools": []}, {"mode": "any", "tools": choice["tools"]}, {"mode": ["auto"]}):
        assert refused("responses", tools=flat, tool_choice={"type": "allowed_tools"} | odd).param == "tool_choice"
    named = {"type": "function", "function": {"name": "a"}}
    assert json.loads(asked(tools=tools, tool_choice=named).body)["tool_choice"] == named


def test_counting_tokens_is_charged_none():
    assert asked("tokenize", prompt="x" * 300).max_tokens == 0
    assert refused("tokenize", messages=[{"role": "user", "content": [{"type": "image_url"}]}]).status == 400


def test_what_clients_note_beside_a_text_goes_no_further_and_media_are_refused_by_name():
    text = {"type": "text", "text": "x"}
    noted = {"id": "lc_1", "index": 0, "extras": {"a": 1}, "citations": None}
    sent = json.loads(asked(messages=[{"role": "user", "content": [text | noted]}]).body)
    assert sent["messages"][0]["content"] == [text]
    items = [{"role": "user", "content": [{"type": "input_text", "text": "x", "id": "1"}]}]
    assert json.loads(asked("responses", input=items).body)["input"][0]["content"] == [
        {"type": "input_text", "text": "x"}
    ]
    for field in ("image_url", "input_audio", "video_url", "file", "image_embeds", "audio_url", "url"):
        assert refused(messages=[{"role": "user", "content": [text | {field: "http://x/"}]}]).status == 400
    refusal = refused(messages=[{"role": "user", "content": [text, {"type": "image_url", "image_url": {"url": "x"}}]}])
    assert refusal.message == "messages[0].content: only text is served here, not 'image_url'"


def test_a_body_of_the_other_api_is_told_where_it_belongs():
    refusal = refused(messages=None, input=[{"role": "user", "content": "x"}])
    assert refusal.param == "messages" and "/v1/responses" in refusal.message
    refusal = refused("responses", input=None, messages=QUESTION)
    assert refusal.param == "input" and "/v1/chat/completions" in refusal.message
