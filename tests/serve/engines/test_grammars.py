"""A client's schema with strings of limited length: what vLLM decodes it with."""

import inspect
import json

import pytest

from serve.engines.grammars import leave_limited_strings_to_llguidance, limits_a_string, narrows_twice

LIMITED = {"type": "object", "properties": {"code": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 90}]}}}


@pytest.mark.parametrize(
    ("schema", "limited"),
    [
        (LIMITED, True),
        ({"type": "array", "items": {"type": "string", "minLength": 1}}, True),
        ({"$defs": {"name": {"type": "string", "maxLength": 3}}, "$ref": "#/$defs/name"}, True),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 3}, False),
        ({"type": "array", "items": {"type": "string", "pattern": "^https?://"}}, True),
        ({"type": "object", "properties": {"pattern": {"type": "string"}}}, False),
        ({"type": "string", "description": "maxLength 3"}, False),
        (True, False),
    ],
)
def test_limits_are_found_anywhere(schema, limited):
    assert limits_a_string(schema) is limited


EITHER = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
          "anyOf": [{"required": ["id"]}, {"required": ["name"]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "twice"),
    [
        (EITHER, True),
        ({"type": "array", "items": EITHER}, True),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, True),
        ({"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}}}, False),
        ({"title": "B", "$defs": {"A": {"type": "object"}}, "allOf": [{"$ref": "#/$defs/A"}]}, False),
    ],
)
def test_keywords_beside_others_are_found_anywhere(schema, twice):
    assert narrows_twice(schema) is twice


def test_vllm_chooses_llguidance_for_them_and_xgrammar_for_others(monkeypatch):
    xgrammar = pytest.importorskip("vllm.v1.structured_output.backend_xgrammar", exc_type=ImportError)
    from vllm.exceptions import VLLMValidationError
    from vllm.sampling_params import SamplingParams, StructuredOutputsParams

    whole = inspect.unwrap(xgrammar.has_xgrammar_unsupported_json_features)  # a replica of another test has told vLLM
    monkeypatch.setattr(xgrammar, "has_xgrammar_unsupported_json_features", whole)  # put back behind the test

    def is_xgrammars(schema):
        asked = SamplingParams(structured_outputs=StructuredOutputsParams(json=json.dumps(schema)))
        try:
            xgrammar.validate_xgrammar_grammar(asked)
        except VLLMValidationError:
            return False
        return True

    assert is_xgrammars(LIMITED) and is_xgrammars(EITHER)
    leave_limited_strings_to_llguidance()
    assert not is_xgrammars(LIMITED)
    assert not is_xgrammars(EITHER)
    assert not is_xgrammars({"type": "string", "pattern": "^def "})
    email = {"type": "string", "pattern": "^(?!.*[.]{2})[a-z.]+@[a-z.]+$"}
    assert is_xgrammars({"type": "object", "properties": {"to": email, "text": {"type": "string", "maxLength": 9}}})
    assert is_xgrammars({"type": "object", "properties": {"code": {"type": "string"}}})
