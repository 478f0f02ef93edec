#!/usr/bin/env bash
# A string with maxLength cannot hold a quotation mark, a line break or a backslash under xgrammar, vLLM's first choice.
#
# The usual guess: `maxLength` limits how long a string is, and what may stand in it stays the same. It is good advice:
#   without it a small model runs on until it is cut off, and the JSON with it.
# True: with xgrammar 0.2.8 minLength or maxLength turns the string into [^"\\\r\n]{m,n}: no escape can be written.
#   print("hi") and a line break are masked, token by token, while a raw tab, which JSON forbids, is let through. There
#   is no warning. llguidance 1.7.6 writes escapes, and counts each as one character. vLLM 0.29's "auto" takes xgrammar.
# Whom it hurts: who asks a model for code, prose with quotations, or paragraphs in a JSON field of limited length: the
#   model writes other code than it would, without any double quote, and each answer is valid by the schema.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy torch==2.13.0 transformers==5.19.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  xgrammar==0.2.8 llguidance==1.7.6 \
  apache-tvm-ffi==0.1.15.post2 pydantic==2.14.3 pydantic-core==2.50.4 annotated-types==0.8.0 \
  typing-inspection==0.4.5 typing-extensions==4.16.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

import llguidance
import xgrammar

BYTES = xgrammar.TokenizerInfo([bytes([i]) for i in range(256)] + [b""], vocab_type=xgrammar.VocabType.RAW,
                               stop_token_ids=[256])
COMPILER = xgrammar.GrammarCompiler(BYTES)


def by_xgrammar(schema, text):
    matcher = xgrammar.GrammarMatcher(COMPILER.compile_json_schema(json.dumps(schema)))
    return matcher.accept_string(text) and matcher.accept_token(256)


def by_llguidance(schema, text):
    tokens = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokens, llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema)))
    written = tokens.tokenize_str(text)
    return matcher.try_consume_tokens(written) == len(written) and matcher.is_accepting()


found = {}
for name, text in {
    "plain words": json.dumps("return 1"),
    "a quotation mark": json.dumps('print("hi")'),
    "a line break": json.dumps("one\ntwo"),
    "a backslash": json.dumps("\\d+"),
    "a raw tab (no JSON)": '"one\ttwo"',
}.items():
    free, limited = {"type": "string"}, {"type": "string", "maxLength": 100}
    found[name] = (by_xgrammar(free, text), by_xgrammar(limited, text), by_llguidance(limited, text))
    print(f"{name:20} xgrammar {found[name][0]!s:5}  with maxLength {found[name][1]!s:5}  llguidance {found[name][2]!s:5}")
expected = {name: (True, False, True) for name in ("a quotation mark", "a line break", "a backslash")}
expected |= {"plain words": (True, True, True), "a raw tab (no JSON)": (False, True, False)}
assert found == expected, "the behaviour has changed"
print(f"xgrammar {xgrammar.__version__ if hasattr(xgrammar, '__version__') else '0.2.8'}: as told above")
PYTHON
