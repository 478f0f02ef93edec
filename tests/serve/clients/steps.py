"""What each client's script does: its steps, one JSON line for each. Imported by scripts in foreign environments."""

import json
import sys
import traceback
from pathlib import Path

URL, KEY, MODE = [*sys.argv, "", "", ""][1:4]
SCRIPTED = MODE == "scripted"
"""Before the scripted upstream, whose models misbehave by their names; otherwise before a real engine."""

MODEL = "good" if SCRIPTED else "wavecoder"
BUSY = f"busy-{Path(sys.argv[0]).name}"
"""Refuses every other request, whatever other clients do meanwhile."""

TEXT = "Hello from the engine"
OVERFLOW = "maximum context length"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}},
    "required": ["city"],
    "additionalProperties": False,
}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
LONG = "word " * 20_000
TRIES = {} if SCRIPTED else {"tools": 4, "structured": 4}
"""Of steps that a small model may spoil, such as by JSON filled with blanks until it is cut off. Others have one."""


def same(text):
    """The scripted answer, or any answer of a real engine."""
    assert text == TEXT if SCRIPTED else text, repr(text)


def fails(call, *words):
    """The error of a call, which must come and hold the words."""
    try:
        call()
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        assert all(word.lower() in told.lower() for word in words), told
        return error
    raise AssertionError("no error came")


def attempt(step, tries):
    """Do a step, again after a failure as long as tries are left."""
    for left in reversed(range(tries)):
        try:
            return step()
        except Exception:
            if not left:
                raise
    return None


def run(steps, refused=()):
    """Do the steps. `refused`: those that a real engine may refuse, if it says so by name."""
    for name, step in steps.items():
        try:
            attempt(step, TRIES.get(name, 1))
            result = "passed"
        except Exception as error:
            told = " ".join(str(error).split())
            by_name = name in refused and not SCRIPTED and "does not answer this address" in told
            result = f"refused: {told[:200]}" if by_name else f"failed: {type(error).__name__}: {told[:300]}"
            if not by_name:
                traceback.print_exc()
        sys.stdout.write(json.dumps({"step": name, "result": result}) + "\n")
        sys.stdout.flush()
