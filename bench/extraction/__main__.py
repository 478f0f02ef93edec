"""Extraction against independent parsers: recall and exactness by language, on well-known packages.

`python -m bench.extraction [--languages L …] [--folder DIR] [--show N]` prints one JSON object. Packages come pinned
from npm and PyPI, and in the release's version from Debian, into DIR (a temporary folder otherwise); what cannot be
fetched and which parsers are missing is said. Needs node, javac, ruby, php, go and universal-ctags for all languages.

Recall is the share of the functions that the other parser calls documented which `collect` extracts. Exactness is the
share of those whose documentation is the same: at least four fifths of the words, marks and markup aside. `extra` are
functions that only `collect` calls documented. Functions are told by file and name. For C, C++, C# and Rust the
reference is itself a rough scan (`parsers.py`), so that differences there need a look (`--show`).
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from bench.extraction.parsers import SUFFIXES, Found, Tools, documented, missing_for
from bench.machine import describe_machine
from codeocean.collect.folders import folder_rows, folder_units
from codeocean.collect.functions import NOT_EXTRACTED
from codeocean.collect.settings import FolderSource

log = logging.getLogger("wavecoder.bench")

PACKAGES: dict[str, tuple[str, ...]] = {
    "python": ("pypi:requests==2.31.0", "pypi:flask==3.0.0"),
    "javascript": ("npm:express@4.18.2", "npm:koa@2.15.0", "npm:commander@11.0.0"),
    "typescript": ("npm:rxjs@7.8.1", "npm:@reduxjs/toolkit@2.2.3"),
    "java": ("npm:cordova-android@12.0.1",),
    "go": ("apt:golang-github-spf13-cobra-dev",),
    "php": ("apt:php-twig", "apt:php-monolog"),
    "ruby": ("apt:ruby-thor", "apt:ruby-rack"),
    "c": ("npm:usb@2.11.0",),
    "cpp": ("apt:rapidjson-dev", "apt:libfmt-dev"),
    "csharp": ("npm:react-native-windows@0.72.0",),
    "rust": ("apt:librust-tokio-dev",),
}
TYPESCRIPT, PHP_PARSER = "npm:typescript@5.4.5", "apt:php-parser"
MAX_FILE_BYTES = 1_000_000


def fetch(package: str, folder: Path) -> Path | None:
    """A package's files below a folder; None, and a line in the log, where it cannot be had."""
    kind, _, name = package.partition(":")
    target = folder / re.sub(r"\W+", "-", package)
    if target.is_dir():
        return target
    commands = {
        "npm": ["npm", "pack", name, "--silent"],
        "pypi": [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--only-binary", ":all:", name],
        "apt": ["apt-get", "download", name],
    }
    with tempfile.TemporaryDirectory(dir=folder) as making:
        try:
            subprocess.run(commands[kind], cwd=making, check=True, capture_output=True)
            (archive,) = Path(making).iterdir()
            out = Path(making) / "out"
            _unpack(archive, out)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            log.warning("%s cannot be fetched: %s", package, error)
            return None
        shutil.move(out, target)
    return target


def _unpack(archive: Path, out: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg", "-x", str(archive), str(out)], check=True, capture_output=True)
    elif archive.suffix == ".whl":
        shutil.unpack_archive(archive, out, "zip")
    else:
        shutil.unpack_archive(archive, out, filter="data")


def extracted(language: str, folder: Path) -> tuple[list[Found], Counter[str], list[str]]:
    """What `collect` makes of a folder: functions, reasons of the others, and the files that it read."""
    settings = {"kind": "folder", "path": str(folder), "languages": (language,), "max_file_bytes": MAX_FILE_BYTES}
    source = FolderSource.model_validate(settings)
    found, lost, closed = list[Found](), Counter[str](), set[str]()
    for unit in folder_units(source):
        for row in folder_rows(unit):
            path = str(folder / row["path"])
            if not row["reason"]:
                found.append(Found(path, row["name"].rpartition(".")[2], row["docstring"]))
            else:
                lost[row["reason"]] += 1
                closed |= set() if row["reason"] in NOT_EXTRACTED else {path}
    files = sorted(str(path) for path in folder.rglob("*") if path.suffix in SUFFIXES[language] and path.is_file()
                   and not path.is_symlink() and "node_modules" not in path.parts)  # fmt: skip
    return found, lost, [file for file in files if file not in closed]


_MARKUP = re.compile(r"<[^<>\n]{0,200}>|&\w+;|@\w+|\{@\w+|\\\w+")


def words(doc: str) -> Counter[str]:
    """The words of a documentation, without markup."""
    return Counter(re.findall(r"[a-z0-9]+", _MARKUP.sub(" ", doc).lower()))


def same(mine: str, theirs: str) -> bool:
    """Whether two documentations share four fifths of their words."""
    a, b = words(mine), words(theirs)
    return (a & b).total() >= 0.8 * (a | b).total()


def compare(mine: list[Found], theirs: list[Found]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Recall, exactness, and examples of what differs."""
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    for found in mine:
        by_name[found.file, _plain(found.name)].append(found.doc)
    lost, other, rest = list[str](), list[str](), list[Found]()
    for found in theirs:
        docs = by_name[found.file, _plain(found.name)]
        match = next((doc for doc in docs if same(doc, found.doc)), None)
        if match is None:
            rest.append(found)
        else:
            docs.remove(match)
    for found in rest:
        docs = by_name[found.file, _plain(found.name)]
        if docs:
            other.append(f"{found.file} {found.name}: {docs.pop(0)[:80]!r} for {found.doc[:80]!r}")
        else:
            lost.append(f"{found.file} {found.name}")
    exact = len(theirs) - len(rest)
    extra = [f"{file} {name}" for (file, name), docs in by_name.items() for _ in docs]
    matched = exact + len(other)
    result = {
        "functions": len(theirs), "recall": round(100 * matched / max(len(theirs), 1), 1),
        "exactness": round(100 * exact / max(matched, 1), 1), "extra": len(extra),
    }  # fmt: skip
    return result, {"lost": lost, "other documentation": other, "extra": extra}


def _plain(name: str) -> str:
    """A name as any of the parsers writes it: without its class's, `operator +` without a space."""
    return name.rpartition(".")[2].replace(" ", "")


def measure(language: str, folder: Path, tools: Tools, show: int) -> dict[str, Any]:
    """One language, all its packages."""
    if missing := missing_for(language, tools):
        return {"missing": missing}
    mine, theirs, lost = list[Found](), list[Found](), Counter[str]()
    for package in PACKAGES[language]:
        place = fetch(package, folder)
        if place is None:
            return {"missing": package}
        found, reasons, files = extracted(language, place)
        if language in {"c", "cpp"}:  # headers of the other language have no rows
            read = {one.file for one in found}
            files = [file for file in files if not file.endswith(".h") or file in read]
        mine, lost = mine + found, lost + reasons
        theirs += documented(language, files, tools)
    result, examples = compare(mine, theirs)
    for kind, cases in examples.items():
        for case in cases[:show]:
            log.warning("%s, %s: %s", language, kind, case)
    return result | {"reasons": dict(lost)}


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", nargs="+", choices=PACKAGES, default=list(PACKAGES))
    parser.add_argument("--folder", type=Path, help="where packages are kept, for the next time")
    parser.add_argument("--show", type=int, default=0, help="differences of each kind to log")
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        scripts = {"javascript", "typescript"} & set(options.languages)
        typescript = fetch(TYPESCRIPT, folder) if scripts and shutil.which("npm") else None
        php = fetch(PHP_PARSER, folder) if "php" in options.languages and shutil.which("apt-get") else None
        autoload = next(php.rglob("autoload.php"), None) if php else None
        tools = Tools(typescript / "package" if typescript else None, autoload)
        languages = {name: measure(name, folder, tools, options.show) for name in options.languages}
    print(json.dumps({"bench": "extraction", "machine": describe_machine(), "languages": languages}))


if __name__ == "__main__":
    main()
