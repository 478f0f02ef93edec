"""What a C++ candidate declares, read from its text by tree-sitter: classes, enums, functions, constants, other names.

Classes whose fields are data are data. The tests' program declares them anew from what is read here: names, types of
known words and literals, never an expression of the candidate's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from eval.answers.trees import root_of

LITERAL = re.compile(
    r"[-+]?[\d.][\w.']*|'(?:[^'\\\n]|\\.)'|\"(?:[^\"\\\n]|\\.)*\"|true|false|nullptr|NULL|\{\s*\}|\{\s*[-\w.]+\s*\}"
)
_KNOWN_ENUM = re.compile(r"[\w\s+\-*|<()]*")


@dataclass(frozen=True)
class Field:
    """A datum of a class."""

    kind: str
    name: str
    size: str
    """Behind the name: `[3]`."""
    initial: str
    """A literal, or nothing."""
    is_static: bool = False


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


@dataclass(frozen=True)
class OwnType:
    """A class or an enum of the candidate's."""

    name: str
    space: str
    head: str
    """`struct`, `enum`, `enum class`."""
    base: str
    parts: tuple[str | Field | Member, ...]
    """Labels of access (`private:`), fields, methods; the enumerators of an enum."""
    opens: int
    """Where its body begins in the text, in bytes."""
    parameters: tuple[str, ...] = ()
    """Of a template."""
    is_whole: bool = True
    """Whether all that it holds is known here."""

    @property
    def path(self) -> str:
        """Its name from outside."""
        return f"{self.space}::{self.name}" if self.space else self.name

    @property
    def short(self) -> str:
        """Its name without arguments of a template."""
        return self.name.partition("<")[0]

    def fields(self) -> list[Field]:
        """The data of an object."""
        return [part for part in self.parts if isinstance(part, Field) and not part.is_static]

    def words(self) -> set[str]:
        """The words of the types of its fields."""
        kinds = [part.kind for part in self.parts if isinstance(part, Field)] + [self.base]
        return {word for kind in kinds for word in re.findall(r"[A-Za-z_]\w*", kind)}

    def enumerators(self) -> set[str]:
        """The names of an enum's values."""
        return {part.split()[0] for part in self.parts if isinstance(part, str) and self.head != "struct"}

    def filled(self, arguments: str) -> OwnType:
        """A template with arguments."""
        given = dict(zip(self.parameters, (part.strip() for part in _split(arguments)), strict=False))

        def put(kind: str) -> str:
            return re.sub(r"\b[A-Za-z_]\w*\b", lambda match: given.get(match[0], match[0]), kind)

        def of(part: str | Field | Member) -> str | Field | Member:
            if isinstance(part, Field):
                return replace(part, kind=put(part.kind))
            if isinstance(part, Member):
                return replace(part, returns=put(part.returns), kinds=tuple(map(put, part.kinds)))
            return part

        return replace(self, name=f"{self.name}<{arguments}>", parameters=(), parts=tuple(map(of, self.parts)))


@dataclass
class Declared:
    """All of it."""

    types: list[OwnType]
    functions: list[Member]
    constants: list[Field]
    aliases: list[tuple[str, str, str]]
    """Namespace, name and type."""


def declared(source: str) -> Declared:
    """What a source declares at its top level and in namespaces."""
    found = Declared([], [], [], [])
    _gather(root_of(source, "cpp"), "", found, ())
    return found


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else " ".join(node.text.decode().split())


def _gather(node: Node, space: str, into: Declared, parameters: tuple[str, ...]) -> None:
    for child in node.named_children:
        kind = child.type
        if kind == "namespace_definition":
            name, body = _text(child.child_by_field_name("name")), child.child_by_field_name("body")
            if body is not None and re.fullmatch(r"\w+", name):
                _gather(body, f"{space}::{name}" if space else name, into, ())
        elif kind == "linkage_specification":
            _gather(child, space, into, ())
        elif kind == "template_declaration":
            listed = child.child_by_field_name("parameters")
            names = [_text(each).split()[-1] for each in (listed.named_children if listed else [])]
            if all(each.type == "type_parameter_declaration" for each in (listed.named_children if listed else [])):
                _gather(child, space, into, tuple(names))
        elif kind in {"struct_specifier", "class_specifier", "enum_specifier"}:
            _add_type(child, space, into, parameters, "")
        elif kind == "function_definition" and not parameters:
            _add_function(child, space, into)
        elif kind in {"declaration", "type_definition"} and not parameters:
            _add_declaration(child, space, into)
        elif kind == "alias_declaration" and not parameters:
            name, of = _text(child.child_by_field_name("name")), _text(child.child_by_field_name("type"))
            into.aliases.append((space, name, of))


def _add_function(node: Node, space: str, into: Declared) -> None:
    made = member(node)
    if made is not None and made.name and "::" not in made.name:
        into.functions.append(replace(made, space=space))


def _add_declaration(node: Node, space: str, into: Declared) -> None:
    kind = node.child_by_field_name("type")
    declarator = node.child_by_field_name("declarator")
    if kind is not None and kind.type in {"struct_specifier", "class_specifier", "enum_specifier"}:
        name = _text(declarator) if node.type == "type_definition" else ""
        _add_type(kind, space, into, (), name)
        return
    if node.type == "type_definition":
        name = _text(declarator)
        if pointer := re.fullmatch(r"\(\*(\w+)\)\((.*)\)", name):
            into.aliases.append((space, pointer[1], f"{_text(kind)} (*)({pointer[2]})"))
        elif re.fullmatch(r"\w+", name):
            into.aliases.append((space, name, _text(kind)))
        return
    if declarator is not None and _descend(declarator, "function_declarator") is not None:
        return
    words = [_text(each) for each in node.children if each.type == "type_qualifier"]
    for each in node.children_by_field_name("declarator"):
        inner = each.child_by_field_name("declarator") if each.type == "init_declarator" else None
        if inner is not None and inner.type == "identifier" and {"const", "constexpr"} & set(words):
            into.constants.append(Field(_text(kind), _text(inner), "", "", is_static=bool(space)))


def _add_type(node: Node, space: str, into: Declared, parameters: tuple[str, ...], name: str) -> None:
    body = node.child_by_field_name("body")
    name = name or _text(node.child_by_field_name("name"))
    if body is None or not re.fullmatch(r"\w+", name):
        return
    if node.type == "enum_specifier":
        head = "enum class" if any(each.type in {"class", "struct"} for each in node.children) else "enum"
        under = _text(node.child_by_field_name("base"))
        values = tuple(_text(each) for each in body.named_children if each.type == "enumerator")
        whole = all(_KNOWN_ENUM.fullmatch(value.partition("=")[2]) for value in values)
        into.types.append(OwnType(name, space, head, under, values, body.start_byte + 1, is_whole=whole))
        return
    bases = next((each for each in node.children if each.type == "base_class_clause"), None)
    base = re.sub(r"^:\s*(?:public\s+)?", "", _text(bases)) if bases is not None else ""
    if bases is not None and not re.search(r"public", _text(bases)) and node.type == "class_specifier":
        base = "unknown base"
    parts, whole = _parts(body, name, "private:" if node.type == "class_specifier" else "public:", into, space)
    into.types.append(OwnType(name, space, "struct", base, tuple(parts), body.start_byte + 1, parameters, whole))


def _parts(body: Node, name: str, access: str, into: Declared, space: str) -> tuple[list[str | Field | Member], bool]:
    parts: list[str | Field | Member] = [access]
    whole = True
    for child in body.named_children:
        if child.type == "access_specifier":
            parts.append(_text(child).rstrip(": ") + ":")
        elif child.type == "friend_declaration":
            inner = child.named_children[0] if child.named_children else None
            if inner is not None and inner.type == "function_definition":
                _add_function(inner, space, into)
        elif child.type == "function_definition" or (
            child.type in {"field_declaration", "declaration"} and _descend(child, "function_declarator") is not None
            and _descend(child, "parenthesized_declarator") is None
        ):  # fmt: skip
            whole = whole and not re.search(r"\bvirtual\b", _text(child).partition("(")[0])
            if (made := member(child)) is not None:
                constructor = made.name == name and not made.returns
                parts.append(replace(made, name="" if constructor else made.name))
        elif child.type == "field_declaration":
            found = list(_fields(child))
            whole = whole and bool(found)
            parts += found
        elif child.type not in {"comment", "using_declaration"}:
            whole = False
    return parts, whole


def _fields(node: Node) -> Iterator[Field]:
    kind = _text(node.child_by_field_name("type"))
    words = {_text(each) for each in node.children}
    initial = node.child_by_field_name("default_value")
    for declarator in node.children_by_field_name("declarator"):
        text = _text(declarator)
        found = re.fullmatch(r"(\**)\s*(\w+)\s*((?:\[\d+\])*)", text)
        if found is None:
            yield Field("unknown_type", text, "", "")
            continue
        value = _text(_value_of(node, declarator, initial))
        yield Field(f"{kind}{found[1]}", found[2], found[3], value, is_static="static" in words)


def _value_of(node: Node, declarator: Node, only: Node | None) -> Node | None:
    """The value that follows one of several names: `int n = 0, m = 1;`."""
    after = declarator.next_sibling
    if after is not None and after.type == "=":
        return after.next_sibling
    if after is not None and after.type == "initializer_list":
        return after
    return only if len(node.children_by_field_name("declarator")) == 1 else None


def _descend(node: Node, kind: str) -> Node | None:
    """The first node of a kind among those that declarators hold."""
    at: Node | None = node
    while at is not None and at.type != kind:
        step = at.child_by_field_name("declarator")
        at = step or next((each for each in at.named_children if "declarator" in each.type), None)
    return at


def member(node: Node) -> Member | None:
    """A function as it is declared; None if that cannot be told."""
    head = _descend(node, "function_declarator")
    if head is None or re.search(r"=\s*delete\s*;?$", _text(node)):
        return None
    name, listed = _text(head.child_by_field_name("declarator")), head.child_by_field_name("parameters")
    name = re.sub(r"^operator\s+(?=\W)|(?<=^operator)\s+", "operator", name) if "operator" in name else name
    if listed is None or not re.fullmatch(r"\w+|operator\W{1,3}", name) or any(
        each.type == "variadic_parameter_declaration" or _text(each) == "..." for each in listed.children
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
    tail = _text(head).rpartition(")")[2]
    arrow = next((each for each in head.children if each.type == "trailing_return_type"), None)
    returns = _text(arrow).removeprefix("->").strip() if arrow is not None else _returned(node, head)
    words = {_text(each) for each in node.children}
    return Member(
        name, returns, tuple(kinds), least, bool(re.match(r"\s*const\b", tail)) or " const" in f" {_tail(head)}",
        "static" in words, "explicit" in words,
    )  # fmt: skip


def _tail(head: Node) -> str:
    return " ".join(_text(each) for each in head.children if each.type == "type_qualifier")


def _returned(node: Node, head: Node) -> str:
    kind = node.child_by_field_name("type")
    if kind is None:
        return ""
    const = any(each.type == "type_qualifier" and _text(each) == "const" for each in node.children)
    declarator, marks = node.child_by_field_name("declarator"), ""
    while declarator is not None and declarator != head:
        marks += {"pointer_declarator": "*", "reference_declarator": "&"}.get(declarator.type, "?")
        declarator = declarator.child_by_field_name("declarator") or next(
            (each for each in declarator.named_children if "declarator" in each.type), None
        )
    return f"{'const ' if const else ''}{_text(kind)}{marks}"


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
    return re.sub(r"\s*\[\s*\d*\s*\]$", "*", kind)  # an array is a pointer


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<([{") - (character in ">)]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def named_types(tests: str) -> tuple[set[str], set[str]]:
    """Names that the tests use as types or call, and names that they declare themselves."""
    used, own = set[str](), set[str]()
    waiting = [root_of(tests, "cpp")]
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        parent = node.parent
        if parent is None:
            continue
        if node.type in {"type_identifier", "namespace_identifier"}:
            declares = parent.type in {"type_parameter_declaration", "struct_specifier", "class_specifier",
                                       "enum_specifier", "alias_declaration", "type_definition"}  # fmt: skip
            is_name = parent.child_by_field_name("name") == node or parent.type in {"type_parameter_declaration"}
            is_name = is_name or (parent.type == "type_definition" and parent.child_by_field_name("declarator") == node)
            (own if declares and is_name and (parent.child_by_field_name("body") or "speci" not in parent.type)
             else used).add(_text(node))  # fmt: skip
        elif node.type == "identifier":
            if parent.type == "call_expression" and parent.child_by_field_name("function") == node:
                used.add(_text(node))
            elif parent.type == "function_declarator":
                own.add(_text(node))
    return used - own, own
