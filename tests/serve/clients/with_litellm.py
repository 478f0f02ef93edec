"""LiteLLM against the gateway."""

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
from steps import BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCHEMA, SCRIPTED, URL, fails, run, same

HELLO = [{"role": "user", "content": "Say hello."}]
TOOL = {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": PARAMETERS}}
FORCED = {"type": "function", "function": {"name": "weather"}}


def create(model=MODEL, **fields):
    asked = {"messages": HELLO, "max_tokens": 40, "api_base": f"{URL}/v1", "api_key": KEY, "num_retries": 0}
    return litellm.completion(**asked | {"model": f"openai/{model}"} | fields)


def streamed(model=MODEL):
    return "".join(part.choices[0].delta.content or "" for part in create(model, stream=True))


def tools():
    call = create(tools=[TOOL], tool_choice=FORCED, max_tokens=60).choices[0].message.tool_calls[0]
    assert call.function.name == "weather"


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    assert set(json.loads(create(response_format=form, max_tokens=60).choices[0].message.content)) == {"city"}


def embeddings():
    made = litellm.embedding(model=f"openai/{MODEL}", input=["a"], api_base=f"{URL}/v1", api_key=KEY)
    assert made.data[0]["embedding"]


STEPS = {
    "chat": lambda: same(create().choices[0].message.content),
    "stream": lambda: same(streamed()),
    "tools": tools,
    "structured": structured,
    "embeddings": embeddings,
    "unknown model": lambda: fails(lambda: create("nobody"), "NotFoundError"),
    "bad key": lambda: fails(lambda: create(api_key="wc-0-0"), "AuthenticationError"),
    "overflow": lambda: fails(
        lambda: create("overflow" if SCRIPTED else MODEL, messages=[{"role": "user", "content": LONG}]),
        "ContextWindowExceeded", OVERFLOW,
    ),
}  # fmt: skip
ODD = {
    "crlf": lambda: same(streamed("crlf")),
    "events of several lines": lambda: same(streamed("lines")),
    "no usage": lambda: same(streamed("no-usage")),
    "cut stream": lambda: fails(lambda: streamed("cut"), "broke off"),
    "error in a 200": lambda: fails(lambda: create("error-in-200"), OVERFLOW),
    "error, then [DONE]": lambda: fails(lambda: streamed("error-then-done"), "failed"),
    "busy at first": lambda: same(create(BUSY, num_retries=2).choices[0].message.content),
}
run(STEPS | (ODD if SCRIPTED else {}), refused={"embeddings"})
