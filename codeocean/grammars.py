"""What tree-sitter calls things in each language, and its parse of a text. Nothing is ever executed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import tree_sitter_c
import tree_sitter_c_sharp
import tree_sitter_cpp
import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_php
import tree_sitter_python
import tree_sitter_ruby
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser


@dataclass(frozen=True)
class Grammar:
    """What a language's syntax tree calls things."""

    suffixes: tuple[str, ...]
    loads: tuple[Callable[[], object], ...]
    """The language's grammars; the first that reads a text without an error is taken."""
    functions: frozenset[str]
    classes: frozenset[str] = frozenset()
    """Nodes whose name stands before a method's."""
    wrappers: frozenset[str] = frozenset()
    """Nodes that stand between a comment and the function that it documents, and belong to its code."""
    attributes: frozenset[str] = frozenset()
    """Nodes beside a function, between it and its comment, that belong to its code."""
    comments: str = "block"
    """What documents: "block" `/** */`; "lines" the run of comment lines above; "doxygen" `/** */` or `///` lines."""
    wraps: tuple[tuple[str, str], ...] = ()
    """Texts around a lone method or expression, each of which makes it a program of one statement."""


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SCRIPT_FUNCTIONS = _set("function_declaration generator_function_declaration method_definition function_expression "
                         "generator_function arrow_function")  # fmt: skip
_SCRIPT_WRAPPERS = _set("export_statement lexical_declaration variable_declaration variable_declarator pair "
                        "expression_statement assignment_expression")  # fmt: skip
_CLASS = (("class _ {\n", "\n}"),)

GRAMMARS: dict[str, Grammar] = {
    "python": Grammar(
        (".py",),
        (tree_sitter_python.language,),
        functions=_set("function_definition"),
        classes=_set("class_definition"),
        wrappers=_set("decorated_definition"),
    ),
    "javascript": Grammar(
        (".js", ".mjs", ".cjs", ".jsx"),
        (tree_sitter_javascript.language,),
        functions=_SCRIPT_FUNCTIONS,
        classes=_set("class_declaration class"),
        wrappers=_SCRIPT_WRAPPERS | {"field_definition"},
        wraps=_CLASS,
    ),
    "java": Grammar(
        (".java",),
        (tree_sitter_java.language,),
        functions=_set("method_declaration constructor_declaration"),
        classes=_set("class_declaration interface_declaration enum_declaration record_declaration"),
        wraps=_CLASS,
    ),
    "go": Grammar(
        (".go",),
        (tree_sitter_go.language,),
        functions=_set("function_declaration method_declaration"),
        comments="lines",
    ),
    "php": Grammar(
        (".php",),
        (tree_sitter_php.language_php,),
        functions=_set("function_definition method_declaration"),
        classes=_set("class_declaration interface_declaration trait_declaration enum_declaration"),
        wraps=_CLASS,
    ),
    "ruby": Grammar(
        (".rb",),
        (tree_sitter_ruby.language,),
        functions=_set("method singleton_method"),
        classes=_set("class module"),
        wrappers=_set("argument_list call"),
        comments="lines",
    ),
    "c": Grammar(
        (".c", ".h"),
        (tree_sitter_c.language,),
        functions=_set("function_definition"),
        comments="doxygen",
    ),
    "cpp": Grammar(
        (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"),
        (tree_sitter_cpp.language,),
        functions=_set("function_definition"),
        classes=_set("class_specifier struct_specifier"),
        wrappers=_set("template_declaration"),
        comments="doxygen",
        wraps=(("class _ {\n", "\n};"),),
    ),
    "csharp": Grammar(
        (".cs",),
        (tree_sitter_c_sharp.language,),
        functions=_set("method_declaration constructor_declaration local_function_statement"),
        classes=_set("class_declaration interface_declaration struct_declaration record_declaration"),
        comments="doxygen",
        wraps=_CLASS,
    ),
    "typescript": Grammar(
        (".ts", ".tsx", ".mts", ".cts"),
        (tree_sitter_typescript.language_typescript, tree_sitter_typescript.language_tsx),
        functions=_SCRIPT_FUNCTIONS,
        classes=_set("class_declaration abstract_class_declaration class"),
        wrappers=_SCRIPT_WRAPPERS | {"public_field_definition"},
        attributes=_set("decorator"),
        wraps=_CLASS,
    ),
    "rust": Grammar(
        (".rs",),
        (tree_sitter_rust.language,),
        functions=_set("function_item"),
        classes=_set("impl_item trait_item"),
        attributes=_set("attribute_item"),
        comments="doxygen",
        wraps=(("impl _ {\n", "\n}"),),
    ),
}

_SUFFIXES = {suffix: name for name, grammar in GRAMMARS.items() for suffix in grammar.suffixes}


def language_of(path: str) -> str | None:
    """The language that a file's suffix stands for, None for others."""
    match = re.search(r"\.[A-Za-z]+$", path[-20:])
    return _SUFFIXES.get(match.group().lower()) if match else None


def grammar_of(language: str) -> Grammar:
    """A language's grammar.

    Raises:
        ValueError: the language is unknown.
    """
    if language not in GRAMMARS:
        raise ValueError(f"language {language!r} is not one of {', '.join(GRAMMARS)}")
    return GRAMMARS[language]


def parse(source: bytes, language: str) -> Node:
    """Root of the syntax tree; of a text with errors too."""
    roots = [_root(source, load) for load in GRAMMARS[language].loads[:1]]
    for load in GRAMMARS[language].loads[1:]:
        if not roots[0].has_error:
            break
        roots.append(_root(source, load))
    return next((root for root in roots if not root.has_error), roots[0])


def _root(source: bytes, load: Callable[[], object]) -> Node:
    return Parser(_loaded(load)).parse(source).root_node  # a parser holds state and belongs to one thread


@cache
def _loaded(load: Callable[[], object]) -> Language:
    return Language(load())
