"""What is found for a function, and the reasons why it cannot be run alone."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CHARS = 20_000
"""Of a context; longer ones say so instead."""
PLACE = "@@function@@"
"""Stands alone on the line of a context where the function belongs, as far in as the function."""
TOO_LONG = "needs too much of its file"
INNER = "needs the function around it"
RELATIVE = "imports from its own package"
INCLUDED = "needs a name that a header of its own may give"
STAR = "needs a name that a star import may give"
UNKNOWN = "needs a name that its file does not define"
UNDEFINED = "needs a function whose body is in another file"
FEATURE = "needs a feature of its package"
UNREAD = "its file cannot be read"


@dataclass(frozen=True)
class Context:
    """What a function needs."""

    text: str = ""
    """Source to stand before the function, or around `PLACE`, in the order of the file; empty where nothing is needed,
    or more."""
    missing: str = ""
    """Why it cannot be run alone even with that; empty where it can."""
