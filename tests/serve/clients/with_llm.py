"""The `llm` command-line tool against the gateway."""

import json
import os
import tempfile
from pathlib import Path

# The project's own model package is a plugin of this tool, and lacks what the tool would run it with.
os.environ["LLM_LOAD_PLUGINS"] = ""
os.environ["LLM_USER_PATH"] = tempfile.mkdtemp()
from click.testing import CliRunner
from llm.cli import cli
from steps import KEY, LONG, MODEL, OVERFLOW, SCHEMA, SCRIPTED, URL, fails, run, same

HOME = Path(os.environ["LLM_USER_PATH"])
NAMES = (MODEL, "nobody", "overflow", "crlf", "lines", "no-usage", "cut", "error-then-done")
HOME.joinpath("extra-openai-models.yaml").write_text(
    json.dumps([{"model_id": f"mine-{name}", "model_name": name, "api_base": f"{URL}/v1", "api_key_name": "mine",
                 "supports_tools": True, "supports_schema": True} for name in NAMES])
)  # fmt: skip


def llm(*arguments, model=MODEL, key=KEY, typed="Say hello."):
    HOME.joinpath("keys.json").write_text(json.dumps({"mine": key}))
    # In this process: the tool takes seconds to import.
    done = CliRunner().invoke(cli, ["-m", f"mine-{model}", "-o", "max_tokens", "60", *arguments], input=typed)
    if done.exit_code:
        raise RuntimeError(f"{done.output} {done.exception!r}")
    return done.stdout.strip()


def structured():
    assert set(json.loads(llm("--schema", json.dumps(SCHEMA)))) == {"city"}


STEPS = {
    "chat": lambda: same(llm("--no-stream")),
    "stream": lambda: same(llm()),
    "structured": structured,
    "unknown model": lambda: fails(lambda: llm(model="nobody"), "no ", "model"),
    "bad key": lambda: fails(lambda: llm(key="wc-0-0"), "API key"),
    "overflow": lambda: fails(lambda: llm(model="overflow" if SCRIPTED else MODEL, typed=LONG), OVERFLOW),
}
ODD = {
    "tools": lambda: same(llm("--functions", "def weather(city: str) -> str:\n    return 'rain'")),
    "crlf": lambda: same(llm(model="crlf")),
    "events of several lines": lambda: same(llm(model="lines")),
    "no usage": lambda: same(llm(model="no-usage")),
    "cut stream": lambda: fails(lambda: llm(model="cut"), "broke off"),
    "error, then [DONE]": lambda: fails(lambda: llm(model="error-then-done"), "failed"),
}
run(STEPS | (ODD if SCRIPTED else {}))
