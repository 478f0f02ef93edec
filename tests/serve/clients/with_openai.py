"""openai-python against the gateway."""

import json

import openai
from steps import BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCHEMA, SCRIPTED, URL, fails, run, same

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=2, timeout=120)
HELLO = [{"role": "user", "content": "Say hello."}]
TOOL = {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": PARAMETERS}}
FORCED = {"type": "function", "function": {"name": "weather"}}


def create(model=MODEL, **fields):
    return client.chat.completions.create(**{"model": model, "messages": HELLO, "max_tokens": 20} | fields)


def streamed(model=MODEL, **fields):
    chunks = list(create(model, stream=True, **fields))
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), chunks


def stream():
    text, chunks = streamed(stream_options={"include_usage": True})
    same(text)
    assert chunks[-1].usage.completion_tokens > 0


def tools():
    call = create(tools=[TOOL], tool_choice=FORCED, max_tokens=60).choices[0].message.tool_calls[0]
    assert call.function.name == "weather"
    assert not SCRIPTED or json.loads(call.function.arguments) == {"city": "Oslo"}
    _, chunks = streamed(tools=[TOOL], tool_choice=FORCED, max_tokens=60)
    parts = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert parts[0].function.name == "weather"
    back = [{"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": "rain"}]  # fmt: skip
    same(create(messages=HELLO + back).choices[0].message.content)


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    assert set(json.loads(create(response_format=form, max_tokens=60).choices[0].message.content)) == {"city"}


def responses():
    answer = client.responses.create(model=MODEL, input="Say hello.", max_output_tokens=20)
    same(answer.output_text)
    events = list(client.responses.create(model=MODEL, input="Say hello.", max_output_tokens=20, stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type in {"response.completed", "response.incomplete"}
    same("".join(event.delta for event in events if event.type == "response.output_text.delta"))
    refused = {"model": MODEL, "input": "x", "previous_response_id": "resp_1"}
    fails(lambda: client.responses.create(**refused), "previous_response_id")


def logprobs():
    choice = create(logprobs=True, top_logprobs=2, max_tokens=3).choices[0]
    assert SCRIPTED or len(choice.logprobs.content[0].top_logprobs) == 2


def harmless():
    fields = {"store": True, "metadata": {"a": "b"}, "service_tier": "auto", "user": "u", "seed": 1, "stop": ["zzz"],
              "n": 2, "max_completion_tokens": 5, "parallel_tool_calls": False}  # fmt: skip
    messages = [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, *HELLO]
    assert create(messages=messages, **fields).choices


def overflow():
    error = fails(lambda: create("overflow" if SCRIPTED else MODEL, messages=[{"role": "user", "content": LONG}]),
                  "BadRequestError", OVERFLOW)  # fmt: skip
    assert error.code == "context_length_exceeded"


STEPS = {
    "models": lambda: [client.models.retrieve(model.id) for model in client.models.list()],
    "chat": lambda: same(create().choices[0].message.content),
    "stream": stream,
    "completions": lambda: same(client.completions.create(model=MODEL, prompt="Hello", max_tokens=9).choices[0].text),
    "tools": tools,
    "structured": structured,
    "responses": responses,
    "embeddings": lambda: client.embeddings.create(model=MODEL, input=["a", "b"]).data[1].embedding[0],
    "logprobs": logprobs,
    "harmless fields": harmless,
    "unknown model": lambda: fails(lambda: create("nobody"), "NotFoundError", "no"),
    "bad key": lambda: fails(
        lambda: client.with_options(api_key="wc-0-0").models.list(), "AuthenticationError", "API key"
    ),
    "overflow": overflow,
}
ODD = {
    "crlf": lambda: same(streamed("crlf")[0]),
    "events of several lines": lambda: same(streamed("lines")[0]),
    "no usage": lambda: same(streamed("no-usage")[0]),
    "no [DONE]": lambda: same(streamed("no-done")[0]),
    "cut stream": lambda: fails(lambda: streamed("cut"), "broke off"),
    "error in a 200": lambda: fails(lambda: create("error-in-200"), OVERFLOW),
    "error, then [DONE]": lambda: fails(lambda: streamed("error-then-done"), "failed"),
    "busy at first": lambda: same(create(BUSY).choices[0].message.content),
}
run(STEPS | (ODD if SCRIPTED else {}), refused={"embeddings"})
