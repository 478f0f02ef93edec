#!/usr/bin/env bash
# LangChain's parsers of JSON close an answer that was cut off, and return half a program as a whole one.
#
# The usual guess: JSON that ends in the middle is no JSON: `JsonOutputParser` and `PydanticOutputParser` raise an
#   OutputParserException, and whoever retries on it asks again. Parts of JSON are for streams.
# True: with langchain-core 1.8.3 `parse` closes open strings and brackets and cuts off what does not fit. A score of
#   0.95 that was cut behind the 9 is 0.9, a list of three is a list of two, and the model is valid, as all its fields
#   are there. Nothing tells it from a whole answer.
# Whom it hurts: whoever writes data with `max_tokens` set: answers at the limit are the long and hard ones, and they go
#   into the data as code that ends in the middle.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-core==1.8.3
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version

from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from pydantic import BaseModel


class Program(BaseModel):
    name: str
    code: str


WHOLE = json.dumps({"name": "area", "code": "def area(r):\n    return 3.14159 * r * r\n"})
HALF = WHOLE[: WHOLE.index(" * r")]
CASES = [  # answer, what JsonOutputParser returns
    (HALF, {"name": "area", "code": "def area(r):\n    return 3.14159"}),
    ('{"score": 0.9', {"score": 0.9}),
    ('{"tests": ["f(1) == 1", "f(2) == 4", "f(3', {"tests": ["f(1) == 1", "f(2) == 4", "f(3"]}),
    ('{"passed": 12, "of": 1', {"passed": 12, "of": 1}),
    ('{"sound": true, "faithful": fal', {"sound": True}),
]
print("langchain-core", version("langchain-core"))
unchanged = True
for answer, expected in CASES:
    found = JsonOutputParser().parse(answer)
    print(f"{answer!r}\n    is read as {found}")
    unchanged = unchanged and found == expected
program = PydanticOutputParser(pydantic_object=Program).parse(HALF)
print(f"the first, as a pydantic model: {program!r}")
unchanged = unchanged and program.code == "def area(r):\n    return 3.14159"
raise SystemExit(0 if unchanged else "answers that were cut off are read otherwise now")
PYTHON
