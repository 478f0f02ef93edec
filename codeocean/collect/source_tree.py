"""A parsed source file: what stands at a byte, and a piece of its text moved to the first column."""

from __future__ import annotations

import re
from functools import cache, cached_property

from tree_sitter import Node, Parser, Range

from codeocean.collect.names import name_of
from codeocean.grammars import grammar_of, language_object


class SourceTree:
    """A syntax tree with a cursor: the nodes at a byte, in time that grows with their depth only."""

    def __init__(self, source: bytes, root: Node, language: str) -> None:
        """A tree of a source."""
        self.source, self.root, self.language = source, root, language
        self._grammar = grammar_of(language)
        self._cursor = root.walk()
        self._inside: dict[int, SourceTree] = {}

    def chain(self, at: int, until: Node | None = None) -> tuple[Node, ...]:
        """The nodes that hold a byte, from below the root down to a leaf, or to before a node.

        Rust: what stands between the braces of an item's macro, `cfg_net! { fn f() {} }`, is parsed as items.
        """
        cursor, nodes = self._cursor, list[Node]()
        cursor.reset(self.root)
        while cursor.goto_first_child_for_byte(at) is not None:
            node = cursor.node
            if node is None or node.start_byte > at or (until is not None and node.id == until.id):
                break
            nodes.append(node)
            if node.type == "token_tree" and len(nodes) > 1 and nodes[-2].type == "macro_invocation":
                return (*nodes, *self._items(node).chain(at, until))
        return tuple(nodes)

    def comment_at(self, at: int) -> Node | None:
        """The comment that holds a byte."""
        return next((node for node in reversed(self.chain(at)) if "comment" in node.type and node.is_named), None)

    def attribute_at(self, at: int) -> Node | None:
        """The attribute or decorator that begins at a byte."""
        kinds = self._grammar.attributes
        return next((node for node in self.chain(at) if node.type in kinds and node.start_byte == at), None)

    def next_start(self, at: int) -> int:
        """Where the first node begins that holds a byte or stands behind it."""
        cursor = self._cursor
        cursor.reset(self.root)
        while cursor.goto_first_child_for_byte(at) is not None:
            node = cursor.node
            if node is None or node.start_byte >= at:
                return node.start_byte if node else at
        return at

    @cached_property
    def head_end(self) -> int:
        """Where the comments end with which the file begins."""
        return head_end(self.source)

    def owner(self, chain: tuple[Node, ...]) -> str:
        """The names of the classes among nodes, each with a dot behind it."""
        return "".join(f"{name_of(node, self.source)}." for node in chain if self._is_class(node))

    def _is_class(self, node: Node) -> bool:
        return node.type in self._grammar.classes and node.is_named

    def _items(self, tokens: Node) -> SourceTree:
        """The tree of what a macro's braces hold."""
        if tokens.id not in self._inside:
            first, last = tokens.children[0], tokens.children[-1]
            span = Range(first.end_point, last.start_point, first.end_byte, last.start_byte)
            parser = Parser(language_object(self.language), included_ranges=[span])
            self._inside[tokens.id] = SourceTree(self.source, parser.parse(self.source).root_node, self.language)
        return self._inside[tokens.id]


_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf|\s+|#![^\n]*|<\?(?:php|hh)\b|declare\s*\([^)]*\)\s*;|[\"']use strict[\"'];?|//[^\n]*|/\*.*?\*/"
    rb"|#[ \t]*(?:pragma[ \t]+once|ifndef|define)\b[^\n]*|#[ \t#][^\n]*|#(?=\n))*",
    re.DOTALL,
)
"""Comments and what may stand before and between them; an include guard too."""


def head_end(text: bytes) -> int:
    """Where the comments end with which a text begins."""
    match = _HEAD.match(text)
    return match.end() if match else 0


def indentation(node: Node, source: bytes) -> bytes:
    """What stands before a node on its line."""
    return source[source.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]


def at_first_column(outer: Node, tree: SourceTree, start: int, end: int | None = None) -> str:
    """A part of a function's text, its lines moved to the left by the function's own indentation."""
    source = tree.source
    text, space = source[start : outer.end_byte if end is None else end], indentation(outer, source)
    if not space or space.strip() or b"\n" not in text:
        return text.decode("utf-8", "replace")
    kept = _rows_in_strings(outer, text, grammar_of(tree.language).long_strings)
    first, *lines = text.split(b"\n")
    if not kept:
        return b"\n".join([first, *(line.removeprefix(space) for line in lines)]).decode("utf-8", "replace")
    row = outer.start_point.row
    row += source.count(b"\n", outer.start_byte, start) - source.count(b"\n", start, outer.start_byte)
    moved = [line if number in kept else line.removeprefix(space) for number, line in enumerate(lines, row + 1)]
    return b"\n".join([first, *moved]).decode("utf-8", "replace")


_STRINGS = frozenset({"string", "template_string", "raw_string_literal", "encapsed_string", "heredoc", "nowdoc",
                      "heredoc_body", "verbatim_string_literal", "string_literal"})  # fmt: skip
"""Literals whose lines are data, in any of the languages; Java strips the indentation of its text blocks by itself."""


@cache
def _pattern(text: str) -> re.Pattern[bytes]:
    return re.compile(text.encode())


def _rows_in_strings(node: Node, text: bytes, long_strings: str) -> set[int]:
    """Rows of the file that begin inside a string literal: their indentation is data."""
    rows, pending = set[int](), [node]
    if long_strings and not _pattern(long_strings).search(text):
        return rows
    while pending:
        node = pending.pop()
        start, end = node.start_point, node.end_point
        if start.row == end.row:
            continue
        if node.type in _STRINGS:
            rows.update(range(start.row + 1, end.row + 1))
        else:
            pending.extend(node.children)
    return rows
