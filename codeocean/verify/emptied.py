"""A function without its work: its body returns nothing, what it is given, or the simplest value of its type.

Tests that such a function passes check nothing of what it computes (Niedermayr, Juergens and Wagner 2016,
pseudo-tested methods). Emptied functions are mutants where few edits can be made. Pure; nothing is run.

Not covered: types that are no plain data, and functions that are values of variables in typed languages.
"""

from __future__ import annotations

import re

from codeocean.generate.signatures import function_node
from codeocean.syntax import parse_snippet

_LATER_COUNTS = {
    "python": (
        "def {name}(*given, **_):\n    return None\n",
        "def {name}(*given, **_):\n    return given[0] if given else 0\n",
    ),
    "javascript": (
        "function {name}(...given) {{ return null }}\n",
        "function {name}(...given) {{ return given[0] }}\n",
    ),
}
"""Languages in which a later definition replaces an earlier one."""

_VALUES = {
    r"bool(ean)?|Boolean": ("false", "true"),
    r"(unsigned |long )*(int|long|short|size_t)|u?int\d*(_t)?|[iu](8|16|32|64|128|size)|Integer|Long": ("0", "1"),
    r"double|float(32|64)?|f32|f64|Double|Float": ("0.0", "1.0"),
}  # fmt: skip
"""Pattern of a type → values that all typed languages here write alike."""
_OTHERS = {
    "cpp": {r"string": '""', r"(vector|set|map|unordered_\w+)<.+>": "{}"},
    "go": {r"string": '""', r"\[\].+|map\[.+": "nil"},
    "java": {r"String": '""', r"(List|ArrayList)<.+>": "new ArrayList<>()"},
    "rust": {r"String": "String::new()", r"Vec<.+>": "Vec::new()"},
}
_RESULT = {"cpp": "type", "java": "type", "go": "result", "rust": "return_type"}
"""The field of a function's node that holds the type of its result."""
_RETURN = {"java": " if (true) return {};"}
"""Java refuses what can never run."""


def emptied(code: str, language: str, name: str, most: int) -> list[str]:
    """Code whose function does no work, at most so many of them.

    Args:
        code: that parses.
        language: of it.
        name: of the function.
        most: wanted.
    """
    script = "javascript" if language == "typescript" else language
    if script in _LATER_COUNTS:
        if script == "javascript" and f"function {name}" not in code:
            return []
        return [f"{code}\n\n{body.format(name=name)}" for body in _LATER_COUNTS[script][:most]]
    snippet = parse_snippet(code, language) if language in _RESULT and most > 0 else None
    node = function_node(code, language, name) if snippet else None
    body = node.child_by_field_name("body") if node else None
    result = node.child_by_field_name(_RESULT[language]) if node else None
    if snippet is None or body is None or result is None or not (body.text or b"").startswith(b"{"):
        return []
    place = body.start_byte + 1 - snippet.begin
    text, kind = code.encode(), (result.text or b"").decode("utf-8", "replace")
    returned = _RETURN.get(language, " return {};")
    return [
        (text[:place] + returned.format(value).encode() + text[place:]).decode()
        for value in _values(kind, language)[:most]
    ]


def _values(kind: str, language: str) -> tuple[str, ...]:
    """Values of a type, simplest first; none for types that are no plain data."""
    kind = " ".join(re.sub(r"\bstd::|\bjava\.util\.|\bconst\b|&", "", kind).split())
    for pattern, values in _VALUES.items():
        if re.fullmatch(pattern, kind):
            return values
    return tuple(value for pattern, value in _OTHERS[language].items() if re.fullmatch(pattern, kind))
