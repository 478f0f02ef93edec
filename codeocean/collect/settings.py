"""Where raw code comes from: the settings of each kind of source, and the unit that one worker reads at a time."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field, JsonValue, PositiveInt, model_validator

from codeocean.records import CONTEXT, RAW_CODE
from core.languages import CODESEARCHNET, LANGUAGE_NAMES, LanguageName
from core.settings import Settings
from core.user_code import FunctionName

READ_SCHEMA = pa.schema([*RAW_CODE, *(pa.field(name, pa.string()) for name in ("reason", *CONTEXT))])
"""What reading gives: a row that cannot be used has a reason."""

BATCH_ROWS = 1000
BATCH_CHARS = 8_000_000
"""A batch ends behind the row that reaches this many characters of code."""

ColumnName = Literal["code", "docstring", "language", "name", "repository", "path", "url", "license", "split"]


class FolderSource(Settings):
    """A folder of source code, such as a git checkout."""

    kind: Literal["folder"]
    path: str
    """The folder; "stdlib" is the standard library of the Python that runs this."""

    languages: tuple[LanguageName, ...] = LANGUAGE_NAMES
    """Languages to take."""

    license: str = ""
    """Licence of the code, as its repository names it."""

    repository: str = ""
    """Name of the repository."""

    max_file_bytes: PositiveInt = 1_000_000
    """Larger files are data or generated."""

    context: bool = False
    """Keep beside each function what it needs of its file (imports, constants, helpers, its class), or why that is not
    enough: columns `context` and `context_missing`, with which proof runs repairs and translations. Not in PHP, Ruby
    and C#."""


class CodeSearchNetSource(Settings):
    """CodeSearchNet (Husain et al. 2019), the paper's raw code."""

    kind: Literal["codesearchnet"]
    path: str
    """A .parquet, .arrow, .jsonl.gz or .jsonl file, a folder of them, a glob, or the URL of one file."""

    languages: tuple[LanguageName, ...] = CODESEARCHNET
    """Languages to take."""

    licenses_file: str | None = None
    """Its `*_licenses.pkl`, or JSON made from it: repository → licence; a local file or a glob of several."""


class JsonlSource(Settings):
    """Pairs of your own as JSON (one object a line, or a file that is one array of objects), Parquet or Arrow."""

    kind: Literal["jsonl"]
    path: str
    """A .jsonl, .jsonl.gz, .json, .parquet or .arrow file, a folder of them, a glob, or the URL of one file."""

    columns: dict[ColumnName, str] = {"code": "code", "docstring": "docstring"}
    """Our column → the file's, `data.code` for one inside another; `code` and `docstring` are needed."""

    language: LanguageName | None = None
    """Language of all rows; None reads it from `columns.language`."""

    languages: tuple[LanguageName, ...] = LANGUAGE_NAMES
    """Languages to take."""

    license: str = ""
    """Licence of rows that name none."""

    repository: str = ""
    """Repository of rows that name none."""

    @model_validator(mode="after")
    def _complete(self) -> "JsonlSource":
        missing = {"code", "docstring"} - set(self.columns)
        if missing:
            raise ValueError(f"columns lacks {' and '.join(sorted(missing))}")
        if (self.language is None) == ("language" not in self.columns):
            raise ValueError("the language comes either from `language` or from `columns.language`")
        return self


class FunctionSource(Settings):
    """Rows out of a function of your own, such as one that asks a database or a forge."""

    kind: Literal["function"]
    function: FunctionName
    """`module:function`: gives an iterator of mappings from column to text; `code`, `docstring` and `language` are
    needed. It must give the same rows in the same order each time: a resume counts on that."""

    arguments: dict[str, JsonValue] = {}
    """Its keyword arguments."""

    shards: PositiveInt = 1
    """Calls that run in parallel; more than 1 adds the keyword arguments `shard` (from 0) and `num_shards`."""

    languages: tuple[LanguageName, ...] = LANGUAGE_NAMES
    """Languages to take."""

    license: str = ""
    """Licence of rows that name none."""

    repository: str = ""
    """Repository of rows that name none."""


AnySource = FolderSource | CodeSearchNetSource | JsonlSource | FunctionSource
SourceConfig = Annotated[AnySource, Field(discriminator="kind")]


@dataclass(frozen=True)
class Unit:
    """What one worker reads at a time."""

    source: AnySource
    files: tuple[str, ...]
    """A bundle of source files relative to the folder, or one file of pairs."""
    root: str = ""
    row_group: int | None = None
    """Of a Parquet file; the number of the shard, where the source is a function."""
    fingerprint: str = ""
    """Changes when the input does: names, sizes and times."""
