"""The names that a piece of syntax reads and defines. Scopes are read roughly: what it defines anywhere is its own."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from tree_sitter import Node

from codeocean.context.tables import Table, words_of

_LEAVES = words_of(
    "identifier type_identifier namespace_identifier package_identifier shorthand_property_identifier "
    "shorthand_property_identifier_pattern shorthand_field_identifier"
)
_OTHER_SIDE = words_of(
    "value right size default_value type arguments parameters body condition result return_type scope path trait "
    "initializer type_arguments bounds"
)
"""Fields below which nothing is defined, whatever stands around."""
_BOUNDS = frozenset({"type_bound"})
"""Nodes below a parameter's type that define nothing."""
_PATTERNS = words_of("match_pattern or_pattern tuple_pattern tuple_struct_pattern reference_pattern")
"""Of Rust: a name with a capital below these is a constant or a member of an enum."""
_LATER = words_of("requires_clause requires_expression concept_definition co_await_expression co_yield_statement "
                  "co_return_statement")  # fmt: skip
"""Of C++20, which is not the C++ that is compiled: they count as names that nothing gives."""
_OWN_PACKAGE = frozenset({"crate", "super"})
_LOADS = re.compile(rb"(?:require|import)\s*\(\s*['\"]\.")


@dataclass
class Names:
    """Names by how sure it is that they are the file's."""

    read: set[str] = field(default_factory=set)
    """It has to be defined somewhere."""
    doubtful: set[str] = field(default_factory=set)
    """It may be the file's: words of a macro, keys."""
    members: set[str] = field(default_factory=set)
    """It stands behind a dot."""
    defined: Counter[str] = field(default_factory=Counter)
    """And how often."""
    types: set[str] = field(default_factory=set)
    """C, C++: those read that are types."""
    defined_types: set[str] = field(default_factory=set)
    """C, C++: those defined that are types."""
    within: set[tuple[str, str]] = field(default_factory=set)
    """C++: a namespace or class, and the name behind its `::`."""
    relative: bool = False
    """It reaches into its own package."""

    def add(self, other: Names) -> None:
        """Also those of another piece."""
        self.read |= other.read
        self.doubtful |= other.doubtful
        self.members |= other.members
        self.within |= other.within
        self.relative = self.relative or other.relative


def names_of(node: Node, table: Table, skipped: frozenset[int] = frozenset()) -> Names:
    """The names of a node, without those below some nodes inside it (by id)."""
    found = Names()
    pending: list[tuple[Node, str, Node | None, bool, bool, bool]] = [(node, "", node.parent, False, False, False)]
    while pending:
        one, name, outer, defines, behind, doubtful = pending.pop()
        if one.type in _LATER:
            found.read.add(one.type)
        if one.id in skipped or "comment" in one.type or one.type == "string":
            continue
        place = (outer.type if outer is not None else "", name)
        kept = defines and (name not in _OTHER_SIDE or place[0] == "pair_pattern")
        defines = (place in table.declares or kept) and one.type not in _BOUNDS
        filled = name == "name" and place[0].startswith("template_") and (behind or _is_dependent(outer))
        behind = filled or _is_inner_scope(place, outer) or (place in table.behind and _is_behind(one, place[0], outer))
        doubtful = doubtful or place in table.doubtful or one.type == "token_tree" or _is_friend(one, place[0])
        if place[0] == "method_invocation" and name == "name" and outer is not None:
            behind = outer.child_by_field_name("object") is not None
        if one.child_count:
            for number, child in enumerate(one.children):
                if child.is_named or child.type in _OWN_PACKAGE:
                    pending.append((child, one.field_name_for_child(number) or "", one, defines, behind, doubtful))
            continue
        _note(one, place, found, table, (defines, behind, doubtful))
        if behind and (scope := _scope_of(one)):
            found.within.add((scope, _text(one)))
    found.relative = found.relative or _LOADS.search(node.text or b"") is not None
    return found


def _scope_of(name: Node) -> str:
    """C++: what stands before the `::` of a name, without arguments of its own; empty for other names."""
    outer = name.parent
    if outer is not None and outer.type.startswith("template_"):
        outer = outer.parent
    if outer is not None and outer.child_by_field_name("scope") == name:
        outer = outer.parent
    scope = outer.child_by_field_name("scope") if outer is not None and outer.type == "qualified_identifier" else None
    return _text(scope) if scope is not None and scope.type == "namespace_identifier" else ""


def _is_dependent(filled: Node | None) -> bool:
    """C++: whether it is the `b<T>` of `typename A::template b<T>`."""
    return filled is not None and filled.parent is not None and filled.parent.type == "dependent_name"


def _is_friend(one: Node, kind: str) -> bool:
    """C++: whether it is the `A` of `friend class A;`, which names it and needs no more."""
    before = one.prev_sibling
    return kind == "friend_declaration" and before is not None and before.type in {"class", "struct", "union"}


def _is_inner_scope(place: tuple[str, str], outer: Node | None) -> bool:
    """C++: whether it is the `b` of `a::b::c`."""
    if place != ("qualified_identifier", "scope") or outer is None or outer.parent is None:
        return False
    around = outer.parent
    return (
        around.type == "qualified_identifier"
        and around.child_by_field_name("name") == outer
        and around.child_by_field_name("scope") is not None
    )


def _is_behind(one: Node, kind: str, outer: Node | None) -> bool:
    """Without a field it is all but the first."""
    if kind not in {"scoped_type_identifier", "method_reference"} or outer is None:
        return True
    return outer.named_child(0) != one or outer.child_by_field_name("name") is not None


def _note(one: Node, place: tuple[str, str], found: Names, table: Table, flags: tuple[bool, bool, bool]) -> None:
    defines, behind, doubtful = flags
    if one.type in _OWN_PACKAGE:
        found.relative = found.relative or place[0].startswith(("scoped", "use"))
    elif one.type == "primitive_type" and _text(one).endswith("_t"):
        found.read.add(_text(one))  # a header's
    elif one.type == "preproc_arg":
        found.doubtful |= set(re.findall(r"[A-Za-z_]\w*", _text(one)))
    elif one.type in table.members:
        found.members.add(_text(one).lstrip("#"))
        if one.type == "field_identifier" and defines:
            found.defined[_text(one)] += 1
    elif one.type not in _LEAVES or place in table.ignored:
        return
    elif defines and not (place[0] in _PATTERNS and _text(one)[:1].isupper()):
        found.defined[_text(one)] += 1
        found.defined_types |= {_text(one)} if one.type == "type_identifier" else set()
    elif behind:
        found.members.add(_text(one))
    else:
        (found.doubtful if doubtful else found.read).add(_text(one))
        found.types |= {_text(one)} if one.type == "type_identifier" else set()
        if place[0] == "token_tree":
            found.members.add(_text(one))  # Rust: it may stand behind a dot


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def is_filled(node: Node) -> bool:
    """C++: whether it is a function template's specialization."""
    one: Node | None = node
    while one is not None and one.type in {"template_declaration", "function_definition", "declaration",
                                           "function_declarator", "qualified_identifier", "reference_declarator",
                                           "pointer_declarator", "template_function"}:  # fmt: skip
        if one.type == "template_function":
            return True
        inside = one.child_by_field_name("declarator") or one.child_by_field_name("name")
        one = inside or next(iter(one.named_children[-1:]), None)
    return False
