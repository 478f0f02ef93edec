"""Code of languages with braces → its top-level declarations, by tree-sitter. Nothing is ever executed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, lru_cache

import tree_sitter_cpp
import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_rust
from tree_sitter import Language, Node, Parser

from eval.answers.braces import marks, open_brackets, without_comments
from eval.answers.units import MAX_LINES, Unit

_GRAMMARS = {
    "javascript": tree_sitter_javascript.language,
    "java": tree_sitter_java.language,
    "go": tree_sitter_go.language,
    "cpp": tree_sitter_cpp.language,
    "rust": tree_sitter_rust.language,
}

_IMPORTS = {"import_statement", "import_declaration", "preproc_include", "using_declaration", "use_declaration",
            "namespace_alias_definition", "extern_crate_declaration", "preproc_call"}  # fmt: skip
_ACTIONS = {"expression_statement", "package_declaration", "package_clause", "empty_statement",
            "export_statement", "static_assert_declaration"}  # fmt: skip
_VALUES = {"lexical_declaration", "variable_declaration", "local_variable_declaration", "field_declaration",
           "const_declaration", "var_declaration", "declaration", "const_item", "static_item"}  # fmt: skip
_IDENTIFIERS = {"identifier", "type_identifier", "namespace_identifier", "field_identifier", "property_identifier",
                "shorthand_property_identifier", "shorthand_property_identifier_pattern",
                "package_identifier"}  # fmt: skip
_CLASSES = {"class_declaration", "class_specifier", "struct_specifier", "interface_declaration", "enum_declaration",
            "record_declaration"}  # fmt: skip
_FUNCTIONS = {"method_declaration", "method_definition", "function_definition", "function_item"}
MAX_FAILED = 300
"""Lines that are no code, behind which no more are looked at."""
_FEW_STEPS, _BYTES_A_STEP = 1000, 16
"""Code takes a step for 30 to 60 bytes."""
_BLOCK = 1 << 16
_NO_CODE = b")\n"
MAX_STATEMENTS = 5000
"""No answer has more."""
_TRIES = 6
"""Ends of a declaration that are tried: a signature may stand on lines of its own."""


def is_code(text: str, language: str) -> bool:
    """Whether a text as a whole is code of a language."""
    return not root_of(text, language).has_error


def is_open(text: str, language: str) -> bool:
    """Whether a text ends inside a comment, a string of many lines or a bracket."""
    seen = without_comments(text, language)
    if re.search(r"/\*(?:(?!\*/).)*\Z", text, re.DOTALL) and not seen.rstrip().endswith("*/"):
        return True
    return open_brackets(text, language) > 0


@lru_cache(maxsize=512)
def brace_units(text: str, language: str) -> tuple[Unit, ...]:
    """The declarations in a text, and its statements; what is no code is left out."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return ()
    root = root_of(text, language)
    if not root.has_error:
        return tuple(_units(root, language))
    found: list[Unit] = []
    number, failed = 0, 0
    while number < len(lines) and failed < MAX_FAILED:
        units, number = _grow(lines, number, language)
        failed += not units
        found += units
    return tuple(found)


def _grow(lines: list[str], begin: int, language: str) -> tuple[list[Unit], int]:
    """The declaration that begins at a line, and the line behind it."""
    if not lines[begin].strip():
        return [], begin + 1
    rest = "\n".join(lines[begin : begin + MAX_LINES // 4])
    for tried, end in enumerate(itertools.islice(_balanced_ends(rest, language), _TRIES)):
        piece = rest[:end]
        if tried == _TRIES // 2 and "{" not in piece and "(" not in piece:
            break
        root = root_of(piece, language)
        if not root.has_error and root.child_count:
            return _units(root, language), begin + piece.count("\n") + 1
    return [], begin + 1


def _balanced_ends(text: str, language: str) -> Iterator[int]:
    """Where lines end while no bracket and no comment is open."""
    depth = 0
    for place, character in marks(f"{text}\n", language):
        if character == "\n":
            if depth == 0:
                yield place
        else:
            depth += 1 if character in "([{" else -1
            if depth < 0:
                return


def root_of(text: str, language: str) -> Node:
    """The syntax tree of a text; of one that takes far more steps than code does, the tree of what is no code.

    The parser looks for a way around every error, and the time for that grows with the square of their number.
    """
    source, steps = f"{text}\n".encode("utf-8", "replace"), itertools.count()
    most = _FEW_STEPS + len(source) // _BYTES_A_STEP
    try:
        return (
            Parser(_loaded(language))
            .parse(lambda at, _: source[at : at + _BLOCK], progress_callback=lambda *_: next(steps) > most)
            .root_node
        )
    except ValueError:
        return Parser(_loaded(language)).parse(_NO_CODE).root_node


@cache
def _loaded(language: str) -> Language:
    return Language(_GRAMMARS[language]())


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _units(root: Node, language: str) -> list[Unit]:
    found: list[Unit] = []
    if root.child_count > MAX_STATEMENTS:
        return found
    waiting = ""  # attributes of the next item
    for node in root.children:
        text = _text(node)
        if node.type == ";" and found:
            found[-1] = _with_text(found[-1], found[-1].text + ";")
        elif node.type == "attribute_item":
            waiting += text + "\n"
        elif "comment" not in node.type and text.strip():
            found.append(_unit(node, waiting, language))
            waiting = ""
    return found


def _with_text(unit: Unit, text: str) -> Unit:
    return replace(unit, text=text)


def _unit(node: Node, attributes: str, language: str) -> Unit:
    if node.type == "export_statement" and (inner := node.child_by_field_name("declaration")):
        node = inner
    if node.type == "labeled_statement":  # "Answer:" before a declaration
        node = node.named_children[-1]
    text, kind = attributes + _text(node).rstrip("\n"), node.type
    uses = frozenset(_text(leaf) for leaf in _leaves(node) if leaf.type in _IDENTIFIERS)
    if kind == "preproc_call" and not re.match(r"#[ \t]*(?:pragma|undef|error|warning|line)\b", text):
        return Unit(text, "action")  # a heading
    if kind in _IMPORTS:
        own = uses if language in {"cpp", "rust"} else frozenset[str]()  # a module of the same text
        return Unit(text, "import", frozenset(_import_names(node, language)), own, always=True)
    if kind in _ACTIONS or kind.endswith("_statement"):
        return _action(node, text, uses)
    names = frozenset(_declared(node))
    if "cfg(test)" in attributes or "#[test]" in attributes or (kind == "mod_item" and names & {"test", "tests"}):
        return Unit(text, "action")
    if language == "go" and names == {"init"}:
        return Unit(text, "definition", uses=uses, always=True)
    if (kind, language) in {("impl_item", "rust"), ("method_declaration", "go")}:
        owner = node.child_by_field_name("receiver" if language == "go" else "type")
        types = [_text(leaf) for leaf in _leaves(owner) if leaf.type == "type_identifier"] if owner else []
        trait = node.child_by_field_name("trait")
        if trait is not None and not types:  # of a type of the language's own: whoever calls its methods needs it
            types = [
                each for function in _descend(node) if function.type == "function_item" for each in _declared(function)
            ]
        own = frozenset(_methods_of(list(_descend(node)))) if trait is None else frozenset[str]()
        return Unit(text, "definition", frozenset(), uses, frozenset(types), methods=own)
    if kind == "template_declaration":
        inner = next((each for each in reversed(node.named_children) if "parameter" not in each.type), node)
        names = frozenset(_declared(inner))
    inside = list(_descend(node))
    functions = frozenset(_methods_of(inside)) - names
    names |= functions if kind == "namespace_definition" else frozenset()  # by a `using`
    methods = functions if kind in _CLASSES else frozenset[str]()
    prototype = kind == "declaration" and any(each.type == "function_declarator" for each in inside)
    unit_kind = "value" if kind in _VALUES and not prototype else "definition"
    key = (
        ""
        if prototype
        else ",".join(sorted(names))
        if unit_kind == "value"
        else re.sub(r"\W+", "", text.partition("{")[0])
    )
    effects = frozenset(_effects(inside)) if language == "javascript" else frozenset[str]()
    return Unit(text, unit_kind, names, uses, key=key, methods=methods, effects=effects)


def _methods_of(inside: list[Node]) -> Iterator[str]:
    """The names of the functions that a class, an `impl` or a namespace has, or a method of Go is."""
    for each in inside:
        if each.type in _FUNCTIONS:
            yield from _declared(each)


def _action(node: Node, text: str, uses: frozenset[str]) -> Unit:
    """A statement: of JavaScript, which runs it."""
    expression = node.named_children[0] if node.named_children else node
    names = frozenset(_properties(expression))
    left = expression.child_by_field_name("left")
    if expression.type == "assignment_expression" and left is not None:
        if left.type == "identifier":
            return Unit(text, "value", frozenset({_text(left)}), uses)
        root = next(_leaves(left), left)
        return Unit(text, "action", names, uses, frozenset({_text(root)} - {"module", "exports"}),
                    always=".prototype." in _text(left))  # fmt: skip
    called = expression.child_by_field_name("function")
    if expression.type == "call_expression" and called is not None and called.type == "member_expression":
        root = next(_leaves(called), called)
        return Unit(text, "action", uses=uses, changes=frozenset({_text(root)}))
    changes = frozenset(_roots_changed(node))
    return Unit(text, "action", names, uses, changes, calls=frozenset(_called(node)), given=frozenset(_given(node)))


def _properties(expression: Node) -> Iterator[str]:
    """Names under which functions become known as properties: `exports.half = …`, `module.exports = { half }`."""
    for each in _descend(expression):
        left, right = each.child_by_field_name("left"), each.child_by_field_name("right")
        if each.type != "assignment_expression" or left is None or right is None:
            continue
        if right.type in {"arrow_function", "function_expression"} and left.type == "member_expression":
            yield from (_text(name) for name in left.children_by_field_name("property"))
        if right.type == "object" and _text(left) in {"module.exports", "exports"}:
            yield from (_text(key) for one in right.named_children for key in one.named_children[:1])
        if _text(left) in {"module.exports", "exports"}:
            yield from (_text(name) for name in right.children_by_field_name("name"))


def _effects(inside: list[Node]) -> Iterator[str]:
    """What a call of a function changes; `*` for its arguments."""
    lists = [each for each in inside if each.type == "formal_parameters"]
    arguments = {_text(leaf) for each in lists for leaf in _leaves(each)}
    for root in _roots_changed(inside[0]):
        yield "*" if root in arguments else root


def _roots_changed(node: Node) -> Iterator[str]:
    """Names at the root of what is assigned to, counted up, or called a method of, in JavaScript."""
    for each in _descend(node):
        target = None
        if each.type in {"assignment_expression", "augmented_assignment_expression"}:
            target = each.child_by_field_name("left")
        elif each.type == "update_expression":
            target = each.child_by_field_name("argument")
        elif each.type == "call_expression":
            function = each.child_by_field_name("function")
            target = function if function is not None and function.type == "member_expression" else None
        if target is not None:
            yield _text(next(_leaves(target), target))


def _called(node: Node) -> Iterator[str]:
    """Functions that a statement calls by their names."""
    for each in _descend(node):
        function = each.child_by_field_name("function") if each.type == "call_expression" else None
        if function is not None and function.type == "identifier":
            yield _text(function)


def _given(node: Node) -> Iterator[str]:
    for each in _descend(node):
        if each.type == "arguments":
            yield from (_text(argument) for argument in each.named_children if argument.type == "identifier")


def _declared(node: Node) -> Iterator[str]:
    """The names that a declaration gives a meaning."""
    if (name := node.child_by_field_name("name")) is not None:
        yield from ([_text(leaf) for leaf in _leaves(name) if leaf.type in _IDENTIFIERS] or [_text(name)])
        return
    if node.type in _IDENTIFIERS:
        yield _text(node)
        return
    declarators = node.children_by_field_name("declarator")
    inner = declarators or [
        each for each in node.named_children if each.type.endswith(("_declarator", "_spec", "_spec_list"))
    ]
    if not inner and node.type.endswith(("_declarator", "reference_declarator")):
        inner = node.named_children[:1]
    for each in inner:
        yield from _declared(each)


def _import_names(node: Node, language: str) -> list[str]:
    return [_text(leaf) for leaf in _leaves(node) if leaf.type in _IDENTIFIERS] if language == "javascript" else []


def _leaves(node: Node) -> Iterator[Node]:
    for each in _descend(node):
        if each.child_count == 0:
            yield each


def _descend(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += reversed(each.children)
