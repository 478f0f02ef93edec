"""One stage's artifacts → what the terminal shows of them: counts, mixes, quantiles, a few rows.

Knows no stage by name: it looks at the columns of whatever Parquet files are there, one column of one file at a time,
so that memory stays small. All text is raw code or a model's: control characters are shown, never sent to the terminal.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs as pafs
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from core.manifest import MADE_AGAIN, written_files
from core.storage import open_part

MIX_VALUES, MIX_CHARS = 12, 40
"""A text column of at most so many different values, none of them longer, is shown as a mix."""
SHOWN_CHARS = 1200
ROWS_READ = 256
"""At a time, of a file that holds a row to show."""
QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


def visible(text: str, limit: int = SHOWN_CHARS) -> Text:
    """Untrusted text for the terminal: control and invisible characters as escapes, markup left as it is."""
    cut = text[:limit].replace("\t", "    ")
    shown = "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in cut)
    return Text(shown + (f" … {len(text)} characters" if len(text) > limit else ""))


@dataclass(frozen=True)
class Look:
    """Which rows to show of each kind of file."""

    rows: int = 3
    """How many."""
    seed: int = 0
    """They are drawn: the same seed draws the same rows."""
    language: str | None = None
    """Only rows whose column `language` says so."""
    dropped: bool = False
    """What was dropped, instead of the rows that are there."""


Raw = Callable[[list[str]], dict[str, dict[str, Any]]]
"""Ids of raw code → its rows."""


def show_stage(
    stage: str, manifest: dict[str, Any] | None, fs: pafs.FileSystem, folder: str, look: Look, raw: Raw
) -> Iterator[RenderableType]:
    """What there is to see of a stage, part by part.

    Args:
        stage: its name.
        manifest: of a finished stage.
        fs: filesystem of the run directory.
        folder: the stage's folder.
        look: which rows of each kind of file to show.
        raw: finds the raw code of rows that hold only its id.

    Raises:
        ValueError: no row of the stage is in the language that was asked for.
    """
    if manifest is None:
        yield Text(f"{stage}: not finished; what is there so far:", style="bold")
    else:
        head = f"{stage}: {manifest['rows_in']:,} rows in, {manifest['rows_out']:,} out, {manifest['seconds']:.0f} s"
        yield Text(head, style="bold")
        if manifest["dropped"]:
            yield _dropped(manifest, whole=look.dropped)
        if "functions" in manifest["details"]:
            yield _functions(manifest["details"]["functions"])
        if manifest["details"]:
            details = (f"{name}: {value}" for name, value in manifest["details"].items() if name != "functions")
            yield Panel(visible("\n".join(details)), title="details", title_align="left")
    for kind, files in _opened(fs, folder, look).items():
        yield from _show_files(kind, files, look, raw)


def rows_of_stage(fs: pafs.FileSystem, folder: str, look: Look, raw: Raw) -> dict[str, list[dict[str, Any]]]:
    """Kind of file → the rows that `show_stage` shows, with their number over all files; arguments as there."""
    return {
        kind: [{"row": number} | row for number, row in _with_code(_drawn(files, look), raw)]
        for kind, files in _opened(fs, folder, look).items()
    }


def _opened(fs: pafs.FileSystem, folder: str, look: Look) -> dict[str, list[pq.ParquetFile]]:
    """The files to look at, by kind; raises `ValueError` where none is in the language that was asked for."""
    kinds = {kind: [open_part(fs, file) for file in files] for kind, files in _kinds(fs, folder).items()}
    for kind, paths in _kinds(fs, folder).items():
        for path, file in zip(paths, kinds[kind], strict=True):
            if file.schema_arrow.names != kinds[kind][0].schema_arrow.names:
                raise ValueError(f"{path} has other columns than {paths[0]}; {MADE_AGAIN}")
    if look.dropped:
        kinds = {kind: files for kind, files in kinds.items() if "reason" in files[0].schema_arrow.names}
    if look.language is not None:
        _check_language(look.language, kinds)
    return kinds


def _with_code(drawn: list[tuple[int, dict[str, Any]]], raw: Raw) -> list[tuple[int, dict[str, Any]]]:
    """Rows that hold only the id of raw code, with that code."""
    bare = [str(row["id"]) for _, row in drawn if "id" in row and "code" not in row]
    code = raw(bare) if bare else {}
    return [(number, row | {name: value for name, value in code.get(str(row.get("id")), {}).items() if name not in row})
            for number, row in drawn]  # fmt: skip


def _check_language(language: str, kinds: dict[str, list[pq.ParquetFile]]) -> None:
    files = [file for files in kinds.values() for file in files if "language" in file.schema_arrow.names]
    found = {value for file in files for value in file.read(["language"]).column(0).unique().to_pylist()}
    if not files:
        raise ValueError("--language: the rows of this stage have no column language")
    if language not in found:
        raise ValueError(f"--language {language}: there are {', '.join(sorted(filter(None, found))) or 'no rows'}")


def _dropped(manifest: dict[str, Any], *, whole: bool) -> Table:
    table = Table(title="dropped", title_justify="left")
    for heading in ("reason", "rows", "share", "for example"):
        table.add_column(heading, justify="right" if heading in {"rows", "share"} else "left")
    for reason, count in sorted(manifest["dropped"].items(), key=lambda item: -item[1]):
        examples = ("\n" if whole else ", ").join(manifest["examples"].get(reason, []))
        share = f"{100 * count / max(manifest['rows_in'], 1):.1f} %"
        table.add_row(visible(reason), f"{count:,}", share, visible(examples, 1000 if whole else 80))
    return table


def _functions(languages: dict[str, dict[str, Any]]) -> Table:
    """Collect: what became of the documented functions of each language."""
    table = Table(title="documented functions", title_justify="left")
    for heading in ("language", "seen", "extracted", "kept", "why not the others"):
        table.add_column(heading, justify="left" if heading in {"language", "why not the others"} else "right")
    for language, found in languages.items():
        kinds = {"not_extracted": "not extracted", "not_kept": "not kept", "not_read": "not read"}
        reasons = [
            f"{words}: " + ", ".join(f"{reason} {count:,}" for reason, count in found[kind].items())
            for kind, words in kinds.items()
            if found.get(kind)
        ]
        numbers = (f"{found[name]:,}" for name in ("seen", "extracted", "kept"))
        table.add_row(visible(language), *numbers, visible("\n".join(reasons), 1000))
    return table


def _kinds(fs: pafs.FileSystem, folder: str) -> dict[str, list[str]]:
    """The Parquet files, those that are listed and those that the manifest names, by what their names share."""
    listed = fs.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=True))
    names = {posixpath.relpath(info.path, folder) for info in listed}
    names |= {part.name for part in written_files(fs, folder) or []}
    kinds: dict[str, list[str]] = {}
    for name in sorted(names):
        if name.endswith(".parquet") and not any(part.startswith(".") for part in name.split("/")):
            kinds.setdefault(re.sub(r"\d+", "*", name), []).append(posixpath.join(folder, name))
    return kinds


def _show_files(kind: str, files: list[pq.ParquetFile], look: Look, raw: Raw) -> Iterator[RenderableType]:
    count = sum(file.metadata.num_rows for file in files)
    table = Table(title=f"{kind}: {count:,} rows in {len(files)} files", title_justify="left")
    for heading in ("column", "type", "what it holds"):
        table.add_column(heading)
    for field in files[0].schema_arrow:
        table.add_row(visible(field.name, 60), visible(str(field.type), 40), _summary(files, field))
    yield table
    for number, row in _with_code(_drawn(files, look), raw):
        lines = [visible(f"{name}: {_as_text(value)}") for name, value in row.items()]
        yield Panel(Text("\n").join(lines), title=f"row {number}", title_align="left")


def _drawn(files: list[pq.ParquetFile], look: Look) -> list[tuple[int, dict[str, Any]]]:
    """Number, over all files, and values of the rows to show, in order."""
    starts = [0, *accumulate(file.metadata.num_rows for file in files)]
    numbers = np.arange(starts[-1])
    if look.language is not None and "language" in files[0].schema_arrow.names:
        said = [pc.equal(file.read(["language"]).column(0), look.language) for file in files]
        numbers = numbers[np.concatenate([np.asarray(pc.fill_null(mask, fill_value=False)) for mask in said])]
    rng = np.random.default_rng(look.seed)
    chosen = np.sort(rng.choice(numbers, min(look.rows, len(numbers)), replace=False))
    found: list[tuple[int, dict[str, Any]]] = []
    for file, start, end in zip(files, starts, starts[1:], strict=False):
        here, at = chosen[(start <= chosen) & (chosen < end)], start
        for batch in file.iter_batches(ROWS_READ) if len(here) else ():
            inside = here[(at <= here) & (here < at + batch.num_rows)]
            rows = [row for place in inside for row in batch.slice(int(place) - at, 1).to_pylist()]
            found += list(zip(inside.tolist(), rows, strict=True))
            at += batch.num_rows
    return found


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return f"\n{value}" if "\n" in value else value
    if isinstance(value, list) and len(value) > 8 and isinstance(value[0], float):
        return f"[{', '.join(f'{entry:.3f}' for entry in value[:8])}, …]"
    return str(value)


def _summary(files: list[pq.ParquetFile], field: pa.Field) -> Text:
    """A mix of few values, quantiles of numbers or of lengths of text."""
    mix: Counter[Any] | None = Counter()
    measures = list[npt.NDArray[Any]]()
    for file in files:
        column = file.read([field.name]).column(0)
        if pa.types.is_string(field.type):
            mix = _with_counts(mix, column)
            measures += _as_arrays(pc.utf8_length(column))
        elif pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            measures += _as_arrays(column)
        else:
            return Text("")
    if pa.types.is_string(field.type) and mix is not None:
        return visible(", ".join(f"{value or '(empty)'} {count:,}" for value, count in mix.most_common()), 400)
    values = np.concatenate(measures) if measures else np.zeros(0)
    missing = int(np.isnan(values).sum()) if pa.types.is_floating(field.type) else 0
    values = values[~np.isnan(values)] if missing else values
    unit = " characters" if pa.types.is_string(field.type) else ""
    if len(values) == 0:
        return Text(f"NaN {missing:,}" if missing else "nothing")
    low, *middle, high = (f"{value:,.4g}" for value in np.quantile(values, QUANTILES))
    return Text(f"{low} to {high}{unit}; 5 %, 50 %, 95 %: {', '.join(middle)}{f'; NaN {missing:,}' if missing else ''}")


def _as_arrays(column: pa.ChunkedArray) -> list[npt.NDArray[Any]]:
    """Numbers without nulls, a chunk at a time; `to_numpy` would import pandas, a third of a look's time."""
    return [np.from_dlpack(chunk) for chunk in pc.drop_null(column).chunks]


def _with_counts(mix: Counter[Any] | None, column: pa.ChunkedArray) -> Counter[Any] | None:
    """The mix with a file's values; None when there are too many different ones, or long ones."""
    if mix is None:
        return None
    for entry in pc.value_counts(column):  # one by one: most columns are left after a few
        mix[entry["values"].as_py()] += entry["counts"].as_py()
        if len(mix) > MIX_VALUES or len(entry["values"].as_py() or "") > MIX_CHARS:
            return None
    return mix
