"""Paths on a command line → one line for those that lead to nothing, or to something else."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_STORED = re.compile(r"(s3|gs|gcs|abfss?|azure|hdfs)://")
_BY_URL = re.compile(
    r"run_dir|(.+\.)?model|collect\.filters\.tokenizer|serve\.(engine|engines\..+)\.(adapters|extra\..+)|select\.grow"
    r"|mix\.sources\.\d+\.path|collect\.sources\.\d+\.(path|arguments\..+)|report\.title"
)
"""Settings that may name what lies in an object store."""


def check_no_urls(settings: dict[str, Any]) -> None:
    """Refuse what is read from a disk and named by the URL of an object store, before any work starts.

    Args:
        settings: the whole configuration as JSON values.

    Raises:
        ValueError: one line that names each.
    """
    wrong = []
    for key, value in _texts(settings):
        if _STORED.match(value) and (not _BY_URL.fullmatch(key) or _is_code(settings, key)):
            wrong.append(f"{key} is {value!r}, and is read from a disk")
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}: copy it to a disk that every node sees, such as by "
                         "`aws s3 cp --recursive`, and name the copy")  # fmt: skip


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Key with dots → text, of all texts."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(each, f"{key}.{name}".lstrip("."))


def _is_code(settings: dict[str, Any], key: str) -> bool:
    """Whether a path is that of a folder of source code."""
    parts = key.split(".")
    return parts[:2] == ["collect", "sources"] and settings["collect"]["sources"][int(parts[2])]["kind"] == "folder"


def check_file(path: str | Path, option: str, hint: str = "") -> Path:
    """The file that an option names.

    Args:
        path: as given; `~` is the home folder.
        option: for the error line, such as "--config".
        hint: what to do where there is nothing.

    Raises:
        FileNotFoundError: there is nothing.
        IsADirectoryError: it is a folder; its files of the kind that is there most are named.
        OSError: it is no file.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise IsADirectoryError(f"{option} {path} is a folder, where a file is wanted{_files_in(file)}")
    if not file.exists():
        where = "" if file.is_absolute() else f" in {Path.cwd()}"
        hint = _meant(file) or hint
        raise FileNotFoundError(f"{option} {path}: there is no such file{where}{f'; {hint}' if hint else ''}")
    return file


def _meant(file: Path) -> str:
    """The file beside it, or in a folder of nearly the same name, whose name is nearly the same."""
    beside = [each for each in (Path(), file.parent, Path("configs")) if each.is_dir()]
    there = {str(each): each for folder in beside for each in folder.glob(f"*.{file.suffix.lstrip('.')[:1]}*")}
    names = difflib.get_close_matches(file.name, {each.name for each in there.values()}, 1, cutoff=0.8)
    found = [path for path, each in there.items() if names and each.name == names[0]]
    return f"did you mean {found[0]}?" if found else ""


def _files_in(folder: Path) -> str:
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    except OSError:
        return ""
    recipes = [name for name in names if name.endswith((".yaml", ".yml"))]
    shown = (recipes or names)[:3]
    return (
        f"; it holds {', '.join(str(folder / name) for name in shown)}{' …' if len(names) > 3 else ''}" if shown else ""
    )
