"""A teacher over real HTTP whose every reply is a function of the question: rules, moods and accounts of hosted endpoints."""

import json

from bench.teachers.endpoint import Reply, completion, refusal
from bench.teachers.endpoint import ScriptedEndpoint as ScriptedTeacher
from codeocean.generate.few_shot import draw_number
from tests.codeocean.scripted import text_for

__all__ = ["Reply", "ScriptedTeacher", "completion", "exercise", "refusal"]


def exercise(body: dict) -> str:
    """An answer by the schema that a question asks for, wherever it stands."""
    form = body.get("response_format", {}).get("json_schema") or body.get("output_config", {}).get("format") or {}
    shown = [json.loads(one["content"]) for one in body["messages"] if one["role"] == "assistant"]
    schema = form.get("schema") or {"properties": shown[-1]}  # told by the schema, or else by the cases in the prompt
    for seed in range(100):  # the stub's rubbish is another test's
        text = text_for(draw_number(json.dumps(body["messages"]), seed), schema)
        if text != "no JSON":
            break
    return text
