"""Source text → documented functions, and whether code parses; by tree-sitter, so that nothing is ever executed.

A function counts as documented when it has a docstring (Python) or a documentation comment right above it: `/** */`
(JavaScript, TypeScript, Java, PHP), comment lines (Go, Ruby), `/** */` or `///` lines (C, C++, C#, Rust). Decorators,
annotations, attributes, `export` and the like may stand between. Functions inside a documented function belong to it.

Not covered: tree-sitter forgives some of what Python's own parser does not (a body that is missing or badly indented,
Python 2's `print`), so code without a syntax error here may still fail to compile.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tree_sitter import Node

from codeocean.collect.comments import documentation_of
from codeocean.grammars import GRAMMARS, Grammar, grammar_of, language_of, parse

__all__ = ["GRAMMARS", "Documented", "extract_documented", "has_empty_body", "has_syntax_error", "is_comment_only",
           "language_of", "parse_snippet", "strip_docstring"]  # fmt: skip


@dataclass(frozen=True)
class Documented:
    """A function with its documentation apart."""

    name: str
    """As CodeSearchNet writes it: behind the name of its class, if it has one (`Stack.push`)."""
    code: str
    """The function without its documentation, from the first column on; tabs and strings stay as they are."""
    docstring: str
    """The documentation without comment markers."""


MAX_COMMENTS = 1000
"""Comments above one function that are read at most."""

_BODIES = frozenset({"block", "statement_block", "constructor_body", "compound_statement", "body_statement"})

_STRINGS = frozenset({"string", "template_string", "raw_string_literal", "encapsed_string", "heredoc", "nowdoc",
                      "heredoc_body", "verbatim_string_literal", "string_literal"})  # fmt: skip
"""Literals whose lines are data, in any of the languages; Java strips the indentation of its text blocks by itself."""

_STUB = re.compile(
    r"pass|\.\.\.|[rfbuRFBU]*(['\"]).*\1|return(\s+(None|null|nil|undefined))?;?"
    r"|(todo|unimplemented)!.*|(raise|throw|panic)\b.*(not\W*(yet\W*)?(implemented|supported)|UnsupportedOperation).*",
    re.DOTALL | re.IGNORECASE,
)
"""A statement that stands for a body to come."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A node on the way down; what `prev_sibling` would say, which takes a walk along all siblings."""

    node: Node
    owner: str
    """Names of the classes around it."""
    outer: Node
    """The node with what is wrapped around it: decorators, `export`, `const f =`."""
    above: list[Node]
    """Comments and attributes right before `outer`."""


def extract_documented(source: bytes, language: str) -> Iterator[Documented]:
    """Documented functions of a source file, in the order of the text; those with a syntax error too.

    Args:
        source: the file's bytes, UTF-8.
        language: a key of `GRAMMARS`.

    Raises:
        ValueError: the language is unknown.

    Cost: one visit of each node outside documented functions.
    """
    grammar, root = grammar_of(language), parse(source, language)
    pending = [_Place(root, "", root, [])]
    while pending:  # a stack, not recursion: generated code nests thousands deep
        place = pending.pop()
        node, owner = place.node, place.owner
        if node.type in grammar.functions:
            found = _python_function(node, place.outer, source) if language == "python" else _commented(
                place, source, grammar)  # fmt: skip
            if found is not None:
                code, docstring = found
                yield Documented(owner + _name(node, source), code, docstring)
                continue
        elif node.type in grammar.classes and node.is_named:
            owner += f"{_name(node, source)}."
        pending.extend(reversed(_children(place, owner, grammar)))


def _children(place: _Place, owner: str, grammar: Grammar) -> list[_Place]:
    """The places of a node's children, each with the comments above it."""
    places: list[_Place] = []
    above: list[Node] = []
    named = 0
    for number, child in enumerate(place.node.children):
        if "comment" in child.type or child.type in grammar.attributes:
            above.append(child)
            continue
        # `const a = 1, f = () => a`: the comment above documents the first.
        second = child.type == "variable_declarator" and named > 0
        if place.node.type in grammar.wrappers and not second:
            places.append(_Place(child, owner, place.outer, place.above))
        elif number == 0 and child.start_byte == place.outer.start_byte:
            # The comment above a body's first function stands outside that body.
            places.append(_Place(child, owner, child, place.above))
        else:
            places.append(_Place(child, owner, child, above))
        above = []
        named += child.is_named
    return places


def strip_docstring(code: str) -> str | None:
    """Python: a function without its docstring, None when it has none or is no function."""
    source = textwrap.dedent(code).strip().encode("utf-8", "replace")
    outer = next((child for child in parse(source, "python").children if child.type != "comment"), None)
    if outer is None:
        return None
    node = outer.child_by_field_name("definition") if outer.type == "decorated_definition" else outer
    found = _python_function(node, outer, source) if node and node.type == "function_definition" else None
    return found[0] if found else None


def has_syntax_error(code: str, language: str) -> bool:
    """Whether code fails to parse, as a whole program or as a lone function or method.

    Raises:
        ValueError: the language is unknown.
    """
    return parse_snippet(code, language) is None


def has_empty_body(code: str, language: str) -> bool:
    """Whether the function that code begins with does nothing: no statement, or one like `raise NotImplementedError`.

    Raises:
        ValueError: the language is unknown.
    """
    grammar, snippet = grammar_of(language), parse_snippet(code, language)
    pending = [snippet.root] if snippet is not None else []
    while pending:
        node = pending.pop()
        if node.type not in grammar.functions:
            pending.extend(reversed(node.children))
            continue
        body = node.child_by_field_name("body")
        if body is not None and body.type not in _BODIES:
            return False  # an arrow function's expression
        statements = _statements(body)
        if len(statements) == 1 and statements[0].type == "statement_list":
            statements = _statements(statements[0])
        return all(_STUB.fullmatch((statement.text or b"").decode("utf-8", "replace")) for statement in statements)
    return False


def is_comment_only(code: str, language: str) -> bool:
    """Whether code that parses holds nothing but comments.

    Raises:
        ValueError: the language is unknown.
    """
    snippet = parse_snippet(code, language)
    return snippet is not None and all(
        "comment" in node.type or node.type == "php_tag" for node in snippet.root.children
    )


class Snippet(NamedTuple):
    """Code that parses, as a program of its own or with a wrap around it."""

    root: Node
    text: bytes
    """What was parsed: the code and the wrap."""
    begin: int
    """Byte of `text` at which the code begins, and that at which it ends."""
    end: int


@lru_cache(maxsize=1)  # the rules ask about the same code one after the other
def parse_snippet(code: str, language: str) -> Snippet | None:
    """The first way to read the code without an error; None where there is none.

    Raises:
        ValueError: the language is unknown.
    """
    grammar, head = grammar_of(language), ""
    if language == "php":
        head, code = "<?php\n", re.sub(r"^\s*<\?(php\b)?", "", code)
    for before, after in (("", ""), *grammar.wraps):
        inside = code.encode("utf-8", "replace")
        text = f"{head}{before}".encode() + inside + after.encode()
        root = parse(text, language)
        # Code that closes the wrap and opens another makes two statements of it.
        if not root.has_error and (not before or root.named_child_count == 1 + bool(head)):
            begin = len(f"{head}{before}".encode())
            return Snippet(root, text, begin, begin + len(inside))
    return None


def _name(node: Node, source: bytes) -> str:
    """Name of a function or class; of a function expression, what it is assigned to."""
    name = node.child_by_field_name("name") or _declared(node)
    if node.type == "impl_item":
        name = node.child_by_field_name("type")
    for field in ("name", "key", "left", "property"):
        name = name or (node.parent.child_by_field_name(field) if node.parent else None)
    text = source[name.start_byte : name.end_byte].decode("utf-8", "replace") if name else ""
    return re.sub(r"<[^<>]*>", "", text).replace("::", ".")  # `Stack<T>::push`


def _declared(node: Node) -> Node | None:
    """The name inside a declarator of C and C++: in `int *f(int a)` it is `f`."""
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.child_count:
        inner = declarator.child_by_field_name("declarator")
        if inner is None and declarator.type == "reference_declarator":
            inner = declarator.children[-1]
        if inner is None:
            break
        declarator = inner
    return declarator


def _statements(body: Node | None) -> list[Node]:
    return [child for child in body.named_children if "comment" not in child.type] if body else []


def _python_function(node: Node, outer: Node, source: bytes) -> tuple[str, str] | None:
    """Code and docstring of a Python function that has one."""
    statements = _statements(node.child_by_field_name("body"))
    docstring = _string_value(statements[0]) if statements else None
    if docstring is None:
        return None
    first = statements[0]
    behind = first.next_named_sibling  # the next statement, or a comment above it
    before = _at_first_column(outer, source, outer.start_byte, first.start_byte)
    if len(statements) == 1:
        behind, before = None, before + "pass"
    after = _at_first_column(outer, source, behind.start_byte, outer.end_byte) if behind else ""
    return before + after, inspect.cleandoc(docstring)


def _string_value(statement: Node) -> str | None:
    """Value of a statement that is a string literal, as Python's own parser reads it; None for any other."""
    text = (statement.text or b"").decode("utf-8", "replace")
    if statement.type != "expression_statement" or not re.match(r"\s*[('\"rRuU]", text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # \d and the like in a docstring are its author's affair
            value = ast.literal_eval(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, str) else None


def _commented(place: _Place, source: bytes, grammar: Grammar) -> tuple[str, str] | None:
    """Code and documentation of a function with a documentation comment."""
    start, row = place.outer.start_byte, place.outer.start_point.row
    comments: list[str] = []
    attributes: list[str] = []  # those above the comments
    for above in reversed(place.above[-MAX_COMMENTS:]):
        if above.end_point.row - (above.end_point.column == 0) < row - 1:
            break  # an empty line between; Rust's comments end behind their line feed
        row = above.start_point.row
        if above.type in grammar.attributes:
            if comments:
                attributes.insert(0, source[above.start_byte : above.end_byte].decode("utf-8", "replace") + "\n")
            else:
                start = above.start_byte
            continue
        if attributes:
            break
        text = source[above.start_byte : above.end_byte].decode("utf-8", "replace").rstrip("\n")
        if (grammar.comments == "lines" or text.startswith("//")) and _indentation(above, source).strip():
            break  # a remark behind the statement above
        comments.append(text)
        if grammar.comments == "block":
            break
    docstring = documentation_of(comments[::-1], grammar.comments)
    code = "".join(attributes) + _at_first_column(place.outer, source, start, place.outer.end_byte)
    return (code, docstring) if docstring else None


def _indentation(node: Node, source: bytes) -> bytes:
    """What stands before a node on its line."""
    return source[source.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]


def _at_first_column(outer: Node, source: bytes, start: int, end: int) -> str:
    """A part of a function's text, its lines moved to the left by the function's own indentation."""
    text, indentation = source[start:end], _indentation(outer, source)
    if not indentation or indentation.strip():
        return text.decode("utf-8", "replace")
    kept = _rows_in_strings(outer)
    first, *lines = text.split(b"\n")
    row = outer.start_point.row + source.count(b"\n", outer.start_byte, start)
    moved = [line if number in kept else line.removeprefix(indentation) for number, line in enumerate(lines, row + 1)]
    return b"\n".join([first, *moved]).decode("utf-8", "replace")


def _rows_in_strings(node: Node) -> set[int]:
    """Rows of the file that begin inside a string literal: their indentation is data."""
    rows, pending = set[int](), [node]
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
