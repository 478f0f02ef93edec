"""Source text → documented functions, and whether code parses; by tree-sitter, so that nothing is ever executed.

A function counts as documented when it has a docstring (Python) or a documentation comment right above it: `/** */`
(JavaScript, Java, PHP), comment lines (Go, Ruby). Decorators, annotations, `export` and the like may stand between.
Functions inside a documented function belong to it.

Not covered: tree-sitter forgives some of what Python's own parser does not (a body that is missing or badly indented,
Python 2's `print`), so code without a syntax error here may still fail to compile.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_php
import tree_sitter_python
import tree_sitter_ruby
from tree_sitter import Language, Node, Parser


@dataclass(frozen=True)
class Documented:
    """A function with its documentation apart."""

    name: str
    """As CodeSearchNet writes it: behind the name of its class, if it has one (`Stack.push`)."""
    code: str
    """The function without its documentation, from the first column on; tabs and strings stay as they are."""
    docstring: str
    """The documentation without comment markers."""


@dataclass(frozen=True)
class Grammar:
    """What a language's syntax tree calls things."""

    suffixes: tuple[str, ...]
    load: Callable[[], object]
    functions: frozenset[str]
    classes: frozenset[str] = frozenset()
    """Nodes whose name stands before a method's."""
    wrappers: frozenset[str] = frozenset()
    """Nodes that stand between a comment and the function that it documents, and belong to its code."""
    block_comments: bool = True
    """Documentation is a `/** */` block; otherwise it is the run of comment lines above."""
    wraps: tuple[tuple[str, str], ...] = ()
    """Texts around a lone method or expression, each of which makes it a program of one statement."""


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


GRAMMARS: dict[str, Grammar] = {
    "python": Grammar(
        (".py",),
        tree_sitter_python.language,
        functions=_set("function_definition"),
        classes=_set("class_definition"),
        wrappers=_set("decorated_definition"),
    ),
    "javascript": Grammar(
        (".js", ".mjs", ".cjs", ".jsx"),
        tree_sitter_javascript.language,
        functions=_set("function_declaration generator_function_declaration method_definition function_expression "
                       "generator_function arrow_function"),
        classes=_set("class_declaration class"),
        wrappers=_set("export_statement lexical_declaration variable_declaration variable_declarator pair "
                      "expression_statement assignment_expression field_definition"),
        wraps=(("class _ {\n", "\n}"),),
    ),
    "java": Grammar(
        (".java",),
        tree_sitter_java.language,
        functions=_set("method_declaration constructor_declaration"),
        classes=_set("class_declaration interface_declaration enum_declaration record_declaration"),
        wraps=(("class _ {\n", "\n}"),),
    ),
    "go": Grammar(
        (".go",),
        tree_sitter_go.language,
        functions=_set("function_declaration method_declaration"),
        block_comments=False,
    ),
    "php": Grammar(
        (".php",),
        tree_sitter_php.language_php,
        functions=_set("function_definition method_declaration"),
        classes=_set("class_declaration interface_declaration trait_declaration enum_declaration"),
        wraps=(("class _ {\n", "\n}"),),
    ),
    "ruby": Grammar(
        (".rb",),
        tree_sitter_ruby.language,
        functions=_set("method singleton_method"),
        classes=_set("class module"),
        wrappers=_set("argument_list call"),
        block_comments=False,
    ),
}  # fmt: skip

_SUFFIXES = {suffix: name for name, grammar in GRAMMARS.items() for suffix in grammar.suffixes}

_BODIES = _set("block statement_block constructor_body compound_statement body_statement")

_STRINGS = _set("string template_string raw_string_literal encapsed_string heredoc nowdoc heredoc_body")
"""Literals whose lines are data, in any of the languages; Java strips the indentation of its text blocks by itself."""

_STUB = re.compile(
    r"pass|\.\.\.|[rfbuRFBU]*(['\"]).*\1|return(\s+(None|null|nil|undefined))?;?"
    r"|(raise|throw|panic)\b.*(not\W*(yet\W*)?(implemented|supported)|UnsupportedOperation).*",
    re.DOTALL | re.IGNORECASE,
)
"""A statement that stands for a body to come."""


def language_of(path: str) -> str | None:
    """The language that a file's suffix stands for, None for others."""
    match = re.search(r"\.[A-Za-z]+$", path)
    return _SUFFIXES.get(match.group().lower()) if match else None


def extract_documented(source: bytes, language: str) -> Iterator[Documented]:
    """Documented functions of a source file, in the order of the text; those with a syntax error too.

    Args:
        source: the file's bytes, UTF-8.
        language: a key of `GRAMMARS`.

    Raises:
        ValueError: the language is unknown.

    Cost: one visit of each node outside documented functions.
    """
    grammar = _grammar(language)
    pending = [(_parse(source, language), "")]
    while pending:  # a stack, not recursion: generated code nests thousands deep
        node, owner = pending.pop()
        if node.type in grammar.functions:
            found = _python_function(node, source) if language == "python" else _commented(node, source, grammar)
            if found is not None:
                code, docstring = found
                yield Documented(owner + _name(node, source), code, docstring)
                continue
        elif node.type in grammar.classes and node.is_named:
            owner += f"{_name(node, source)}."
        pending.extend((child, owner) for child in reversed(node.children))


def strip_docstring(code: str) -> str | None:
    """Python: a function without its docstring, None when it has none or is no function."""
    source = textwrap.dedent(code).strip().encode("utf-8", "replace")
    node: Node | None = next((child for child in _parse(source, "python").children if child.type != "comment"), None)
    if node is not None and node.type == "decorated_definition":
        node = node.child_by_field_name("definition")
    found = _python_function(node, source) if node is not None and node.type == "function_definition" else None
    return found[0] if found else None


def has_syntax_error(code: str, language: str) -> bool:
    """Whether code fails to parse, as a whole program or as a lone function or method.

    Raises:
        ValueError: the language is unknown.
    """
    return _parse_snippet(code, language) is None


def has_empty_body(code: str, language: str) -> bool:
    """Whether the function that code begins with does nothing: no statement, or one like `raise NotImplementedError`.

    Raises:
        ValueError: the language is unknown.
    """
    grammar, root = _grammar(language), _parse_snippet(code, language)
    pending = [root] if root is not None else []
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


def _grammar(language: str) -> Grammar:
    if language not in GRAMMARS:
        raise ValueError(f"language {language!r} is not one of {', '.join(GRAMMARS)}")
    return GRAMMARS[language]


@cache
def _loaded(language: str) -> Language:
    return Language(GRAMMARS[language].load())


def _parse(source: bytes, language: str) -> Node:
    return Parser(_loaded(language)).parse(source).root_node  # a parser holds state and belongs to one thread


def _parse_snippet(code: str, language: str) -> Node | None:
    """Root of the first way to read the code without an error."""
    grammar, head = _grammar(language), ""
    if language == "php":
        head, code = "<?php\n", re.sub(r"^\s*<\?(php\b)?", "", code)
    for before, after in (("", ""), *grammar.wraps):
        root = _parse(f"{head}{before}{code}{after}".encode("utf-8", "replace"), language)
        # Code that closes the wrap and opens another makes two statements of it.
        if not root.has_error and (not before or root.named_child_count == 1 + bool(head)):
            return root
    return None


def _name(node: Node, source: bytes) -> str:
    """Name of a function or class; of a function expression, what it is assigned to."""
    name = node.child_by_field_name("name")
    for field in ("name", "key", "left", "property"):
        name = name or (node.parent.child_by_field_name(field) if node.parent else None)
    return source[name.start_byte : name.end_byte].decode("utf-8", "replace") if name else ""


def _statements(body: Node | None) -> list[Node]:
    return [child for child in body.named_children if "comment" not in child.type] if body else []


def _python_function(node: Node, source: bytes) -> tuple[str, str] | None:
    """Code and docstring of a Python function that has one."""
    statements = _statements(node.child_by_field_name("body"))
    docstring = _string_value(statements[0]) if statements else None
    if docstring is None:
        return None
    first, outer = statements[0], _outermost(node, GRAMMARS["python"])
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


def _commented(node: Node, source: bytes, grammar: Grammar) -> tuple[str, str] | None:
    """Code and documentation of a function with a documentation comment."""
    outer = first = _outermost(node, grammar)
    while first.prev_sibling is None and first.parent is not None and first.parent.start_byte == outer.start_byte:
        first = first.parent  # the comment above a body's first function stands outside that body
    comments: list[str] = []
    above, row = first.prev_sibling, outer.start_point.row
    while above is not None and "comment" in above.type and above.end_point.row >= row - 1:
        if not grammar.block_comments and _indentation(above, source).strip():
            break  # a remark behind the statement above
        comments.insert(0, source[above.start_byte : above.end_byte].decode("utf-8", "replace"))
        row = above.start_point.row
        above = None if grammar.block_comments else above.prev_sibling
    docstring = _clean_block(comments) if grammar.block_comments else _clean_lines(comments)
    return (_at_first_column(outer, source, outer.start_byte, outer.end_byte), docstring) if docstring else None


def _outermost(node: Node, grammar: Grammar) -> Node:
    """The node with what is wrapped around it: decorators, `export`, `const f =`."""
    while node.parent is not None and node.parent.type in grammar.wrappers:
        if node.type == "variable_declarator" and node.prev_named_sibling is not None:
            break  # `const a = 1, f = () => a`: the comment above documents the first
        node = node.parent
    return node


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


def _clean_block(comments: list[str]) -> str:
    """The text of a `/** */` comment; empty for an ordinary comment."""
    if not comments or not re.match(r"/\*\*[^/*]", comments[0]):
        return ""
    lines = comments[0].removesuffix("*/").rstrip("* \t\n")[3:].splitlines()
    return inspect.cleandoc("\n".join(re.sub(r"^\s*\* ?", "", line).rstrip() for line in lines)).strip()


def _clean_lines(comments: list[str]) -> str:
    """The text of the comment lines above a Go or Ruby function, without directives such as `//go:noinline`."""
    text = "\n".join(comment for comment in comments if not re.match(r"//[a-z]+:\S|#!", comment))
    text = re.sub(r"^(=begin|/\*)|(=end|\*/)$", "", text, flags=re.MULTILINE)
    lines = [re.sub(r"^\s*(//+|#+) ?", "", line).rstrip() for line in text.splitlines()]
    return inspect.cleandoc("\n".join(lines)).strip()
