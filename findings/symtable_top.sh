#!/usr/bin/env bash
# CPython: symtable says that the parameters of a function called `top` are global.
#
# The usual guess: `Symbol.is_global()` answers by the scope that the compiler has found.
# True: a scope is taken for the module's where its name is "top", and that is a function's name as well. Then whatever
#   is bound in it is said to be global. The same function under another name is read rightly.
# Whom it hurts: tools that ask symtable which names code needs: they look for parameters outside of it (poplib's
#   `POP3.top(self, which, howmuch)`).
# Needs python3 alone.
set -euo pipefail

"${PYTHON:-python3}" - <<'PYTHON'
import symtable
import sys


def globals_of(name):
    module = symtable.symtable(f"def {name}(which):\n    return which + limit\n", "code", "exec")
    return sorted(one.get_name() for one in module.get_children()[0].get_symbols() if one.is_global())


print("python", sys.version.split()[0])
print("globals of `head`:", globals_of("head"))
print("globals of `top`: ", globals_of("top"))
if (globals_of("head"), globals_of("top")) != (["limit"], ["limit", "which"]):
    sys.exit("the behaviour has changed")
PYTHON
