"""What a person said of single rows: keep or drop, with a note. Kept beside the run, and honoured by the export.

`<run>/marks.json` is written whole: a few thousand marks at most are made by hand.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from pyarrow import fs as pafs

from core.storage import write_bytes

FILE = "marks.json"
MAX_NOTE_CHARS = 2_000


@dataclass(frozen=True)
class Mark:
    """One row's."""

    mark: Literal["keep", "drop"]
    note: str = ""
    at: str = ""
    """Time, UTC."""


def read_marks(fs: pafs.FileSystem, root: str) -> dict[str, Mark]:
    """Id of a generation → its mark; empty where nobody has marked anything.

    Raises:
        ValueError: the file is damaged.
    """
    path = posixpath.join(root, FILE)
    if not fs.get_file_info(path).is_file:
        return {}
    with fs.open_input_stream(path) as stream:
        try:
            found = {str(id_): Mark(**fields) for id_, fields in json.loads(stream.read()).items()}
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{path} holds no marks; mend it, or delete it to mark anew") from None
    wrong = next((id_ for id_, mark in found.items() if mark.mark not in {"keep", "drop"}), None)
    if wrong is not None:
        raise ValueError(f"{path}: the mark of {wrong} is {found[wrong].mark!r}; it is keep or drop")
    return found


def write_mark(fs: pafs.FileSystem, root: str, id_: str, mark: str, note: str = "") -> dict[str, Mark]:
    """Set a row's mark, or take it away ("").

    Raises:
        ValueError: it is neither keep, drop nor "", or the note is too long.
    """
    if mark not in {"keep", "drop", ""}:
        raise ValueError(f"the mark is {mark!r}; it is keep, drop or empty")
    if len(note) > MAX_NOTE_CHARS:
        raise ValueError(f"the note has {len(note)} characters; at most {MAX_NOTE_CHARS}")
    marks = read_marks(fs, root)
    marks.pop(id_, None)
    if mark:
        kind: Literal["keep", "drop"] = "keep" if mark == "keep" else "drop"
        marks[id_] = Mark(kind, note, datetime.now(UTC).isoformat(timespec="seconds"))
    text = json.dumps({key: asdict(value) for key, value in sorted(marks.items())}, indent=1, ensure_ascii=False)
    write_bytes(fs, posixpath.join(root, FILE), text.encode("utf-8", "replace"))
    return marks


def marks_digest(marks: dict[str, Mark]) -> str:
    """What of the marks decides the data: notes and times do not."""
    text = json.dumps({id_: mark.mark for id_, mark in sorted(marks.items())})
    return hashlib.sha256(text.encode()).hexdigest()[:16]
