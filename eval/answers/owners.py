"""An entry point that is a method, in whatever language: whose it is, and the function that stands for it. Pure."""

from __future__ import annotations

import re

from eval.answers.braces import without_comments
from eval.answers.candidates import units_of
from eval.answers.declarations import definition_start
from eval.sandbox.functions import split_at_commas

_METHOD = "const {name} = (...given) => ('{name}' in {owner} ? {owner} : new {owner}()).{name}(...given);"
_EXPORT = "const {name} = typeof module.exports === 'function' ? module.exports : module.exports.{name};"


def owner_of(code: str, name: str, language: str) -> str:
    """The class of a program that has the entry point as its method; empty when it is a function, as it should be."""
    units = units_of(code, language)
    binding = [unit for unit in units if name in unit.names]
    if binding:
        exported = [unit for unit in binding if re.match(r"(?:module\.)?exports\b", unit.text)]
        return "module.exports" if exported == binding and language == "javascript" else ""
    owners = [owner for unit in units if name in unit.methods for owner in unit.names or unit.changes]
    return "Solution" if "Solution" in owners else owners[-1] if owners else ""


def as_function(declaration: str, name: str, language: str, owner: str, code: str) -> str:
    """A function of the declaration's signature that calls a method of the code; empty where there is no declaration.

    Args:
        declaration: of the function, as the question shows it.
        name: of the function, and of the method.
        language: of all of them.
        owner: the method's class.
        code: which has it.
    """
    if language == "python":
        return f"{name} = {owner}().{name}"
    if language == "javascript":
        return (_EXPORT if owner == "module.exports" else _METHOD).format(name=name, owner=owner)
    start = definition_start(declaration, name, language)
    head = (
        "" if start is None else declaration[start : without_comments(declaration, language).find("{", start)].strip()
    )
    names = [_parameter(each, language) for each in split_at_commas(_parameters(head))]
    given = f"{name}({', '.join(each for each in names if each)})"
    if not head:
        return ""
    if language == "cpp":
        return f"{head} {{ return {owner}().{given}; }}"
    if language == "go":
        return f"{head} {{ return new({owner}).{given} }}"
    is_method = re.search(rf"\bfn\s+{name}\b[^({{]*\(\s*(?:&\s*)?(?:mut\s+)?self\b", code)
    struct = "" if re.search(rf"\b(?:struct|enum)\s+{owner}\b", code) else f"struct {owner};\n"
    return f"{struct}{head} {{ {f'({owner} {{}}).' if is_method else f'{owner}::'}{given} }}"


def _parameters(head: str) -> str:
    """What stands between a head's parentheses."""
    begin = head.find("(")
    depth = 0
    for place, character in enumerate(head[begin:], begin):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return head[begin + 1 : place]
    return ""


def _parameter(text: str, language: str) -> str:
    """The name of a parameter."""
    text = text.partition("=")[0].strip()
    words = re.findall(r"\w+", text.partition(":")[0] if language == "rust" else text)
    return "" if not words else words[0] if language == "go" else words[-1]
