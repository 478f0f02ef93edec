"""Source text → documented functions, by tree-sitter, so that nothing is ever executed.

A function counts as documented when it has a docstring (Python) or a documentation comment above it: `/** */`
(JavaScript, TypeScript, Java, PHP), comment lines (Go, Ruby), `/** */` or `///` lines (C, C++, C#, Rust). Empty lines
(not in Go and Ruby), ordinary comments, directives, decorators, annotations, attributes and `export` may stand
between the two. Functions inside a documented function belong to it.

Where a comment documents, the search goes from the comment to what stands behind it: the tree is looked at only there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node, QueryCursor

from codeocean.collect.above import Above, documentation_below, lines_above
from codeocean.collect.comments import documentation_mark
from codeocean.collect.docstrings import python_function
from codeocean.collect.names import has_parameters, name_of
from codeocean.collect.source_tree import SourceTree, at_first_column
from codeocean.grammars import Grammar, grammar_of, parse, query_of


@dataclass(frozen=True)
class Documented:
    """A function with its documentation apart."""

    name: str
    """As CodeSearchNet writes it: behind the name of its class, if it has one (`Stack.push`)."""
    code: str
    """The function without its documentation, from the first column on; tabs and strings stay as they are."""
    docstring: str
    """The documentation without comment markers."""
    lost: str = ""
    """Why it is not taken, though it is documented; empty for those that are."""
    at: int = -1
    """Byte of the file at which it begins, without attributes above it."""


INSIDE = "inside a documented function"
UNREAD = "documentation before code that does not parse"
HEADER = "documentation taken for its file's"
MAX_CHARS = 20_000
"""A longer function is a module in a function: what is documented in it is taken too."""
NOT_EXTRACTED = frozenset({INSIDE, UNREAD, HEADER})
"""Reasons of functions that have documentation and are not taken."""


def extract_documented(source: bytes, language: str) -> Iterator[Documented]:
    """Documented functions of a source file, in the order of the text; those with a syntax error too.

    Args:
        source: the file's bytes, UTF-8.
        language: a key of `GRAMMARS`.

    Raises:
        ValueError: the language is unknown.
    """
    return (function for function in survey(source, language) if not function.lost)


def survey(source: bytes, language: str) -> Iterator[Documented]:
    """All functions that have documentation, those that are not taken with the reason and without their code.

    Raises:
        ValueError: the language is unknown.

    Cost: one look at each documentation comment or, in Python, Go and Ruby, at each function.
    """
    grammar = grammar_of(language)
    if not may_document(source, language):
        return  # most of the time goes into parsing
    tree = SourceTree(source, parse(source, language), language)
    find = _commented if grammar.comments not in {"docstring", "lines"} else _by_function
    begin = covered = 0
    for found in find(tree, grammar):
        if found.function is None:
            yield Documented("", "", "", UNREAD)
        elif found.begin < covered:
            if found.begin == begin:
                continue  # another signature of it
            yield Documented(tree.owner(found.chain) + name_of(found.function, source), "", "", INSIDE)
        elif not found.docstring and grammar.comments != "docstring":
            yield Documented(tree.owner(found.chain) + name_of(found.function, source), "", "", HEADER)
        else:
            begin = found.begin
            covered = found.function.end_byte if len(found.code) <= MAX_CHARS else covered
            name = tree.owner(found.chain) + name_of(found.function, source)
            yield Documented(name, found.code, found.docstring, at=found.begin)


_PLAIN = {
    "python": rb"\bdef\b",
    "ruby": rb"\bdef\b",
    "go": rb"(?://[^\n]*|\*/[^\S\n]*)\n[^\n]*\bfunc\b",  # a comment on the line above
}


def may_document(source: bytes, language: str) -> bool:
    """Whether a text may hold a documented function; no look at its syntax."""
    plain = _PLAIN.get(language)
    return re.search(plain or documentation_mark(grammar_of(language).comments).pattern.encode(), source) is not None


@dataclass(frozen=True, slots=True)
class _Found:
    begin: int
    """Byte of the function, or of the code that did not parse."""
    function: Node | None = None
    chain: tuple[Node, ...] = ()
    """The nodes around it, from the root down."""
    code: str = ""
    docstring: str = ""


def _by_function(tree: SourceTree, grammar: Grammar) -> Iterator[_Found]:
    """Python, Go, Ruby: from the function to its documentation."""
    pattern = "[" + " ".join(f"({name})" for name in sorted(grammar.functions)) + "] @function"
    functions = QueryCursor(query_of(tree.language, pattern)).captures(tree.root).get("function", [])
    for function in sorted(functions, key=lambda node: node.start_byte):
        outer = _wrapped(function, grammar)
        if tree.language == "python":
            found = python_function(function, outer, tree)
            code, docstring = found or ("", "")
        else:
            above = lines_above(outer, tree)
            code, docstring = above.code(outer, tree), above.docstring
        if docstring or (tree.language == "python" and found):
            yield _Found(function.start_byte, function, tree.chain(outer.start_byte, until=outer), code, docstring)


def _wrapped(function: Node, grammar: Grammar) -> Node:
    """A function with what is wrapped around it: `@decorator`, `private def f`."""
    outer = function
    while (parent := outer.parent) is not None and parent.type in grammar.wrappers:
        outer = parent
    return outer


def _commented(tree: SourceTree, grammar: Grammar) -> Iterator[_Found]:
    """The other languages: from the documentation to what stands behind it."""
    mark = re.compile(documentation_mark(grammar.comments).pattern.encode())
    at = 0
    while match := mark.search(tree.source, at):
        comment = tree.comment_at(match.start())
        if comment is None or comment.start_byte != match.start():
            at = comment.end_byte if comment else match.end()
            continue
        above = documentation_below(tree, match.start(), grammar)
        at = max(above.end, match.end())
        if above.docstring or above.perhaps:
            yield from _behind(above, tree, grammar)


def _behind(above: Above, tree: SourceTree, grammar: Grammar) -> Iterator[_Found]:
    """The function behind a documentation, if it is one."""
    chain = tree.chain(above.end)
    place = _function_at(chain, above.end, grammar)
    if place is None and grammar.signatures:
        place = _overloaded(chain, above.end, tree, grammar)
        if place is not None:
            outer, function, around = place
            yield _Found(outer.start_byte, function, around, at_first_column(outer, tree, outer.start_byte),
                         above.docstring)  # fmt: skip
            return
    if place is not None:
        outer, function, around = place
        code = above.code(outer, tree)
        if outer.type == "return_statement":
            if function.child_by_field_name("name") is None:
                return
            code = _RETURNED.sub("", code).removesuffix(";")
        yield _Found(above.end, function, around, code, above.docstring)
    elif (any(node.is_error for node in chain) and above.docstring
          and _HEAD.match(tree.source, above.end, above.end + 600)):  # fmt: skip
        yield _Found(above.end)


_RETURNED = re.compile(r"\Areturn\s+")
_HEAD = re.compile(
    rb"(?:(?:export|default|async|pub(?:\([^()\n]*\))?|const|unsafe)\s+)*(?:function\b|fn\s)[^;]*?\{"
    rb"|(?!(?:class|struct|union|enum|namespace|interface|typedef|#)\b)[^;{}=()]*\w\s*\([^;{}]*\)[^;{}=]*\{"
)
"""Looks like a function to somebody who reads no further than its opening brace."""

_Place = tuple[Node, Node, tuple[Node, ...]]
"""What is wrapped around a function, the function, and the nodes around both."""


def _function_at(chain: tuple[Node, ...], at: int, grammar: Grammar) -> _Place | None:
    """The function that begins at a byte, with what is wrapped around it."""
    for number, node in enumerate(chain):
        if node.start_byte == at and node.is_named:
            function = _unwrapped(node, grammar.functions, grammar)
            if function is not None:
                return node, function, chain[:number]
            if node.type in grammar.classes:
                return None
    return None


def _unwrapped(node: Node, wanted: frozenset[str], grammar: Grammar) -> Node | None:
    """The first node of the kinds wanted inside wrappers, or the node itself; `const a = 1, f = …` is about `a`."""
    while node.type not in wanted:
        if node.type not in grammar.wrappers:
            return None
        for child in node.named_children:
            if child.is_error:
                return None  # what follows need not belong to what is wrapped
            if child.type in wanted or child.type in grammar.wrappers:
                node = child
                break
        else:
            return None
    return node if has_parameters(node) else None


def _overloaded(chain: tuple[Node, ...], at: int, tree: SourceTree, grammar: Grammar) -> _Place | None:
    """TypeScript: the function behind a documented signature of it, where it has no documentation of its own."""
    for node in chain:
        if node.start_byte != at or not (signature := _unwrapped(node, grammar.signatures, grammar)):
            continue
        name = name_of(signature, tree.source)
        end = node.end_byte
        while True:
            below = documentation_below(tree, end, grammar, after=b";")
            around = tree.chain(below.end)
            place = _function_at(around, below.end, grammar)
            if place is not None:
                return place if name_of(place[1], tree.source) == name and not below.docstring else None
            other = next((found for outer in around if outer.start_byte == below.end
                          and (found := _unwrapped(outer, grammar.signatures, grammar))), None)  # fmt: skip
            if other is None or name_of(other, tree.source) != name:
                return None
            end = other.end_byte
    return None
