#!/usr/bin/env bash
# tree-sitter's C and C++ take the line behind an empty macro for its body, if a space ends the macro's line.
#
# The usual guess: white space at the end of a line changes nothing; `#define API ` is `#define API`.
# True: `#define API` and a space swallows the next line as the macro's body. There is no error at that place: a struct
#   or a function that begins there is gone, and its members stand in the file's own scope.
# Whom it hurts: whoever takes functions or symbols out of C and C++ by tree-sitter (editors, indexers, data sets).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tree-sitter==0.26.1 tree-sitter-c==0.24.2 tree-sitter-cpp==0.23.4

venv/bin/python - <<'PYTHON'
import sys

import tree_sitter_c
import tree_sitter_cpp
from tree_sitter import Language, Parser


def top(language, source):
    root = Parser(Language(language())).parse(source).root_node
    return [(node.type, node.text.decode()) for node in root.named_children]


changed = False
for name, language in (("C", tree_sitter_c.language), ("C++", tree_sitter_cpp.language)):
    plain, blank = (top(language, b"#define API%s\nint open(void) { return 1; }\n" % end) for end in (b"", b" "))
    print(f"{name}, nothing behind API: {plain}")
    print(f"{name}, a space behind API: {blank}")
    changed |= [kind for kind, _ in plain] != ["preproc_def", "function_definition"]
    changed |= [kind for kind, _ in blank] != ["preproc_def"]
if changed:
    sys.exit("the behaviour has changed")
PYTHON
