"""Jupyter notebooks → the source of their code cells, as one file of the notebook's language.

Both forms that are in use (nbformat 4, and 3 with worksheets). What IPython alone understands is left out: cells of
other languages (`%%bash`) and, as comments, lines such as `%matplotlib inline` or `!pip install x`. Not covered: such a
line within a function stays, and the function does not parse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codeocean.grammars import parse
from core.languages import canonical

SUFFIX = ".ipynb"
NO_NOTEBOOK = "not a notebook"
"""Reason of a file whose suffix alone is a notebook's."""

_PYTHON_CELL = re.compile(r"\s*%%(?:time|timeit|capture|prun|debug|python3?|writefile)\b[^\n]*")
"""Cell magics whose cell is Python all the same."""
_OTHER_CELL = re.compile(r"\s*%%\w")
_IPYTHON_LINE = re.compile(r"^(?=[%!?/,;]|[\w.]+\?+[ \t]*$|[\w, ]+=[ \t]*[%!])", re.MULTILINE)


@dataclass(frozen=True)
class Notebook:
    """What a notebook holds of code."""

    language: str
    """As `core.languages` calls it; as the notebook does where it is none of ours."""
    source: str
    """Of its code cells, with an empty line between two."""


def read_notebook(text: str) -> Notebook | None:
    """The code of a notebook; None where the text is none.

    Args:
        text: a file's.
    """
    try:
        book = json.loads(text)
        language = _language(book.get("metadata") or {})
        cells = [cell for cell in _cells(book) if cell.get("cell_type") == "code"]
        sources = [_text(cell.get("source", cell.get("input", ""))) for cell in cells]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return Notebook(language, "\n\n".join(_plain(source) if language == "python" else source for source in sources))


def _language(metadata: dict[str, Any]) -> str:
    """By the kernel that ran last, then by the one that is asked for; a notebook that names none is Python's."""
    told = (metadata.get("language_info") or {}).get("name") or (metadata.get("kernelspec") or {}).get("language")
    return canonical(str(told or "python").lower())


def _cells(book: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Cells of a notebook.

    Raises:
        KeyError: it has none.
    """
    if "worksheets" in book:
        for sheet in book["worksheets"]:
            yield from sheet["cells"]
    else:
        yield from book["cells"]


def _text(source: Any) -> str:
    """A cell's text, which is one or a list of lines with their ends."""
    return source if isinstance(source, str) else "".join(source)


def _plain(source: str) -> str:
    """A cell as Python."""
    if (magic := _PYTHON_CELL.match(source)) is not None:
        source = source[magic.end() :]
    elif _OTHER_CELL.match(source):
        return ""
    if not parse(source.encode("utf-8", "replace"), "python").has_error:
        return source
    return _IPYTHON_LINE.sub("# ", source)
