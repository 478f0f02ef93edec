"""Filters: a rule looks at a row of raw code and gives the reason why it stops, or None (paper, section 2.2.1).

The rules are CodeSearchNet's own (documentation of at least three tokens, code of at least three lines, no tests,
constructors or standard extension methods), the blacklist of words that Code Alpaca uses for what a text model cannot
do, and what a reader of other people's code needs: it parses, a human wrote it, nothing in it hides from view, is a
secret, or speaks to the model that reads it later (`risks.py`). Every pattern is linear in the text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import NonNegativeInt, PositiveInt, field_validator, model_validator
from tokenizers import Tokenizer

from codeocean.collect.generated import is_generated
from codeocean.collect.secrets import has_secret
from codeocean.collect.suspects import find_suspects
from codeocean.collect.unsafe_text import HIDDEN, speaks_to_a_model
from codeocean.grammars import GRAMMARS
from codeocean.syntax import has_empty_body, has_syntax_error, is_comment_only
from core.node_copy import node_copy
from core.settings import Settings
from core.user_code import FunctionName, load_function, said_by

SECRET = "secret"  # noqa: S105 - a reason
"""The reason of rows whose text is kept nowhere."""

Row = dict[str, Any]
Filter = Callable[[Row, "FilterConfig"], str | None]


class FilterConfig(Settings):
    """The rules that a row must pass; the defaults are CodeSearchNet's and ours."""

    enabled: tuple[str, ...] | None = None
    """Names of the rules to apply, in any order; None applies all."""

    custom: tuple[FunctionName, ...] = ()
    """Rules of your own as `module:function`, asked last: a row as a mapping → the reason why it stops, or None."""

    min_code_chars: NonNegativeInt = 60
    """Shorter code says too little."""

    max_code_chars: PositiveInt = 6000
    """Longer code does not fit a prompt."""

    min_code_lines: NonNegativeInt = 3
    """CodeSearchNet's own rule."""

    min_doc_tokens: NonNegativeInt = 3
    """CodeSearchNet's own rule: runs of letters and digits in the summary, the first paragraph without its tags; each
    Chinese or Japanese sign counts."""

    tokenizer: str | None = None
    """Tokenizer of the embedding model, for `min_tokens` and `max_tokens`: a folder, "package:…" or a hub's id."""

    min_tokens: NonNegativeInt | None = None
    """Tokens that documentation and code have together at least; needs `tokenizer`."""

    max_tokens: PositiveInt | None = None
    """Tokens that they have at most, such as the embedding model's window; needs `tokenizer`."""

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

    @model_validator(mode="after")
    def _countable(self) -> "FilterConfig":
        if self.tokenizer is None and (self.min_tokens is not None or self.max_tokens is not None):
            raise ValueError("min_tokens and max_tokens need a tokenizer, such as the embedding model's")
        return self


def length(row: Row, config: FilterConfig) -> str | None:
    """Code within a window of characters and lines."""
    code = row["code"]
    if len(code) < config.min_code_chars or code.strip().count("\n") + 1 < config.min_code_lines:
        return "code too short"
    return "code too long" if len(code) > config.max_code_chars else None


def documentation(row: Row, config: FilterConfig) -> str | None:
    """A documentation that says something beside its tags: of its summary, as CodeSearchNet counts."""
    if config.min_doc_tokens > 1 and _sentence(config.min_doc_tokens).match(row["docstring"]):
        return None  # its first line has as many
    words = len(_TOKENS.findall(summary_of(row["docstring"])))
    return "documentation too short" if words < config.min_doc_tokens else None


_TOKENS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
"""Words, and the signs of Chinese and Japanese, which stand without spaces."""


@lru_cache
def _sentence(words: int) -> re.Pattern[str]:
    """So many words on one line, and no tag among them."""
    return re.compile(rf"\w+(?:[^\w\n@\\]+\w+){{{words - 1}}}")


_TAG = re.compile(
    r"^[ \t]*(?:[@\\](?!(?i:brief|short|summary|description|desc|details|note)\b)[A-Za-z]|:[a-z]+(?: [^:\n]{0,80})?:"
    r"|(?:Args|Arguments|(?:Other )?Parameters|Returns?|Yields?|Raises|Throws|Examples?|Attributes|See Also|References)"
    r"(?::[ \t]*$|[ \t]*\n[ \t]*---)"
    r"|#{1,4} (?:Arguments|Parameters|Returns?|Panics|Safety|Errors|Examples?)[ \t]*$)",
    re.MULTILINE,
)
"""A line that begins the part for tools: Javadoc, PHPDoc, doxygen, reST; headings of Google, NumPy and rustdoc."""
_BRIEF = re.compile(r"[@\\](?i:brief|short|summary|description|desc|details|note)\b")


def summary_of(docstring: str) -> str:
    """The first paragraph of a documentation, without its tags (CodeSearchNet's `get_docstring_summary`)."""
    tag = _TAG.search(docstring)
    prose = docstring[: tag.start()] if tag else docstring
    return _BRIEF.sub("", prose).strip().partition("\n\n")[0]


def written_as_test(row: Row, _config: FilterConfig) -> str | None:
    """No tests: by the function's name and its file's."""
    name = row["name"].rpartition(".")[2]
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    by_name = name.startswith("test") or not {"test", "tests", "Test", "Tests"}.isdisjoint(words)
    marked = by_name or _TEST_PATH.search(row["path"]) or _TEST_MARK.search(row["code"][:500])
    return "test" if marked else None


_TEST_PATH = re.compile(r"(^|/)(tests?|__tests__|spec)/|(^|/)test_[^/]*$|(_test|[._]spec|\.test)\.\w+$|Tests?\.\w+$")

_TEST_MARK = re.compile(
    r"^[ \t]{0,40}(@Test\b|#\[(\w{1,20}::)?test\]|\[(Fact|Theory|Test|TestCase|TestMethod)\b)", re.MULTILINE
)
"""Java, Rust and C# say so above the function."""

_STANDARD = frozenset({"constructor", "toString", "hashCode", "equals", "finalize", "clone", "notify", "notifyAll",
                       "initialize", "to_s", "inspect", "String", "ToString", "GetHashCode", "Equals",
                       "fmt"})  # fmt: skip


def standard_method(row: Row, _config: FilterConfig) -> str | None:
    """No constructors and no standard extension methods."""
    owner, _, name = row["name"].rpartition(".")
    dunder = name.startswith("__") and (name.endswith("__") or row["language"] == "php")
    constructor = row["language"] in {"java", "csharp", "cpp"} and name.lstrip("~") == owner.rpartition(".")[2] != ""
    return "constructor or standard method" if dunder or constructor or name in _STANDARD else None


def blacklist(row: Row, config: FilterConfig) -> str | None:
    """No task that a text model cannot do."""
    if not config.blacklist:
        return None
    return "blacklisted word" if _words(config.blacklist).search(row["docstring"]) else None


@lru_cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(" + "|".join(map(re.escape, words)) + r")s?\b", re.IGNORECASE)


def license_allowed(row: Row, config: FilterConfig) -> str | None:
    """A licence on the list, or several that all are."""
    if config.licenses is None or row["license"] in config.licenses:
        return None
    return None if {*row["license"].split(" AND ")} <= {*config.licenses} else "licence"


def generated_code(row: Row, _config: FilterConfig) -> str | None:
    """No code that a machine wrote."""
    return "generated code" if is_generated(f"{row['docstring']}\n{row['code'][:2000]}") else None


def hidden_text(row: Row, _config: FilterConfig) -> str | None:
    """No bidirectional, invisible or other control characters that make code read otherwise than it runs."""
    return "hidden text" if HIDDEN.search(row["code"]) or HIDDEN.search(row["docstring"]) else None


def secrets(row: Row, _config: FilterConfig) -> str | None:
    """No keys, tokens, passwords or private keys."""
    return SECRET if has_secret(f"{row['code']}\n{row['docstring']}") else None


def prompt_injection(row: Row, _config: FilterConfig) -> str | None:
    """No text that speaks to a model: a chat's marks, "ignore all previous instructions"."""
    spoken = speaks_to_a_model(row["docstring"]) or speaks_to_a_model(row["code"])
    return "prompt injection" if spoken else None


def tokens(row: Row, config: FilterConfig) -> str | None:
    """Documentation and code within the window of the embedding model."""
    if config.tokenizer is None:
        return None
    # The text that `embed` reads.
    count = len(load_tokenizer(config.tokenizer).encode(f"{row['docstring']}\n{row['code']}").ids)
    if config.min_tokens is not None and count < config.min_tokens:
        return "too few tokens"
    return "too many tokens" if config.max_tokens is not None and count > config.max_tokens else None


@lru_cache(maxsize=2)
def load_tokenizer(name: str) -> Tokenizer:
    """A fast tokenizer, without truncation.

    Raises:
        ValueError: there is none.
    """
    folder = node_copy(name, weights=False)
    file = Path(folder) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file)) if Path(folder).is_dir() else Tokenizer.from_pretrained(name)
    except Exception as error:  # noqa: BLE001 - the library raises Exception itself
        raise ValueError(f"collect.filters.tokenizer is {name!r}, which gives no tokenizer.json: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def comment_only(row: Row, _config: FilterConfig) -> str | None:
    """Code, not comments alone."""
    alone = row["language"] in GRAMMARS and is_comment_only(row["code"], row["language"])
    return "comment-only code" if alone else None


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
    "secrets": secrets,
    "prompt_injection": prompt_injection,
    "comment_only": comment_only,
    "empty_body": empty_body,
    "parses": parses,
    "tokens": tokens,
}
"""The rules by name, the cheap ones first."""


def filter_batch(batch: pa.RecordBatch | pa.Table, config: FilterConfig) -> pa.Table:
    """The same rows; `reason` says which rule stopped a row that went on until here."""
    names = [name for name in FILTERS if config.enabled is None or name in config.enabled]
    table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
    suspects = find_suspects(table, config.blacklist)
    rules = [(FILTERS[name], suspects.get(name)) for name in names]
    columns = [table[name].to_pylist() for name in READ_BY_RULES]
    reasons = []
    for number, values in enumerate(zip(*columns, strict=True)):
        row = dict(zip(READ_BY_RULES, values, strict=True))
        reasons.append(row["reason"] or _first_reason(row, number, rules, config))
    for name in config.custom:
        reasons = _custom_reasons(name, table, reasons)
    return table.set_column(table.schema.get_field_index("reason"), "reason", pa.array(reasons, pa.string()))


READ_BY_RULES = ("code", "docstring", "language", "name", "path", "license", "reason")


def _first_reason(row: Row, number: int, rules: list[tuple[Filter, list[bool] | None]], config: FilterConfig) -> str:
    """Why the row of this number stops, by the first rule that says so; empty where none does."""
    for rule, suspects in rules:
        if (suspects is None or suspects[number]) and (reason := rule(row, config)):
            return reason
    return ""


CUSTOM = "collect.filters.custom"


def load_custom(name: str) -> Callable[[Row], object]:
    """A rule of the user's own; raises `ValueError` as `load_function` does."""
    return load_function(name, CUSTOM, ["row"])


def _custom_reasons(name: str, table: pa.Table, reasons: list[str]) -> list[str]:
    """The reasons, with those that a rule of the user's gives for rows that go on until here."""
    rule, found = load_custom(name), list(reasons)
    alive = [number for number, reason in enumerate(reasons) if not reason]
    rows = table.drop_columns("reason").take(pa.array(alive, pa.int64())).to_pylist()
    for number, row in zip(alive, rows, strict=True):
        try:
            answer = rule(row)
        except Exception as error:
            raise ValueError(f"{CUSTOM}: {name} failed on row {row['id']} ({said_by(error)})") from error
        if answer is not None and not (isinstance(answer, str) and answer):
            raise ValueError(
                f"{CUSTOM}: {name} returned {answer!r:.100} for row {row['id']}; return the reason as text, or None "
                "where the row goes on"
            )
        found[number] = answer or ""
    return found
