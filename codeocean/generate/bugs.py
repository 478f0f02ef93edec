"""Code → the same code with one realistic bug, by an edit of its syntax tree. Pure; nothing is run.

The kinds are those of HumanEvalPack (Muennighoff et al. 2023): an operator, a value or a boundary, a variable, or a
function is the wrong one; a piece of logic is missing, or one too many is there. Kinds are drawn as often as that
benchmark has them. An edit stays away from messages, logging, types and definitions, where it would change nothing or
not run, and the result parses. Where the language checks types, a variable gives way only to one of the same written
type.

Not covered: whether the bug shows (`codeocean/verify/checks.py` runs both); types of expressions, so that a mutant in
Java, Go, C, C++, C# or Rust may fail to compile.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from codeocean.generate.bug_rules import (
    ANNOTATED,
    BLOCKS,
    CALLED,
    CONDITIONALS,
    CONDITIONS,
    EXPRESSIONS,
    FUNCTIONS,
    GUARD_ENDS,
    KINDS,
    NEGATIONS,
    NUMBERS,
    OPERANDS,
    OPERATORS,
    PARAMETERS,
    QUIET,
    STRINGS,
    TYPED,
    UPDATES,
    VARIABLES,
    WORDS,
)
from codeocean.grammars import GRAMMARS
from codeocean.syntax import Snippet, has_syntax_error, parse_snippet
from core.python_syntax import python_tree


@dataclass(frozen=True)
class Mutation:
    """Code with a bug in it."""

    code: str
    kind: str
    """As HumanEvalPack names it."""
    description: str
    """The line, before and after."""


@dataclass(frozen=True)
class _Edit:
    begin: int
    end: int
    text: bytes
    kind: str


def choose_bug(code: str, language: str, seed: int) -> Mutation | None:
    """One bug, drawn by seed; None where the code offers no place for one.

    Args:
        code: that parses.
        language: a key of `GRAMMARS`; for others the answer is None.
        seed: the same seed gives the same bug.
    """
    by_kind: dict[str, list[Mutation]] = {}
    for mutation in list_bugs(code, language):
        by_kind.setdefault(mutation.kind, []).append(mutation)
    if not by_kind:
        return None
    dice = random.Random(seed)
    kinds = sorted(by_kind)
    kind = dice.choices(kinds, [KINDS[name] for name in kinds])[0]
    return dice.choice(by_kind[kind])


def list_bugs(code: str, language: str) -> list[Mutation]:
    """All bugs that can be put into code, in the order of the text; none where it does not parse."""
    snippet = parse_snippet(code, language) if language in GRAMMARS else None
    if snippet is None or code.encode("utf-8", "replace") != snippet.text[snippet.begin : snippet.end]:
        return []  # PHP's opening tag was taken off
    return list(_mutations(code, language, snippet, _sorted_edits(snippet, language)))


def draw_bugs(code: str, language: str, count: int, seed: int) -> list[Mutation]:
    """At most so many of the bugs that `list_bugs` lists, drawn by seed; the others are not even looked at."""
    snippet = parse_snippet(code, language) if language in GRAMMARS and count else None
    if snippet is None or code.encode("utf-8", "replace") != snippet.text[snippet.begin : snippet.end]:
        return []
    edits = _sorted_edits(snippet, language)
    random.Random(seed).shuffle(edits)
    return list(itertools.islice(_mutations(code, language, snippet, edits), count))


def _sorted_edits(snippet: Snippet, language: str) -> list[_Edit]:
    return sorted(_edits(snippet, language), key=lambda edit: (edit.begin, edit.end, edit.text))


def _mutations(code: str, language: str, snippet: Snippet, edits: Iterable[_Edit]) -> Iterator[Mutation]:
    """What the edits make of code, each once, without what does not parse."""
    found: set[str] = set()
    for edit in edits:
        text = snippet.text[: edit.begin] + edit.text + snippet.text[edit.end :]
        mutant = text[snippet.begin : snippet.end - edit.end + edit.begin + len(edit.text)].decode("utf-8", "replace")
        if mutant != code and mutant not in found and not _is_broken(mutant, language):
            found.add(mutant)
            yield Mutation(mutant, edit.kind, _describe(snippet, edit))


def explain_bug(code: str, mutant: str, language: str) -> Mutation | None:
    """The mutation that made `mutant` of `code`, if one did."""
    return next((mutation for mutation in list_bugs(code, language) if mutation.code == mutant), None)


def _is_broken(code: str, language: str) -> bool:
    if language != "python":
        return has_syntax_error(code, language)
    try:
        python_tree(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return False


def _describe(snippet: Snippet, edit: _Edit) -> str:
    """`line 3: a < b → a <= b`, of the first line that changes."""
    start = snippet.text.rfind(b"\n", 0, edit.begin) + 1
    before = snippet.text[start : edit.end]
    after = snippet.text[start : edit.begin] + edit.text
    rest = snippet.text[edit.end :].partition(b"\n")[0]
    number = snippet.text.count(b"\n", snippet.begin, start) + 1
    lines = [(part + rest).decode("utf-8", "replace").strip().partition("\n")[0] for part in (before, after)]
    return f"line {number}: {lines[0]} → {lines[1]}" if edit.text else f"line {number}: {lines[0]} … is missing"


def _edits(snippet: Snippet, language: str) -> Iterator[_Edit]:
    names = _variables(snippet, language)
    pending = [snippet.root]
    while pending:  # a stack, not recursion: code nests deep
        node = pending.pop()
        if node.type in QUIET or node.type in STRINGS or _is_log_call(node):
            continue
        pending.extend(reversed(node.children))
        if not (snippet.begin <= node.start_byte and node.end_byte <= snippet.end):
            continue  # the wrap's own
        yield from _operator_edits(node)
        yield from _value_edits(node)
        yield from _function_edits(node, snippet.text)
        yield from _variable_edits(node, names, language)
        yield from _logic_edits(node, snippet.text, language)


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _replace(node: Node, text: str, kind: str) -> _Edit:
    return _Edit(node.start_byte, node.end_byte, text.encode(), kind)


def _is_log_call(node: Node) -> bool:
    """A call whose result nobody sees: what it prints is not what the function does."""
    if node.type not in {"call", "call_expression", "method_invocation", "macro_invocation", "invocation_expression"}:
        return False
    head = _text(node)[:40].lower().lstrip("$\\")
    return head.startswith(("log", "print", "console.", "warn", "debug", "self.log", "this.log", "fmt.print", "echo",
                            "system.out", "assert", "debug_assert"))  # fmt: skip


def _operator_edits(node: Node) -> Iterator[_Edit]:
    if node.is_named or node.parent is None or node.parent.type not in (EXPRESSIONS | UPDATES):
        return
    if node.type in {"+", "+=", "*"} and any(child.type in STRINGS for child in node.parent.children):
        return  # joining texts: any other operator would not run at all
    for other in OPERATORS.get(node.type, ()):
        yield _replace(node, other, "operator misuse")


def _value_edits(node: Node) -> Iterator[_Edit]:
    text = _text(node)
    if node.type in NUMBERS and text.isdecimal() and len(text) <= 4 and (text == "0" or text[0] != "0"):
        yield _replace(node, str(int(text) + 1), "value misuse")
        if int(text) > 0:
            yield _replace(node, str(int(text) - 1), "value misuse")
    elif text in WORDS and node.child_count == 0:
        yield _replace(node, WORDS[text], "value misuse")


def _function_edits(node: Node, source: bytes) -> Iterator[_Edit]:
    if node.type in CALLED and source[node.end_byte : node.end_byte + 1] == b"(":
        for other in FUNCTIONS.get(_text(node), ()):
            yield _replace(node, other, "function misuse")


def _variables(snippet: Snippet, language: str) -> dict[str, tuple[int, str]]:
    """Name of a parameter or local variable → byte from which on it has a value, and its written type."""
    found: dict[str, tuple[int, str]] = {}
    pending = [snippet.root]
    while pending:
        node = pending.pop()
        pending.extend(reversed(node.children))
        if node.type in PARAMETERS:
            written = node.child_by_field_name("type")
            for child in _declared_names(node):
                found.setdefault(_text(child), (node.end_byte, _text(written) if written else ""))
        elif node.type in {"assignment", "assignment_expression", "variable_declarator"} and language not in TYPED:
            target = node.child_by_field_name("left") or node.child_by_field_name("name")
            if target is not None and target.type in VARIABLES:
                found.setdefault(_text(target), (node.end_byte, ""))
    return {name: where for name, where in found.items() if name not in {"self", "cls", "this", "$this", "_"}}


def _declared_names(node: Node) -> list[Node]:
    """The names that a parameter declares; in Python and Ruby the list of parameters holds them bare."""
    named = [child for child in node.children_by_field_name("name") if child.type in VARIABLES]
    pattern = node.child_by_field_name("pattern") or node.child_by_field_name("declarator")
    bare = [child for child in node.children if child.type in VARIABLES] if node.type in BLOCKS["parameters"] else []
    return named + bare + ([pattern] if pattern is not None and pattern.type in VARIABLES else [])


def _variable_edits(node: Node, names: dict[str, tuple[int, str]], language: str) -> Iterator[_Edit]:
    if node.type not in VARIABLES or node.parent is None or node.parent.type not in OPERANDS:
        return
    own, beside = names.get(_text(node)), {_text(child) for child in node.parent.children}
    if own is None or node.start_byte < own[0]:
        return
    for other, (begin, written) in names.items():
        alike = language not in TYPED or (written != "" and written == own[1])
        if alike and begin <= node.start_byte and other not in beside:  # nobody writes a < a
            yield _replace(node, other, "variable misuse")


def _logic_edits(node: Node, source: bytes, language: str) -> Iterator[_Edit]:
    if node.type in NEGATIONS and _text(node).startswith(("!", "not ")):
        inner = node.child_by_field_name("argument") or node.child_by_field_name("operand") or node.children[-1]
        yield _replace(node, _text(inner), "missing logic")
    offset = node.type in EXPRESSIONS and node.child_count == 3 and _text(node.children[1]) in {"+", "-"}
    if offset and _text(node.children[2]) == "1":
        yield _replace(node, _text(node.children[0]), "missing logic")
    if node.type in CONDITIONALS:
        yield from _conditional_edits(node, source, language)
    if node.type in ANNOTATED and _text(node).startswith(("len(", "range(")) and language == "python":
        arguments = node.child_by_field_name("arguments")
        if arguments is not None and _text(node).startswith("len(") and not _is_offset(node):
            yield _replace(node, f"{_text(node)} - 1", "excess logic")


def _is_offset(node: Node) -> bool:
    """Whether something is added to or taken off a node already."""
    return node.parent is not None and node.parent.type in EXPRESSIONS


def _conditional_edits(node: Node, source: bytes, language: str) -> Iterator[_Edit]:
    """A condition that is turned round, a guard or an `else` that is missing."""
    condition = node.child_by_field_name("condition")
    if condition is not None and condition.type in CONDITIONS and not _text(condition).startswith(("!", "not ")):
        text = _text(condition)
        turned = {"python": f"not ({text})", "ruby": f"!({text})"}.get(language)
        if turned is None:
            turned = f"(!{text})" if text.startswith("(") else f"!({text})"
        yield _replace(condition, turned, "excess logic")
    alternative = node.child_by_field_name("alternative")
    last = node.next_named_sibling is None
    if (
        alternative is None
        and not last
        and any(end in _text(node) for end in GUARD_ENDS)
        and _text(node).count("\n") <= 4
    ):
        begin = source.rfind(b"\n", 0, node.start_byte) + 1
        end = source.find(b"\n", node.end_byte)
        alone = not source[begin : node.start_byte].strip() and end > 0 and not source[node.end_byte : end].strip()
        if alone and language != "go":  # Go refuses a variable that nothing uses
            yield _Edit(begin, end + 1, b"", "missing logic")
