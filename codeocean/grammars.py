"""What tree-sitter calls things in each language, and its parse of a text. Nothing is ever executed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

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
from tree_sitter import Language, Node, Parser, Query

from codeocean.branches import first_branches
from codeocean.macros import parse_declarations
from core.languages import LANGUAGES


@dataclass(frozen=True)
class Grammar:
    """What a language's syntax tree calls things."""

    loads: tuple[Callable[[], object], ...]
    """The language's grammars; the first that reads a text without an error is taken."""
    functions: frozenset[str]
    classes: frozenset[str] = frozenset()
    """Nodes whose name stands before a method's."""
    wrappers: frozenset[str] = frozenset()
    """Nodes that stand between a comment and the function that it documents, and belong to its code."""
    attributes: frozenset[str] = frozenset()
    """Nodes beside a function, between it and its comment, that belong to its code."""
    signatures: frozenset[str] = frozenset()
    """Overloads without a body, whose documentation is that of the function behind them."""
    long_strings: str = ""
    """Pattern of what a literal of several lines begins with or contains; empty where any literal may be one."""
    comments: str = "block"
    """What documents: "docstring"; "block" `/** */`; "lines" the run of comment lines above; "doxygen" `/** */`,
    `/*! */`, lines of `///` or `//!`; "xml" and "rustdoc" `/** */` or lines of `///`."""
    wraps: tuple[tuple[str, str], ...] = ()
    """Texts around a lone method or expression, each of which makes it a program of one statement."""


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SCRIPT_FUNCTIONS = _set("function_declaration generator_function_declaration method_definition function_expression "
                         "generator_function arrow_function")  # fmt: skip
_SCRIPT_WRAPPERS = _set("export_statement lexical_declaration variable_declaration variable_declarator pair "
                        "expression_statement assignment_expression binary_expression parenthesized_expression "
                        "as_expression satisfies_expression non_null_expression return_statement")  # fmt: skip
_CLASS = (("class _ {\n", "\n}"),)

GRAMMARS: dict[str, Grammar] = {
    "python": Grammar(
        (tree_sitter_python.language,),
        functions=_set("function_definition"),
        classes=_set("class_definition"),
        wrappers=_set("decorated_definition"),
        long_strings=r'"""|\'\'\'|\\\n',
        comments="docstring",
    ),
    "javascript": Grammar(
        (tree_sitter_javascript.language,),
        functions=_SCRIPT_FUNCTIONS,
        classes=_set("class_declaration class"),
        wrappers=_SCRIPT_WRAPPERS | {"field_definition"},
        long_strings=r"`|\\\n",
        wraps=_CLASS,
    ),
    "java": Grammar(
        (tree_sitter_java.language,),
        functions=_set(
            "method_declaration constructor_declaration compact_constructor_declaration "
            "annotation_type_element_declaration"
        ),
        classes=_set(
            "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration"
        ),
        long_strings='"""',
        wraps=(*_CLASS, ("@interface _ {\n", "\n}")),
    ),
    "go": Grammar(
        (tree_sitter_go.language,),
        functions=_set("function_declaration method_declaration"),
        long_strings="`",
        comments="lines",
    ),
    "php": Grammar(
        (tree_sitter_php.language_php,),
        functions=_set("function_definition method_declaration"),
        classes=_set("class_declaration interface_declaration trait_declaration enum_declaration"),
        wraps=_CLASS,
    ),
    "ruby": Grammar(
        (tree_sitter_ruby.language,),
        functions=_set("method singleton_method"),
        classes=_set("class module"),
        wrappers=_set("argument_list call"),
        comments="lines",
    ),
    "c": Grammar(
        (tree_sitter_c.language,),
        functions=_set("function_definition"),
        long_strings=r"\\\n",
        comments="doxygen",
    ),
    "cpp": Grammar(
        (tree_sitter_cpp.language,),
        functions=_set("function_definition"),
        classes=_set("class_specifier struct_specifier union_specifier"),
        wrappers=_set("template_declaration friend_declaration linkage_specification"),
        long_strings=r'\\\n|R"',
        comments="doxygen",
        wraps=(("class _ {\n", "\n};"),),
    ),
    "csharp": Grammar(
        (tree_sitter_c_sharp.language,),
        functions=_set(
            "method_declaration constructor_declaration destructor_declaration local_function_statement "
            "operator_declaration conversion_operator_declaration indexer_declaration"
        ),
        classes=_set("class_declaration interface_declaration struct_declaration record_declaration enum_declaration"),
        long_strings=r'@"|@\$"|"""',
        comments="xml",
        wraps=_CLASS,
    ),
    "typescript": Grammar(
        (tree_sitter_typescript.language_typescript, tree_sitter_typescript.language_tsx),
        functions=_SCRIPT_FUNCTIONS,
        classes=_set("class_declaration abstract_class_declaration class"),
        wrappers=_SCRIPT_WRAPPERS | {"public_field_definition"},
        attributes=_set("decorator"),
        signatures=_set("function_signature method_signature"),
        long_strings=r"`|\\\n",
        wraps=_CLASS,
    ),
    "rust": Grammar(
        (tree_sitter_rust.language,),
        functions=_set("function_item"),
        classes=_set("impl_item trait_item"),
        attributes=_set("attribute_item"),
        comments="rustdoc",
        wraps=(("impl _ {\n", "\n}"),),
    ),
}

SHARED_SUFFIXES: dict[str, tuple[str, ...]] = {
    ".h": ("c", "cpp"), ".inl": ("cpp", "c"), ".inc": ("php", "cpp", "c"), ".C": ("cpp", "c"), ".H": ("cpp", "c"),
}  # fmt: skip
"""Suffixes of several languages, of which the text decides (`recognition.py`)."""

_SUFFIXES = {suffix: name for name, language in LANGUAGES.items() for suffix in language.suffixes}


def suffix_of(path: str) -> str:
    """A path's suffix in lower case, but for those whose case says something; empty where there is none."""
    match = re.search(r"\.[A-Za-z+]+$", path[-20:])
    suffix = match.group() if match else ""
    return suffix if suffix in SHARED_SUFFIXES else suffix.lower()


def language_of(path: str) -> str | None:
    """The language that a file's suffix stands for, the likelier one of several; None for others."""
    suffix = suffix_of(path)
    return SHARED_SUFFIXES[suffix][0] if suffix in SHARED_SUFFIXES else _SUFFIXES.get(suffix)


def grammar_of(language: str) -> Grammar:
    """A language's grammar.

    Raises:
        ValueError: the language is unknown.
    """
    if language not in GRAMMARS:
        raise ValueError(f"language {language!r} is not one of {', '.join(GRAMMARS)}")
    return GRAMMARS[language]


@lru_cache(maxsize=2)  # recognition and extraction ask about the same file one after the other
def parse(source: bytes, language: str) -> Node:
    """Root of the syntax tree; of a text with errors too. Of C and C++, with macros blanked (`macros.py`)."""
    grammar = GRAMMARS[language]
    if language in {"c", "cpp"}:
        parser = parser_of(grammar.loads[0])
        return parse_declarations(source, lambda text: parser.parse(text).root_node, query_of(language, ERRORS))
    parsers = [parser_of(load) for load in grammar.loads]
    roots = (parser.parse(text).root_node for text in _readings(source, language) for parser in parsers)
    best = next(roots)
    for root in roots:
        if not best.has_error:
            break
        best = min(best, root, key=_unread_bytes)
    return best


_SIGNATURE = re.compile(rb"(?<=[\w>)}\]])(?<!=>)(\s*\n[ \t]*)[ \t](?=<[A-Za-z\s])")
"""TypeScript: a line that begins with type parameters goes on no type of the line before."""
_MODIFIERS = re.compile(rb"(?<=[<,])\s*(?:in|out|in\s+out)[ \t]+(?=[A-Za-z_$][\w$]*\s*(?:[,>=]|extends\b))"
                       rb"|(?<=\])[+-](?=\?:)|[+-](?=readonly\s*\[)")  # fmt: skip
"""TypeScript's `<in T, out U>`, and signs of `{ [K in T]-?: … }`."""
_TYPE_NAMED_TYPE = re.compile(rb"(?<=\()type(?=\s+extends\b)")
"""TypeScript's `(type extends 'a' ? b : c)`, where `type` is a type parameter's name."""


def _spaces(match: re.Match[bytes]) -> bytes:
    return re.sub(rb"[^\s]", b" ", match[0])


def _readings(source: bytes, language: str) -> Iterator[bytes]:
    """A text, and how else it may be read where it does not parse; each sign stays where it is."""
    yield source
    if language == "csharp":
        yield first_branches(source)
    elif language == "typescript":
        yield _TYPE_NAMED_TYPE.sub(b"TYPE", _MODIFIERS.sub(_spaces, _SIGNATURE.sub(rb"\1;", source)))


def _unread_bytes(root: Node) -> int:
    """How much of a text did not parse."""
    unread, pending = 0, [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            unread += node.end_byte - node.start_byte + 1
        elif node.has_error:
            pending += node.children
    return unread


def parser_of(load: Callable[[], object]) -> Parser:
    """This thread's parser of a grammar: it holds state."""
    parsers: dict[Callable[[], object], Parser] = _LOCAL.__dict__.setdefault("parsers", {})
    if load not in parsers:
        parsers[load] = Parser(_loaded(load))
    return parsers[load]


def language_object(language: str) -> Language:
    """The language's first grammar, as tree-sitter has it."""
    return _loaded(GRAMMARS[language].loads[0])


@cache
def query_of(language: str, pattern: str) -> Query:
    """A query in the language's first grammar."""
    return Query(language_object(language), pattern)


ERRORS = "[(ERROR) (MISSING)] @error"
_LOCAL = threading.local()


@cache
def _loaded(load: Callable[[], object]) -> Language:
    return Language(load())
