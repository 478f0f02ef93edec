#!/usr/bin/env bash
# tree-sitter reads `type(self).count = 0` as the declaration of a type, not as an assignment; nothing in the tree tells.
#
# The usual guess: `type` is a soft keyword as `match` is, so that the grammar looks at what follows: a name and "=" declare
#   a type, a parenthesis calls the builtin. Where it does not understand a line, the tree has an ERROR.
# True: with tree-sitter-python 0.25.0 an assignment to an attribute or an item of `type(…)` is a `type_alias_statement`:
#   no assignment, no call of `type`, and its first attribute stands on a parenthesis. `has_error` is false. With +=, and
#   for `match(x).y = 1`, the tree is right. CPython reads all of them as assignments.
# Whom it hurts: who finds calls, or writes to a class, by the tree. Tests of CPython and of its mock, and cffi, have such
#   lines.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tree-sitter==0.26.1 tree-sitter-python==0.25.0
"$folder/venv/bin/python" - <<'PYTHON'
import ast
from importlib.metadata import version

import tree_sitter
import tree_sitter_python

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
CASES = {  # line -> the kind of its statement, to tree-sitter
    "type(self).count = 0": "type_alias_statement",
    "type(mock).name = PropertyMock()": "type_alias_statement",
    "type(self).cache[key] = value": "type_alias_statement",
    "type(self).count += 1": "augmented_assignment",
    "cls(self).count = 0": "assignment",
    "match(self).count = 0": "assignment",
}


def kinds(node):
    return [node.type, *(kind for child in node.named_children for kind in kinds(child))]


print("tree-sitter", version("tree-sitter"), "tree-sitter-python", version("tree-sitter-python"))
unchanged = True
for line, expected in CASES.items():
    root = PARSER.parse(line.encode()).root_node
    found = kinds(root)
    statement = next(kind for kind in found if kind not in {"module", "expression_statement"})
    calls = sum(isinstance(node, ast.Call) for node in ast.walk(ast.parse(line)))
    print(f"{line:34} CPython: {type(ast.parse(line).body[0]).__name__}, {calls} calls; "
          f"tree-sitter: {statement}, {found.count('call')} calls, has_error {root.has_error}")
    unchanged = unchanged and statement == expected and not root.has_error
raise SystemExit(0 if unchanged else "such lines are read otherwise now")
PYTHON
