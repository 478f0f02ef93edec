"""Which rows of a batch a rule can stop at all, so that Python's patterns read few of them.

RE2 looks for all marks of a rule in one pass over Arrow's text. A rule's pattern here finds at least what the rule
finds: where Python's letters and spaces are more than RE2's, the pattern allows any sign that is not ASCII.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from codeocean.collect import generated, secrets, unsafe_text


class Suspicion(NamedTuple):
    """Where a rule must look."""

    column: str
    """`text` is code and documentation with a line feed between."""
    pattern: str
    """RE2."""


SUSPICIONS = {
    "generated_code": Suspicion("text", generated.SUSPECT),
    "hidden_text": Suspicion("text", unsafe_text.HIDDEN.pattern),
    "secrets": Suspicion("text", secrets.SUSPECT),
    "prompt_injection": Suspicion("text", unsafe_text.SUSPECT),
    "test_code": Suspicion("name_path_code", "(?i)test|spec|fact|theory"),
}


def find_suspects(rows: pa.Table, blacklist: tuple[str, ...]) -> dict[str, list[bool]]:
    """Name of a rule → for each row whether the rule may stop it; other rules have to look at all.

    Args:
        rows: with READ_SCHEMA's columns.
        blacklist: words of the rule of that name.
    """
    columns = {
        "docstring": rows["docstring"],
        "text": pc.binary_join_element_wise(rows["code"], rows["docstring"], "\n"),
        "name_path_code": pc.binary_join_element_wise(
            rows["name"], rows["path"], pc.utf8_slice_codeunits(rows["code"], 0, 500), "\n"
        ),
    }
    asked = SUSPICIONS | {"blacklist": Suspicion("docstring", _any_of(blacklist))}
    return {
        rule: pc.match_substring_regex(columns[suspicion.column], suspicion.pattern).to_pylist()
        for rule, suspicion in asked.items()
    }


@lru_cache
def _any_of(words: tuple[str, ...]) -> str:
    """Any of these words, and any text in which Python may see one where RE2 does not."""
    return "(?i)" + "|".join([*map(re.escape, words), secrets.FOLDED_OTHERWISE])
