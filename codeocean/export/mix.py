"""Instruction sets of others beside CodeOcean: read, cleaned, without what is there already (paper: WaveCoder-Ultra).

A set is JSON in the Alpaca form (`instruction, input, output`), as one array or one object a line: Code Alpaca,
evol-codealpaca, and most others.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import jinja2
import pyarrow as pa
from pydantic import Field, NonNegativeFloat, PositiveInt

from codeocean.collect.duplicates import NearDuplicates
from codeocean.collect.remote_files import open_in_order, stamp
from codeocean.records import INSTANCES, row_id
from codeocean.teachers import TeacherConfig
from codeocean.verify.columns import unproved
from core.json_records import STREAM_ERRORS, json_records
from core.settings import Execution, Settings
from core.store_address import shown_url
from core.text import is_storable

CARD = Path(__file__).with_name("mix_card.md.j2")
MAX_CHARS = 100_000
"""Of a field; what is longer is no instruction."""

Row = dict[str, Any]


class AlpacaSource(Settings):
    """An instruction set of somebody else's."""

    name: str = Field(pattern=r"^[\w.-]{1,60}$")
    """Name in provenance and counts."""

    path: str
    """JSON, one object a line or one array, also .gz: a path or a URL."""

    license: str = ""
    """Its licence."""

    columns: dict[str, str] = {}
    """Our field → the file's, of `instruction`, `input`, `output`, where they have other names."""

    limit: PositiveInt | None = None
    """Only the first rows; None takes all."""


class AnswerConfig(TeacherConfig):
    """A stronger model that answers every instruction again (paper: WaveCoder-Pro)."""

    temperature: NonNegativeFloat = 0.0
    """0 is greedy."""

    max_tokens: PositiveInt = 1024
    """Most tokens of an answer; one that is cut off there is left out, with its instruction."""

    concurrency: Annotated[PositiveInt, Execution()] = 64
    """Requests in flight."""

    batch: Annotated[bool, Execution()] = False
    """Ask the endpoint's Batch API (OpenAI's form): cheaper, with answers within a day. All rows become one batch."""

    rows_per_part: PositiveInt = 256
    """Answers of one part file."""

    failed_alike: Annotated[float, Execution()] = Field(default=0.95, gt=0, le=1)
    """The stage is an error, with the reason, when this share of all rows failed for one reason."""


class MixConfig(Settings):
    """What is trained on beside, or instead of the answers in, CodeOcean; by default CodeOcean as it is."""

    sources: tuple[AlpacaSource, ...] = ()
    """Sets to mix in; where two rows are nearly the same, CodeOcean's stays, then the earlier source's."""

    answers: AnswerConfig | None = None
    """Who answers all instructions again; null keeps the answers."""

    near_duplicates: NearDuplicates | None = NearDuplicates(threshold=0.9)
    """When two rows are nearly the same; null keeps all but copies."""

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.sources) or self.answers is not None


@dataclass
class Foreign:
    """The rows of all sources, and what of them is none."""

    rows: list[Row] = field(default_factory=list)
    """INSTANCES rows."""
    num_read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def read_sources(sources: Iterable[AlpacaSource]) -> Foreign:
    """All rows of all sources, in order.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: a file is no JSON, or holds no instruction.
    """
    found = Foreign()
    for source in sources:
        before = len(found.rows)
        for number, record in enumerate(_records(source)):
            if source.limit is not None and number >= source.limit:
                break
            found.num_read += 1
            row = _instance(source, number, record)
            if isinstance(row, str):
                found.dropped[row] += 1
            else:
                found.rows.append(row)
        if len(found.rows) == before:
            reasons = ", ".join(f"{reason} {count}" for reason, count in found.dropped.items())
            raise ValueError(f"mix.sources: {shown_url(source.path)!r} holds no instruction "
                             f"({reasons or 'it is empty'}); an object needs the fields instruction and output, or "
                             "columns that name them")  # fmt: skip
    return found


def _records(source: AlpacaSource) -> Iterator[dict[str, Any] | str]:
    """Each object of the file; the reason where there is none."""
    if "://" not in source.path and not Path(source.path).expanduser().is_file():
        raise FileNotFoundError(f"mix.sources: {source.path!r} is no file")
    path = source.path if "://" in source.path else str(Path(source.path).expanduser())
    try:
        with open_in_order(path) as stream:
            yield from (record.value for record in json_records(stream))
    except (*STREAM_ERRORS, ImportError) as error:
        shown = shown_url(source.path)
        said = " ".join(str(error).replace(source.path, shown).split())
        raise ValueError(f"mix.sources: {shown!r} cannot be read ({said})") from None


def _instance(source: AlpacaSource, number: int, record: dict[str, Any] | str) -> Row | str:
    """An INSTANCES row, or why there is none."""
    if not isinstance(record, dict):
        return record
    fields = [record.get(source.columns.get(name, name)) for name in ("instruction", "input", "output")]
    if not all(text is None or (isinstance(text, str) and is_storable(text)) for text in fields):
        return "corrupt row"
    instruction, given, output = (text or "" for text in fields)
    if max(len(instruction), len(given), len(output)) > MAX_CHARS:
        return "row too large"
    if not instruction.strip() or not output.strip():
        return "no instruction" if not instruction.strip() else "no output"
    provenance = {"source": source.name, "row": number, "license": source.license}
    return {"id": row_id(f"{source.name}\x1f{instruction}\x1f{given}\x1f{output}"), "raw_id": "", "task": source.name,
            "language": "", "instruction": instruction, "input": given, "output": output,
            "provenance": json.dumps(provenance, ensure_ascii=False)}  # fmt: skip


def mixed(instances: pa.Table, foreign: Foreign) -> pa.Table:
    """CodeOcean, then the rows of others."""
    others = pa.Table.from_pylist([unproved() | row for row in foreign.rows], schema=INSTANCES)
    return pa.concat_tables([instances, others], promote_options="default")  # an older version's rows lack columns


def with_answers(rows: pa.Table, answers: Sequence[tuple[str, str]], model: str) -> tuple[pa.Table, list[str]]:
    """Rows with another model's answers, and why some of them stop.

    Args:
        rows: INSTANCES rows.
        answers: text and error of each.
        model: who answered.

    Returns:
        The rows, whose provenance names the model and claims no check of the old answer; a reason for each, "" for
        those that go on.
    """
    provenance = []
    for text in rows["provenance"].to_pylist():
        kept = {name: value for name, value in json.loads(text).items() if name not in {"verified", "bug"}}
        provenance.append(json.dumps(kept | {"answered_by": model}, ensure_ascii=False))
    columns: dict[str, Any] = {"output": [text for text, _ in answers], "provenance": provenance}
    columns |= {name: [value] * len(answers) for name, value in unproved().items() if name in rows.schema.names}
    for name, values in columns.items():
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))
    return rows, [error or ("" if text.strip() else "no answer") for text, error in answers]


def mix_card(
    rows: pa.Table, dropped: dict[str, int], leakage: dict[str, Any], answered_by: str, licenses: dict[str, str]
) -> str:
    """Markdown with the front matter by which `datasets` finds the file.

    Args:
        rows: the data.
        dropped: reason → rows.
        leakage: benchmark → how near the nearest rows are; empty where the gate is off.
        answered_by: who answered again; empty when nobody did.
        licenses: source → licence.
    """
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)  # noqa: S701 - Markdown
    tasks = Counter(rows["task"].to_pylist()).most_common()
    return environment.from_string(CARD.read_text(encoding="utf-8")).render(
        rows=rows.num_rows, tasks=tasks, dropped=dropped, leakage=leakage, answered_by=answered_by, licenses=licenses
    )


def source_digest(path: str) -> str:
    """What identifies a source's content.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if "://" in path:
        return hashlib.sha256(stamp(path).encode()).hexdigest()[:16]
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"mix.sources: {path!r} is no file")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
