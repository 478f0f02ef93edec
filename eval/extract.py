"""A chat answer → the code in it → a whole program. Pure functions on text."""

from __future__ import annotations

import re
import textwrap

_FENCE = re.compile(r"```[ \t]*([\w+#.-]*)[ \t]*\n(.*?)(?:\n[ \t]*```|```|\Z)", re.DOTALL)


def extract_code(answer: str, entry_point: str) -> str:
    """The code of an answer.

    The block that defines the entry point, else the first block; a block that was cut off counts as far as it goes.
    Without a fence, the answer from its first line that looks like code; prose behind the code is left off.

    Args:
        answer: what the model said.
        entry_point: name of the function that was asked for.
    """
    blocks = [match.group(2) for match in _FENCE.finditer(answer)]
    defining = [block for block in blocks if defines(block, entry_point)]
    if defining or blocks:
        return (defining or blocks)[0].rstrip("\n")
    return _without_prose(answer)


def defines(code: str, name: str) -> bool:
    """Whether code defines a function of this name at its outermost level or in a dedented block."""
    return re.search(rf"^[ \t]*(async[ \t]+)?def[ \t]+{re.escape(name)}\b", code, re.MULTILINE) is not None


def _without_prose(answer: str) -> str:
    lines = answer.splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(r"(def|class|import|from|@)\b|@", line)]
    if not starts:
        return answer.strip("\n")  # a body alone, perhaps
    end = len(lines)
    for number in range(starts[0] + 1, len(lines)):
        line = lines[number]
        if re.match(r"[A-Z][\w']* .*[.:!?]?$", line) and "(" not in line.split(" ")[0] and "=" not in line:
            end = number
            break
    return "\n".join(lines[starts[0] : end]).rstrip("\n")


def complete_program(prompt: str, entry_point: str, completion: str) -> str:
    """The program that a completion stands for.

    A completion that defines the entry point replaces the prompt's function; what the prompt has before it (imports,
    helper functions) stays in front. Anything else is the body that continues the prompt.

    Args:
        prompt: imports, helpers, signature and docstring of the function to complete.
        entry_point: its name.
        completion: extracted code.
    """
    if defines(completion, entry_point):
        return f"{_before(prompt, entry_point)}\n{textwrap.dedent(completion)}"
    body = completion.strip("\n")
    if body and not body.startswith((" ", "\t")):
        body = textwrap.indent(body, "    ")
    return f"{prompt.rstrip()}\n{body}"


def _before(prompt: str, entry_point: str) -> str:
    """What stands before the entry point's definition."""
    match = re.search(rf"^def[ \t]+{re.escape(entry_point)}\b", prompt, re.MULTILINE)
    return prompt[: match.start()].rstrip("\n") if match else ""
