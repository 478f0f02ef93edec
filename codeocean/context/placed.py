"""A function put where it belongs in its context."""

from __future__ import annotations

import re

from codeocean.collect.bare import rows_in_strings
from codeocean.context.reasons import PLACE
from codeocean.grammars import parse

_PLACE = re.compile(rf"^([ \t]*){PLACE}$", re.MULTILINE)


def placed(context: str, code: str, language: str) -> str:
    """A function, or an edit of it, with its context.

    Args:
        context: as collect gives it; behind it or, where it says so, inside it stands the function.
        code: of the function, from the first column on.
        language: of both.
    """
    place = _PLACE.search(context)
    if place is None:
        return f"{context}\n\n\n{code}" if context else code
    if language == "python" and place[1]:
        kept = rows_in_strings(parse(code.encode("utf-8", "replace"), language))
        lines = code.split("\n")
        code = "\n".join(line if row in kept or not line.strip() else place[1] + line for row, line in enumerate(lines))
    return context[: place.start()] + code + context[place.end() :]
