#!/usr/bin/env bash
# With xgrammar, `anyOf` or `allOf` beside `properties` throws the properties away: the answer may be the number 5.
#
# The usual guess: all keywords of a schema hold together. `anyOf` on top of an object with properties, the usual way to
#   ask for "a or b", can only narrow what the object admits. What cannot be built is refused or warned of.
# True: with xgrammar 0.2.8 only the branches count. Type, properties and required keys beside `anyOf` or `allOf` are
#   dropped, and a branch that has no type of its own admits any JSON. Beside `$ref` a bound is dropped. There is no
#   warning. llguidance reads all of these as JSON Schema does.
# Whom it hurts: who generates tool calls or labels by such a schema: a model writes other keys, other types or nothing,
#   and where the schema is taken for a promise nobody validates again.
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
PAIR = {"type": "object", "properties": {"path": {"type": "string"}, "line": {"type": "integer"}},
        "additionalProperties": False}
ONE_OF_TWO = PAIR | {"anyOf": [{"required": ["path"]}, {"required": ["line"]}]}
BOTH = PAIR | {"required": ["line"], "allOf": [{"required": ["path"]}]}
BOUND = {"$ref": "#/$defs/count", "maximum": 10, "$defs": {"count": {"type": "integer"}}}
CASES = [  # schema, its name, value, whether the schema, xgrammar and llguidance admit it
    (PAIR, "plain object", {"line": 3}, (True, True, True)),
    (PAIR, "plain object", {"other": 3}, (False, False, False)),
    (ONE_OF_TWO, "with anyOf", {"line": 3}, (True, True, True)),
    (ONE_OF_TWO, "with anyOf", {"other": 3}, (False, True, False)),
    (ONE_OF_TWO, "with anyOf", {"line": "three"}, (False, True, False)),
    (ONE_OF_TWO, "with anyOf", 5, (False, True, False)),
    (BOTH, "with allOf", {"path": "a.py", "line": 3}, (True, True, True)),
    (BOTH, "with allOf", {"other": 3}, (False, True, False)),
    (BOUND, "$ref and maximum", 50, (False, True, False)),
]


def by_xgrammar(schema, text):
    matcher = xgrammar.GrammarMatcher(COMPILER.compile_json_schema(json.dumps(schema)))
    return matcher.accept_string(text) and matcher.accept_token(256)


def by_llguidance(schema, text):
    tokens = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokens, llguidance.LLMatcher.grammar_from_json_schema(schema))
    written = tokens.tokenize_str(text)
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()


print("xgrammar", version("xgrammar"), "llguidance", version("llguidance"))
unchanged = True
for schema, name, value, expected in CASES:
    text = json.dumps(value)
    valid = Draft202012Validator(schema).is_valid(value)
    found = valid, by_xgrammar(schema, text), by_llguidance(schema, text)
    print(f"{name}, {text}: valid {found[0]}, xgrammar admits it {found[1]}, llguidance {found[2]}")
    unchanged = unchanged and found == expected
raise SystemExit(0 if unchanged else "anyOf is read otherwise now")
PYTHON
