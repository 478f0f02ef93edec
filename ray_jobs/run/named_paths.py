"""Paths on a command line → one line for those that lead to nothing, or to something else."""

from __future__ import annotations

from pathlib import Path


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
        raise FileNotFoundError(f"{option} {path}: there is no such file{f'; {hint}' if hint else ''}")
    return file


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
