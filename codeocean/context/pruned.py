"""A file without what a function does not need: its text in its order, and a mark where the function stands.

What a function needs is what it and its helpers name, transitively. Names are read roughly (`names.py`): too much may
be kept, and a name that is given by something that is not looked at is said to be missing.
"""

from __future__ import annotations

import re
from collections import defaultdict

from tree_sitter import Node

from codeocean.context.cpp import STATEMENTS, TYPES, is_free_operator, is_macro_call, opened_by, paired_macros, specials
from codeocean.context.damage import damaged_items
from codeocean.context.items import Item, items_of
from codeocean.context.names import Names
from codeocean.context.reasons import (
    FEATURE,
    INCLUDED,
    INNER,
    MAX_CHARS,
    PLACE,
    RELATIVE,
    STAR,
    TOO_LONG,
    UNDEFINED,
    UNKNOWN,
    UNREAD,
    Context,
)
from codeocean.context.rust import makes_for, needed_traits, settle_uses, trait_of
from codeocean.context.tables import GIVEN_BY, SPECIAL, STARRED, TABLES


class PrunedFile:
    """The items of a file."""

    def __init__(self, source: bytes, root: Node, language: str) -> None:
        """Args: source: its bytes; root: of its syntax tree; language: a key of `TABLES`."""
        self.source, self._language, self._table = source, language, TABLES[language]
        self._parsed = b" " * root.start_byte + (root.text or b"")
        self._items = items_of(root, language)
        self._paired = paired_macros(source, self._parsed) if language == "cpp" else []
        self._damaged, self._is_damaged = damaged_items(root, self._items)
        self._all = list[Item]()
        pending = self._items[::-1]
        while pending:
            item = pending.pop()
            self._all.append(item)
            pending += item.parts[::-1]
        self._there = [item for item in self._all if not item.is_absent]
        misread = STATEMENTS if language in {"c", "cpp"} else frozenset()
        self._is_damaged = self._is_damaged or any(item.node.type in misread for item in self._all)
        self._by_name = self._named()
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
        self.operators = [item for item in self._there if language == "cpp" and is_free_operator(item)]
        self.exported = [item for item in self._there if language == "go" and item.owner
                         and any(name[:1].isupper() for name in item.binds)]  # fmt: skip
        """Go: methods that an interface of another package may ask for."""
        self._starred = any(item.is_import and b"*" in self._text(item) for item in self._all)
        included = re.findall(rb'^[ \t]*#[ \t]*include[ \t]*(["<])([\w./+-]*)', source, re.MULTILINE)
        self._includes, self._library = (any(one == mark for one, _ in included) for mark in (b'"', b"<"))
        self._headers = {name.decode() for mark, name in included if mark == b"<"}

    def _named(self) -> dict[str, list[Item]]:
        found = defaultdict[str, list[Item]](list)
        for item in self._there:
            for name in item.binds:
                found[name].append(item)
        return found

    def context(self, at: int) -> Context:
        """What the function needs that begins at a byte."""
        own = next((item for item in reversed(self._all) if item.node.start_byte == at), None)
        if own is None or own.body is not None:
            return Context(missing=INNER)
        if PLACE.encode() in self.source or own.node.has_error or self._is_damaged:
            return Context(missing=UNREAD)
        if own.is_absent:
            return Context(missing=FEATURE)
        whole = self._closed(own, exported=True) if self.exported else None
        return whole if whole is not None and not whole.missing else self._closed(own, exported=False)

    def _closed(self, own: Item, *, exported: bool) -> Context:
        closing = _Closing(self, own, exported=exported)
        missing = closing.run()
        if missing or self._damaged & closing.taken:
            return Context(missing=UNREAD if self._damaged & closing.taken else missing)
        text = self._rendered(closing.taken, own)
        if self._language in {"c", "cpp"} and not _has_whole_branches(text):
            return Context(missing=UNREAD)
        return Context(missing=TOO_LONG) if len(text) > MAX_CHARS else Context(text)

    def named(self, name: str) -> list[Item]:
        """Items of a name."""
        return self._by_name.get(name, [])

    def opened(self, item: Item) -> list[Item]:
        """C++: what of the file a `using` lets in."""
        return opened_by(item, self._all) if item.node.type == "using_declaration" else []

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
        begin = len(self._parsed[: item.begin].rstrip()) if before else item.begin
        mine, parsed = self.source[begin : item.end], self._parsed[begin : item.end]
        if item.body is not None:  # only its head is its own
            mine, parsed = mine[: item.body.start_byte - item.begin], parsed[: item.body.start_byte - item.begin]
        if mine == parsed or self._language not in {"c", "cpp"}:
            return set()
        return {word[0].decode() for word in re.finditer(rb"[A-Za-z_]\w*", mine)
                if not parsed[word.start() : word.end()].strip()}  # fmt: skip

    @property
    def paired(self) -> set[str]:
        """C++: names of macros that open or close something, all of which are kept."""
        return {word.partition("(")[0] for _, word in self._paired}

    def always(self, own: Item) -> list[Item]:
        """What is kept for every function: includes of the language's library and `using` before it, Rust's traits."""
        kept = [item for item in self._there if item.is_import and self._is_library(item)]
        kept += [item for item in self._there if item.node.type == "using_declaration" and item.class_around is None
                 and all(outer.node.type.startswith("preproc_") for outer in item.around())]  # fmt: skip
        return [item for item in kept if item.begin < own.begin or self._language not in {"c", "cpp"}]

    def _is_library(self, item: Item) -> bool:
        text = self._text(item)
        if item.node.type == "preproc_include":
            return b"<" in text
        if item.node.type == "package_clause":
            return True
        if self._language == "java":
            return b"*" in text and re.match(rb"import\s+(?:static\s+)?javax?\.", text) is not None
        return self._language == "rust" and re.match(rb"(?:pub\s+)?use\s+(?:::)?(?:std|core|alloc)::", text) is not None

    def why_unknown(self, name: str) -> str:
        """What may define a name that the file does not."""
        reason = INCLUDED if self._includes else STAR if self._starred else UNKNOWN
        return f"{reason}: {name}"

    def included(self, lost: set[str]) -> set[str]:
        """The names that headers of the language's library (C, C++) or star imports of it (Java) give."""
        if self._language == "java":
            stars = {name.decode() for name in re.findall(rb"^\s*import\s+([\w.]+)\.\*", self.source, re.MULTILINE)}
            return {name for name in lost if any(name in STARRED.get(star, ()) for star in stars)}
        if not self._library:
            return set()
        return {name for name in lost if re.fullmatch(r"std|NULL|\w+_t", name)} if self._includes else lost

    def hidden(self, within: set[tuple[str, str]], spaces: set[str]) -> set[str]:
        """C++: names behind a namespace that other files may give: of the file's own, and of `std` by a header."""
        own = {name for scope, name in within if scope in spaces and not self.named(name)}
        if not self._includes or "bits/stdc++.h" in self._headers:
            return own
        return own | {name for scope, name in within
                      if scope == "std" and name in GIVEN_BY and not GIVEN_BY[name] & self._headers}  # fmt: skip

    def _text(self, item: Item) -> bytes:
        return self.source[item.begin : item.end]

    def _rendered(self, taken: set[Item], own: Item) -> str:
        inside = bool(self._paired) or any(True for _ in own.around())
        lines = self._render(self._items, taken, own, (0, len(self.source)))
        text = "\n".join(lines if inside else [line for line in lines if line.strip() != PLACE])
        return text.strip("\n")

    def _render(self, items: list[Item], taken: set[Item], own: Item, span: tuple[int, int]) -> list[str]:
        lines, at = list[str](), span[0]
        for item in items:
            lines, at = lines + self._between(at, item.begin), item.end
            if item is own:
                lines.append(PLACE)
            elif item.body is None:
                lines += [self._piece(item.begin, item.end, item)] if item in taken else []
            else:
                inner = self._render(item.parts, taken, own, (item.body.start_byte, item.body.end_byte))
                alone = not item.is_space and (
                    item.kind != "impl_item" or item.wants_all
                )  # worth something without parts
                if inner or (item in taken and alone):
                    head, tail = self._edges(item)
                    lines += [head, *inner, *([tail] if tail else [])]
        return lines + self._between(at, span[1])

    def _between(self, begin: int, end: int) -> list[str]:
        return [word for at, word in self._paired if begin <= at < end]

    def _piece(self, begin: int, end: int, item: Item) -> str:
        text = self.source[begin:end].decode("utf-8", "replace")
        if item.node.type == "import_spec":
            return f"import {text.strip()}"
        line = self.source[self.source.rfind(b"\n", 0, begin) + 1 : begin].decode("utf-8", "replace")
        return (line if not line.strip() else "") + text.rstrip("\n")

    def _edges(self, item: Item) -> tuple[str, str]:
        """The text before and behind the parts of an item."""
        assert item.body is not None
        body = item.body
        if body.type.startswith("preproc_"):
            first = re.compile(rb"(?:[^\n\\]|\\\n|\\.)*").match(self.source, body.start_byte)
            head = self.source[body.start_byte : first.end() if first else body.start_byte]
            return head.decode("utf-8", "replace"), "" if body.type in {"preproc_else", "preproc_elif"} else "#endif"
        opens = body.start_byte + 1
        if body.type == "enum_body_declarations":
            return self._piece(item.begin, opens, item), self.source[body.end_byte : item.end].decode(
                "utf-8", "replace"
            )
        tail = self.source[body.end_byte - 1 : item.end].decode("utf-8", "replace")
        return self._piece(item.begin, opens, item), self._piece(0, 0, item) + tail


def _has_whole_branches(text: str) -> bool:
    """Whether each `#else` and `#endif` has its `#if` before it: an item may begin inside of one."""
    depth = 0
    for word in re.findall(r"^[ \t]*#[ \t]*(if|el|endif)", text, re.MULTILINE):
        depth += {"if": 1, "el": 0, "endif": -1}[word]
        if depth < (word == "el"):
            return False
    return depth == 0


def _guarded(item: Item) -> frozenset[str]:
    """The name that an `#ifndef` asks for."""
    name = item.node.child_by_field_name("name")
    return frozenset({(name.text or b"").decode("utf-8", "replace")} if name is not None else ())


class _Closing:
    """What a function needs, as it is found."""

    def __init__(self, file: PrunedFile, own: Item, *, exported: bool) -> None:
        self._exported = file.exported if exported else []
        self._file, self._own, self._table = file, own, own.table
        self.taken = set[Item]()
        self._names = Names()
        self._imports = set[str]()
        self._complaint = ""

    def run(self) -> str:
        """Take items until nothing is lacking; why that cannot be, or nothing."""
        own, file = self._own, self._file
        for item in file.always(own):
            self._take(item)
        self._note(own)
        for outer in own.around():
            self._open(outer)
        self._names.read |= file.paired | file.macros(own, before=True)
        self._names.members |= SPECIAL.get(own.language, frozenset())
        if own.owner and not own.is_free:
            self._names.read.add(own.owner)
            self._names.members |= own.binds if own.language == "cpp" else frozenset()  # it is declared there
        while not self._complaint and (wanted := self._wanted()):
            for item in wanted:
                self._take(item)
        return self._complaint or self._lacking()

    def _note(self, item: Item) -> None:
        names = item.names
        if is_macro_call(item):  # what stands in it may be anything
            names = Names(doubtful=names.read | names.doubtful | item.binds, defined=names.defined)
        self._names.add(names)
        self._names.read |= self._file.macros(item)
        self._imports.update(names.defined)
        if names.relative:
            self._complaint = self._complaint or RELATIVE

    def _take(self, item: Item) -> None:
        if item in self.taken or item is self._own:
            return
        self.taken.add(item)
        self._note(item)
        for outer in item.around():
            if outer not in self.taken:
                self._take(outer)
        if item.body is not None:
            self._open(item)

    def _open(self, item: Item) -> None:
        """A class with what it cannot do without."""
        if item not in self.taken:
            self.taken.add(item)
            self._note(item)
        for part in item.parts:
            is_guard = (
                part.node.type == "preproc_def" and item.node.type == "preproc_ifdef" and part.binds <= _guarded(item)
            )
            if part.node.type in self._table.always or is_guard or (item.wants_all and not item.is_space):
                self._take(part)
        for part in specials(item) if item.language == "cpp" and not item.is_space else ():
            self._take(part)

    def _wanted(self) -> list[Item]:
        """Items that are named, can be reached and are not taken."""
        names, found = self._names, dict[Item, None]()
        for name in names.read | names.doubtful | names.members | self._imports:
            for item in self._file.named(name):
                if item not in self.taken and item is not self._own and self._is_reached(item, name):
                    found[item] = None
        for item in list(self.taken):
            for name in item.binds if item.body is None or item.kind != "impl_item" else ():
                blocks = self._file.implementations(name)
                blocks = blocks + self._file.implementors(name) if item.kind == "trait_item" else blocks
                found |= {block: None for block in blocks if block not in self.taken and self._fits(block)}
        found |= {maker: None for maker in self._file.makers
                  if maker not in self.taken and makes_for(maker, self.taken, self._file.named)}  # fmt: skip
        found |= {one: None for one in self._file.operators if one not in self.taken and one is not self._own
                  and any(kind in self.taken for name in one.names.read for kind in self._file.named(name)
                          if kind.kind in TYPES)}  # fmt: skip
        found |= {part: None for item in self.taken for part in self._file.opened(item)
                  if part not in self.taken and part is not self._own}  # fmt: skip
        found |= {method: None for method in self._exported if method not in self.taken and method is not self._own
                  and any(one in self.taken for one in self._file.named(method.owner))}  # fmt: skip
        return list(found)

    def _fits(self, block: Item) -> bool:
        """Rust: an `impl` of a type that is taken, with what its trait asks for, if that can be had."""
        if not block.wants_all:
            return True
        asked = needed_traits(block)
        others = [one for one in self._file.implementations(block.owner) if trait_of(one) in asked]
        return not any(item.names.relative for item in [block, *block.parts]) and all(map(self._fits, others))

    def _is_reached(self, item: Item, name: str) -> bool:
        names = self._names
        if item.is_import:
            if name in names.read | names.doubtful:
                return True
            text = (self._own.node.text or b"").decode("utf-8", "replace")
            return name in self._imports and re.search(rf"(?<![\w.]){re.escape(name)}(?:\.[A-Z]|::)", text) is not None
        around = item.class_around
        if around is not None or item.owner:
            if around is not None and around.kind == "impl_item":
                if not self._is_there(around.owner):
                    return False
            elif around is not None and around not in self.taken:
                return False
            if around is None and not (item.is_free or self._is_there(item.owner)):
                return False
            return name in names.members or (self._table.implicit and name in names.read | names.doubtful)
        if name in names.read | names.doubtful:
            return True
        return name in names.members and any(outer.is_space for outer in item.around())

    def _is_there(self, name: str) -> bool:
        """Whether a type of the file is taken."""
        own = self._own.class_around
        if name in {self._own.owner, own.owner if own else ""}:
            return True
        return any(item in self.taken for item in self._file.named(name)) or not self._file.named(name)

    def _is_bare(self, item: Item) -> bool:
        """Whether its name alone means it: a method's does only where `this` may be left out."""
        return self._table.implicit or item.is_free or (item.class_around is None and not item.owner)

    def _lacking(self) -> str:
        """Why that is not all, if it is not."""
        bound = {name for item in [self._own, *self.taken] if self._is_bare(item) for name in item.binds}
        spaces = {name for item in self.taken if item.is_space for name in item.names.defined}
        opened = {name for item in self.taken if item.body is not None for name in item.names.defined}
        lost = self._names.read - bound - spaces - opened - self._table.given
        if lost and self._own.language == "java" and self._inherits():
            lost = {name for name in lost if name[:1].isupper()}
        lost -= self._file.included(lost)
        lost |= self._file.hidden(self._names.within, spaces)
        if lost:
            return self._file.why_unknown(min(lost))
        written = self._own.binds | {n for item in self.taken if not item.only_declares for n in item.binds}
        bare = {n for item in self.taken if item.only_declares for n in item.binds} - written
        return f"{UNDEFINED}: {min(bare)}" if bare & (self._names.read | self._names.members) else ""

    def _inherits(self) -> bool:
        """Java: whether a class around the function extends one that is imported or the language's."""
        for outer in self._own.around():
            head = (outer.node.text or b"")[: outer.body.start_byte - outer.node.start_byte] if outer.body else b""
            base = re.search(rb"\bextends\s+(\w+)", head)
            if base and all(item.is_import for item in self._file.named(base[1].decode())):
                return True
        return False
