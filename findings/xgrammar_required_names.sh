#!/usr/bin/env bash
# A required key that `properties` does not describe is never written under xgrammar, and cannot be.
#
# The usual guess: `required` names the keys that must come. A key without a description may hold anything.
# True: with xgrammar 0.2.8 a required name that is missing in `properties` is neither asked for nor let through: an
#   object without it is taken, the object with it is refused. {"type": "object", "required": ["answer"]} admits {} and
#   nothing else. The name is not let through because strict_mode, the default, adds `additionalProperties: false`;
#   without strict_mode it is let through, and still not asked for. There is no warning; llguidance asks for it.
# Whom it hurts: a misspelt name in `required`, or a schema that leaves free-form arguments undescribed: every answer
#   lacks the key, validation rejects every answer, and the model looks unable.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy torch==2.13.0 transformers==5.19.0 jsonschema==4.26.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  xgrammar==0.2.8 llguidance==1.7.6 \
  apache-tvm-ffi==0.1.15.post2 pydantic==2.14.3 pydantic-core==2.50.4 annotated-types==0.8.0 \
  typing-inspection==0.4.5 typing-extensions==4.16.0
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version

import llguidance
import xgrammar
from jsonschema import Draft202012Validator

BYTES = xgrammar.TokenizerInfo([bytes([i]) for i in range(256)] + [b""], vocab_type=xgrammar.VocabType.RAW,
                               stop_token_ids=[256])
COMPILER = xgrammar.GrammarCompiler(BYTES)
CASES = [  # schema, value, whether the schema, xgrammar, xgrammar without strict_mode and llguidance admit it
    ({"type": "object", "required": ["answer"]}, {"answer": 1}, (True, False, True, True)),
    ({"type": "object", "required": ["answer"]}, {}, (False, True, True, False)),
    ({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name", "arguments"]},
     {"name": "open", "arguments": {}}, (True, False, True, True)),
    ({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name", "arguments"]},
     {"name": "open"}, (False, True, True, False)),
]


def by_xgrammar(schema, text, **options):
    matcher = xgrammar.GrammarMatcher(COMPILER.compile_json_schema(json.dumps(schema), **options))
    return matcher.accept_string(text) and matcher.accept_token(256)


def by_llguidance(schema, text):
    tokens = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokens, llguidance.LLMatcher.grammar_from_json_schema(schema))
    written = tokens.tokenize_str(text)
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()


print("xgrammar", version("xgrammar"), "llguidance", version("llguidance"))
unchanged = True
for schema, value, expected in CASES:
    text = json.dumps(value)
    valid = Draft202012Validator(schema).is_valid(value)
    found = valid, by_xgrammar(schema, text), by_xgrammar(schema, text, strict_mode=False), by_llguidance(schema, text)
    print(f"{json.dumps(schema)}\n  {text}: valid {found[0]}, xgrammar {found[1]}, not strict {found[2]}, "
          f"llguidance {found[3]}")
    unchanged = unchanged and found == expected
raise SystemExit(0 if unchanged else "required keys are asked for otherwise now")
PYTHON
