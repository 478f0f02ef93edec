"""Source text → documented functions, and whether code parses; by tree-sitter, so that nothing is ever executed.

A function counts as documented when it has a docstring (Python) or a documentation comment right above it: `/** */`
(JavaScript, Java, PHP), comment lines (Go, Ruby). Decorators, annotations, `export` and the like may stand between.
Functions inside a documented function belong to it.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_php
import tree_sitter_python
import tree_sitter_ruby
from tree_sitter import Language, Node, Parser, Tree


@dataclass(frozen=True)
class Documented:
    """A function with its documentation apart."""

    name: str
    code: str
    """The function without its documentation, dedented to the first column."""
    docstring: str
    """The documentation without comment markers."""


@dataclass(frozen=True)
class Grammar:
    """What a language's syntax tree calls things."""

    suffixes: tuple[str, ...]
    load: Callable[[], object]
    functions: frozenset[str]
    wrappers: frozenset[str] = frozenset()
    """Nodes that stand between a comment and the function that it documents."""
    block_comments: bool = True
    """Documentation is a `/** */` block; otherwise it is the run of comment lines above."""
    wrap: tuple[str, str] = ("", "")
    """Text around a lone function that makes it a whole program."""


GRAMMARS: dict[str, Grammar] = {
    "python": Grammar((".py",), tree_sitter_python.language, frozenset({"function_definition"})),
    "javascript": Grammar(
        (".js", ".mjs", ".cjs", ".jsx"),
        tree_sitter_javascript.language,
        frozenset({"function_declaration", "generator_function_declaration", "method_definition", "function_expression",
                   "arrow_function"}),
        frozenset({"export_statement", "lexical_declaration", "variable_declaration", "variable_declarator", "pair",
                   "expression_statement", "assignment_expression", "field_definition"}),
    ),
    "java": Grammar((".java",), tree_sitter_java.language, frozenset({"method_declaration", "constructor_declaration"}),
                    wrap=("class Wrapper {\n", "\n}")),
    "go": Grammar((".go",), tree_sitter_go.language, frozenset({"function_declaration", "method_declaration"}),
                  block_comments=False),
    "php": Grammar((".php",), tree_sitter_php.language_php, frozenset({"function_definition", "method_declaration"}),
                   wrap=("<?php\n", "\n")),
    "ruby": Grammar((".rb",), tree_sitter_ruby.language, frozenset({"method", "singleton_method"}),
                    block_comments=False),
}  # fmt: skip

_SUFFIXES = {suffix: name for name, grammar in GRAMMARS.items() for suffix in grammar.suffixes}


def language_of(path: str) -> str | None:
    """The language that a file's suffix stands for, None for others."""
    match = re.search(r"\.[A-Za-z]+$", path)
    return _SUFFIXES.get(match.group().lower()) if match else None


def extract_documented(source: bytes, language: str) -> Iterator[Documented]:
    """Documented functions of a source file, in the order of the text.

    Args:
        source: the file's bytes, UTF-8.
        language: a key of `GRAMMARS`.

    Raises:
        ValueError: the language is unknown.
    """
    grammar, pending = _grammar(language), [_parse(source, language).root_node]
    while pending:  # a stack, not recursion: generated code nests thousands deep
        node = pending.pop()
        if node.type in grammar.functions and not node.has_error:
            found = _python_function(node, source) if language == "python" else _commented(node, source, grammar)
            if found is not None:
                yield found
                continue
        pending.extend(reversed(node.children))


def strip_docstring(code: str) -> str | None:
    """Python: the function without its docstring, None when it has none or is no function."""
    found = next(extract_documented(textwrap.dedent(code).encode("utf-8", "replace"), "python"), None)
    return found.code if found is not None else None


def has_syntax_error(code: str, language: str) -> bool:
    """Whether code fails to parse, as a whole program or as a lone function or method.

    Raises:
        ValueError: the language is unknown.
    """
    grammar = _grammar(language)
    before, after = grammar.wrap
    if language == "php":
        code = re.sub(r"^\s*<\?(php)?", "", code).removesuffix("?>")
        # A method stands in a class; everything else at the top.
        candidates = [f"{before}{code}{after}", f"{before}class Wrapper {{\n{code}\n}}{after}"]
    elif language == "javascript":
        candidates = [code, f"class Wrapper {{\n{code}\n}}", f"({code})"]
    else:
        candidates = [code, f"{before}{code}{after}"] if before else [code]
    return all(_parse(text.encode("utf-8", "replace"), language).root_node.has_error for text in candidates)


def _grammar(language: str) -> Grammar:
    if language not in GRAMMARS:
        raise ValueError(f"language {language!r} is not one of {', '.join(GRAMMARS)}")
    return GRAMMARS[language]


@cache
def _parser(language: str) -> Parser:
    return Parser(Language(GRAMMARS[language].load()))


def _parse(source: bytes, language: str) -> Tree:
    return _parser(language).parse(source)


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _python_function(node: Node, source: bytes) -> Documented | None:
    body, name = node.child_by_field_name("body"), node.child_by_field_name("name")
    statement = next((child for child in body.children if child.type != "comment"), None) if body else None
    if body is None or name is None or statement is None or statement.type != "expression_statement":
        return None
    literal = statement.children[0]
    content = next((child for child in literal.children if child.type == "string_content"), None)
    plain = literal.type == "string" and not any(child.type == "interpolation" for child in literal.children)
    if not plain or content is None or _text(literal, source)[:1] not in "\"'rRuU":
        return None
    outer = node.parent if node.parent is not None and node.parent.type == "decorated_definition" else node
    rest = [child for child in body.children if child.start_byte > statement.start_byte and child.type != ";"]
    if not any(child.type != "comment" for child in rest):
        return None  # nothing but documentation
    start = source.rfind(b"\n", 0, outer.start_byte) + 1
    # Up to the statement behind the docstring; its own line's indentation stays.
    before = source[start : statement.start_byte].rstrip(b" \t")
    after = source[statement.end_byte : outer.end_byte].lstrip(b" \t;")
    if after.startswith((b"\n", b"\r")):
        after = after.lstrip(b"\r\n")
    else:
        before += b" " * statement.start_point.column if before.endswith(b"\n") else b" "
    code = textwrap.dedent((before + after).decode("utf-8", "replace").expandtabs(4)).strip("\n")
    raw = _text(content, source)
    escaped = "\\" in raw and _text(literal, source)[:1] not in "rR"
    docstring = re.sub(r"\\\n", "", raw).replace("\\\\", "\\") if escaped else raw
    return Documented(_text(name, source), code, inspect.cleandoc(docstring))


def _commented(node: Node, source: bytes, grammar: Grammar) -> Documented | None:
    outer = node
    while outer.parent is not None and outer.parent.type in grammar.wrappers:
        outer = outer.parent
    first = outer
    while first.prev_sibling is None and first.parent is not None and first.parent.start_byte == outer.start_byte:
        first = first.parent  # the comment above a body's first function stands outside that body
    comments: list[Node] = []
    above, line = first.prev_sibling, outer.start_point.row
    while above is not None and "comment" in above.type and above.end_point.row >= line - 1:
        comments.insert(0, above)
        line = above.start_point.row
        if grammar.block_comments:
            break
        above = above.prev_sibling
    text = "\n".join(_text(comment, source) for comment in comments)
    if not text or (grammar.block_comments and not text.startswith("/**")):
        return None
    name = node.child_by_field_name("name") or _assigned_name(node)
    lines = source[source.rfind(b"\n", 0, outer.start_byte) + 1 : outer.end_byte]
    code = textwrap.dedent(lines.decode("utf-8", "replace").expandtabs(4)).strip("\n")
    return Documented(_text(name, source) if name else "", code, _clean_comment(text))


def _assigned_name(node: Node) -> Node | None:
    """Name of a function expression: what it is assigned to."""
    parent = node.parent
    if parent is None:
        return None
    return next(
        (found for field in ("name", "key", "left", "property") if (found := parent.child_by_field_name(field))), None
    )


def _clean_comment(text: str) -> str:
    text = re.sub(r"^=begin\s*|\s*=end$", "", text.strip())
    lines = [re.sub(r"^\s*(/\*\*?|\*/|\*(?!/)|///?|#+)\s?", "", line) for line in text.splitlines()]
    return "\n".join(re.sub(r"\s*\*/\s*$", "", line).rstrip() for line in lines).strip()
