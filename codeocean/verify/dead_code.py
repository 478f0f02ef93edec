"""Statements that can never run, because one before them in the same block returns, raises, or leaves the loop.

By tree-sitter, in every language of `codeocean/grammars.py`. What may stand there with a purpose is no dead code:
declarations that are hoisted, labels, a `break` that closes a case, and the `yield` that makes Python's function a
generator.

Not covered: conditions that are always true, calls that never return, and exits inside of a loop or a `try`.
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
        ended = ended or _ends(child)
    return False


def _ends(node: Node) -> bool:
    """Whether nothing behind a statement runs."""
    if node.type in _LEAVES:
        return True
    if node.type in _IFS:
        return _every_branch_ends(node)
    return node.type in _WRAPS and any(map(_ends, node.named_children))


def _every_branch_ends(node: Node) -> bool:
    taken = node.child_by_field_name("consequence") or node.child_by_field_name("body")
    others = node.children_by_field_name("alternative")
    if taken is None or not others or not _ends(taken) or not all(map(_alternative_ends, others)):
        return False
    return node.type in _ONLY_IF or others[-1].type not in {"elif_clause", "else_if_clause"}


def _alternative_ends(node: Node) -> bool:
    if node.type in {"elif_clause", "else_if_clause"}:  # its own alternative is a sibling
        taken = node.child_by_field_name("consequence") or node.child_by_field_name("body")
        return taken is not None and _ends(taken)
    return _ends(node)


def _makes_a_generator(children: Sequence[Node]) -> bool:
    return any(re.search(rb"\byield\b", child.text or b"") for child in children)
