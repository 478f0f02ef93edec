#!/usr/bin/env bash
# A number with a minimum or maximum has six decimals at most under xgrammar, and no exponent.
#
# The usual guess: bounds take away the numbers outside of them, and nothing else.
# True: with xgrammar 0.2.8 {"type": "number"} admits all JSON numbers. One bound, and the number may have no exponent
#   and no seventh decimal: 1e-3, 1E5 and 0.0000003 cannot be written, though they are inside. Between -1e-7 and 1e-7
#   only 0 is left. There is no warning; llguidance admits the decimals.
# Whom it hurts: who asks for a probability, learning rate, tolerance or p-value "between 0 and 1": what the model
#   wanted to write as 1e-7 comes out as another number, in range and well formed, that nobody doubts.
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
FREE, SHARE, TINY = ({"type": "number"} | bounds for bounds in (
    {}, {"minimum": 0, "maximum": 1}, {"minimum": -1e-7, "maximum": 1e-7}))
CASES = [  # schema, text, whether the schema, xgrammar and llguidance admit it
    (FREE, "1e-3", (True, True, True)),
    (FREE, "0.0000003", (True, True, True)),
    (SHARE, "0.123456", (True, True, True)),
    (SHARE, "0.1234567", (True, False, True)),
    (SHARE, "0.0000003", (True, False, True)),
    (SHARE, "1e-3", (True, False, False)),
    (SHARE, "1.5", (False, False, False)),
    (TINY, "0", (True, True, True)),
    (TINY, "0.00000005", (True, False, True)),
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
for schema, text, expected in CASES:
    valid = Draft202012Validator(schema).is_valid(json.loads(text))
    found = valid, by_xgrammar(schema, text), by_llguidance(schema, text)
    print(f"{json.dumps(schema)} {text}: valid {found[0]}, xgrammar admits it {found[1]}, llguidance {found[2]}")
    unchanged = unchanged and found == expected
raise SystemExit(0 if unchanged else "bounded numbers are written otherwise now")
PYTHON
