"""The text of the items of a file that are kept, in its order, with a mark where the function stands."""

from __future__ import annotations

import re

from codeocean.context.filed import ItemFile
from codeocean.context.items import Item
from codeocean.context.reasons import PLACE


class Rendered:
    """What is kept of a file for a function."""

    def __init__(self, file: ItemFile, taken: set[Item], own: Item) -> None:
        """Args: file: all of it; taken: what is kept; own: the function."""
        self._file, self._source, self._taken, self._own = file, file.source, taken, own

    def text(self) -> str:
        """The text; without the mark where the function may stand behind it."""
        inside = bool(self._file.pairs) or any(True for _ in self._own.around())
        lines = self._lines(self._file.items, (0, len(self._source)))
        text = "\n".join(lines if inside else [line for line in lines if line.strip() != PLACE])
        return text.strip("\n")

    def _lines(self, items: list[Item], span: tuple[int, int]) -> list[str]:
        lines, at = list[str](), span[0]
        for item in items:
            lines, at = lines + self._between(at, item.begin), item.end
            if item is self._own:
                lines.append(PLACE)
            elif item.body is None:
                lines += [self._piece(item.begin, item.end, item)] if item in self._taken else []
            else:
                kept = item.is_space or item in self._taken or item.kind == "impl_item"
                inner = self._lines(item.parts, (item.body.start_byte, item.body.end_byte)) if kept else []
                alone = not item.is_space and (
                    item.kind != "impl_item" or item.wants_all
                )  # worth something without parts
                if inner or (item in self._taken and alone):
                    head, tail = self._edges(item)
                    lines += [head, *inner, *([tail] if tail else [])]
        return lines + self._between(at, span[1])

    def _between(self, begin: int, end: int) -> list[str]:
        return [word for at, word in self._file.pairs if begin <= at < end]

    def _piece(self, begin: int, end: int, item: Item) -> str:
        text = self._source[begin:end].decode("utf-8", "replace")
        if item.node.type == "import_spec":
            return f"import {text.strip()}"
        line = self._source[self._source.rfind(b"\n", 0, begin) + 1 : begin].decode("utf-8", "replace")
        return (line if not line.strip() else "") + text.rstrip("\n")

    def _edges(self, item: Item) -> tuple[str, str]:
        """The text before and behind the parts of an item."""
        assert item.body is not None
        body, source = item.body, self._source
        if body.type.startswith("preproc_"):
            first = re.compile(rb"(?:[^\n\\]|\\\n|\\.)*").match(source, body.start_byte)
            head = source[body.start_byte : first.end() if first else body.start_byte]
            return head.decode("utf-8", "replace"), "" if body.type in {"preproc_else", "preproc_elif"} else "#endif"
        opens = body.start_byte + 1
        if body.type == "enum_body_declarations":
            return self._piece(item.begin, opens, item), source[body.end_byte : item.end].decode("utf-8", "replace")
        tail = source[body.end_byte - 1 : item.end].decode("utf-8", "replace")
        return self._piece(item.begin, opens, item), self._piece(0, 0, item) + tail


def has_whole_branches(text: str) -> bool:
    """Whether each `#else` and `#endif` has its `#if` before it: an item may begin inside of one."""
    depth = 0
    for word in re.findall(r"^[ \t]*#[ \t]*(if|el|endif)", text, re.MULTILINE):
        depth += {"if": 1, "el": 0, "endif": -1}[word]
        if depth < (word == "el"):
            return False
    return depth == 0
