"""Code → whether it parses, does something, and is more than comments; by tree-sitter, so that nothing is executed.

Not covered: tree-sitter forgives some of what Python's own parser does not (a body that is missing or badly indented,
Python 2's `print`), so code without a syntax error here may still fail to compile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from tree_sitter import Node

from codeocean.grammars import grammar_of, parse

_BODIES = frozenset({"block", "statement_block", "constructor_body", "compound_statement", "body_statement"})

_STUB = re.compile(
    r"pass|\.\.\.|return;?"
    r"|(?i:(todo|unimplemented)!.*|(raise|throw|panic)\b.*(not\W*(yet\W*)?(implemented|supported)|UnsupportedOperation|\bTODO\b).*)",
    re.DOTALL,
)
"""A statement that stands for a body to come."""
_MAY_BE_A_STUB = re.compile(rb"nil\b|pass|\.\.\.|return|(?i:todo|unimplemented|raise|throw|panic)|[rfbuRFBU]*['\"]")
"""What each stub and each lone string begins with."""
_NOTHING = {"python": "None", "php": "(?i:null)", "c": "NULL", "cpp": "NULL|nullptr", "ruby": "nil", "go": "nil"}
"""How a language writes no value, where it is not `null` or `undefined`; another name is a constant's."""
_LONE_STRING = re.compile(r"[rfbuRFBU]*(['\"]).*\1;?", re.DOTALL)
"""As a statement it does nothing, but in the languages whose last expression is the result."""
_EXPRESSIONS_RETURN = frozenset({"ruby", "rust"})


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
    if snippet is None:
        return False
    pending = [snippet.root]
    while pending:
        node = pending.pop()
        if node.type not in grammar.functions:
            pending.extend(reversed(node.children))
            continue
        body = node.child_by_field_name("body")
        if node.type == "indexer_declaration" and (
            node.child_by_field_name("accessors") or node.child_by_field_name("value")
        ):
            return False
        if body is not None and body.type not in _BODIES:
            return _is_thrown_stub(body)  # an arrow function's expression
        if body is not None and _sets_fields(node):
            return False
        first = body.named_child(0) if body is not None and body.named_child_count else None
        if (
            first is not None
            and "comment" not in first.type
            and first.type != "statement_list"
            and (_MAY_BE_A_STUB.match(snippet.text, first.start_byte) is None)
        ):
            return False  # most functions
        return all(_is_stub((node.text or b"").decode("utf-8", "replace"), language) for node in _statements(body))
    return False


_INITIALIZERS = frozenset({"field_initializer_list", "constructor_initializer", "property_promotion_parameter"})


def _sets_fields(function: Node) -> bool:
    """Whether a constructor works before its body: C++ `A(int b) : b(b) {}`, TypeScript `(private b: T) {}`."""
    heads = [child for child in function.children if child.type != "compound_statement"]
    parts = heads + [part for head in heads if "parameters" in head.type for part in head.named_children]
    return any(
        part.type in _INITIALIZERS
        or (part.type.endswith("_parameter") and part.children[0].type in {"accessibility_modifier", "readonly"})
        for part in parts
    )


def _is_thrown_stub(body: Node) -> bool:
    """C#: `=> throw new NotImplementedException()`."""
    text = (body.text or b"").decode("utf-8", "replace").removeprefix("=>").strip()
    return text.startswith("throw") and _STUB.fullmatch(text) is not None


def _is_stub(statement: str, language: str) -> bool:
    if _STUB.fullmatch(statement) or _returns_nothing(language).fullmatch(statement):
        return True
    if language == "ruby" and statement == _NOTHING["ruby"]:
        return True
    return language not in _EXPRESSIONS_RETURN and _LONE_STRING.fullmatch(statement) is not None


@cache
def _returns_nothing(language: str) -> re.Pattern[str]:
    return re.compile(rf"return\s+({_NOTHING.get(language, 'null|undefined')});?")


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


def _statements(body: Node | None) -> Iterator[Node]:
    """The statements of a body, one by one: the first that does something ends the question."""
    if body is None:
        return
    first = next((child for child in _named(body) if "comment" not in child.type), None)
    if first is not None and first.type == "statement_list":
        lone = sum("comment" not in child.type for child in body.named_children) == 1
        body = first if lone else body
    yield from (child for child in _named(body) if "comment" not in child.type)


def _named(node: Node) -> Iterator[Node]:
    return (child for number in range(node.named_child_count) if (child := node.named_child(number)) is not None)
