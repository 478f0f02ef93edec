"""What a function needs of its file: imports, constants, helpers and its class, so that it can be run alone.

What is missing is said, since code that lacks something would be taken for wrong. Of C and C++ the headers of the same
package are looked at too. Not covered: statements of other files; a name that `exec` or `globals()` makes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from codeocean.collect.functions import Documented
from codeocean.context.preprocessed import Find, Unit, as_it_is, preprocessed
from codeocean.context.pruned import PrunedFile
from codeocean.context.python import PythonFile
from codeocean.context.quiet import quiet_macros, without_operators, without_quiet
from codeocean.context.reasons import UNREAD, Context
from codeocean.context.tables import TABLES
from codeocean.grammars import parse

TRIES = 4
"""Times that a file is read with fewer headers where some do not parse."""


def contexts_of(
    source: bytes, language: str, path: str = "", find: Find | None = None
) -> Callable[[Documented], Context] | None:
    """What gives the context of each of a file's functions; None for a language in which it is not looked for.

    Args:
        source: the file's bytes, UTF-8.
        language: a key of `GRAMMARS`.
        path: the file's, for `find`.
        find: C and C++: gives the headers of its package.
    """
    if language == "python":
        module = PythonFile(source.decode("utf-8", "replace"))
        return lambda function: module.context(function.name, function.code)
    if language not in TABLES:
        return None
    if language in {"c", "cpp"}:
        read = cache(partial(_compiled, source, language, path, find))  # not for a file without functions
        return lambda function: file.context(function) if (file := read()) is not None else Context(missing=UNREAD)
    return PrunedFile(as_it_is(source), parse(source, language), language).context


def _compiled(source: bytes, language: str, path: str, find: Find | None) -> PrunedFile | None:
    """A file of C or C++ with those of its headers that parse; None where its conditions do not close."""
    unread = set[str]()
    file = None
    for number in range(TRIES):
        kept = _but(find, unread) if find is not None and number < TRIES - 1 else None
        unit = preprocessed(source, language, path, kept)
        if unit is None:
            return None
        root = parse(without_operators(without_quiet(unit.source, quiet_macros(unit.bodies))), language)
        file = PrunedFile(unit, root, language)
        guilty = {name for at in file.file.breaks if (name := _holder(unit, at))}
        if not guilty:
            break
        unread |= guilty
    return file


def _but(find: Find, unread: set[str]) -> Find:
    """The same without some headers."""

    def found(name: str, includer: str) -> tuple[str, bytes] | None:
        own = find(name, includer)
        return own if own is not None and own[0] not in unread else None

    return found


def _holder(unit: Unit, at: int) -> str:
    """The innermost header in which a byte lies; empty where that is the file itself."""
    around = [(end - begin, name) for begin, end, name in unit.merged if begin <= at < end]
    return min(around)[1] if around else ""
