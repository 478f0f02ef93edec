"""What functions and classes are called, in each language's syntax tree."""

from __future__ import annotations

import re

from tree_sitter import Node


def name_of(node: Node, source: bytes) -> str:
    """Name of a function or class; of a function expression, what it is assigned to."""
    if node.type in _NAMED_BY_SIGN:
        return _sign(node, source)
    own = node.child_by_field_name("name") or _declared(node)
    name = None if node.type in {"function_expression", "generator_function", "class"} else own
    if node.type == "impl_item":
        name = node.child_by_field_name("type")
    parent = node.parent if name is None else None
    while parent is not None and parent.type in _AROUND:
        parent = parent.parent
    for field in ("name", "key", "left", "property"):
        name = name or (parent.child_by_field_name(field) if parent else None)
    name = name or own
    if name is not None and name.type == "subscript_expression":  # `exports["dim"] = …`
        index = name.child_by_field_name("index")
        name = index if index is not None and index.type == "string" else name
    text = source[name.start_byte : _end_of_name(name)].decode("utf-8", "replace") if name else ""
    if name is not None and name.type == "string":  # a key: `"on-click": function () {…}`
        return text[1:-1]
    head, operator, sign = text.partition("operator")  # `operator<` is no template
    sign = f" {' '.join(sign.split())}" if re.match(r"\s+\w", sign) else "".join(sign.split())
    if name is not None and name.type == "operator":
        return text  # Ruby: `<=>`
    return (re.sub(r"<[^<>]*>", "", head) + operator + sign).replace("::", ".")


_AROUND = frozenset({"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"})
"""What may stand between a function expression and its name: `const f = (() => 1) as Rule`."""
_NAMED_BY_SIGN = frozenset({"operator_declaration", "conversion_operator_declaration", "indexer_declaration",
                            "destructor_declaration"})  # fmt: skip


def _sign(node: Node, source: bytes) -> str:
    """C#: `operator +`, `implicit operator decimal`, `this[]`, `~Money`."""
    if node.type == "indexer_declaration":
        return "this[]"
    if node.type == "destructor_declaration":
        name = node.child_by_field_name("name")
        return "~" + (source[name.start_byte : name.end_byte].decode("utf-8", "replace") if name else "")
    parameters = node.child_by_field_name("parameters")
    words = [child for child in node.children if child.type in {"implicit", "explicit", "operator", "checked"}]
    if not words or parameters is None:
        return "operator"
    return " ".join(source[words[0].start_byte : parameters.start_byte].decode("utf-8", "replace").split())


def _end_of_name(name: Node) -> int:
    """`operator bool` ends before its parameters."""
    inner = name
    while inner.type == "qualified_identifier" and (last := inner.child_by_field_name("name")):
        inner = last
    declarator = inner.child_by_field_name("declarator") if inner.type == "operator_cast" else None
    return declarator.start_byte if declarator else name.end_byte


def _declared(node: Node) -> Node | None:
    """The name inside a declarator of C and C++: in `int *f(int a)` it is `f`."""
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.child_count and declarator.type != "operator_cast":
        inner = _inner_declarator(declarator)
        if inner is None:
            break
        declarator = inner
    return declarator


def _inner_declarator(declarator: Node) -> Node | None:
    inner = declarator.child_by_field_name("declarator")
    if inner is None and declarator.type in {"reference_declarator", "parenthesized_declarator",
                                             "attributed_declarator"}:  # fmt: skip
        inner = next(iter(declarator.named_children[-1:]), None)
    return inner


def has_parameters(node: Node) -> bool:
    """C, C++: whether what the parser takes for a function is one; true in other languages.

    To the parser `struct PACKED x {` is a function without parameters, and a class of which something inside does not
    parse may be the type of what follows.
    """
    kind = node.child_by_field_name("type")
    if kind is not None and kind.child_by_field_name("body") is not None:
        return False
    if node.type != "function_definition" or (declarator := node.child_by_field_name("declarator")) is None:
        return node.type != "function_definition" or node.child_by_field_name("parameters") is not None
    while declarator is not None and declarator.type not in {"function_declarator", "operator_cast"}:
        if declarator.type == "qualified_identifier":
            declarator = declarator.child_by_field_name("name")
            continue
        declarator = _inner_declarator(declarator)
    return declarator is not None
