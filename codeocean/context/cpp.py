"""What C++ uses without its name: operators, destructors, friends, and namespaces that are opened."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codeocean.context.items import Item
from codeocean.context.tables import words_of

TYPES = words_of("class_specifier struct_specifier union_specifier enum_specifier")
STATEMENTS = words_of(
    "compound_statement labeled_statement if_statement for_statement while_statement return_statement"
)
"""These stand in functions alone: elsewhere they show that a brace or a macro was misread."""
_SPECIAL = re.compile(rb"\boperator\b|~\s*\w+\s*\(|\bfriend\b")


def is_special(item: Item) -> bool:
    """Whether a part of a class is called by no name, or says who may reach into it."""
    if item.language != "cpp" or item.class_around is None:
        return False
    return is_macro_call(item) or _SPECIAL.search(_head(item)) is not None


def is_macro_call(item: Item) -> bool:
    """Whether it is a macro that declares parts of a class: `STATIC_CONSTANT(int, size = 3);`."""
    call = re.match(rb"[A-Z_][A-Z0-9_]+\s*\(", item.node.text or b"")
    return call is not None and item.node.type == "declaration" and item.node.child_by_field_name("type") is None


def is_free_operator(item: Item) -> bool:
    """Whether it is an operator outside of classes."""
    return item.class_around is None and not item.owner and any(name.startswith("operator") for name in item.binds)


_USING = re.compile(rb"using\s+(?:namespace\s+(?:\w+::)*(\w+)|(?:\w+::)*?(\w+)::(operator\s*\S+?|\w+))\s*;?")


def opened_by(item: Item, items: list[Item]) -> list[Item]:
    """What a `using` lets in of some items' namespaces: `using namespace a`, `using a::b`."""
    found = _USING.fullmatch(item.node.text or b"")
    spaces = [one for one in items if found and one.is_space and _space_name(one) == (found[1] or found[2])]
    name = (found[3] or b"").decode() if found else ""
    return [part for space in spaces for part in space.parts if not name or name in part.binds]


def paired_macros(source: bytes, parsed: bytes) -> list[tuple[int, str]]:
    """Where macros stand that open and close something, as `BEGIN_NAMESPACE`, among those that were blanked."""
    return [(word.start(1), word[1].decode()) for word in _PAIRED.finditer(source)
            if not parsed[word.start() : word.end()].strip()]  # fmt: skip


_PAIRED = re.compile(
    rb"^[ \t]*([A-Z_]*(?:BEGIN|END|OPEN|CLOSE|START)(?:_[A-Z0-9_]*)?(?:\([^()\n]*\))?)[ \t]*;?[ \t]*$", re.MULTILINE
)


def specials(item: Item) -> Iterator[Item]:
    """The parts of a class that are called by no name, those in conditional compilation too."""
    for part in item.parts:
        if part.kind.startswith("preproc_") and part.is_space:
            yield from specials(part)
        elif is_special(part):
            yield part


def _space_name(item: Item) -> bytes:
    holder = item.body.parent if item.body is not None else None
    name = holder.child_by_field_name("name") if holder is not None else None
    return (name.text or b"").rpartition(b"::")[2] if name is not None else b""


def _head(item: Item) -> bytes:
    """What stands before the body and the initializers."""
    return re.split(rb"[{]|\)\s*:(?!:)", item.node.text or b"")[0]
