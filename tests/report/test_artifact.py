"""What `wavecoder inspect` shows of a stage."""

import pyarrow.fs as pafs
from rich.console import Console

from report.artifact import Look, show_stage


def test_collect_shows_what_became_of_each_languages_functions(tmp_path):
    found = {"seen": 1203, "extracted": 1200, "kept": 900, "not_extracted": {"inside a documented function": 3},
             "not_kept": {"code too short": 300}}  # fmt: skip
    manifest = {"rows_in": 1203, "rows_out": 900, "seconds": 3.0, "dropped": {}, "examples": {},
                "details": {"functions": {"rust": found}, "cores": 2}}  # fmt: skip
    console = Console(width=160, record=True)
    for part in show_stage("collect", manifest, pafs.LocalFileSystem(), str(tmp_path), Look(rows=0), lambda ids: {}):
        console.print(part)
    text = console.export_text()
    for words in (
        "rust",
        "1,203",
        "1,200",
        "900",
        "not extracted: inside a documented function 3",
        "code too short 300",
    ):
        assert words in text
    assert "cores: 2" in text
