"""Statements that can never run, because one before them in the same block returns, raises, or leaves the loop.

By tree-sitter, in every language of `codeocean/grammars.py`. What may stand there with a purpose is no dead code:
declarations that are hoisted, labels, a `break` that closes a case, and the `yield` that makes Python's function a
generator.

Not covered: conditions that are always true but of an endless loop, and calls that never return but `_NEVER_RETURN`'s.
Python's `with` may swallow what its body raises, so what follows it may run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

from codeocean.syntax import parse_snippet

_BLOCKS = frozenset({
    "block", "statement_block", "compound_statement", "body_statement", "statement_list", "constructor_body", "then",
    "else", "do", "begin", "switch_block_statement_group", "switch_section", "switch_case", "switch_default",
    "case_statement", "default_statement", "expression_case", "default_case",
})  # fmt: skip
"""Nodes whose children run one after the other."""
_LEAVES = frozenset({
    "return_statement", "raise_statement", "throw_statement", "break_statement", "continue_statement", "return",
    "break", "next", "return_expression", "break_expression", "continue_expression", "throw_expression",
    "goto_statement",
})  # fmt: skip
"""Statements behind which nothing runs."""
_WRAPS = _BLOCKS | {"expression_statement", "else_clause"}
_IFS = frozenset({"if_statement", "if_expression", "if", "unless", "elsif", "elif_clause", "else_if_clause"})
_ONLY_IF = frozenset({"elif_clause", "else_if_clause", "elsif"})
_HANDLERS = frozenset({"except_clause", "except_group_clause", "catch_clause"})
_TRIES = frozenset({"try_statement", "try_with_resources_statement"})
_SWITCHES = frozenset({"switch_statement", "switch_expression", "expression_switch_statement", "type_switch_statement",
                       "match_expression"})  # fmt: skip
_CASES = frozenset({
    "switch_case", "switch_default", "switch_block_statement_group", "switch_rule", "expression_case", "type_case",
    "default_case", "case_statement", "default_statement", "switch_section", "match_arm",
})  # fmt: skip
_ENDLESS = re.compile(rb"while\s*\(?\s*(true|True|1)\s*\)?\s*[:{\n]|for\s*\([^;{}]*;\s*;[^;{}]*\)|for\s*\{|loop\s*\{")
"""How a loop begins that only a `break` ends."""
_LOOPS = frozenset({"while_statement", "while", "for_statement", "while_expression", "loop_expression"})
_BREAKS = frozenset({"break_statement", "break_expression", "break", "goto_statement"})
_NEVER_RETURN = {
    "go": re.compile(rb"panic\("),
    "rust": re.compile(rb"(panic|todo|unreachable|unimplemented)!|(std::)?process::exit\("),
    "python": re.compile(rb"(sys\.exit|os\._exit|exit|quit)\("),
}
"""Statements of a language that end the program, or are an exception."""
_REACHED_OTHERWISE = re.compile(
    r"label|^case|^default|rescue|ensure|^else|^preproc|^#|text_interpolation|^php_tag|ERROR"
)
"""Nodes to which control comes by another way than from the statement before."""
_HARMLESS = re.compile(
    r"comment|^empty_statement$|heredoc|^break|^function_declaration$|^generator_function_declaration$"
    r"|^local_function_statement$|_item$|^(interface|type_alias|class|enum)_declaration$|^inner_attribute"
)


def has_dead_code(code: str, language: str) -> bool:
    """Whether a statement of the code can never run.

    Raises:
        ValueError: the language is unknown.
    """
    snippet = parse_snippet(code, language)
    pending = [snippet.root] if snippet is not None else []
    while pending:
        node = pending.pop()
        if node.type in _BLOCKS and _has_dead_child(node.named_children, language):
            return True
        pending.extend(node.named_children)
    return False


def _has_dead_child(children: Sequence[Node], language: str) -> bool:
    ended = False
    for child in children:
        if ended and not _HARMLESS.search(child.type):
            if not _REACHED_OTHERWISE.search(child.type):
                return not (language == "python" and _makes_a_generator(children))
            ended = False
        ended = ended or _ends(child, language)
    return False


def _ends(node: Node, language: str) -> bool:
    """Whether nothing behind a statement runs."""
    if node.type in _LEAVES:
        return True
    if node.type in _IFS:
        return _every_branch_ends(node, language)
    if node.type in _LOOPS:
        return _ENDLESS.match(node.text or b"") is not None and not _has_break(node)
    if node.type in _TRIES:
        return _try_ends(node, language)
    if node.type in _SWITCHES:
        return _every_case_ends(node, language)
    never = _NEVER_RETURN.get(language)
    if node.type in {"expression_statement", "macro_invocation"} and never and never.match(node.text or b""):
        return True
    return node.type in _WRAPS and any(_ends(child, language) for child in node.named_children)


def _every_branch_ends(node: Node, language: str) -> bool:
    taken = node.child_by_field_name("consequence") or node.child_by_field_name("body")
    others = node.children_by_field_name("alternative")
    if taken is None or not others or not _ends(taken, language):
        return False
    if not all(_alternative_ends(other, language) for other in others):
        return False
    return node.type in _ONLY_IF or others[-1].type not in {"elif_clause", "else_if_clause"}


def _alternative_ends(node: Node, language: str) -> bool:
    if node.type in {"elif_clause", "else_if_clause"}:  # its own alternative is a sibling
        taken = node.child_by_field_name("consequence") or node.child_by_field_name("body")
        return taken is not None and _ends(taken, language)
    return _ends(node, language)


def _has_break(node: Node) -> bool:
    """Whether anything in a statement leaves a loop or a switch, its own or another one's."""
    pending = [node]
    while pending:
        each = pending.pop()
        if each.type in _BREAKS and each is not node:
            return True
        pending.extend(each.named_children)
    return False


def _try_ends(node: Node, language: str) -> bool:
    """Whether the body ends, and so does each way to handle what it raises."""
    body = node.child_by_field_name("body")
    handlers = [child for child in node.named_children if child.type in _HANDLERS]
    blocks = [next((one for one in reversed(each.named_children) if one.type in _BLOCKS), None) for each in handlers]
    return body is not None and all(block is not None and _ends(block, language) for block in [body, *blocks])


def _every_case_ends(node: Node, language: str) -> bool:
    """Whether a switch has a case for everything, and each of them ends or goes on to one that does."""
    body = node.child_by_field_name("body") or node
    cases = [child for child in body.named_children if child.type in _CASES]
    whole = node.type == "match_expression" or any((case.text or b"").startswith(b"default") for case in cases)
    if not cases or not whole or _has_break(node):
        return False
    ends = [_case_ends(case, language) for case in cases]
    return bool(ends[-1]) and False not in ends


def _case_ends(case: Node, language: str) -> bool | None:
    """Whether nothing behind a case runs; None where it is a label alone and goes on to the next one."""
    label = None if case.type == "match_arm" else case.child_by_field_name("value")
    said = [one for one in case.named_children if one != label and not re.search("comment|label", one.type)]
    return _ends(said[-1], language) if said else None


def _makes_a_generator(children: Sequence[Node]) -> bool:
    return any(re.search(rb"\byield\b", child.text or b"") for child in children)
