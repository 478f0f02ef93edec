"""A source whose structure expressions over its text can tell: no comments, and nothing in a literal but its value.

What is read so is written into the tests' program in part. A raw text or a letter that is a quotation mark would hide
code from whoever looks only for `"`. So each literal becomes one of the same value, in which brackets, quotation marks
and the like are escapes.
"""

from __future__ import annotations

import re

_COMMENT = r"/\*.*?\*/|//[^\n]*"
_LETTER = r"(?P<letter>'(?:\\(?:u\{[0-9a-fA-F_]{1,8}\}|[^\n][0-9a-fA-F]{0,8})|[^'\\\n])')"
_RAW = {
    "go": r"(?P<raw>`(?P<value>[^`]*)`)",
    "rust": r"(?P<raw>\bb?r(?P<mark>#*)\"(?P<value>.*?)\"(?P=mark))",
    "cpp": r"(?P<raw>\bR\"(?P<mark>[^()\\\s\"]{0,16})\((?P<value>.*?)\)(?P=mark)\")",
    "java": r'(?P<raw>"""(?P<value>(?:\\.|[^\\])*?)""")',
}
_PATTERNS = {
    language: re.compile(rf'{_COMMENT}|{raw}|(?P<text>"(?:\\.|{other})*")|{_LETTER}', re.DOTALL)
    for language, raw in _RAW.items()
    for other in [r'[^"\\]' if language == "rust" else r'[^"\\\n]']
}
_ESCAPED = re.compile(r"\\(u\{[0-9a-fA-F_]{1,8}\}|\n\s*|.)|([\x00-\x1f\"#'()/;<=>\[\]`{}\x7f])", re.DOTALL)
"""A backslash with what follows it, or what has a meaning outside of literals."""


def without_comments(source: str, language: str) -> str:
    """The text of a program of cpp, go, java or rust, for those who look at its structure."""

    def put(match: re.Match[str]) -> str:
        if match["letter"]:
            return f"'{_inside(match['letter'][1:-1], language)}'"
        if match["text"]:
            return f'"{_inside(match["text"][1:-1], language)}"'
        if match["raw"]:
            value = match["value"] if language == "java" else match["value"].replace("\\", "\\\\")
            return f'{"b" if match["raw"].startswith("b") else ""}"{_inside(value, language)}"'
        return " "

    return _PATTERNS[language].sub(put, source)


def _inside(text: str, language: str) -> str:
    """What stands in a literal, as one that has no structure."""
    form = "\\{:03o}" if language in {"cpp", "java"} else "\\x{:02x}"

    def put(match: re.Match[str]) -> str:
        follows, plain = match.groups()
        if plain is not None or follows in {'"', "'"}:
            return form.format(ord(plain or follows))
        if follows[0] == "\n":  # the text goes on in the next line
            return ""
        if follows[0] == "u" and follows[1:2] == "{":
            return _inside(chr(int(follows[2:-1].replace("_", ""), 16) % 0x110000).replace("\\", "\\\\"), language)
        return match[0]

    return _ESCAPED.sub(put, text)


def longest(source: str) -> int:
    """Letters that a source may have once the other names in it are replaced: names of names may double each time."""
    return 4 * len(source) + 4_000


def fits(text: str, name: str, kind: str, source: str) -> bool:
    """Whether a text may have a type in place of its name."""
    return len(text) + text.count(name) * len(kind) <= longest(source)
