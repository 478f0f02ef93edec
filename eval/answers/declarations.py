"""Where a function is declared in known code, such as a benchmark's own, by regular expressions. Answers are parsed."""

from __future__ import annotations

import re

from eval.answers.braces import without_comments

_DEFINITIONS = {
    "python": r"^[ \t]*(?:async[ \t]+)?def[ \t]+{name}\b",
    "javascript": r"\bfunction[ \t]*\*?[ \t]*{name}[ \t]*\("
    r"|^[ \t]*(?:export[ \t]+)?(?:const|let|var)[ \t]+{name}[ \t]*=",
    "java": r"^[ \t]*[\w<>\[\], .?]+[ \t]{name}[ \t]*\([^;{{}}]*\)[^;{{}}()]*\{{",
    "go": r"^func[ \t]+{name}[ \t]*[(\[]",
    "cpp": r"^[ \t]*[\w:<>,&* \t]+[ \t&*]{name}[ \t]*\([^;{{}}]*\)[^;{{}}()]*\{{",
    "rust": r"\bfn[ \t]+{name}[ \t]*[<(]",
}
"""How a function of a name is defined in a language; `{name}` is the name's own expression."""


def defines(code: str, name: str, language: str = "python") -> bool:
    """Whether code defines a function of this name."""
    return definition_start(code, name, language) is not None


def definition_start(code: str, name: str, language: str) -> int | None:
    """Where the definition of a function begins; None when it is not defined."""
    pattern = _DEFINITIONS[language].format(name=re.escape(name))
    match = re.search(pattern, _seen(code, language), re.MULTILINE)
    return match.start() if match else None


def defined_names(code: str, language: str) -> list[str]:
    """Names of the functions that code defines, in order."""
    pattern = _DEFINITIONS[language].format(name=r"(?P<name>[A-Za-z_$][\w$]*)")
    if language == "javascript":  # two alternatives, so two names
        pattern = r"(?:\bfunction[ \t]*\*?|\b(?:const|let|var))[ \t]+(?P<name>[A-Za-z_$][\w$]*)[ \t]*[=(]"
    names = [match.group("name") for match in re.finditer(pattern, _seen(code, language), re.MULTILINE)]
    return [name for name in names if name not in {"if", "for", "while", "switch", "catch", "else"}]


def _seen(code: str, language: str) -> str:
    """Code in which examples in comments are no definitions."""
    return code if language == "python" else without_comments(code, language)
