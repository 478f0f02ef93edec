"""What can be written under the schemas that engines are sent: by the grammar library that vLLM chooses for them."""

import inspect
import json

import pytest

from codeocean.generate.prompts import discriminator_schema, generator_schema
from codeocean.generate.tasks import load_tasks
from codeocean.generate.tester import schema_of_tests
from serve.client.schema_dialects import in_dialect

llguidance = pytest.importorskip("llguidance", reason="it comes with vLLM")

ROWS = ['greeting = "hi\\n"', "\treturn re.sub(r'\\d+', \"\", text)", "/* C:\\ */ char end = '\\0';", "é"]
TASKS = load_tasks()


def is_taken(schema, answer):
    """Whether llguidance, as vLLM calls it, lets a model write the answer and end."""
    tokens = llguidance.LLTokenizer("byte")
    grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema), defaults={"whitespace_flexible": True})
    matcher = llguidance.LLMatcher(tokens, grammar, log_level=0)
    assert matcher.get_error() == ""
    written = tokens.tokenize_str(json.dumps(answer, ensure_ascii=False))
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()


@pytest.mark.parametrize("name", sorted(TASKS))
def test_code_with_quotation_marks_and_backslashes_can_be_written(name):
    schema = in_dialect(generator_schema(TASKS[name], 700), "vllm")
    lines = {"array": ROWS, "string": 'It prints "done" and C:\\ on a line.'}
    answer = {
        key: field.get("enum", [lines[field["type"]]])[0] if field["type"] == "string" else lines["array"]
        for key, field in schema["properties"].items()
    }
    assert is_taken(schema, answer)
    assert not is_taken(schema, answer | {"more": 1})


@pytest.mark.parametrize("dialect", ["vllm", "unlimited"])
def test_tests_as_data_and_as_an_assertion_can_be_written(dialect):
    call = {"arguments": ['a "word"', [1.5, None], {"k": -3}], "expected": {"C:\\": [True]}}
    for first in (call, call | {"after": [1, [], {}]}):
        answer = {"tests": [first, {"assertion": 'assert count("a\n") == 1'}]}
        assert is_taken(in_dialect(schema_of_tests(2), dialect), answer)
    assert not is_taken(in_dialect(schema_of_tests(2), dialect), {"tests": [call] * 3})


def test_limits_of_length_hold_in_vllms_dialect_and_are_gone_in_the_unlimited_one():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "minLength": 2, "maxLength": 4}},
        "required": ["a"],
    }
    for text, fits in (('"', False), ('"\\\n"', True), ("five!", False)):
        assert is_taken(in_dialect(schema, "vllm"), {"a": text}) is fits
        assert is_taken(in_dialect(schema, "unlimited"), {"a": text})


def test_vllm_decodes_its_dialect_with_llguidance():
    xgrammar = pytest.importorskip("vllm.v1.structured_output.backend_xgrammar", exc_type=ImportError)
    guidance = pytest.importorskip("vllm.v1.structured_output.backend_guidance", exc_type=ImportError)
    is_unknown = inspect.unwrap(xgrammar.has_xgrammar_unsupported_json_features)  # as no replica of ours changed it
    schemas = [discriminator_schema(TASKS["repair"]), generator_schema(TASKS["repair"], 700), schema_of_tests(4)]
    for schema in [*schemas, {"type": "string", "maxLength": 4, "$defs": {"mine": {"type": "string"}}}]:
        assert not is_unknown(schema)
        sent = in_dialect(schema, "vllm")
        assert is_unknown(sent)
        assert not guidance.has_guidance_unsupported_json_features(sent)
        assert set(schema.get("$defs", {})) < set(sent["$defs"])
