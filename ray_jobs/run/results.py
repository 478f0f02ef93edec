"""Scores → scores.json, scores.parquet and scores.md, which lays them beside the paper's tables."""

from __future__ import annotations

import json
import posixpath
from typing import Any

import pyarrow.parquet as pq
from pyarrow import fs as pafs

from eval.scores import score_rows
from report.scoretables import as_markdown


def write_results(
    fs: pafs.FileSystem, folder: str, scores: list[dict[str, Any]], differences: list[dict[str, Any]]
) -> None:
    """Write the three files, each whole or not at all."""
    listing = json.dumps({"scores": scores, "differences": differences}, indent=2, ensure_ascii=False)
    _write(fs, posixpath.join(folder, "scores.json"), f"{listing}\n".encode())
    _write(fs, posixpath.join(folder, "scores.md"), as_markdown(scores, differences).encode())
    making = posixpath.join(folder, ".scores.parquet.making")
    with fs.open_output_stream(making) as stream:
        pq.write_table(score_rows(scores), stream)
    fs.move(making, posixpath.join(folder, "scores.parquet"))


def _write(fs: pafs.FileSystem, path: str, content: bytes) -> None:
    making = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.making")
    with fs.open_output_stream(making) as stream:
        stream.write(content)
    fs.move(making, path)
