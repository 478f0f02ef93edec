"""The function that an exercise is about: its name, and its head without its body. By tree-sitter; nothing is run.

A tester is shown the head alone, and a second solution has to have it. Not covered: methods, and functions that are
values of variables in languages other than JavaScript and TypeScript.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node

from codeocean.collect.names import name_of
from codeocean.grammars import GRAMMARS
from codeocean.syntax import Snippet, parse_snippet


@dataclass(frozen=True)
class Signature:
    """How a function is called."""

    name: str
    text: str
    """Its head as its language writes it, on one line."""


def signature_of(code: str, language: str, told: str = "") -> Signature | None:
    """The function of some code that can be called from outside and does the work; None where there is none.

    Args:
        code: a solution, or raw code.
        language: a key of `GRAMMARS`; for others there is none.
        told: text that may name it. Of several functions it is the one that the text names, else the last one that no
            other function calls.
    """
    snippet = parse_snippet(code, language) if language in GRAMMARS else None
    found = _functions(snippet, language) if snippet else {}
    if snippet is None or not found:
        return None
    named = [name for name in found if re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", told)]
    chosen = named[0] if named else _uncalled(found)[-1]
    return Signature(chosen, _head(found[chosen], snippet.text))


def function_node(code: str, language: str, name: str) -> Node | None:
    """The syntax tree's node of a function that can be called from outside; None where there is none."""
    snippet = parse_snippet(code, language) if language in GRAMMARS else None
    return _functions(snippet, language).get(name) if snippet else None


def _functions(snippet: Snippet, language: str) -> dict[str, Node]:
    """Name → node, of the functions that can be called from outside."""
    grammar = GRAMMARS[language]
    found: dict[str, Node] = {}
    nodes = _outer_functions(snippet.root, grammar.functions, grammar.classes, wrapped=snippet.begin > 0)
    if language == "java" and not nodes:
        nodes = _java_methods(snippet.root)
    for node in nodes:
        name = name_of(node, snippet.text)
        if re.fullmatch(r"[A-Za-z_$][\w$]*", name):
            found.setdefault(name, node)
    return found


def _outer_functions(root: Node, functions: frozenset[str], classes: frozenset[str], *, wrapped: bool) -> list[Node]:
    """Functions that are in no function and, unless the class is a wrap around lone methods, in no class."""
    found, pending = [], [root]
    while pending:
        node = pending.pop()
        if node.type in functions:
            found.append(node)
        elif node.type not in classes or wrapped:
            pending.extend(reversed(node.children))
    return found


def _java_methods(root: Node) -> list[Node]:
    """Methods of the outermost classes, which Java has instead of functions, but for private ones."""
    bodies = [node.child_by_field_name("body") for node in root.named_children if node.type == "class_declaration"]
    methods = [each for body in bodies if body for each in body.named_children if each.type == "method_declaration"]
    heads = [(each, re.split(rb"\(", each.text or b"", maxsplit=1)[0].split()) for each in methods]
    return [each for each, words in heads if b"private" not in words and b"main" not in words]


def _uncalled(found: dict[str, Node]) -> list[str]:
    """Names that no other of the functions mentions; all of them where each is mentioned."""
    texts = {name: (node.text or b"").decode("utf-8", "replace") for name, node in found.items()}
    words = {name: set(re.findall(r"[\w$]+", text)) for name, text in texts.items()}
    free = [name for name in found if not any(name in words[other] for other in found if other != name)]
    return free or list(found)


def _head(node: Node, text: bytes) -> str:
    """From the beginning of a function, or of the statement that names it, to its body."""
    body = node.child_by_field_name("body")
    begin = node
    while begin.parent is not None and begin.parent.type in {"variable_declarator", "lexical_declaration"}:
        begin = begin.parent
    head = text[begin.start_byte : body.start_byte if body else node.end_byte].decode("utf-8", "replace")
    return " ".join(head.split()).rstrip("{: ").strip()
