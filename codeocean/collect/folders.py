"""A folder of source code → documented functions, and one row with a reason for each file that is no source.

Nothing is followed out of the folder, nothing is read twice through links, and no file is read that is larger than the
source's limit. Not covered: a file that changes between the listing and the reading.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import stat
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from codeocean.collect.functions import Documented, may_document, survey
from codeocean.collect.generated import is_generated
from codeocean.collect.recognition import possible_languages, recognize
from codeocean.collect.secrets import has_secret
from codeocean.collect.settings import READ_SCHEMA, FolderSource, Unit
from codeocean.context.contexts import contexts_of
from codeocean.context.own_headers import header_finder
from codeocean.context.reasons import Context
from codeocean.grammars import SHARED_SUFFIXES, language_of, suffix_of
from codeocean.notebooks import NO_NOTEBOOK, SUFFIX, read_notebook
from codeocean.records import row_id
from core.languages import LANGUAGES

FILES_PER_UNIT = 64
SKIPPED_FOLDERS = frozenset({".git", "node_modules", "__pycache__", ".venv", ".ipynb_checkpoints"})
STDLIB_SKIPPED = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3"})
HEAD_CHARS = 1000
"""Where a generator puts its mark."""
MINIFIED_LINE = 300
"""Mean length of a line, in bytes, above which nobody wrote it by hand."""
OTHER = "is not looked for in its language"
HIDDEN = "needs a secret"
NOTEBOOK_TIMES = 50
"""A notebook may be so many times as large as other files: it holds pictures."""
"""Reasons why a function has no context."""

_GENERATED_NAME = re.compile(
    r"\.pb\.(go|cc|h)$|_pb2(_grpc)?\.py$|\.(g|g\.i|designer)\.cs$|\.d\.[cm]?ts$", re.IGNORECASE
)


def folder_units(source: FolderSource) -> list[Unit]:
    """Bundles of files, in the order of their paths.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no file of the languages asked for.
    """
    stdlib = source.path == "stdlib"
    root = Path(sysconfig.get_path("stdlib") if stdlib else source.path).expanduser().absolute()
    if root.is_file():
        raise ValueError(
            f"collect.sources: {source.path!r} is a file; name a folder of source files, an archive unpacked, or say "
            "kind codesearchnet or jsonl for a file of pairs"
        )
    if not root.is_dir():
        raise FileNotFoundError(f"collect.sources: the folder {source.path!r} does not exist")
    if stdlib:
        source = source.model_copy(update={"license": "PSF-2.0", "repository": "python/cpython"})
    asked = set(source.languages)
    shared = (suffix.lower() for suffix, names in SHARED_SUFFIXES.items() if not asked.isdisjoint(names))
    suffixes = (*(suffix for language in source.languages for suffix in LANGUAGES[language].suffixes), *shared)
    suffixes += (SUFFIX,) if "python" in asked else ()
    files = sorted(_listed(root, suffixes, SKIPPED_FOLDERS | (STDLIB_SKIPPED if stdlib else frozenset())))
    if not any(file.lower().endswith(suffixes) for file in files):
        raise ValueError(f"collect.sources: {source.path!r} holds no file of {', '.join(source.languages)}")
    bundles = [tuple(files[start : start + FILES_PER_UNIT]) for start in range(0, len(files), FILES_PER_UNIT)]
    beside = _headers_fingerprint(root, files) if source.context else ""
    return [Unit(source, bundle, str(root), None, fingerprint(root, bundle) + beside) for bundle in bundles]


def _headers_fingerprint(root: Path, files: list[str]) -> str:
    """Of C and C++: a function's context may hold text of any file beside its own; empty where there are none."""
    own = tuple(file for file in files if suffix_of(file) in SHARED_SUFFIXES or language_of(file) in {"c", "cpp"})
    return fingerprint(root, own) if own else ""


def _listed(root: Path, suffixes: tuple[str, ...], skipped: frozenset[str]) -> Iterator[str]:
    """Files by suffix, relative to the root, and the folders that are links or cannot be opened."""
    closed: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=closed.append):  # follows no link: they may run in circles
        folders[:] = [name for name in folders if name not in skipped]
        here = os.path.relpath(folder, root)
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*linked, *(name for name in names if name.lower().endswith(suffixes))):
            yield name if here == "." else f"{here}/{name}"
    yield from (os.path.relpath(error.filename, root) for error in closed)


def fingerprint(root: Path, files: tuple[str, ...]) -> str:
    """Changes when a file's name, size or time does."""
    text = "\n".join(f"{file} {(info := (root / file).lstat()).st_size} {info.st_mtime_ns}" for file in files)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def folder_rows(unit: Unit) -> Iterator[dict[str, str]]:
    """Rows of READ_SCHEMA: the documented functions of each file, or the reason why there are none."""
    source = unit.source
    assert isinstance(source, FolderSource)
    base = dict.fromkeys(READ_SCHEMA.names, "") | {"license": source.license, "repository": source.repository}
    base["source"], asked = f"folder:{source.path}", set(source.languages)
    find = header_finder(lambda path: _header(Path(unit.root), path, source.max_file_bytes), Path(unit.root).name)
    for file in unit.files:
        path = os.fsencode(file).decode("utf-8", "replace")  # a name is bytes, which need not be Unicode
        row = base | {"path": path, "language": "python" if _is_notebook(file) else language_of(file) or ""}
        if source.path == "stdlib":
            row["url"] = f"https://github.com/python/cpython/blob/v{platform.python_version()}/Lib/{path}"
        found = _read_source(Path(unit.root), file, source.max_file_bytes)
        if isinstance(found, str):
            yield row | {"reason": found}
            continue
        content, told = found
        possible = possible_languages(file, content)
        if possible and asked.issuperset(possible) and not any(may_document(content, one) for one in possible):
            continue  # nothing to take out, whichever it is
        language = told or recognize(file, content)
        if language not in source.languages:
            yield row | {"language": language or "", "reason": _other_language(language)}
            continue
        row["language"] = language
        context = contexts_of(content, language, file, find) if source.context else None
        for function in survey(content, language):
            if function.lost:
                yield row | {"name": function.name, "reason": function.lost}
                continue
            texts = {"code": function.code, "docstring": function.docstring, "name": function.name}
            yield row | texts | {"id": row_id(function.code)} | (_context(context, function) if source.context else {})


def _header(root: Path, file: str, max_bytes: int) -> bytes | None:
    """A header of the folder, unless it is one of the files that are not read; no link is followed to it."""
    folders = [root.joinpath(*file.split("/")[:depth]) for depth in range(1, file.count("/") + 1)]
    if "\0" in file or not (root / file).is_file() or any(folder.is_symlink() for folder in folders):
        return None
    found = _read_source(root, file, max_bytes)
    return None if isinstance(found, str) else found[0]


def _context(context: Callable[[Documented], Context] | None, function: Documented) -> dict[str, str]:
    """What a function needs of its file; the reader is None where its language has none."""
    found = Context(missing=OTHER) if context is None else context(function)
    if has_secret(found.text):
        found = Context(missing=HIDDEN)
    return {"context": found.text, "context_missing": found.missing}


def _other_language(language: str | None) -> str:
    return "language not asked for" if language in LANGUAGES else "another language"


def _is_notebook(file: str) -> bool:
    return file.lower().endswith(SUFFIX)


def _read_source(root: Path, file: str, max_bytes: int) -> tuple[bytes, str] | str:
    """A file's UTF-8 with lines that end in a line feed, or the reason why there is none.

    Beside it the language, where that is not told by name and text: of a notebook, whose cells are the file.
    """
    path = root / file
    try:
        if path.is_symlink():
            return _about_link(path, root)
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            return "unreadable folder" if stat.S_ISDIR(info.st_mode) else "not a regular file"
        if info.st_size > max_bytes * (NOTEBOOK_TIMES if _is_notebook(file) else 1):
            return "file too large"
        content = path.read_bytes()
        if b"\0" in content:
            return "binary file"
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return "not UTF-8"
    except OSError:
        return "unreadable file"
    language = ""
    if _is_notebook(file):
        if (notebook := read_notebook(text)) is None:
            return NO_NOTEBOOK
        text, language = notebook.source, notebook.language
        if len(text) > max_bytes:
            return "file too large"
    return _machine_made(file, text) or (text.encode("utf-8", "replace"), language)


def _about_link(path: Path, root: Path) -> str:
    target = os.path.realpath(path)  # stops in a loop, where Path.resolve raises
    if not Path(target).is_relative_to(os.path.realpath(root)):
        return "link leaves the folder"
    return "link inside the folder" if Path(target).exists() else "broken link"


def _machine_made(file: str, text: str) -> str:
    """The reason why a file is not one that a person wrote, or nothing."""
    lines = text.count("\n") + 1
    if ".min." in file.rpartition("/")[2] or len(text) > MINIFIED_LINE * max(lines, 10):
        return "minified file"
    if _GENERATED_NAME.search(file) or is_generated(text[:HEAD_CHARS]):
        return "generated file"
    return ""
