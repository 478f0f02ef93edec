"""Scores → scores.json, scores.parquet and scores.md, which lays them beside the paper's tables."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from pyarrow import fs as pafs

from core.storage import write_bytes, write_table
from eval.scores import score_rows
from report.scoretables import as_markdown


def write_results(
    fs: pafs.FileSystem, folder: str, scores: list[dict[str, Any]], differences: list[dict[str, Any]]
) -> None:
    """Write the three files, each whole or not at all."""
    listing = json.dumps({"scores": scores, "differences": differences}, indent=2, ensure_ascii=False)
    write_bytes(fs, posixpath.join(folder, "scores.json"), f"{listing}\n".encode())
    write_bytes(fs, posixpath.join(folder, "scores.md"), as_markdown(scores, differences).encode())
    write_table(fs, posixpath.join(folder, "scores.parquet"), score_rows(scores))
