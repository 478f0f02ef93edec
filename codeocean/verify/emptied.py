"""A function without its work: its body returns nothing, what it is given, or the simplest value of its type.

Tests that such a function passes check nothing of what it computes (Niedermayr, Juergens and Wagner 2016,
pseudo-tested methods). Emptied functions are mutants where few edits can be made. Pure; nothing is run.

Not covered: functions that are values of variables in languages other than JavaScript and TypeScript.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codeocean.generate.signatures import function_node
from codeocean.syntax import parse_snippet

_PYTHON = (
    "def {name}(*given, **_):\n    return None\n",
    "def {name}(*given, **_):\n    return given[0] if given else 0\n",
)
"""A later definition replaces an earlier one."""
_SCRIPT = ("null", "0")

_VALUES = {
    r"bool(ean)?|Boolean": ("false", "true"),
    r"(unsigned |long )*(int|long|short|size_t)|u?int\d*(_t)?|[iu](8|16|32|64|128|size)|Integer|Long": ("0", "1"),
    r"double|float(32|64)?|f32|f64|Double|Float": ("0.0", "1.0"),
}  # fmt: skip
"""Pattern of a type → values that all typed languages here write alike."""
_OTHERS = {
    "cpp": {r"string": '""', r"(?!void|auto)\w.*": "{}"},
    "go": {r"string": '""', r"\[\].+|map\[.+|interface ?\{\}|any|error": "nil", r"\[\d+\].+": "{kind}{}",
           r"[^(*].*": "*new({kind})"},
    "java": {r"String": '""', r"(List|ArrayList)<.+>": "new ArrayList<>()", r"(?!void)[\w.]+(<.+>)?(\[\])*": "null"},
    "rust": {
        r"String": "String::new()", r"str": '""', r"Vec<.+>": "Vec::new()", r"\(.+\)|[A-Z].*": "Default::default()"
    },
}  # fmt: skip
"""Pattern of a type → its simplest value; `{kind}` is the type."""
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
    if language == "python":
        return [f"{code}\n\n{body.format(name=name)}" for body in _PYTHON[:most]]
    snippet = parse_snippet(code, language) if most > 0 else None
    node = function_node(code, language, name) if snippet else None
    body = node.child_by_field_name("body") if node else None
    if snippet is None or node is None or body is None:
        return []
    text, begin = code.encode(), body.start_byte - snippet.begin
    if language in {"javascript", "typescript"}:
        if (body.text or b"").startswith(b"{"):
            return [_returning(text, begin + 1, f" return {value};") for value in _SCRIPT[:most]]
        end = body.end_byte - snippet.begin  # an expression behind an arrow
        return [(text[:begin] + value.encode() + text[end:]).decode() for value in _SCRIPT[:most]]
    if language not in _RESULT or not (body.text or b"").startswith(b"{"):
        return []
    returned = _RETURN.get(language, " return {};")
    kind = _text(node.child_by_field_name(_RESULT[language])) or "void"
    values = [""] if kind == "void" else [*_values(kind, language), *_given(node, kind)]
    return [_returning(text, begin + 1, returned.format(value)) for value in values[:most]]


def _given(node: Node, kind: str) -> list[str]:
    """The first parameter of the result's type."""
    declarator = node.child_by_field_name("declarator")  # of C++
    given = node.child_by_field_name("parameters") or (declarator and declarator.child_by_field_name("parameters"))
    for each in given.named_children if given else ():
        fields = (each.child_by_field_name(field) for field in ("name", "pattern", "declarator"))
        name = _text(next((field for field in fields if field is not None), None)).lstrip("& ")
        if _text(each.child_by_field_name("type")) == kind and name.isidentifier():
            return [name]
    return []


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def _returning(text: bytes, place: int, statement: str) -> str:
    return (text[:place] + statement.encode() + text[place:]).decode()


def _values(kind: str, language: str) -> tuple[str, ...]:
    """Values of a type, simplest first; none where there is nothing to return."""
    kind = " ".join(re.sub(r"\bstd::|\bjava\.util\.|\bconst\b|&(\s*'\w+)?", "", kind).split())
    if language == "go" and kind.startswith("("):  # several results
        parts = [_values(part.strip().rpartition(" ")[2], language) for part in kind[1:-1].split(",")]
        return (", ".join(part[0] for part in parts),) if parts and all(parts) else ()
    for pattern, values in _VALUES.items():
        if re.fullmatch(pattern, kind):
            return values
    found = (value for pattern, value in _OTHERS[language].items() if re.fullmatch(pattern, kind))
    return tuple(value.replace("{kind}", kind) for value in found)[:1]
