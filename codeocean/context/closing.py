"""What a function needs of its file, transitively, and what of that is lacking."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codeocean.context.cpp import (
    COMPILERS,
    asked_names,
    given_names,
    hidden_names,
    included,
    is_macro_call,
    is_used_whole,
    unfilled,
)
from codeocean.context.filed import ItemFile
from codeocean.context.items import Item, is_guard
from codeocean.context.names import Names
from codeocean.context.reasons import RELATIVE, UNDEFINED, UNREAD
from codeocean.context.rust import makes_for, needed_traits, trait_of
from codeocean.context.tables import SPECIAL


class Closing:
    """What a function needs, as it is found."""

    def __init__(self, file: ItemFile, own: Item, code: str, *, exported: bool) -> None:
        self._exported = file.exported if exported else []
        self._code = code
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
        self._names.doubtful |= asked_names(self._code) if own.language in {"c", "cpp"} else set()
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
        if self._file.has_macro_parts(item):
            self._complaint = self._complaint or UNREAD
        for part in item.parts:
            if part.node.type in self._table.always or is_guard(part, item) or (item.wants_all and not item.is_space):
                self._take(part)
        for part in self._file.specials(item):
            self._take(part)

    def _wanted(self) -> list[Item]:
        """Items that are named, can be reached and are not taken."""
        names, found = self._names, dict[Item, None]()
        for name in self._file.known(names.read | names.doubtful | names.members | self._imports):
            for item in self._file.named(name):
                if item not in self.taken and item is not self._own and self._is_reached(item, name):
                    found[item] = None
        found |= {one: None for one, types in self._file.operators if not types.isdisjoint(self.taken)}
        found |= {part: None for item in self.taken for part in self._file.opened(item)}
        found |= {method: None for method in self._exported
                  if any(one in self.taken for one in self._file.named(method.owner))}  # fmt: skip
        found |= dict.fromkeys(self._of_traits() if self._own.language == "rust" else ())
        return [item for item in found if item not in self.taken and item is not self._own]

    def _of_traits(self) -> Iterator[Item]:
        """Rust: `impl` of what is taken, and calls of macros that make some."""
        for item in self.taken:
            for name in item.binds if item.body is None or item.kind != "impl_item" else ():
                blocks = self._file.implementations(name)
                blocks = blocks + self._file.implementors(name) if item.kind == "trait_item" else blocks
                yield from (block for block in blocks if block not in self.taken and self._fits(block))
        for maker in self._file.makers:
            if maker not in self.taken and makes_for(maker, self.taken, self._file.named):
                yield maker

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
        certain = [item for item in [self._own, *self.taken] if not item.is_uncertain]
        bound = {name for item in certain if self._is_bare(item) for name in item.binds}
        bound |= self._bound_either_way()
        spaces = {name for item in self.taken if item.is_space for name in item.names.defined}
        opened = {name for item in self.taken if item.body is not None for name in item.names.defined}
        lost = self._names.read - bound - spaces - opened - self._table.given
        if lost and self._own.language == "java" and self._inherits():
            lost = {name for name in lost if name[:1].isupper()}
        lost -= self._file.starred(lost)
        if self._own.language in {"c", "cpp"}:
            headers = {header for item in certain if item.node.type == "preproc_include" and (header := included(item))}
            used = [item for item in certain if item.node.type == "using_declaration"]
            lost -= given_names(headers, used)
            lost = {name for name in lost if not name.startswith(COMPILERS)}
            lost |= hidden_names(self._names.within, spaces - {"std"}, headers, self._file.named)
        if lost:
            return self._file.why_unknown(min(lost))
        if self._own.language == "cpp" and (unknown := self._used_whole()):
            return f"{UNDEFINED}: {unknown}"
        written = self._own.binds | {n for item in self.taken if not item.only_declares for n in item.binds}
        bare = {n for item in self.taken if item.only_declares for n in item.binds} - written
        return f"{UNDEFINED}: {min(bare)}" if bare & (self._names.read | self._names.members) else ""

    def _used_whole(self) -> str:
        """C++: a class that is only named here, and of which more is needed; empty for none."""
        classes = unfilled(self.taken) & (self._names.read | self._names.doubtful)
        text = "\n".join([self._code, *((item.node.text or b"").decode("utf-8", "replace") for item in self.taken)])
        return next((name for name in sorted(classes) if is_used_whole(name, text)), "")

    def _bound_either_way(self) -> set[str]:
        """C, C++: names that both an `#if` and its `#else` give, where nobody knows which is read."""
        doubtful = [item for item in self.taken if item.is_uncertain and self._is_bare(item)]
        last = {name for item in doubtful if item.is_last_resort for name in item.binds}
        return last & {name for item in doubtful if not item.is_last_resort for name in item.binds}

    def _inherits(self) -> bool:
        """Java: whether a class around the function extends one that is imported or the language's."""
        for outer in self._own.around():
            head = (outer.node.text or b"")[: outer.body.start_byte - outer.node.start_byte] if outer.body else b""
            base = re.search(rb"\bextends\s+(\w+)", head)
            if base and all(item.is_import for item in self._file.named(base[1].decode())):
                return True
        return False
