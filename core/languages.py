"""Programming languages by their names: one row for each, so that another one is added in one place.

What tree-sitter calls things in a language is in `codeocean/grammars.py`, how its programs run in
`eval/sandbox/toolchains.py`; both take the name from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args


@dataclass(frozen=True)
class Language:
    """How a language and its files are called."""

    title: str
    """Its name in a sentence."""
    suffixes: tuple[str, ...]
    """Of its source files; `.h` and the like, which several languages share, are decided by content."""
    aliases: frozenset[str] = frozenset()
    """Other names that people and models write, in a benchmark's name or behind a fence."""
    fences: frozenset[str] = frozenset()
    """What else a model writes behind a fence of this language's code."""
    pack: str = ""
    """Its name in HumanEvalPack's files, where it is another."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LanguageName = Literal[
    "python", "javascript", "java", "go", "php", "ruby", "c", "cpp", "csharp", "typescript", "rust"
]  # fmt: skip
"""The languages that raw code is collected in; the first six are CodeSearchNet's."""

LANGUAGES: dict[str, Language] = {
    "python": Language("Python", (".py",), _words("py"), _words("python3 python2 ipython pycon")),
    "javascript": Language("JavaScript", (".js", ".mjs", ".cjs", ".jsx"), _words("js"),
                           _words("node mjs jsx typescript ts"), pack="js"),
    "java": Language("Java", (".java",)),
    "go": Language("Go", (".go",), _words("golang")),
    "php": Language("PHP", (".php",)),
    "ruby": Language("Ruby", (".rb",), _words("rb")),
    "c": Language("C", (".c",)),
    "cpp": Language("C++", (".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".tcc",
                            ".inl"), _words("c++"), _words("cc cxx c hpp")),
    "csharp": Language("C#", (".cs",), _words("c# cs")),
    "typescript": Language("TypeScript", (".ts", ".tsx", ".mts", ".cts"), _words("ts")),
    "rust": Language("Rust", (".rs",), _words("rs")),
}  # fmt: skip

LANGUAGE_NAMES: tuple[LanguageName, ...] = get_args(LanguageName)
CODESEARCHNET: tuple[LanguageName, ...] = LANGUAGE_NAMES[:6]
EVALUATED: tuple[LanguageName, ...] = ("python", "javascript", "java", "go", "cpp", "rust")
"""HumanEvalPack's."""
EXECUTED: tuple[LanguageName, ...] = (*EVALUATED, "typescript")
"""Those whose programs the sandbox runs."""


def canonical(name: str) -> str:
    """The name used here for a name that people write; unknown ones stay as they are."""
    return next((language for language, row in LANGUAGES.items() if name in row.aliases), name)


def name_in_files(language: str) -> str:
    """What HumanEvalPack's files and folders call a language; empty and unknown names stay as they are."""
    row = LANGUAGES.get(language)
    return row.pack or language if row else language


def fence_tags(language: str) -> frozenset[str]:
    """What a model may write behind a fence of the language's code, in lower case."""
    row = LANGUAGES[language]
    return row.aliases | row.fences | {language}
