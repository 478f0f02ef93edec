"""Independent parsers that say which functions of a file are documented, to compare `collect` with.

Python's ast, go/parser, javac, Ripper, TypeScript's compiler and php-parser attach the documentation themselves. For C,
C++, C# and Rust universal-ctags finds the functions, and the documentation is what a plain upward scan of lines finds.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ORACLES = Path(__file__).with_name("oracles")
SUFFIXES = {
    "python": (".py",), "javascript": (".js", ".cjs", ".mjs"), "typescript": (".ts", ".tsx"), "java": (".java",),
    "go": (".go",), "php": (".php",), "ruby": (".rb",), "c": (".c", ".h"), "cpp": (".h", ".hpp", ".cc", ".cpp"),
    "csharp": (".cs",), "rust": (".rs",),
}  # fmt: skip
_CTAGS = {"c": ("C", "f"), "cpp": ("C++", "f"), "csharp": ("C#", "m"), "rust": ("Rust", "fP")}


@dataclass(frozen=True)
class Found:
    """A documented function."""

    file: str
    name: str
    """Without its class's."""
    doc: str
    """With or without comment marks."""


@dataclass(frozen=True)
class Tools:
    """Folders of the parsers that come as packages."""

    typescript: Path | None
    php_parser: Path | None


def missing_for(language: str, tools: Tools) -> str:
    """What this machine lacks to run a language's parser; empty where nothing."""
    program = {"go": "go", "java": "javac", "ruby": "ruby", "php": "php", "javascript": "node", "typescript": "node"}
    needed = "ctags" if language in _CTAGS else program.get(language, "python")
    if language != "python" and shutil.which(needed) is None:
        return needed
    if needed == "node" and tools.typescript is None:
        return "npm package typescript"
    return "php-parser" if language == "php" and tools.php_parser is None else ""


def documented(language: str, files: list[str], tools: Tools) -> list[Found]:
    """Documented functions of files, the outermost ones.

    Raises:
        subprocess.CalledProcessError: the parser failed.
    """
    programs: dict[str, list[str]] = {
        "go": ["go", "run", str(ORACLES / "documented.go")],
        "java": ["java", str(ORACLES / "Documented.java")],
        "ruby": ["ruby", str(ORACLES / "documented.rb")],
        "php": ["php", str(ORACLES / "documented.php"), str(tools.php_parser)],
    }
    if language in {"javascript", "typescript"}:
        programs[language] = ["node", str(ORACLES / "documented.js"), str(tools.typescript)]
    if language in programs:
        done = subprocess.run(programs[language], input="\n".join(files), capture_output=True, text=True, check=True)
        return [Found(**json.loads(line)) for line in done.stdout.splitlines()]
    read: Callable[[str], Iterator[Found]] = _by_ast if language == "python" else partial(_by_ctags, language)
    return [found for file in files for found in read(file)]


def _by_ast(file: str) -> Iterator[Found]:
    try:
        pending: list[ast.AST] = [ast.parse(Path(file).read_bytes())]
    except SyntaxError:
        return
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (doc := ast.get_docstring(node)):
            yield Found(file, node.name, doc)
        else:
            pending.extend(ast.iter_child_nodes(node))


def _by_ctags(language: str, file: str) -> Iterator[Found]:
    """Functions that ctags finds, outside documented ones, with the documentation above their first line."""
    name, kinds = _CTAGS[language]
    options = ["--output-format=json", "--fields=+ne", f"--language-force={name}", f"--kinds-{name}={kinds}"]
    done = subprocess.run(["ctags", *options, "-o", "-", file], capture_output=True, text=True, check=True)
    tags = [json.loads(line) for line in done.stdout.splitlines()]
    lines, covered = Path(file).read_text("utf-8", "replace").splitlines(), 0
    for tag in sorted((tag for tag in tags if tag.get("_type") == "tag"), key=lambda tag: tag["line"]):
        if tag["line"] <= covered or "{" not in "".join(lines[tag["line"] - 1 : tag.get("end", tag["line"])]):
            continue
        doc = _doc_above(lines, tag["line"] - 1, language)
        if doc:
            covered = tag.get("end", tag["line"])
            yield Found(file, tag["name"].split("::")[-1], doc)


_BETWEEN = re.compile(r"\s*$|\s*//|\s*#|\s*\[|\s*template\b|\s*[\w:<>,\s*&]+$|\s*[A-Z_]+\(.*\)\s*$")


def _doc_above(lines: list[str], at: int, language: str) -> str:
    """The nearest documentation above a line, past what may stand between."""
    at -= 1
    mark = r"\s*(///(?!/)|//!(?!<))" if language in {"c", "cpp"} else r"\s*///(?!/)"
    while at >= 0:
        line = lines[at]
        if re.match(mark, line) and not re.match(r"\s*//[/!]<", line):
            first = at
            while first > 0 and re.match(mark, lines[first - 1]):
                first -= 1
            return "\n".join(lines[first : at + 1])
        if line.rstrip().endswith("*/"):
            first = at
            while first > 0 and "/*" not in lines[first]:
                first -= 1
            if re.match(r"\s*/\*\*(?![*/<])|\s*/\*!(?!<)", lines[first]) and not (
                language == "rust" and "/*!" in lines[first]
            ):
                return "\n".join(lines[first : at + 1])
            if not re.match(r"\s*/\*", lines[first]):
                return ""
            at = first - 1
            continue
        if not _BETWEEN.match(line):
            return ""
        at -= 1
    return ""
