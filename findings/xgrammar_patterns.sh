#!/usr/bin/env bash
# A `pattern` without anchors is the whole string under xgrammar, so a prefix allows nothing behind it.
#
# The usual guess: JSON Schema's `pattern` is searched for in the string: "^https?://" asks for how a string begins.
# True: xgrammar 0.2.8 takes it for the whole string, as if it ended with $: "^https?://" lets a model write "http://"
#   and nothing more, "def " only itself. What the pattern admits in quotes or backslashes is masked, too: no escape can
#   be written. There is no warning. llguidance 1.7.6 searches, and writes escapes.
# Whom it hurts: who asks for a URL, a heading, code with a function in it: each answer is the pattern's shortest text,
#   is valid by the schema, and holds nothing.
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
CASES = [  # pattern, text, whether xgrammar and llguidance let it be written
    ("^https?://", "http://", (True, True)),
    ("^https?://", "http://example.org/a", (False, True)),
    ("def ", "def ", (True, True)),
    ("def ", "def area(r): return r", (False, True)),
    ("[.]$", "A sentence.", (False, True)),
    ("^[^;]+$", "plain words", (True, True)),
    ("^[^;]+$", 'print("hi")', (False, True)),
    ("^[^;]+$", "one\ntwo", (False, True)),
]


def by_xgrammar(schema, text):
    matcher = xgrammar.GrammarMatcher(COMPILER.compile_json_schema(schema))
    return matcher.accept_string(text) and matcher.accept_token(256)


def by_llguidance(schema, text):
    tokens = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokens, llguidance.LLMatcher.grammar_from_json_schema(schema))
    written = tokens.tokenize_str(text)
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()


print("xgrammar", version("xgrammar"), "llguidance", version("llguidance"))
unchanged = True
for pattern, text, expected in CASES:
    schema = {"type": "string", "pattern": pattern}
    assert Draft202012Validator(schema).is_valid(text)
    found = by_xgrammar(json.dumps(schema), json.dumps(text)), by_llguidance(json.dumps(schema), json.dumps(text))
    print(f"{text!r} for pattern {pattern!r}: valid; xgrammar lets it be written: {found[0]}, llguidance: {found[1]}")
    unchanged = unchanged and found == expected
raise SystemExit(0 if unchanged else "patterns are read otherwise now")
PYTHON
