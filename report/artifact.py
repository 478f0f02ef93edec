"""One stage's artifacts → what the terminal shows of them: counts, mixes, quantiles, a few rows.

Knows no stage by name: it looks at the columns of whatever Parquet files are there, one column of one file at a time,
so that memory stays small. All text is raw code or a model's: control characters are shown, never sent to the terminal.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs as pafs
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

MIX_VALUES, MIX_CHARS = 12, 40
"""A text column of at most so many different values, none of them longer, is shown as a mix."""
SHOWN_CHARS = 1200
QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


def visible(text: str, limit: int = SHOWN_CHARS) -> Text:
    """Untrusted text for the terminal: control and invisible characters as escapes, markup left as it is."""
    cut = text[:limit].replace("\t", "    ")
    shown = "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in cut)
    return Text(shown + (f" … {len(text)} characters" if len(text) > limit else ""))


def show_stage(
    stage: str, manifest: dict[str, Any] | None, fs: pafs.FileSystem, folder: str, rows: int
) -> Iterator[RenderableType]:
    """What there is to see of a stage, part by part.

    Args:
        stage: its name.
        manifest: of a finished stage.
        fs: filesystem of the run directory.
        folder: the stage's folder.
        rows: how many rows of each kind of file to show.
    """
    if manifest is None:
        yield Text(f"{stage}: not finished; what is there so far:", style="bold")
    else:
        head = f"{stage}: {manifest['rows_in']:,} rows in, {manifest['rows_out']:,} out, {manifest['seconds']:.0f} s"
        yield Text(head, style="bold")
        if manifest["dropped"]:
            yield _dropped(manifest)
        if "functions" in manifest["details"]:
            yield _functions(manifest["details"]["functions"])
        if manifest["details"]:
            details = (f"{name}: {value}" for name, value in manifest["details"].items() if name != "functions")
            yield Panel(visible("\n".join(details)), title="details", title_align="left")
    for kind, files in _kinds(fs, folder).items():
        yield from _show_files(kind, files, fs, rows)


def _dropped(manifest: dict[str, Any]) -> Table:
    table = Table(title="dropped", title_justify="left")
    for heading in ("reason", "rows", "share", "for example"):
        table.add_column(heading, justify="right" if heading in {"rows", "share"} else "left")
    for reason, count in sorted(manifest["dropped"].items(), key=lambda item: -item[1]):
        examples = ", ".join(manifest["examples"].get(reason, []))
        share = f"{100 * count / max(manifest['rows_in'], 1):.1f} %"
        table.add_row(visible(reason), f"{count:,}", share, visible(examples, 80))
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
    """The finished Parquet files by what their names have in common, in order."""
    kinds: dict[str, list[str]] = {}
    for info in sorted(fs.get_file_info(pafs.FileSelector(folder, recursive=True)), key=lambda info: info.path):
        name = posixpath.relpath(info.path, folder)
        if name.endswith(".parquet") and not any(part.startswith(".") for part in name.split("/")):
            kinds.setdefault(re.sub(r"\d+", "*", name), []).append(info.path)
    return kinds


def _show_files(kind: str, files: list[str], fs: pafs.FileSystem, rows: int) -> Iterator[RenderableType]:
    opened = [pq.ParquetFile(file, filesystem=fs) for file in files]
    count = sum(file.metadata.num_rows for file in opened)
    table = Table(title=f"{kind}: {count:,} rows in {len(files)} files", title_justify="left")
    for heading in ("column", "type", "what it holds"):
        table.add_column(heading)
    for field in opened[0].schema_arrow:
        table.add_row(visible(field.name, 60), visible(str(field.type), 40), _summary(opened, field))
    yield table
    for number, row in enumerate(next(opened[0].iter_batches(rows), pa.record_batch([])).to_pylist() if rows else ()):
        lines = [visible(f"{name}: {_as_text(value)}") for name, value in row.items()]
        yield Panel(Text("\n").join(lines), title=f"row {number}", title_align="left")


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return f"\n{value}" if "\n" in value else value
    if isinstance(value, list) and len(value) > 8 and isinstance(value[0], float):
        return f"[{', '.join(f'{entry:.3f}' for entry in value[:8])}, …]"
    return str(value)


def _summary(files: list[pq.ParquetFile], field: pa.Field) -> Text:
    """A mix of few values, quantiles of numbers or of lengths of text."""
    mix: Counter[Any] | None = Counter()
    measures = []
    for file in files:
        column = file.read([field.name]).column(0)
        if pa.types.is_string(field.type):
            mix = _with_counts(mix, column)
            measures.append(np.asarray(pc.drop_null(pc.utf8_length(column))))
        elif pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            measures.append(np.asarray(pc.drop_null(column)))
        else:
            return Text("")
    if pa.types.is_string(field.type) and mix is not None:
        return visible(", ".join(f"{value or '(empty)'} {count:,}" for value, count in mix.most_common()), 400)
    values = np.concatenate(measures)
    unit = " characters" if pa.types.is_string(field.type) else ""
    if len(values) == 0:
        return Text("nothing")
    low, *middle, high = (f"{value:,.4g}" for value in np.quantile(values, QUANTILES))
    return Text(f"{low} to {high}{unit}; 5 %, 50 %, 95 %: {', '.join(middle)}")


def _with_counts(mix: Counter[Any] | None, column: pa.ChunkedArray) -> Counter[Any] | None:
    """The mix with a file's values; None when there are too many different ones, or long ones."""
    if mix is None:
        return None
    for entry in pc.value_counts(column):  # one by one: most columns are left after a few
        mix[entry["values"].as_py()] += entry["counts"].as_py()
        if len(mix) > MIX_VALUES or len(entry["values"].as_py() or "") > MIX_CHARS:
            return None
    return mix
