"""What holds of Rust alone: enums whose members are used by name, traits that need traits, macros that make items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from codeocean.context.items import Item
from codeocean.context.tables import words_of

Named = Callable[[str], list[Item]]
"""Name → the items of a file that have it."""

_SUPERTRAITS = {
    "Error": "Debug Display", "Copy": "Clone", "Eq": "PartialEq", "PartialOrd": "PartialEq", "Ord": "Eq PartialOrd",
    "DerefMut": "Deref", "IndexMut": "Index", "DoubleEndedIterator": "Iterator", "ExactSizeIterator": "Iterator",
    "FusedIterator": "Iterator",
}  # fmt: skip
"""Trait of the standard library → those that it asks for."""
_TYPES = words_of("struct_item enum_item union_item trait_item type_item")


def trait_of(block: Item) -> str:
    """The last name of the trait of an `impl`; empty where it has none."""
    trait = block.node.child_by_field_name("trait")
    name = re.match(rb"!?\s*(?:\w+\s*::\s*)*(\w+)", (trait.text or b"") if trait else b"")
    return name[1].decode() if name else ""


def needed_traits(block: Item) -> list[str]:
    """Traits that the trait of an `impl` asks for, as far as it is the standard library's."""
    return _SUPERTRAITS.get(trait_of(block), "").split()


def settle_uses(items: Iterable[Item], named: Named) -> None:
    """Let `use` of the file's own items say which ones, and which members of an enum it gives.

    Args:
        items: of the file; they are changed.
        named: of it.
    """
    for item in items:
        path = re.match(rb"(?:pub(?:\(\w+\))?\s+)?use\s+(self\s*::\s*)?(\w+)\s*(::\s*\*)?", item.node.text or b"")
        own = [] if path is None else [one for one in named(path[2].decode()) if not one.is_import]
        if item.node.type != "use_declaration" or path is None or not own:
            continue
        item.names.relative = False
        item.names.read.add(path[2].decode())
        if path[3]:
            item.binds |= {name for one in own for name in one.members}


def makes_for(maker: Item, taken: Iterable[Item], named: Named) -> bool:
    """Whether a call of one of the file's macros among its items may make something for types that are taken."""
    name = re.match(rb"(\w+)\s*!", maker.node.text or b"")
    macros = [one for one in named(name[1].decode()) if one.node.type == "macro_definition"] if name else []
    if not macros or any(one.names.relative for one in [maker, *macros]):
        return False
    words = {word for one in [maker, *macros] for word in one.names.doubtful | one.names.read}
    return any(one.node.type in _TYPES and one.binds & words for one in taken)
