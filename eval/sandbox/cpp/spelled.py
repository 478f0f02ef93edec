"""What C++ tests write with a candidate's names and no stub can answer to: on both sides it gets a name of its own.

`parse<int>("4")` becomes a call of a macro of the candidate's program, whose types the compiler tells. A static field
that changes becomes a function that returns it.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from eval.answers.trees import root_of
from eval.sandbox.cpp.declared import Field, OwnType, declared
from eval.sandbox.cpp.heads import descend, text_of

_LISTED = r"[^<>;{}]*(?:<[^<>;{}]*(?:<[^<>;{}]*>[^<>;{}]*)*>[^<>;{}]*)*"
"""What stands between `<` and `>`."""


def spelled(candidate: str, tests: str, entry_point: str | None) -> tuple[str, str, str | None]:
    """A candidate, its tests and the name that these may ask for, with those names."""
    candidate, tests = _fields_as_functions(candidate, tests)
    made: dict[tuple[str, str], str] = {}

    def renamed(match: re.Match[str]) -> str:
        return made.setdefault((match[1], " ".join(match[2].split())), f"{match[1]}_given_{len(made)}") + "("

    for name in sorted(_templates(root_of(candidate, "cpp")) & {entry_point or name for name in _called(tests)}):
        tests = re.sub(rf"(?<![\w:.>])({name})\s*<({_LISTED})>\s*\(", renamed, tests)
    macros = "".join(f"\n#define {macro} {name}<{kinds}>" for (name, kinds), macro in made.items())
    if entry_point and made:  # the one name that may be asked for is this one now
        others = len(made) > 1 or re.search(rf"\b{entry_point}\s*\(", tests)
        entry_point = entry_point if others else next(iter(made.values()))
    return candidate + macros, tests, entry_point


def _called(tests: str) -> set[str]:
    return set(re.findall(r"(?<![\w:.>])([A-Za-z_]\w*)\s*<", tests))


def _templates(root: Node) -> set[str]:
    """The names of a source's function templates."""
    found = set()
    for node in root.named_children:
        if node.type == "template_declaration":
            heads = [descend(each, "function_declarator") for each in node.named_children
                     if each.type == "function_definition"]  # fmt: skip
            found |= {text_of(head.child_by_field_name("declarator")) for head in heads if head is not None}
    return {name for name in found if name.isidentifier()}


def _fields_as_functions(candidate: str, tests: str) -> tuple[str, str]:
    if "::" not in tests or "static" not in candidate:
        return candidate, tests
    text = candidate.encode("utf-8", "replace")
    for each in sorted(declared(candidate).types, key=lambda each: -each.opens):
        for part in _changing(each):
            pattern = rf"\b({each.path}\s*::\s*{part.name})\b(?!\s*[(<:])"
            if re.search(pattern, tests):
                tests = re.sub(pattern, r"\1_field()", tests)
                more = f"public: static {part.kind}& {part.name}_field() {{ return {part.name}; }} {each.parts[0]} "
                text = text[: each.opens] + more.encode() + text[each.opens :]
    return text.decode("utf-8", "replace"), tests


def _changing(each: OwnType) -> list[Field]:
    """The static fields of a class that all may change."""
    if each.head != "struct" or each.parameters:
        return []
    return [part for part in each.open_parts() if isinstance(part, Field) and part.is_shared and not part.size]
