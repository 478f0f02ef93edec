"""The items of a file, and what can be asked about them: by name, by owner, and what is always kept."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property

from tree_sitter import Node

from codeocean.context.cpp import (
    LONE,
    STATEMENTS,
    TYPES,
    is_free_operator,
    opened_by,
    paired_macros,
    space_name,
    specials,
)
from codeocean.context.damage import damaged_items
from codeocean.context.items import Item, items_of
from codeocean.context.preprocessed import Unit
from codeocean.context.reasons import INCLUDED, STAR, UNKNOWN
from codeocean.context.rust import settle_uses, trait_of
from codeocean.context.tables import STARRED, TABLES


class ItemFile:
    """The items of a file."""

    def __init__(self, unit: Unit, root: Node, language: str) -> None:
        """Args: unit: the text that was parsed; root: of its syntax tree; language: a key of `TABLES`."""
        self.unit, self.source, self.language, self._table = unit, unit.source, language, TABLES[language]
        self.parsed = b" " * root.start_byte + (root.text or b"")
        self.items = items_of(root, language)
        self.pairs = paired_macros(self.source, self.parsed) if language == "cpp" else []
        self.damaged, self.breaks = damaged_items(root, self.items)
        self.all = list[Item]()
        pending = self.items[::-1]
        while pending:
            item = pending.pop()
            self.all.append(item)
            pending += item.parts[::-1]
        self._there = [item for item in self.all if not item.is_absent]
        misread = STATEMENTS if language in {"c", "cpp"} else frozenset()
        self.breaks += [item.begin for item in self.all if item.node.type in misread]
        self._by_name = self._named()
        self._spaces = defaultdict[bytes, list[Item]](list)
        for item in self.all if language == "cpp" else ():
            if item.is_space:
                self._spaces[space_name(item)].append(item)
        if language == "rust":
            settle_uses(self._there, self.named)
            self._by_name = self._named()
        self._by_owner, self._by_trait = defaultdict[str, list[Item]](list), defaultdict[str, list[Item]](list)
        for item in self._there:
            if item.kind == "impl_item":
                self._by_owner[item.owner].append(item)
                self._by_trait[trait_of(item)].append(item)
        self.makers = [item for item in self._there if language == "rust" and not item.owner
                       and item.node.type in {"expression_statement", "macro_invocation"}]  # fmt: skip
        self.operators = [
            (item, frozenset(kind for name in item.names.read for kind in self.named(name) if kind.kind in TYPES))
            for item in self._there
            if language == "cpp" and is_free_operator(item)
        ]
        """C++: operators outside of classes, each with the types of the file that it names."""
        self.exported = [item for item in self._there if language == "go" and item.owner
                         and any(name[:1].isupper() for name in item.binds)]  # fmt: skip
        """Go: methods that an interface of another package may ask for."""
        self._specials = dict[Item, list[Item]]()
        self._starred = any(item.is_import and b"*" in self.text(item) for item in self.all)

    def _named(self) -> dict[str, list[Item]]:
        found = defaultdict[str, list[Item]](list)
        for item in self._there:
            for name in item.binds:
                found[name].append(item)
        return found

    def known(self, names: set[str]) -> set[str]:
        """Those of some names that the file gives."""
        return names & self._by_name.keys()

    def named(self, name: str) -> list[Item]:
        """Items of a name."""
        return self._by_name.get(name, [])

    def opened(self, item: Item) -> list[Item]:
        """C++: what of the file a `using` lets in."""
        return opened_by(item, lambda name: self._spaces.get(name, [])) if item.node.type == "using_declaration" else []

    def implementations(self, name: str) -> list[Item]:
        """Rust: `impl` of a type."""
        return self._by_owner.get(name, [])

    def implementors(self, trait: str) -> list[Item]:
        """Rust: `impl` of a trait for types that the file does not define."""
        return [block for block in self._by_trait.get(trait, []) if not self.named(block.owner)]

    def macros(self, item: Item, *, before: bool = False) -> set[str]:
        """C, C++: the words of an item that were blanked before it was parsed (`codeocean/macros.py`).

        Args:
            item: whose words they are.
            before: also those that stand before it.
        """
        begin = len(self.parsed[: item.begin].rstrip()) if before else item.begin
        mine, parsed = self.source[begin : item.end], self.parsed[begin : item.end]
        if item.body is not None:  # only its head is its own
            mine, parsed = mine[: item.body.start_byte - item.begin], parsed[: item.body.start_byte - item.begin]
        if mine == parsed or self.language not in {"c", "cpp"}:
            return set()
        return {word[0].decode() for word in re.finditer(rb"[A-Za-z_]\w*", mine)
                if not parsed[word.start() : word.end()].strip()}  # fmt: skip

    @property
    def paired(self) -> set[str]:
        """C++: names of macros that open or close something, all of which are kept."""
        return {word.partition("(")[0] for _, word in self.pairs}

    def has_macro_parts(self, item: Item) -> bool:
        """C++: whether macros that were blanked stand alone among a class's parts, and so declare some."""
        if self.language != "cpp" or item.body is None or item.is_space:
            return False
        begin, end = item.body.start_byte + 1, item.body.end_byte - 1
        if self.source[begin:end] == self.parsed[begin:end]:
            return False
        between = bytearray(
            one if read in b" \t\r\n" else 32
            for one, read in zip(self.source[begin:end], self.parsed[begin:end], strict=True)
        )
        for part in item.parts:
            between[part.begin - begin : part.end - begin] = b" " * (part.end - part.begin)
        return any(self._declares(call[1].decode(), with_arguments=bool(call[2])) for call in LONE.finditer(between))

    def _declares(self, macro: str, *, with_arguments: bool) -> bool:
        """Whether a macro makes declarations, as far as the file tells; one from elsewhere does if it has arguments."""
        values = [self.text(item).partition(macro.encode())[2] for item in self.named(macro)]
        return any(re.search(rb"[;{]", value) for value in values) if values else with_arguments

    def always(self, own: Item) -> list[Item]:
        """What is kept for every function: includes of the language's library and `using` before it, Rust's traits."""
        return [item for item in self._always if item.begin < own.begin or self.language not in {"c", "cpp"}]

    @cached_property
    def _always(self) -> list[Item]:
        kept = [item for item in self._there if item.is_import and self._is_library(item)]
        return kept + [item for item in self._there if item.node.type == "using_declaration"
                       and item.class_around is None
                       and all(outer.node.type.startswith("preproc_") for outer in item.around())]  # fmt: skip

    def specials(self, item: Item) -> list[Item]:
        """C++: the parts of a class that are called by no name."""
        if item not in self._specials:
            self._specials[item] = list(specials(item)) if item.language == "cpp" and not item.is_space else []
        return self._specials[item]

    def _is_library(self, item: Item) -> bool:
        text = self.text(item)
        if item.node.type == "preproc_include":
            return b"<" in text
        if item.node.type == "package_clause":
            return True
        if self.language == "java":
            return b"*" in text and re.match(rb"import\s+(?:static\s+)?javax?\.", text) is not None
        return self.language == "rust" and re.match(rb"(?:pub\s+)?use\s+(?:::)?(?:std|core|alloc)::", text) is not None

    def why_unknown(self, name: str) -> str:
        """What may define a name that the file does not."""
        reason = INCLUDED if self.unit.is_open else STAR if self._starred else UNKNOWN
        return f"{reason}: {name}"

    def starred(self, lost: set[str]) -> set[str]:
        """Java: the names that star imports of the language's library give."""
        if self.language != "java":
            return set()
        stars = {name.decode() for name in re.findall(rb"^\s*import\s+([\w.]+)\.\*", self.source, re.MULTILINE)}
        return {name for name in lost if any(name in STARRED.get(star, ()) for star in stars)}

    def text(self, item: Item) -> bytes:
        """Its source."""
        return self.source[item.begin : item.end]
