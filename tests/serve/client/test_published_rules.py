"""Teachers whose published rules a scripted endpoint enforces: by its preset each is asked nothing that it refuses, and
without any preset it is learnt at the first question what to leave out."""

import asyncio
import json

import pytest

from core.chat import ChatRequest
from serve.client.chat import ChatClient
from serve.client.rules import EndpointRules, chat_body, preset_for, presets, rules_for
from serve.client.schema_dialects import in_dialect
from serve.client.settings import EndpointConfig
from tests.scripted_teacher import ScriptedTeacher, completion
from tests.serve.client import published_rules

SCHEMA = {
    "type": "object",
    "properties": {
        "instruction": {"type": "string", "minLength": 3, "maxLength": 300},
        "solution": {"type": "array", "items": {"type": "string", "maxLength": 120}, "minItems": 1, "maxItems": 9},
        "overall": {"type": "string", "enum": ["yes", "no"]},
    },
    "required": ["instruction", "solution", "overall"],
    "additionalProperties": False,
}
ANSWER = json.dumps({"instruction": "Do it.", "solution": ["x"], "overall": "yes"})
MESSAGES = [{"role": "system", "content": "You answer as JSON."}, {"role": "user", "content": "One."},
            {"role": "assistant", "content": ANSWER}, {"role": "user", "content": "Two."}]  # fmt: skip


def teacher_of(rule):
    """Enforces a rule, and answers in the form of the API that it is asked by."""

    def script(number, body):
        refused = getattr(published_rules, rule)(body, teacher.headers[number - 1])
        if refused is not None:
            return refused
        if rule == "anthropic":
            usage = {
                "input_tokens": 10,
                "cache_read_input_tokens": 90,
                "cache_creation_input_tokens": 0,
                "output_tokens": 20,
            }
            return 200, {"type": "message", "content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn",
                         "usage": usage}, {}  # fmt: skip
        return completion(ANSWER)

    teacher = ScriptedTeacher(script)
    return teacher


def ask(url, times=3, model="gpt-6-luna", **settings):
    client = ChatClient(EndpointConfig(url=f"{url}/v1", max_retries=0, **settings))

    async def all_of_them():
        return [await client(ChatRequest(model, MESSAGES, 100, seed=4, schema=SCHEMA)) for _ in range(times)]

    return asyncio.run(all_of_them()), client


@pytest.mark.parametrize(
    ("preset", "rule", "settings"),
    [
        ("openai", "openai_reasoning", {"thinking": False}),
        ("openai", "openai_reasoning", {}),
        ("azure", "azure", {"thinking": False, "rules": {"query": {"api-version": "2026-01-01"}}}),
        ("anthropic", "anthropic", {"thinking": False}),
        ("deepseek", "deepseek", {"thinking": True}),
        ("mistral", "mistral", {}),
        ("gemini", "gemini", {"thinking": False}),
        ("vllm", "schema_server", {"rules": {"schema_dialect": "plain"}}),
        ("tgi", "tgi", {}),
    ],
)
def test_by_its_preset_a_teacher_is_asked_nothing_that_it_refuses(preset, rule, settings):
    teacher = teacher_of(rule)
    with teacher.running() as url:
        answers, client = ask(url, preset=preset, **settings)
    assert [answer["text"] for answer in answers] == [ANSWER] * 3
    assert len(teacher.asked) == 3 and client.learnt == {}
    if "rules" in settings and "query" in settings["rules"]:
        assert teacher.paths[0].endswith("?api-version=2026-01-01")


@pytest.mark.parametrize(
    ("rule", "refusals", "learnt"),
    [
        ("openai_reasoning", 2, ["max_tokens (sent as max_completion_tokens)", "temperature"]),
        ("deepseek", 2, None),
        ("mistral", 1, ["seed"]),
        ("gemini", 1, None),
        ("old_server", 5, None),
        ("tgi", 4, None),
        ("schema_server", 0, None),
    ],
)
def test_without_a_preset_it_is_learnt_at_the_first_question_and_told_once(rule, refusals, learnt, caplog):
    teacher = teacher_of(rule)
    with teacher.running() as url, caplog.at_level("WARNING", logger="wavecoder.serve"):
        answers, client = ask(url)
    assert [answer["text"] for answer in answers] == [ANSWER] * 3
    assert len(teacher.asked) == 3 + refusals
    told = [message for message in caplog.messages if "takes no" in message]
    assert len(told) == refusals == len(client.learnt.get("gpt-6-luna", []))
    if learnt is not None:
        assert client.learnt["gpt-6-luna"] == learnt


def test_a_grammar_without_limits_of_length_is_learnt():
    teacher = teacher_of("schema_server")
    with teacher.running() as url:
        answers, client = ask(url, preset="vllm")
    assert [answer["text"] for answer in answers] == [ANSWER] * 3
    assert client.learnt["gpt-6-luna"] == ["keywords of the JSON schema (sent without limits of length and number)"]


def test_many_in_flight_learn_it_together():
    teacher = teacher_of("openai_reasoning")

    async def many(client):
        return await asyncio.gather(*[client(ChatRequest("m", MESSAGES, 9, schema=SCHEMA)) for _ in range(50)])

    with teacher.running() as url:
        client = ChatClient(EndpointConfig(url=f"{url}/v1"))
        answers = asyncio.run(many(client))
    assert [answer["error"] for answer in answers] == [""] * 50
    assert client.learnt["m"] == ["max_tokens (sent as max_completion_tokens)", "temperature"]


def test_an_endpoint_that_refuses_both_names_of_a_field_is_not_asked_for_ever():
    def script(_, body):
        bad = next(name for name in body if name.startswith("max_"))
        return 400, {"error": {"message": f"{bad} is not supported", "param": bad}}, {}

    teacher = ScriptedTeacher(script)
    with teacher.running() as url:
        answers, _ = ask(url, times=1)
    assert answers[0]["blame"] == "question" and len(teacher.asked) == 2


@pytest.mark.parametrize("words", ["maximum context length is 2048 tokens", "max_tokens is too large: 9000 > 4096"])
def test_a_question_that_is_too_large_changes_no_rule(words):
    teacher = ScriptedTeacher(lambda *_: (400, {"error": {"message": words, "param": "max_tokens"}}, {}))
    with teacher.running() as url:
        answers, client = ask(url, times=1)
    assert answers[0]["blame"] == "question" and client.learnt == {} and len(teacher.asked) == 1


def test_anthropics_cache_is_marked_and_counted():
    teacher = teacher_of("anthropic")
    with teacher.running() as url:
        answers, _ = ask(url, times=1, preset="anthropic")
    body = teacher.asked[0]
    assert (
        body["system"][0]["cache_control"]
        == body["messages"][-2]["content"][0]["cache_control"]
        == {"type": "ephemeral"}
    )
    assert (answers[0]["prompt_tokens"], answers[0]["cached_tokens"]) == (100, 90)


@pytest.mark.parametrize(
    ("url", "preset"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://mine.openai.azure.com/openai/v1/", "azure"),
        ("https://API.Anthropic.com/v1", "anthropic"),
        ("https://api.openai.com.evil.example/v1", "openai-compatible"),
        ("http://127.0.0.1:8000/v1", "openai-compatible"),
        ("nonsense", "openai-compatible"),
    ],
)
def test_a_host_names_its_preset(url, preset):
    assert preset_for(url) == preset


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_valid_for_any_model(name):
    for model in ("m", "o3", "gpt-6-luna"):
        assert isinstance(rules_for("http://x/v1", model, name), EndpointRules)
    assert presets()[name].get("documents") or name == "openai-compatible"
    for page, day in presets()[name].get("documents", {}).items():
        assert page.startswith("https://") and day.year >= 2026


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"preset": "nobody"}, "there is no preset 'nobody' of an endpoint; there are anthropic"),
        ({"settings": {"token_limit": "tokens"}}, r"rules\.token_limit of the endpoint http://x/v1"),
        ({"settings": {"colour": 1}}, r"rules\.colour"),
        ({"preset": "mistral", "thinking": False}, "does not say how thinking is turned off"),
    ],
)
def test_rules_that_are_none_are_one_clear_line(settings, words):
    with pytest.raises(ValueError, match=words) as caught:
        rules_for("http://x/v1", "m", **settings)
    assert "\n" not in str(caught.value)


def test_text_generation_inference_is_given_the_schema_and_draws_at_a_temperature():
    rules = rules_for("http://x/v1", preset="tgi")
    greedy = chat_body(rules, ChatRequest("m", MESSAGES, 9, schema=SCHEMA))
    assert greedy["response_format"] == {"type": "json", "value": in_dialect(SCHEMA, "plain")}
    assert "temperature" not in greedy
    assert chat_body(rules, ChatRequest("m", MESSAGES, 9, 0.7))["temperature"] == 0.7


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini", "plain"])
def test_a_dialect_keeps_the_form_and_drops_the_limits(dialect):
    kept = in_dialect(SCHEMA | {"$defs": {"a": {"type": "string", "pattern": "x"}}}, dialect)
    assert kept["required"] == list(SCHEMA["properties"]) and kept["additionalProperties"] is False
    assert kept["properties"]["overall"] == SCHEMA["properties"]["overall"]
    assert kept["properties"]["instruction"] == {"type": "string"}
    assert kept["$defs"] == {"a": {"type": "string"}}
    assert in_dialect(SCHEMA, "full") is SCHEMA
