"""Anthropic's Python SDK against the gateway."""

import anthropic
from steps import BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCRIPTED, URL, fails, run, same

client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=2, timeout=120)
HELLO = [{"role": "user", "content": "Say hello."}]
TOOL = {"name": "weather", "description": "of a city", "input_schema": PARAMETERS}


def create(model=MODEL, **fields):
    return client.messages.create(**{"model": model, "messages": HELLO, "max_tokens": 20} | fields)


def streamed(model=MODEL, **fields):
    with client.messages.stream(**{"model": model, "messages": HELLO, "max_tokens": 20} | fields) as stream:
        return stream.get_final_message()


def stream():
    message = streamed(system=[{"type": "text", "text": "Be brief."}])
    same(message.content[0].text)
    assert message.stop_reason in {"end_turn", "max_tokens"}
    assert message.usage.output_tokens > 0


def tools():
    asked = {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "weather"}, "max_tokens": 60}
    for message in (create(**asked), streamed(**asked)):
        call = message.content[-1]
        assert (call.type, call.name) == ("tool_use", "weather")
        assert not SCRIPTED or call.input == {"city": "Oslo"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "rain"}
    back = [{"role": "assistant", "content": [{"type": "tool_use", "id": call.id, "name": "weather",
             "input": {"city": "Oslo"}}]}, {"role": "user", "content": [result]}]  # fmt: skip
    same(create(messages=HELLO + back).content[0].text)


def tool_runner():
    """The SDK's own loop of calls, which first asks the server to keep the conversation."""

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """Weather of a city."""
        return f"rain in {city}"

    runner = client.beta.messages.tool_runner(model=MODEL, messages=HELLO, max_tokens=60, tools=[weather])
    same(runner.until_done().content[0].text)


def thread():
    """A conversation that the server is to keep: it does not, and is sent all of it again."""
    kept = client.beta.messages.thread(model=MODEL, max_tokens=20)
    for words in ("Say hello.", "And again."):
        same(kept.send({"role": "user", "content": words}).content[0].text)


STEPS = {
    "models": lambda: [client.models.retrieve(model.id).display_name + "" for model in client.models.list()],
    "chat": lambda: same(create().content[0].text),
    "stream": stream,
    "tools": tools,
    "count_tokens": lambda: client.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens + 1,
    "unknown model": lambda: fails(lambda: create("nobody"), "NotFoundError", "not_found_error"),
    "bad key": lambda: fails(lambda: client.with_options(api_key="wc-0-0").messages.create(
        model=MODEL, messages=HELLO, max_tokens=9), "AuthenticationError"),
    "overflow": lambda: fails(lambda: create("overflow" if SCRIPTED else MODEL, system=LONG), "BadRequest", OVERFLOW),
    "image": lambda: fails(lambda: create(messages=[{"role": "user", "content": [{"type": "image", "source": {
        "type": "url", "url": "https://example.org/x.png"}}]}]), "only text"),
}  # fmt: skip
ODD = {
    "crlf": lambda: same(streamed("crlf").content[0].text),
    "events of several lines": lambda: same(streamed("lines").content[0].text),
    "no usage": lambda: same(streamed("no-usage").content[0].text),
    "no [DONE]": lambda: same(streamed("no-done").content[0].text),
    "cut stream": lambda: fails(lambda: streamed("cut"), "broke off"),
    "error in a 200": lambda: fails(lambda: create("error-in-200"), OVERFLOW),
    "error, then [DONE]": lambda: fails(lambda: streamed("error-then-done"), "failed"),
    "tool runner": tool_runner,
    "a thread": thread,
    "busy at first": lambda: same(create(BUSY).content[0].text),
}
run(STEPS | (ODD if SCRIPTED else {}))
