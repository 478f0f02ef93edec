#!/usr/bin/env bash
# The regular expression that outlines-core makes of a JSON schema refuses valid values, and admits invalid ones.
#
# The usual guess: what a schema says holds under structured decoding, and an unknown keyword is an error: at the
#   least, every valid value can be written.
# True: with outlines-core 0.2.14 a number may be 1e+5 but not 1e5; a date-time may end in Z but neither in +02:00 nor
#   hold a fraction of a second; `minimum`, `exclusiveMinimum` and `multipleOf` are dropped without a word, and
#   so is a required property without a schema of its own. Inside `allOf` the same `minimum` is an error.
# Whom it hurts: scores and counts out of range from a judge that "cannot" write them, and masked right tokens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  outlines-core==0.2.14 jsonschema==4.26.0 rfc3339-validator==0.1.4
"$folder/venv/bin/python" - <<'PYTHON'
import json
import re
from importlib.metadata import version

from jsonschema import Draft202012Validator
from outlines_core.json_schema import build_regex_from_schema

DATE = {"type": "string", "format": "date-time"}
NAMED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}
CASES = [  # schema, text, whether the schema admits it, whether the regular expression does
    ({"type": "number"}, "1e+5", True, True),
    ({"type": "number"}, "1e5", True, False),
    (DATE, '"2024-01-31T10:00:00Z"', True, True),
    (DATE, '"2024-01-31T10:00:00+02:00"', True, False),
    (DATE, '"2024-01-31T10:00:00.5Z"', True, False),
    ({"type": "integer", "minimum": 1, "maximum": 5}, "90", False, True),
    ({"type": "integer", "exclusiveMinimum": 0}, "-3", False, True),
    ({"type": "integer", "multipleOf": 5}, "3", False, True),
    (NAMED, '{"a": 1}', False, True),
]
print("outlines-core", version("outlines-core"))
unchanged = True
for schema, text, valid, admitted in CASES:
    by_schema = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(json.loads(text))
    by_regex = re.fullmatch(build_regex_from_schema(json.dumps(schema)), text) is not None
    print(f"{text} for {json.dumps(schema)}: valid {by_schema}, can be written {by_regex}")
    unchanged = unchanged and (by_schema, by_regex) == (valid, admitted)
try:
    build_regex_from_schema(json.dumps({"allOf": [{"type": "integer"}, {"minimum": 1}]}))
    unchanged = False
except ValueError as error:
    print("in allOf:", str(error).splitlines()[0])
raise SystemExit(0 if unchanged else "outlines-core reads these schemas otherwise now")
PYTHON
