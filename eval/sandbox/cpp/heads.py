"""The heads of C++ functions, read by tree-sitter: their names, types and words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node


@dataclass(frozen=True)
class Member:
    """A function of the candidate's: a method, a constructor (its name is empty), an operator, or a free one."""

    name: str
    returns: str
    kinds: tuple[str, ...]
    """Types of its parameters."""
    least: int
    """Arguments that it must get."""
    is_const: bool = False
    is_static: bool = False
    is_explicit: bool = False
    space: str = ""
    """Its namespace."""

    def words(self) -> set[str]:
        """The words of its types."""
        return {word for kind in (self.returns, *self.kinds) for word in re.findall(r"[A-Za-z_]\w*", kind)}


def text_of(node: Node | None) -> str:
    """A node's text in one line."""
    return "" if node is None or node.text is None else " ".join(node.text.decode().split())


def descend(node: Node, kind: str) -> Node | None:
    """The first node of a kind among those that declarators hold."""
    at: Node | None = node
    while at is not None and at.type != kind:
        step = at.child_by_field_name("declarator")
        at = step or next((each for each in at.named_children if "declarator" in each.type), None)
    return at


def member(node: Node) -> Member | None:
    """A function as it is declared; None if that cannot be told."""
    head = descend(node, "function_declarator")
    if head is None or re.search(r"=\s*delete\s*;?$", text_of(node)):
        return None
    name, listed = text_of(head.child_by_field_name("declarator")), head.child_by_field_name("parameters")
    name = re.sub(r"^operator\s+(?=\W)|(?<=^operator)\s+", "operator", name) if "operator" in name else name
    if listed is None or not re.fullmatch(r"\w+|operator\W{1,3}", name) or any(
        each.type == "variadic_parameter_declaration" or text_of(each) == "..." for each in listed.children
    ):  # fmt: skip
        return None
    kinds, least = list[str](), 0
    for each in listed.named_children:
        if each.type == "comment":
            continue
        kinds.append(_parameter(each))
        least += each.type != "optional_parameter_declaration"
    if kinds == ["void"]:
        kinds, least = [], 0
    tail = text_of(head).rpartition(")")[2]
    arrow = next((each for each in head.children if each.type == "trailing_return_type"), None)
    returns = text_of(arrow).removeprefix("->").strip() if arrow is not None else _returned(node, head)
    words = {text_of(each) for each in node.children}
    return Member(
        name, returns, tuple(kinds), least, bool(re.match(r"\s*const\b", tail)) or " const" in f" {_tail(head)}",
        "static" in words, "explicit" in words,
    )  # fmt: skip


def conversion(node: Node) -> Member | None:
    """`operator bool() const` as a member of that name; None if it is no conversion."""
    cast = next((each for each in node.children if each.type == "operator_cast"), None)
    if cast is None:
        return None
    found = re.fullmatch(r"operator (.*?)\s*\(\s*\)\s*(const)?.*", text_of(cast))
    is_explicit = any(each.type == "explicit_function_specifier" for each in node.children)
    return Member(f"operator {found[1]}", found[1], (), 0, bool(found[2]), is_explicit=is_explicit) if found else None


def _tail(head: Node) -> str:
    return " ".join(text_of(each) for each in head.children if each.type == "type_qualifier")


def _returned(node: Node, head: Node) -> str:
    kind = node.child_by_field_name("type")
    if kind is None:
        return ""
    const = any(each.type == "type_qualifier" and text_of(each) == "const" for each in node.children)
    declarator, marks = node.child_by_field_name("declarator"), ""
    while declarator is not None and declarator != head:
        marks += {"pointer_declarator": "*", "reference_declarator": "&"}.get(declarator.type, "?")
        declarator = declarator.child_by_field_name("declarator") or next(
            (each for each in declarator.named_children if "declarator" in each.type), None
        )
    return f"{'const ' if const else ''}{text_of(kind)}{marks}"


def _parameter(node: Node) -> str:
    """The type of a parameter: its text without its name and its default."""
    value = node.child_by_field_name("default_value")
    name = node.child_by_field_name("declarator")
    while name is not None and name.type not in {"identifier", "field_identifier"}:
        name = name.child_by_field_name("declarator") or next(
            (each for each in name.named_children if "declarator" in each.type or each.type == "identifier"), None
        )
    text, start = node.text or b"", node.start_byte
    if value is not None:
        text = text[: value.start_byte - start].rstrip().removesuffix(b"=")
    if name is not None:
        text = text[: name.start_byte - start] + text[name.end_byte - start :]
    kind = " ".join(text.decode().split())
    kind = re.sub(r"\s*([*&]+)\s*", r"\1", kind)
    kind = re.sub(r"\s*\[\s*\d*\s*\]\s*(\[\s*\d+\s*\])$", r" (*)\1", kind)  # one of two dimensions
    return kind if re.search(r"\([*&]\)\[", kind) else re.sub(r"\s*\[\s*\d*\s*\]$", "*", kind)  # an array is a pointer
