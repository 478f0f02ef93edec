"""The table of fields in docs/serving.md: every field of OpenAI's and Anthropic's requests, tried at the gateway.

`python -m tests.serve.gateway.test_fields` writes the table anew.
"""

import ast
import json
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import get_type_hints

import pytest
from anthropic.types import message_create_params
from openai.types import completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import response_create_params

from serve.gateway.admission import RefusalError
from serve.gateway.anthropic import to_chat
from serve.gateway.ask import read_ask
from serve.gateway.keys import Key
from serve.gateway.settings import GatewayConfig

KEY = Key(id="k", name="k", digest="0" * 64, created=datetime.now(UTC))
PAGE = Path(__file__).parents[3] / "docs" / "serving.md"
BEGIN, END = "<!-- fields: made by tests/serve/gateway/test_fields.py -->", "<!-- end of fields -->"
WIDTH = 100

VLLM = Path(find_spec("vllm").origin).parent / "entrypoints"
HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
APIS = {
    "chat": (
        "`/v1/chat/completions`", chat_create_params.CompletionCreateParamsBase, {"messages": HELLO},
        ("openai/chat_completion/protocol.py", "ChatCompletionRequest"),
    ),
    "completions": (
        "`/v1/completions`", completion_create_params.CompletionCreateParamsBase, {"prompt": "hi"},
        ("openai/completion/protocol.py", "CompletionRequest"),
    ),
    "responses": (
        "`/v1/responses`", response_create_params.ResponseCreateParamsBase, {"input": "hi"},
        ("openai/responses/protocol.py", "ResponsesRequest"),
    ),
    "embeddings": ("`/v1/embeddings`", embedding_create_params.EmbeddingCreateParams, {"input": "hi"}, None),
    "messages": (
        "`/v1/messages`", message_create_params.MessageCreateParamsBase, {"messages": HELLO, "max_tokens": 9},
        ("openai/chat_completion/protocol.py", "ChatCompletionRequest"),
    ),
}  # fmt: skip
"""API → its address, the client's own description of a request, what a request must have, and vLLM's description."""

SAMPLES = {
    "max_completion_tokens": 9, "max_tokens": 9, "max_output_tokens": 9, "n": 2, "best_of": 2, "temperature": 0.5,
    "stream_options": {"include_usage": True}, "tools": [TOOL], "tool_choice": "auto", "stop": ["x"],
    "modalities": ["audio"], "stop_sequences": ["x"], "system": "x", "stream": True, "output_config": {"effort": "low"},
    "thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 3, "top_p": 0.5,
}  # fmt: skip
OF_RESPONSES = {"tools": [{"type": "function", "name": "f", "parameters": {}}]}
OF_MESSAGES = {"tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "auto"}}
RENAMED = {"stop_sequences": "stop", "system": "messages", "output_config": "reasoning_effort"}


def fields_of_vllm(api):
    """Fields that vLLM's request has; None where they are spread over many classes."""
    if api not in APIS or APIS[api][3] is None:
        return None
    file, name = APIS[api][3]
    tree = ast.parse((VLLM / file).read_text())
    of_class = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name)
    return {node.target.id for node in of_class.body if isinstance(node, ast.AnnAssign)}


def fate_of(api, field):
    """What becomes of a field: passed, ignored or refused."""
    _, _, needed, _ = APIS[api]
    sample = {"responses": OF_RESPONSES, "messages": OF_MESSAGES}.get(api, {}).get(field, SAMPLES.get(field, "x"))
    body = {"model": "m"} | needed | ({field: sample} if field not in {*needed, "model"} else {})
    if field == "tool_choice" and api == "messages":
        body |= {"tools": OF_MESSAGES["tools"]}
    try:
        chat = to_chat(body) if api == "messages" else body
        sent = json.loads(read_ask(chat, "chat" if api == "messages" else api, KEY, GatewayConfig(), 100).body)
    except RefusalError as refusal:
        return "refused" if refusal.status == 400 and field in refusal.message else "refused without its name"
    name = RENAMED.get(field, field) if api == "messages" else field
    known = fields_of_vllm(api)
    return "passed" if name in sent and (known is None or name in known) else "ignored"


def fates_of(api):
    found = {"passed": [], "ignored": [], "refused": []}
    for field in sorted(get_type_hints(APIS[api][1])):
        found[fate_of(api, field)].append(f"`{field}`")
    return found


def table():
    rows = ["| address | passed on | ignored | 400 that names it |", "|---|---|---|---|"]
    for api, (address, *_) in APIS.items():
        fates = fates_of(api)
        rows.append(f"| {address} | " + " | ".join(", ".join(fates[fate]) or "–" for fate in fates) + " |")
    return "\n".join(rows)


def test_the_page_says_what_becomes_of_every_field():
    page = PAGE.read_text(encoding="utf-8")
    written = page.split(BEGIN)[1].split(END)[0].strip()
    assert written == table(), "run: python -m tests.serve.gateway.test_fields"


@pytest.mark.parametrize("field", ["tools", "tool_choice", "parallel_tool_calls", "response_format", "logprobs", "seed",
                                   "stop", "n", "max_completion_tokens", "stream_options", "reasoning_effort"])  # fmt: skip
def test_what_clients_need_most_goes_on(field):
    assert fate_of("chat", field) == "passed"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
