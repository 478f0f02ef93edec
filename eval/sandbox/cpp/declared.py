"""What a C++ candidate declares, read from its text by tree-sitter: classes, enums, functions, constants, other names.

Classes whose fields are data are data. The tests' program declares them anew from what is read here: names, types of
known words and literals, never an expression of the candidate's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from eval.answers.trees import root_of
from eval.sandbox.cpp.heads import Member, conversion, descend, member, text_of

LITERAL = re.compile(
    r"[-+]?[\d.][\w.']*|'(?:[^'\\\n]|\\.)'|\"(?:[^\"\\\n]|\\.)*\"|true|false|nullptr|NULL|\{\s*\}|\{\s*[-\w.]+\s*\}"
)
_PARAMETER = r"(?:class|typename|int|unsigned|unsigned int|long|bool|char|(?:std::)?size_t) \w+"
_KNOWN_ENUM = re.compile(r"\w+\s*(?:=[\w\s+\-*|<()]*)?")


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
    is_shared: bool = False
    """Whether it is static and may change."""

    def has_known_size(self) -> bool:
        """Whether the length of an array is a number."""
        return re.fullmatch(r"(\[\d+\])*", self.size) is not None


@dataclass(frozen=True)
class OwnType:
    """A class or an enum of the candidate's."""

    name: str
    space: str
    head: str
    """`struct`, `enum`, `enum class`; `remote` where objects stay in the candidate's process."""
    base: str
    """What an object of it is, too; several with commas. An enum's underlying type."""
    parts: tuple[str | Field | Member, ...]
    """Labels of access (`private:`), fields, methods; the enumerators of an enum."""
    opens: int
    """Where its body begins in the text, in bytes."""
    parameters: tuple[str, ...] = ()
    """Of a template."""
    heads: tuple[str, ...] = ()
    """What each of these is: `class` or a type of numbers."""
    is_whole: bool = True
    """Whether all that it holds is known here."""
    inner: tuple[str, ...] = ()
    """Names of the types that its body declares."""

    @property
    def path(self) -> str:
        """Its name from outside."""
        return f"{self.space}::{self.name}" if self.space else self.name

    @property
    def short(self) -> str:
        """Its name without arguments of a template, and without the class around it."""
        return self.name.partition("<")[0].rpartition("::")[2]

    def bases(self) -> list[str]:
        """The classes that it extends, as far as others see that."""
        return [part.strip() for part in self.base.split(",") if part.strip()]

    def open_parts(self) -> Iterator[str | Field | Member]:
        """What all may use of it."""
        is_open = False
        for part in self.parts:
            if isinstance(part, str) and part.endswith(":"):
                is_open = part == "public:"
            elif is_open:
                yield part

    def fields(self) -> list[Field]:
        """The data of an object."""
        return [part for part in self.parts if isinstance(part, Field) and not part.is_static]

    def words(self) -> set[str]:
        """The words of the types of its fields."""
        kinds = [part.kind for part in self.parts if isinstance(part, Field)] + [self.base, self.name, *self.inner]
        return {word for kind in kinds for word in re.findall(r"[A-Za-z_]\w*", kind)}

    def is_called(self) -> bool:
        """Whether its objects can be called."""
        return any(isinstance(part, Member) and part.name == "operator()" for part in self.parts)

    def enumerators(self) -> set[str]:
        """The names of an enum's values."""
        return {part.split()[0] for part in self.parts if isinstance(part, str) and self.head.startswith("enum")}

    def filled(self, arguments: str) -> OwnType:
        """A template with arguments."""
        given = dict(zip(self.parameters, (part.strip() for part in _split(arguments)), strict=False))

        def put(kind: str) -> str:
            return re.sub(r"\b[A-Za-z_]\w*\b", lambda match: given.get(match[0], match[0]), kind)

        parts = tuple(_with_kinds(part, put) for part in self.parts)
        return replace(self, name=f"{self.name}<{arguments}>", parameters=(), parts=parts)


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


def _gather(node: Node, space: str, into: Declared, parameters: tuple[str, ...]) -> None:
    for child in node.named_children:
        kind = child.type
        if kind == "namespace_definition":
            name, body = text_of(child.child_by_field_name("name")), child.child_by_field_name("body")
            if body is not None and re.fullmatch(r"\w+", name):
                _gather(body, f"{space}::{name}" if space else name, into, ())
        elif kind == "linkage_specification":
            _gather(child, space, into, ())
        elif kind == "template_declaration":
            listed = child.child_by_field_name("parameters")
            names = tuple(text_of(each) for each in (listed.named_children if listed else []))
            if all(re.fullmatch(_PARAMETER, name) for name in names):
                _gather(child, space, into, names)
        elif kind in {"struct_specifier", "class_specifier", "enum_specifier"}:
            _add_type(child, space, into, parameters, "")
        elif kind == "function_definition" and not parameters:
            _add_function(child, space, into)
        elif kind in {"declaration", "type_definition"} and not parameters:
            _add_declaration(child, space, into)
        elif kind == "alias_declaration" and not parameters:
            name, of = text_of(child.child_by_field_name("name")), text_of(child.child_by_field_name("type"))
            into.aliases.append((space, name, of))


def _add_function(node: Node, space: str, into: Declared) -> None:
    made = member(node)
    if made is not None and made.name and "::" not in made.name:
        into.functions.append(replace(made, space=space))


def _add_declaration(node: Node, space: str, into: Declared) -> None:
    kind = node.child_by_field_name("type")
    declarator = node.child_by_field_name("declarator")
    if kind is not None and kind.type in {"struct_specifier", "class_specifier", "enum_specifier"}:
        name = text_of(declarator) if node.type == "type_definition" else ""
        _add_type(kind, space, into, (), name)
        return
    if node.type == "type_definition":
        name = text_of(declarator)
        if pointer := re.fullmatch(r"\(\*(\w+)\)\((.*)\)", name):
            into.aliases.append((space, pointer[1], f"{text_of(kind)} (*)({pointer[2]})"))
        elif re.fullmatch(r"\w+", name):
            into.aliases.append((space, name, text_of(kind)))
        return
    if declarator is not None and descend(declarator, "function_declarator") is not None:
        return
    words = [text_of(each) for each in node.children if each.type == "type_qualifier"]
    for each in node.children_by_field_name("declarator"):
        inner = each.child_by_field_name("declarator") if each.type == "init_declarator" else None
        if inner is not None and inner.type == "identifier" and {"const", "constexpr"} & set(words):
            into.constants.append(Field(text_of(kind), text_of(inner), "", "", is_static=bool(space)))


def _add_type(node: Node, space: str, into: Declared, parameters: tuple[str, ...], name: str) -> None:
    body = node.child_by_field_name("body")
    name = name or text_of(node.child_by_field_name("name"))
    if body is None or not re.fullmatch(r"\w+", name):
        return
    if node.type == "enum_specifier":
        head = "enum class" if any(each.type in {"class", "struct"} for each in node.children) else "enum"
        under = text_of(node.child_by_field_name("base"))
        values = tuple(text_of(each) for each in body.named_children if each.type == "enumerator")
        whole = all(_KNOWN_ENUM.fullmatch(value) for value in values)
        into.types.append(OwnType(name, space, head, under, values, body.start_byte + 1, is_whole=whole))
        return
    bases = next((each for each in node.children if each.type == "base_class_clause"), None)
    base, hidden = _bases(text_of(bases), is_class=node.type == "class_specifier")
    inside = Declared([], [], [], [])
    parts, whole = _parts(body, name, "private:" if node.type == "class_specifier" else "public:", inside, space)
    into.functions += inside.functions
    names, heads = zip(*(each.rsplit(" ", 1)[::-1] for each in parameters), strict=True) if parameters else ((), ())
    made = OwnType(
        name, space, "struct", base, tuple(parts), body.start_byte + 1, names, heads, is_whole=whole and not hidden
    )
    nested = {each.name: f"{name}::{each.name}" for each in inside.types if "::" not in each.name}
    into.types.append(replace(_named(made, nested), inner=tuple(nested)))
    if not parameters:
        into.types += [_named(replace(each, name=f"{name}::{each.name}"), nested) for each in inside.types]


def _bases(clause: str, *, is_class: bool) -> tuple[str, bool]:
    """The bases that others see, and whether there are others."""
    open_ones, parts = list[str](), [part.strip() for part in _split(clause.removeprefix(":")) if part.strip()]
    for part in parts:
        words = part.split()
        if "public" in words or not (is_class or {"private", "protected"} & set(words)):
            open_ones.append(" ".join(word for word in words if word not in {"public", "virtual"}))
    return ", ".join(open_ones), len(open_ones) < len(parts) or "virtual" in clause.split()


def _named(made: OwnType, names: dict[str, str]) -> OwnType:
    """A type whose parts call the classes within by their whole names."""
    if not names:
        return made
    pattern = re.compile(rf"(?<![\w:])(?:{'|'.join(names)})\b")

    def put(kind: str) -> str:
        return pattern.sub(lambda match: names[match[0]], kind)

    return replace(made, parts=tuple(_with_kinds(part, put) for part in made.parts))


def _with_kinds(part: str | Field | Member, put: Callable[[str], str]) -> str | Field | Member:
    if isinstance(part, Field):
        return replace(part, kind=put(part.kind), size=put(part.size))
    if isinstance(part, Member):
        return replace(part, returns=put(part.returns), kinds=tuple(map(put, part.kinds)))
    return part


def _parts(body: Node, name: str, access: str, into: Declared, space: str) -> tuple[list[str | Field | Member], bool]:
    parts: list[str | Field | Member] = [access]
    whole = True
    for child in body.named_children:
        if child.type == "access_specifier":
            parts.append(text_of(child).rstrip(": ") + ":")
        elif child.type == "friend_declaration":
            inner = child.named_children[0] if child.named_children else None
            if inner is not None and inner.type == "function_definition":
                _add_function(inner, space, into)
        elif (cast := conversion(child)) is not None:
            parts.append(cast)
        elif child.type == "function_definition" or (
            child.type in {"field_declaration", "declaration"} and descend(child, "function_declarator") is not None
            and descend(child, "parenthesized_declarator") is None
        ):  # fmt: skip
            whole = whole and not re.search(r"\bvirtual\b|\boverride\b", text_of(child).partition("{")[0])
            if (made := member(child)) is not None:
                constructor = made.name == name and not made.returns
                parts.append(replace(made, name="" if constructor else made.name))
        elif child.type == "field_declaration" and _is_type(child):
            whole = _add_inner(child, parts, into, space) and whole
        elif child.type == "field_declaration":
            found = list(_fields(child))
            whole = whole and bool(found)
            parts += found
        elif child.type == "using_declaration":
            parts.append(text_of(child))
        elif child.type != "comment":
            whole = False
    return parts, whole


def _add_inner(node: Node, parts: list[str | Field | Member], into: Declared, space: str) -> bool:
    """Take up a type within a class, if all may use it; whether objects of the class may be data."""
    access = next(part for part in reversed(parts) if isinstance(part, str) and part.endswith(":"))
    known = len(into.types)
    if access == "public:":
        _add_type(node.child_by_field_name("type") or node, space, into, (), "")
    return len(into.types) == known + 1 and into.types[-1].head != "struct"


def _is_type(node: Node) -> bool:
    kind = node.child_by_field_name("type")
    is_declared = bool(node.children_by_field_name("declarator"))
    return kind is not None and kind.child_by_field_name("body") is not None and not is_declared


def _fields(node: Node) -> Iterator[Field]:
    kind = text_of(node.child_by_field_name("type"))
    words = {text_of(each) for each in node.children}
    shared = "static" in words and not words & {"const", "constexpr"}
    initial = node.child_by_field_name("default_value")
    for declarator in node.children_by_field_name("declarator"):
        text = text_of(declarator)
        found = re.fullmatch(r"(\**)\s*(\w+)\s*((?:\[\w+\])*)", text)
        if found is None:
            yield Field("unknown_type", text, "", "")
            continue
        value = text_of(_value_of(node, declarator, initial))
        yield Field(f"{kind}{found[1]}", found[2], found[3], value, is_static="static" in words, is_shared=shared)


def _value_of(node: Node, declarator: Node, only: Node | None) -> Node | None:
    """The value that follows one of several names: `int n = 0, m = 1;`."""
    after = declarator.next_sibling
    if after is not None and after.type == "=":
        return after.next_sibling
    if after is not None and after.type == "initializer_list":
        return after
    return only if len(node.children_by_field_name("declarator")) == 1 else None


def ordered_by(kind: str, *, keys: bool = False) -> set[str]:
    """Words of what compares or hashes the items of containers in a type, or of what is compared so."""
    words = set[str]()
    for found in re.finditer(r"\b(\w*set|\w*map|priority_queue)\s*<", kind):
        inside, depth = "", 1
        for character in kind[found.end() :]:
            depth += (character == "<") - (character == ">")
            if not depth:
                break
            inside += character
        first = 1 if found[1].endswith("set") else 2
        parts = _split(inside)[:1] if keys else _split(inside)[first:]
        parts = [part for part in parts if not (keys and re.search(r"\*|_ptr\s*<", part))]
        words |= {word for part in parts for word in re.findall(r"\w+", part)}
    return words


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
             else used).add(text_of(node))  # fmt: skip
        elif node.type == "identifier":
            if parent.type == "call_expression" and parent.child_by_field_name("function") == node:
                used.add(text_of(node))
            elif parent.type == "function_declarator":
                own.add(text_of(node))
    return used - own, own
