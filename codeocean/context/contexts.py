"""What a function needs of its file: imports, constants, helpers and its class, so that it can be run alone.

What is missing is said, since code that lacks something would be taken for wrong. Not covered: statements of other
files; a name that `exec`, `globals()` or a macro makes.
"""

from __future__ import annotations

from collections.abc import Callable

from codeocean.collect.functions import Documented
from codeocean.context.pruned import PrunedFile
from codeocean.context.python import PythonFile
from codeocean.context.reasons import Context
from codeocean.context.tables import TABLES
from codeocean.grammars import parse


def contexts_of(source: bytes, language: str) -> Callable[[Documented], Context] | None:
    """What gives the context of each of a file's functions; None for a language in which it is not looked for.

    Args:
        source: the file's bytes, UTF-8.
        language: a key of `GRAMMARS`.
    """
    if language == "python":
        module = PythonFile(source.decode("utf-8", "replace"))
        return lambda function: module.context(function.name, function.code)
    if language not in TABLES:
        return None
    file = PrunedFile(source, parse(source, language), language)
    return lambda function: file.context(function.at)
