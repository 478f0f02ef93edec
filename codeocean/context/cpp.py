"""What C++ uses without its name: operators, destructors, friends, and namespaces that are opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from codeocean.context.cpp_headers import names_given
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


def opened_by(item: Item, spaces_of: Callable[[bytes], list[Item]]) -> list[Item]:
    """What a `using` lets in of a file's namespaces: `using namespace a`, `using a::b`.

    Args:
        item: the declaration.
        spaces_of: name → the namespaces that have it.
    """
    found = _USING.fullmatch(item.node.text or b"")
    spaces = spaces_of(found[1] or found[2]) if found else []
    name = (found[3] or b"").decode() if found else ""
    return [part for space in spaces for part in space.parts if not name or name in part.binds]


def included(item: Item) -> str:
    """The header that an `#include` of the language's library names."""
    found = re.search(rb"<([^>]+)>", item.node.text or b"")
    return found[1].decode("utf-8", "replace") if found else ""


def given_names(headers: set[str], used: Iterable[Item]) -> set[str]:
    """Names that headers of the language's library give, with what some `using` lets in of their namespaces.

    Args:
        headers: as they are included.
        used: declarations with `using` outside of classes.
    """
    found = {*names_given(headers, "global")} | ({"std"} if headers else set())
    for item in used:
        text = re.sub(rb"\s+", b" ", item.node.text or b"").decode("utf-8", "replace")
        if re.match(r"using namespace (?:::)?std\b", text):
            found |= names_given(headers, "std")
        elif name := re.match(r"using (?:typename )?(?:::)?(?:\w+::)+(\w+) ?;?$", text):
            found.add(name[1])
    return found


def hidden_names(
    within: set[tuple[str, str]], spaces: set[str], headers: set[str], named: Callable[[str], list[Item]]
) -> set[str]:
    """Names behind a namespace that nothing gives.

    Args:
        within: namespaces or classes and what is named of them.
        spaces: the file's own namespaces.
        headers: of the language's library that are included.
        named: name → the items of the file that have it.
    """
    known = names_given(headers, "std")
    return {name for scope, name in within if not named(name)
            and (scope in spaces or (scope == "std" and name not in known))}  # fmt: skip


def unfilled(items: Iterable[Item]) -> set[str]:
    """Names of classes that these items only name, as `class Till;` does."""
    named, filled = set[str](), set[str]()
    for item in items:
        text = re.sub(rb"^template\s*<[^{};]*>\s*", b"", item.node.text or b"")
        if found := _NAMED_CLASS.fullmatch(text.strip()):
            named.add(found[1].decode())
        elif item.body is not None:
            filled |= item.binds
    return named - filled


_NAMED_CLASS = re.compile(rb"(?:class|struct|union)\s+(\w+)\s*;?")


def is_used_whole(name: str, text: str) -> bool:
    """Whether a text asks more of a class than a pointer or reference to it: a member, a value, its size."""
    word = rf"\b(?:\w+::)*{name}\b"
    if re.search(rf"{word}\s*(?:::|\{{)|\bnew\s+{word}|\bsizeof\s*\(\s*{word}|{word}\s+\w+\s*[;({{=]", text):
        return True
    held = re.findall(rf"{word}(?:\s*const\b)?(?:\s*[>*&])+(?:\s*const\b)?\s*(\w+)", text)
    return any(re.search(rf"\b{one}(?:\s*\([^()]*\)|\s*\[[^\[\]]*\])?\s*(?:->|\.)", text)
               for one in set(held) - {name})  # fmt: skip


def asked_names(code: str) -> set[str]:
    """The names in a function's own conditional compilation."""
    asked = re.findall(r"^[ \t]*#[ \t]*(?:if|elif|ifdef|ifndef)\b(.*)", code, re.MULTILINE)
    return {name for text in asked for name in re.findall(r"[A-Za-z_]\w*", text)}


COMPILERS = ("operator_", "__builtin_", "__atomic_", "__sync_", "__FUNCTION__", "__PRETTY_FUNCTION__", "__int128",
             "__restrict")  # fmt: skip
"""Beginnings of names that the compiler gives, and how a call of an operator is read (`quiet.py`)."""


def paired_macros(source: bytes, parsed: bytes) -> list[tuple[int, str]]:
    """Where macros stand that open and close something, as `BEGIN_NAMESPACE`, among those that were blanked."""
    return [(word.start(1), word[1].decode()) for word in _PAIRED.finditer(source)
            if not parsed[word.start() : word.end()].strip()]  # fmt: skip


_PAIRED = re.compile(
    rb"^[ \t]*([A-Z_]*(?:BEGIN|END|OPEN|CLOSE|START)(?:_[A-Z0-9_]*)?(?:\([^()\n]*\))?)[ \t]*;?[ \t]*$", re.MULTILINE
)


LONE = re.compile(rb"^[ \t]*([A-Za-z_]\w*)[ \t]*(\([^{};]*?\))?[ \t]*;?[ \t]*\r?$", re.MULTILINE)
"""A macro on a line of its own, perhaps with arguments."""


def specials(item: Item) -> Iterator[Item]:
    """The parts of a class that are called by no name, those in conditional compilation too."""
    for part in item.parts:
        if part.kind.startswith("preproc_") and part.is_space:
            yield from specials(part)
        elif is_special(part):
            yield part


def space_name(item: Item) -> bytes:
    """The last name of a namespace; empty for what has none."""
    holder = item.body.parent if item.body is not None else None
    name = holder.child_by_field_name("name") if holder is not None else None
    return (name.text or b"").rpartition(b"::")[2] if name is not None else b""


def _head(item: Item) -> bytes:
    """What stands before the body and the initializers."""
    return re.split(rb"[{]|\)\s*:(?!:)", item.node.text or b"")[0]
