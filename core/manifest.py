"""What a finished stage wrote down of itself: its record, checked, and the files that the record names.

Readers take a stage's parts from here, not from a listing: one that comes late lacks what was just written, and a file
that is gone would be missed by nobody.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyarrow import fs as pafs

Manifest = dict[str, Any]

MADE_AGAIN = "put it back, or delete it and its stage's manifest.json and run the stage again: it makes the rest"

_MORE: Mapping[str, type | tuple[type, ...]] = {
    "rows_in": int, "rows_out": int, "config": dict, "inputs": dict, "dropped": dict, "examples": dict, "details": dict,
    "unanswered": dict, "files": list, "parts": dict, "attempts": int, "seconds": (int, float),
}  # fmt: skip

_SHOWN = ("rows_in", "rows_out", "seconds", "dropped", "examples", "details", "versions")
"""What every version wrote, and whoever shows a stage shows."""


@dataclass(frozen=True)
class Part:
    """A file that a stage wrote."""

    name: str
    """Relative to the stage's folder."""
    size: int | None = None
    """In bytes; None where the stage was finished before sizes were kept."""
    rows: int | None = None
    """None as `size`."""


def read_object(fs: pafs.FileSystem, path: str) -> dict[str, Any] | None:
    """A file that holds one JSON object; None where there is no file.

    Raises:
        ValueError: it is a folder, cut off, or holds something else; the line says what to do.
    """
    try:
        with fs.open_input_stream(path, compression=None) as stream:
            content = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        if fs.get_file_info(path).type != pafs.FileType.Directory:
            raise
        raise ValueError(f"{path} is a folder and should be a file; move it away to redo the stage") from None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        said = "it is empty" if not content.strip() else str(error)
        raise ValueError(f"{path} is not JSON ({said}); delete it to redo the stage") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object; delete it to redo the stage")
    return found


def read_manifest(fs: pafs.FileSystem, folder: str, *, to_show: bool = False) -> Manifest | None:
    """The manifest of a stage's folder; None where the stage is not done.

    Args:
        fs: of the folder.
        folder: of the stage.
        to_show: refuse one that lacks what is shown of a stage.

    Raises:
        ValueError: what is there is no manifest; the line says what to do.
    """
    path = posixpath.join(folder, "manifest.json")
    found = read_object(fs, path)
    return None if found is None else check_manifest(found, path, to_show=to_show)


def check_manifest(found: dict[str, Any], path: str, *, to_show: bool = False) -> Manifest:
    """The same; raises `ValueError` where it is no manifest. Older versions left some keys out."""
    wrong = [] if isinstance(found.get("digest"), str) else ["digest"]
    wrong += [key for key in _SHOWN if to_show and key not in found]
    wrong += [key for key, kind in _MORE.items() if key in found and not isinstance(found[key], kind)]
    if not wrong and not all(map(_is_part, found.get("parts", {}).values())):
        wrong = ["parts"]
    if not wrong and not all(isinstance(rows, int) for rows in found.get("dropped", {}).values()):
        wrong = ["dropped"]
    if wrong:
        raise ValueError(f"{path} is no manifest of a stage (its {wrong[0]!r} is missing or something else); delete it "
                         "to redo the stage")  # fmt: skip
    return found


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), int) for key in ("bytes", "rows"))


def named_files(manifest: Manifest) -> list[Part]:
    """The Parquet files that a manifest names, in order; without sizes and rows where it has only their names."""
    known = manifest.get("parts")
    if known is None:
        return [Part(str(name)) for name in sorted(map(str, manifest.get("files", []))) if name.endswith(".parquet")]
    return [Part(name, each["bytes"], each["rows"]) for name, each in sorted(known.items())]


def written_files(fs: pafs.FileSystem, folder: str) -> list[Part] | None:
    """The Parquet files that the manifest of a stage's folder names; None where the stage is not done.

    Raises:
        ValueError: as `read_manifest`.
    """
    manifest = read_manifest(fs, folder)
    return None if manifest is None else named_files(manifest)
