"""langchain-openai against the gateway."""

from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from steps import BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCHEMA, SCRIPTED, URL, fails, run, same

TOOL = {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": PARAMETERS}}


def chat(model=MODEL, key=KEY, **fields):
    return ChatOpenAI(**{"model": model, "base_url": f"{URL}/v1", "api_key": key, "max_tokens": 40, "timeout": 120,
                         "max_retries": 2} | fields)  # fmt: skip


def streamed(model=MODEL):
    return "".join(part.content for part in chat(model).stream("Say hello."))


def tools():
    bound = chat(max_tokens=60).bind_tools([TOOL], tool_choice="weather")
    assert bound.invoke("Weather in Oslo?").tool_calls[0]["name"] == "weather"
    whole = None
    for part in bound.stream("Weather in Oslo?"):
        whole = part if whole is None else whole + part
    assert whole.tool_calls[0]["name"] == "weather"


def structured():
    schema = {"title": "place", **SCHEMA}
    assert set(chat(max_tokens=60).with_structured_output(schema, method="json_schema").invoke("Oslo")) == {"city"}


def overflow():
    error = fails(lambda: chat("overflow" if SCRIPTED else MODEL).invoke(LONG), OVERFLOW)
    assert error.code == "context_length_exceeded"


def embeddings():
    embedding = OpenAIEmbeddings(
        model=MODEL, base_url=f"{URL}/v1", api_key=KEY, check_embedding_ctx_length=False, max_retries=0
    )
    assert len(embedding.embed_documents(["a", "b"])) == 2


STEPS = {
    "chat": lambda: same(chat().invoke("Say hello.").content),
    "stream": lambda: same(streamed()),
    "tools": tools,
    "structured": structured,
    "embeddings": embeddings,
    "unknown model": lambda: fails(lambda: chat("nobody").invoke("x"), "NotFound"),
    "bad key": lambda: fails(lambda: chat(key="wc-0-0").invoke("x"), "Authentication"),
    # It looks for the code in the error's text, where openai-python 3 no longer writes it.
    "overflow": lambda: overflow(),
}
ODD = {
    "crlf": lambda: same(streamed("crlf")),
    "events of several lines": lambda: same(streamed("lines")),
    "no usage": lambda: same(streamed("no-usage")),
    "cut stream": lambda: fails(lambda: streamed("cut"), "broke off"),
    "error in a 200": lambda: fails(lambda: chat("error-in-200").invoke("x"), OVERFLOW),
    "error, then [DONE]": lambda: fails(lambda: streamed("error-then-done"), "failed"),
    "busy at first": lambda: same(chat(BUSY).invoke("Say hello.").content),
}
run(STEPS | (ODD if SCRIPTED else {}), refused={"embeddings"})
