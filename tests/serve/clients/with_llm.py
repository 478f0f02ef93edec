"""The `llm` command-line tool against the gateway."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from steps import KEY, LONG, MODEL, OVERFLOW, SCHEMA, SCRIPTED, URL, fails, run, same

HOME = Path(tempfile.mkdtemp())
NAMES = (MODEL, "nobody", "overflow", "crlf", "lines", "no-usage", "cut", "error-then-done")
HOME.joinpath("extra-openai-models.yaml").write_text(
    json.dumps([{"model_id": f"mine-{name}", "model_name": name, "api_base": f"{URL}/v1", "api_key_name": "mine",
                 "supports_tools": True, "supports_schema": True} for name in NAMES])
)  # fmt: skip


def llm(*arguments, model=MODEL, key=KEY, typed="Say hello."):
    HOME.joinpath("keys.json").write_text(json.dumps({"mine": key}))
    command = [sys.executable, "-m", "llm", "-m", f"mine-{model}", "-o", "max_tokens", "60", *arguments]
    done = subprocess.run(command, input=typed, env=os.environ | {"LLM_USER_PATH": str(HOME)}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
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
