"""A file without what a function does not need: its text in its order, and a mark where the function stands.

What a function needs is what it and its helpers name, transitively. Names are read roughly (`names.py`): too much may
be kept, and a name that is given by something that is not looked at is said to be missing.
"""

from __future__ import annotations

from tree_sitter import Node

from codeocean.collect.functions import Documented
from codeocean.context.closing import Closing
from codeocean.context.filed import ItemFile
from codeocean.context.items import Item
from codeocean.context.preprocessed import Unit
from codeocean.context.reasons import FEATURE, INNER, MAX_CHARS, PLACE, TOO_LONG, UNREAD, Context
from codeocean.context.rendered import Rendered, has_whole_branches


class PrunedFile:
    """A file that gives the contexts of its functions."""

    def __init__(self, unit: Unit, root: Node, language: str) -> None:
        """Args: unit: the text that was parsed; root: of its syntax tree; language: a key of `TABLES`."""
        self.file = ItemFile(unit, root, language)
        self._has_directives = language in {"c", "cpp"}

    def context(self, function: Documented) -> Context:
        """What one of its functions needs."""
        file = self.file
        at = file.unit.place(function.at)
        if at is None:
            return Context(missing=FEATURE)
        at += len(file.parsed[at:]) - len(file.parsed[at:].lstrip())
        own = next((item for item in reversed(file.all) if item.node.start_byte == at), None)
        if PLACE.encode() in file.source or file.breaks or (own is not None and own.node.has_error):
            return Context(missing=UNREAD)
        if own is None or own.body is not None:
            return Context(missing=INNER)
        if own.is_absent or own.is_uncertain:
            return Context(missing=FEATURE)
        if self._has_directives and not has_whole_branches(function.code):
            return Context(missing=UNREAD)
        whole = self._closed(own, function.code, exported=True) if file.exported else None
        return whole if whole is not None and not whole.missing else self._closed(own, function.code, exported=False)

    def _closed(self, own: Item, code: str, *, exported: bool) -> Context:
        closing = Closing(self.file, own, code, exported=exported)
        missing = closing.run()
        if missing or self.file.damaged & closing.taken:
            return Context(missing=UNREAD if self.file.damaged & closing.taken else missing)
        text = Rendered(self.file, closing.taken, own).text()
        if self._has_directives and not has_whole_branches(text):
            return Context(missing=UNREAD)
        return Context(missing=TOO_LONG) if len(text) > MAX_CHARS else Context(text)
