"""Filters: a rule looks at a row of raw code and gives the reason why it stops, or None (paper, section 2.2.1).

The rules are CodeSearchNet's own (documentation of at least three tokens, code of at least three lines, no tests,
constructors or standard extension methods), the blacklist of words that Code Alpaca uses for what a text model cannot
do, and what a reader of other people's code needs: it parses, a human wrote it, nothing in it hides from view.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, NonNegativeInt, PositiveInt, field_validator

from codeocean.languages import GRAMMARS, has_empty_body, has_syntax_error

Row = dict[str, Any]
Filter = Callable[[Row, "FilterConfig"], str | None]


class FilterConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """The rules that a row must pass; the defaults are CodeSearchNet's and ours."""

    enabled: tuple[str, ...] | None = None
    """Names of the rules to apply, in any order; None applies all."""

    min_code_chars: NonNegativeInt = 60
    """Shorter code says too little."""

    max_code_chars: PositiveInt = 6000
    """Longer code does not fit a prompt."""

    min_code_lines: NonNegativeInt = 3
    """CodeSearchNet's own rule."""

    min_doc_tokens: NonNegativeInt = 3
    """CodeSearchNet's own rule; a token is a run of letters and digits."""

    blacklist: tuple[str, ...] = ("image", "picture", "photo", "draw a", "plot a", "video", "audio", "webcam")
    """Words of a documentation whose task a text model cannot do (Code Alpaca's kind); whole words."""

    licenses: tuple[str, ...] | None = None
    """Licences to allow, as the source names them; None allows all, also unknown ones."""

    @field_validator("enabled")
    @classmethod
    def _known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        unknown = sorted(set(names or ()) - set(FILTERS))
        if unknown:
            raise ValueError(f"no filter is called {', '.join(unknown)}; there are {', '.join(FILTERS)}")
        return names


def length(row: Row, config: FilterConfig) -> str | None:
    """Code within a window of characters and lines."""
    code = row["code"]
    if len(code) < config.min_code_chars or code.strip().count("\n") + 1 < config.min_code_lines:
        return "code too short"
    return "code too long" if len(code) > config.max_code_chars else None


def documentation(row: Row, config: FilterConfig) -> str | None:
    """A documentation that says something."""
    return "documentation too short" if len(re.findall(r"\w+", row["docstring"])) < config.min_doc_tokens else None


def written_as_test(row: Row, _config: FilterConfig) -> str | None:
    """No tests: by the function's name and its file's."""
    name = row["name"].rpartition(".")[2]
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    by_name = name.startswith("test") or not {"test", "tests", "Test", "Tests"}.isdisjoint(words)
    return "test" if by_name or _TEST_PATH.search(row["path"]) else None


_TEST_PATH = re.compile(r"(^|/)(tests?|__tests__|spec)/|(^|/)test_[^/]*$|(_test|[._]spec|\.test)\.\w+$|Tests?\.\w+$")

_STANDARD = frozenset({"constructor", "toString", "hashCode", "equals", "finalize", "clone", "notify", "notifyAll",
                       "initialize", "to_s", "inspect", "String"})  # fmt: skip


def standard_method(row: Row, _config: FilterConfig) -> str | None:
    """No constructors and no standard extension methods."""
    owner, _, name = row["name"].rpartition(".")
    dunder = name.startswith("__") and (name.endswith("__") or row["language"] == "php")
    constructor = row["language"] == "java" and name == owner.rpartition(".")[2]
    return "constructor or standard method" if dunder or constructor or name in _STANDARD else None


def blacklist(row: Row, config: FilterConfig) -> str | None:
    """No task that a text model cannot do."""
    if not config.blacklist:
        return None
    pattern = r"\b(" + "|".join(map(re.escape, config.blacklist)) + r")s?\b"
    return "blacklisted word" if re.search(pattern, row["docstring"], re.IGNORECASE) else None


def license_allowed(row: Row, config: FilterConfig) -> str | None:
    """A licence on the list."""
    return "licence" if config.licenses is not None and row["license"] not in config.licenses else None


_GENERATED = re.compile(
    r"@generated\b|^\W*do not edit\b|^\W*(this \w+ (is|was) )?auto(matically )?[- ]?generated\b"
    r"|^\W*(code |this \w+ (is|was) )?generated (by|from)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""Marks of generators stand at the beginning of a line; in mid-sentence the same words mean other things."""


def generated_code(row: Row, _config: FilterConfig) -> str | None:
    """No code that a machine wrote."""
    return "generated code" if _GENERATED.search(f"{row['docstring']}\n{row['code'][:2000]}") else None


def hidden_text(row: Row, _config: FilterConfig) -> str | None:
    """No bidirectional or other control characters that make code read otherwise than it runs."""
    hidden = re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f]", row["code"] + row["docstring"])
    return "hidden text" if hidden else None


def empty_body(row: Row, _config: FilterConfig) -> str | None:
    """More than a stub: `pass`, `raise NotImplementedError`, comments alone."""
    return "empty body" if row["language"] in GRAMMARS and has_empty_body(row["code"], row["language"]) else None


def parses(row: Row, _config: FilterConfig) -> str | None:
    """Code without a syntax error."""
    return "syntax error" if row["language"] in GRAMMARS and has_syntax_error(row["code"], row["language"]) else None


FILTERS: dict[str, Filter] = {
    "length": length,
    "documentation": documentation,
    "test_code": written_as_test,
    "standard_method": standard_method,
    "blacklist": blacklist,
    "license_allowed": license_allowed,
    "generated_code": generated_code,
    "hidden_text": hidden_text,
    "empty_body": empty_body,
    "parses": parses,
}
"""The rules by name, the cheap ones first."""


def filter_batch(batch: pa.RecordBatch | pa.Table, config: FilterConfig) -> pa.Table:
    """The same rows; `reason` says which rule stopped a row that went on until here."""
    rules = [rule for name, rule in FILTERS.items() if config.enabled is None or name in config.enabled]
    table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
    rows = table.to_pylist()
    reasons = [row["reason"] or next((reason for rule in rules if (reason := rule(row, config))), "") for row in rows]
    return table.set_column(table.schema.get_field_index("reason"), "reason", pa.array(reasons, pa.string()))


def drop_duplicates(table: pa.Table, seen: set[int]) -> pa.Table:
    """Mark rows whose code was seen before, whitespace aside, as "duplicate code"; the first row wins.

    Args:
        table: rows with `code` and `reason`.
        seen: 64-bit hashes of the code seen so far; this table's are added.
    """
    reasons = []
    for code, reason in zip(table["code"].to_pylist(), table["reason"].to_pylist(), strict=True):
        if reason:
            reasons.append(reason)
            continue
        normal = "".join(code.split()).encode("utf-8", "surrogatepass")
        key = int.from_bytes(hashlib.blake2b(normal, digest_size=8).digest(), "big")
        reasons.append("duplicate code" if key in seen else "")
        seen.add(key)
    return table.set_column(table.schema.get_field_index("reason"), "reason", pa.array(reasons, pa.string()))
