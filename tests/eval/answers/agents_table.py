"""Answers as agents and interfaces of 2026 give them; each answers the fixture `adding`."""

import json

from tests.eval.answers.reading_table import ADD, WRONG, fenced

PIECES = [f"```python\n{ADD[:20]}", f"{ADD[20:]}\n```"]
AGENTS = {
    "arguments that are JSON in a string": json.dumps({"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "submit", "arguments": json.dumps({"answer": ADD})}}]}),
    "two pieces of a stream": "\n".join(json.dumps({"delta": piece}) for piece in PIECES),
    "events of a stream": "\n\n".join("data: " + json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in PIECES) + "\n\ndata: [DONE]",
    "a directive of reStructuredText": ".. code-block:: python\n\n" + "\n".join(f"   {line}" for line in ADD.split("\n")),
    "a call in Python's form": f"[write_file(path='add.py', content={ADD!r})]",
    "a call by position": f"submit({ADD!r})",
    "a new file by apply_patch": "*** Begin Patch\n*** Add File: add.py\n" + "\n".join(f"+{line}" for line in ADD.split("\n")) + "\n*** End Patch",
    "lines as an agent sees a file": "\n".join(f"{n:>6}→{line}" for n, line in enumerate(ADD.split("\n"), 1)),
    "a file by cline": f"<write_to_file>\n<path>add.py</path>\n<content>\n{ADD}\n</content>\n<line_count>2</line_count>\n</write_to_file>",
    "a critique between draft and final": f"<draft>\n{WRONG}\n</draft>\n<critique>It subtracts.</critique>\n<final>\n{fenced(ADD)}\n</final>",
    "a block on one line": "```python def add(a, b): c = a + b; return c```",
    "the same again and again until cut off": f"{ADD}\n\n{ADD}\n\n{ADD[:-4]}",
    "blocks of the same until cut off": f"{fenced(ADD)}\n{fenced(ADD)}\n```python\n{ADD[:-4]}",
    "a body at the margin behind its head": f'def add(a, b):\n    """Add."""\n{ADD.partition(chr(10))[2].strip()}',
    "a body at the margin behind its head, fenced": fenced("def add(a, b):\nif a:\n    return a + b\nreturn b") + "\nIt adds.",
}  # fmt: skip
