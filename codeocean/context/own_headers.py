"""Headers of C and C++ that a folder of source code holds itself, found as build files usually say where they are."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from functools import lru_cache

from codeocean.context.preprocessed import Find

KEPT = 256
"""Headers whose text is kept in memory."""
_ROOTS = ("", "include", "src", "inc")
"""Folders beside or above a file from which headers are named."""


def header_finder(read: Callable[[str], bytes | None], folder: str) -> Find:
    """What finds a header by its name and by the file that includes it.

    Args:
        read: gives a file of the folder, None where there is none.
        folder: the folder's own name, by which its files may name it: `<boost/any.hpp>` in a folder `boost`.
    """
    text = lru_cache(maxsize=KEPT)(read)

    @lru_cache(maxsize=16 * KEPT)
    def found(name: str, place: str) -> str | None:
        return next((path for path in _candidates(name, place, folder) if text(path) is not None), None)

    def find(name: str, includer: str) -> tuple[str, bytes] | None:
        path = found(name, posixpath.dirname(includer))
        content = text(path) if path is not None else None
        return (path, content) if path is not None and content is not None else None

    return find


def _candidates(name: str, place: str, folder: str) -> Iterator[str]:
    """Paths that a header may have, likely ones first; none of them leaves the folder."""
    names = [name, name.removeprefix(f"{folder}/")]
    while True:
        for one in dict.fromkeys(names):
            for root in _ROOTS:
                path = posixpath.normpath(posixpath.join(place, root, one))
                if not path.startswith(("/", "../")) and path != "..":
                    yield path
        if not place:
            return
        place = posixpath.dirname(place)
