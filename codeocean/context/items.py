"""A source file as a tree of items: what it defines, in pieces that can be left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from codeocean.context.names import Names, is_filled, names_of
from codeocean.context.tables import TABLES, Table, words_of
from codeocean.grammars import GRAMMARS

_IMPORTS = words_of(
    "import_statement import_declaration import_spec use_declaration preproc_include extern_crate_declaration "
    "package_clause"
)
_ENDS = frozenset({";", ","})
_FREE_OWNERS = frozenset({"exports", "module"})
"""Of JavaScript: what is assigned to their parts is reached from everywhere."""
_RELATIVE_IMPORT = re.compile(rb"['\"]\.|\b(?:crate|super|self)\s*::(?!\s*\{?\s*\*)")
_ABSENT = re.compile(rb"#\[cfg\(\s*(?:all\(\s*)?(?:feature\s*=|test\b)")
_NO_FUNCTION = re.compile(r"=\s*(?:0|default|delete)\s*;?\s*$")


@dataclass(eq=False)
class Item:
    """A statement of a file or of a class in it."""

    node: Node
    begin: int
    """Byte, attributes included."""
    end: int
    outer: Item | None
    language: str
    body: Node | None = None
    """What holds its parts, if it has any."""
    parts: list[Item] = field(default_factory=list)

    @cached_property
    def table(self) -> Table:
        """Its language's."""
        return TABLES[self.language]

    @cached_property
    def is_import(self) -> bool:
        """Whether it only names what is elsewhere."""
        return self.node.type in _IMPORTS

    @cached_property
    def kind(self) -> str:
        """The type of the node that names it: `export class A {}` is a class."""
        return _holder(self.body).type if self.body is not None else self.node.type

    @cached_property
    def is_space(self) -> bool:
        """Whether its parts are reached as if they stood outside."""
        return self.body is not None and self.kind in self.table.spaces

    @cached_property
    def class_around(self) -> Item | None:
        """The nearest class that it is part of."""
        one = self.outer
        while one is not None and one.is_space:
            one = one.outer
        return one

    @cached_property
    def names(self) -> Names:
        """What it reads and defines itself, without its parts."""
        names = names_of(self.node, self.table, frozenset(part.node.id for part in self.parts))
        # What is called as the item is may be another one: an overloaded function, a field, a function beside a method.
        at = (self.node.type, "name")
        counted = self.node.type != "expression_statement" and (at not in _PARTS or at in self.table.declares)
        own = {name for name, times in names.defined.items() if name not in self.binds or times > counted}
        as_types = names.types - names.defined_types if self.language in {"c", "cpp"} else set()
        names.read -= own - as_types  # `void f(file *file)` needs the type
        if self.language == "cpp" and is_filled(self.node):
            names.read |= self.binds  # `template <> int f<char>() {` is none without `f`
        if self.body is not None and b"<" in _named(self.body):
            names.read |= self.binds  # `class A<T *>` is none without `A`
        if self.is_import:
            names.read, names.doubtful, names.members = set(), set(), set()
            names.relative = _RELATIVE_IMPORT.search(self.node.text or b"") is not None
        names.relative = names.relative or (self.node.type == "mod_item" and self.body is None)
        return names

    @cached_property
    def binds(self) -> frozenset[str]:
        """Names by which it is reached."""
        return frozenset(_bound(self))

    @cached_property
    def members(self) -> frozenset[str]:
        """Rust: names of an enum's members."""
        body = self.node.child_by_field_name("body") if self.node.type == "enum_item" else None
        return frozenset(_field_text(one, "name") for one in (body.named_children if body else []))

    @cached_property
    def is_absent(self) -> bool:
        """Rust: whether it is there only with a feature of its package, or in tests."""
        if self.language != "rust":
            return False
        above = self.node.prev_sibling
        while above is not None and (above.type == "attribute_item" or "comment" in above.type):
            if _ABSENT.search(above.text or b""):
                return True
            above = above.prev_sibling
        return self.outer is not None and self.outer.is_absent

    @cached_property
    def is_uncertain(self) -> bool:
        """C, C++: whether it stands in a branch of which nobody knows whether it is read."""
        inner = [self, *self.around()]
        return any(one.kind.startswith("preproc_") and one.is_space and not has_guard(one) for one in inner[1:])

    @cached_property
    def is_last_resort(self) -> bool:
        """C, C++: whether it stands in an `#else`."""
        return any(one.kind == "preproc_else" for one in self.around())

    @cached_property
    def owner(self) -> str:
        """The type of which it is a part although it stands elsewhere; empty for others."""
        return _owner(self)

    @cached_property
    def is_free(self) -> bool:
        """Whether it is part of what is always there."""
        return self.owner in _FREE_OWNERS

    @cached_property
    def wants_all(self) -> bool:
        """Whether it is a class that is none without all its parts."""
        if self.kind == "impl_item":
            return _holder(self.body).child_by_field_name("trait") is not None if self.body is not None else False
        holder = _holder(self.body) if self.body is not None else self.node
        whole = self.table.whole
        return self.kind in whole or any(
            child.type in whole or any(one.type in whole for one in child.named_children)
            for child in holder.named_children
        )

    @cached_property
    def only_declares(self) -> bool:
        """C, C++: whether it is a function without its body."""
        if self.language not in {"c", "cpp"} or self.node.type not in {
            "declaration",
            "field_declaration",
            "template_declaration",
        }:
            return False
        if self.body is not None or _NO_FUNCTION.search((self.node.text or b"").decode("utf-8", "replace")):
            return False
        pending = [self.node]
        while pending:
            one = pending.pop()
            if one.type in {"compound_statement", "parameter_list", "class_specifier", "init_declarator"}:
                if one.type == "compound_statement":
                    return False
                continue
            if one.type == "function_declarator":
                inner = one.child_by_field_name("declarator")
                return inner is not None and inner.type != "parenthesized_declarator" and not _has_body(self.node)
            pending += one.named_children
        return False

    def around(self) -> Iterator[Item]:
        """What it is part of, from the inside out."""
        one = self.outer
        while one is not None:
            yield one
            one = one.outer


def is_guard(part: Item, item: Item) -> bool:
    """C, C++: whether a part of an `#ifndef` defines what that asks for."""
    name = item.node.child_by_field_name("name") if item.node.type == "preproc_ifdef" else None
    return name is not None and part.node.type == "preproc_def" and part.binds <= {(name.text or b"").decode()}


def has_guard(item: Item) -> bool:
    """C, C++: whether an `#ifndef` only keeps a text from being read twice, or a macro from being defined twice."""
    return any(is_guard(part, item) for part in item.parts)


def items_of(root: Node, language: str) -> list[Item]:
    """The items of a file, in the order of the text; parts are below them."""
    return _children(root, None, language)


def _children(holder: Node, outer: Item | None, language: str) -> list[Item]:
    attributes = TABLES[language].attributes
    items, begin = list[Item](), -1
    for number, child in enumerate(holder.children):
        if not child.is_named:
            ends = _ENDS | {":"} if items and items[-1].node.type == "access_specifier" else _ENDS
            if child.type in ends and items and holder.field_name_for_child(number) is None:
                items[-1].end = child.end_byte
            continue
        if "comment" in child.type or holder.field_name_for_child(number) in {"name", "condition", "value", "path"}:
            continue
        if child.type in attributes:
            begin = child.start_byte if begin < 0 else begin
            continue
        start = begin if begin >= 0 else child.start_byte
        items += _item(child, start, outer, language)
        begin = -1
    return items


def _item(node: Node, begin: int, outer: Item | None, language: str) -> list[Item]:
    if node.type == "import_spec_list" or (node.type == "import_declaration" and language == "go"):
        return [one for child in node.named_children for one in _item(child, child.start_byte, outer, language)]
    if node.type == "expression_statement" and node.named_child_count == 1:  # TypeScript's `namespace`
        inner = node.named_child(0)
        node = inner if inner is not None and inner.type == "internal_module" else node
    item = Item(node, begin, node.end_byte, outer, language, _body(node, language))
    if item.body is not None:
        item.parts = _children(item.body, item, language)
    return [item]


def _body(node: Node, language: str) -> Node | None:
    """Where the parts of a class or of a namespace stand."""
    table = TABLES[language]
    if node.type in table.bodies and node.type in table.spaces:
        return node
    pending = [node]
    while pending:
        one = pending.pop(0)
        if one.type in GRAMMARS[language].functions or one.type in {"call_expression", "arguments"}:
            continue
        for child in one.named_children:
            if child.type in table.bodies and one.type in table.classes | table.spaces | {"enum_body"}:
                return child
        pending += one.named_children
    return None


def _holder(body: Node) -> Node:
    """The class of a body, or the conditional compilation itself."""
    if body.type.startswith("preproc_") or body.parent is None:
        return body
    return body.parent.parent if body.parent.type == "enum_body" and body.parent.parent else body.parent


def _named(body: Node) -> bytes:
    """The name of the class of a body, as it stands."""
    name = _holder(body).child_by_field_name("name")
    return (name.text or b"") if name is not None else b""


def _has_body(node: Node) -> bool:
    return any(child.type == "function_definition" for child in node.named_children)


def _bound(item: Item) -> Iterator[str]:
    node = item.node
    if item.is_space or item.kind == "impl_item" or node.type in {"preproc_include", "package_clause"}:
        return
    if item.is_import and node.type in _IMPORTED and item.language in _IMPORTED[node.type]:
        yield from _imported(node)
    elif node.type == "method_declaration" and item.language == "go":
        yield _field_text(node, "name")
    elif node.type == "expression_statement":
        target = _assigned(node)
        if target is not None:
            yield target[1]
    elif item.body is not None and (name := _named(item.body)):
        yield re.sub(rb"\s*<.*", b"", name, flags=re.DOTALL).decode("utf-8", "replace")
    else:
        yield from _shallow(node, item)


_IMPORTED = {"import_spec": ("go",), "import_declaration": ("java",), "use_declaration": ("rust",)}
"""Imports whose names are parts of a path."""


def _imported(node: Node) -> Iterator[str]:
    if node.type == "import_spec":
        yield _go_package(node)
    elif node.type == "use_declaration":
        yield from _used(_field_text(node, "argument"))
    else:
        yield re.findall(r"[\w$]+|\*", (node.text or b"").decode("utf-8", "replace"))[-1]


_DEEP = words_of(
    "block statement_block compound_statement constructor_body parameter_list formal_parameters parameters "
    "template_parameter_list type_parameters arrow_function function_expression generator_function lambda_expression "
    "closure_expression field_declaration_list template_argument_list class_body interface_body object_type "
    "preproc_params declaration_list enum_variant_list enum_body struct_type interface_type"
)
_NAMES = words_of(
    "identifier type_identifier field_identifier property_identifier private_property_identifier namespace_identifier "
    "shorthand_property_identifier_pattern destructor_name operator_name"
)


def _shallow(node: Node, item: Item) -> Iterator[str]:
    """Names that a statement defines outside its bodies and parameters."""
    pending = [(node, False)]
    while pending:
        one, defines = pending.pop()
        if one.type in _NAMES and defines:
            yield (one.text or b"").decode("utf-8", "replace").lstrip("#")
        for number, child in enumerate(one.children):
            name = one.field_name_for_child(number) or ""
            if not child.is_named or child.type in _DEEP:
                continue
            here = (one.type, name) in item.table.declares or (one.type, name) in _PARTS
            kept = defines and name not in {"value", "right", "size", "scope", "type", "path"}
            pending.append((child, here or kept or (one.type == "pair_pattern" and defines)))


_PARTS = frozenset({
    ("method_definition", "name"), ("public_field_definition", "name"), ("field_definition", "property"),
    ("method_signature", "name"), ("abstract_method_signature", "name"), ("method_declaration", "name"),
})  # fmt: skip


def _go_package(node: Node) -> str:
    name = node.child_by_field_name("name")
    if name is not None:
        return (name.text or b"").decode("utf-8", "replace")
    path = _field_text(node, "path").strip('"`').split("/")
    last = path[-2] if len(path) > 1 and re.fullmatch(r"v\d+", path[-1]) else path[-1]
    return re.sub(r"\.v\d+$|^go-|-go$|\.go$", "", last)


def _used(argument: str) -> Iterator[str]:
    """Rust: the names that `use a::{b, c::{self, d as e}}` gives."""
    for path, alias in re.findall(r"(\w+)(?:::\{\s*self\b)?\s*(?:\bas\s+(\w+))?\s*(?=[,};]|$|::\{\s*self\b)", argument):
        yield alias or path


def _field_text(node: Node, name: str) -> str:
    found = node.child_by_field_name(name)
    return (found.text or b"").decode("utf-8", "replace") if found is not None else ""


def _assigned(node: Node) -> tuple[str, str] | None:
    """JavaScript: root and last part of what a statement assigns to, `Foo.prototype.bar = …`."""
    first = next(iter(node.named_children), None)
    if first is None or first.type != "assignment_expression":
        return None
    left = re.fullmatch(r"([\w$]+)(?:\.[\w$]+)*\.([\w$]+)", _field_text(first, "left"))
    return (left[1], left[2]) if left else None


def _owner(item: Item) -> str:
    node = item.node
    if item.outer is not None and item.outer.kind == "impl_item":
        return item.outer.owner
    if item.kind == "impl_item" and item.body is not None:
        kind = _holder(item.body).child_by_field_name("type")
        match = re.match(r"[&\s]*(?:\w+::)*(\w+)", (kind.text or b"").decode("utf-8", "replace") if kind else "")
        return match[1] if match else ""
    if node.type == "method_declaration" and item.language == "go":
        found = re.match(r"\(\s*(?:\w+\s+)?\*?\s*(\w+)", _field_text(node, "receiver"))
        return found[1] if found else ""
    if node.type == "expression_statement":
        target = _assigned(node)
        return target[0] if target else ""
    if item.language in {"c", "cpp"} and item.body is None:
        return _scope(node)
    return ""


def _scope(node: Node) -> str:
    """C++: the class before the name of a function, `int Stack::pop() {`."""
    function = node
    while function.type == "template_declaration":
        inner = next((child for child in function.named_children if child.type in
                      {"function_definition", "declaration", "template_declaration"}), None)  # fmt: skip
        if inner is None:
            return ""
        function = inner
    one = function.child_by_field_name("declarator")
    while one is not None and one.type != "qualified_identifier":
        one = one.child_by_field_name("declarator") or next(iter(one.named_children[-1:]), None) if one.type in {
            "function_declarator", "pointer_declarator", "reference_declarator", "init_declarator", "array_declarator"
        } else None  # fmt: skip
    scope = ""
    while one is not None and one.type == "qualified_identifier":
        scope = _field_text(one, "scope")
        one = one.child_by_field_name("name")
    return re.sub(r"<.*", "", scope, flags=re.DOTALL)
