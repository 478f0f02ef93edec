"""A file's language by its name and, where several languages share a suffix, by its text.

`.h`, `.H`, `.C`, `.inc` and `.inl` are read both ways where their words do not settle it: the language in which less
fails to parse is taken. A `.ts` may be a translation file, a `.rs` RenderScript, a `.h` Objective-C: none of ours.
"""

from __future__ import annotations

import re

from codeocean.collect.source_tree import head_end
from codeocean.grammars import ERRORS, SHARED_SUFFIXES, language_of, parse, query_of, suffix_of
from codeocean.macros import error_bytes

_NOT_CODE = re.compile(rb"//[^\n]*|/\*.*?(?:\*/|\Z)|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.){1,8}'", re.DOTALL)
_GUARDED = re.compile(
    rb"^[ \t]*#[ \t]*if(?:def[ \t]+|[^\n]*defined[ \t]*\(?[ \t]*)__cplusplus.*?(?:^[ \t]*#[ \t]*(?:endif|else)\b|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""What a header of C shows to C++ alone."""
_CPP = re.compile(
    rb"^[ \t]*(?:template[ \t]*<|(?:inline[ \t]+)?namespace\b|using[ \t]+[\w:]|class[ \t]+[A-Za-z_]\w*[^;()=*]*$"
    rb"|(?:public|private|protected)[ \t]*:(?!:)|#[ \t]*include[ \t]*<[a-z_]+>)"
    rb"|\bstd::|\w::~?\w|\boperator[ \t]*(?:[^\w\s;,)]|new\b|delete\b|bool\b)"
    rb"|\b(?:virtual|constexpr|nullptr|noexcept|decltype|typename|static_cast|reinterpret_cast|const_cast|dynamic_cast"
    rb"|mutable|explicit|static_assert|override|friend)\b",
    re.MULTILINE,
)
SURE = 4
"""Different words of C++ that settle it."""
_OBJECTIVE_C = re.compile(rb"^[ \t]*(?:@(?:interface|protocol|implementation|class|import|property)\b|#import\b)", re.M)
_OTHER = {
    ".ts": re.compile(rb"\s*<(?:\?xml|!DOCTYPE|TS\b)"),
    ".rs": re.compile(rb"#pragma[ \t]+(?:version|rs)\b|<\?xml"),
    ".inc": re.compile(rb"\s*(?:<[!a-zA-Z]|;|%)"),
}
"""What other files of the same suffix begin with, behind their comments."""


def possible_languages(path: str, text: bytes) -> tuple[str, ...]:
    """The languages of which a file of C or C++ is one; none where it takes `recognize` to say.

    Args:
        path: its name.
        text: its bytes, UTF-8.
    """
    languages = SHARED_SUFFIXES.get(suffix_of(path), ())
    return () if "php" in languages or _is_objective_c(path, text) else languages


def _is_objective_c(path: str, text: bytes) -> bool:
    return suffix_of(path) in {".h", ".H"} and _OBJECTIVE_C.search(text) is not None


def recognize(path: str, text: bytes) -> str | None:
    """The language of a file; None where it is none of ours.

    Args:
        path: its name.
        text: its bytes, UTF-8.
    """
    suffix = suffix_of(path)
    if suffix in _OTHER and _OTHER[suffix].match(text, head_end(text) if suffix == ".rs" else 0):
        return None
    languages = SHARED_SUFFIXES.get(suffix)
    if languages is None:
        return language_of(path)
    if "php" in languages:
        return "php" if re.match(rb"\s*(?:#![^\n]*\n)?\s*<\?(?:php\b|=|\s)", text) else _included(text)
    return None if _is_objective_c(path, text) else _c_or_cpp(text)


def _included(text: bytes) -> str | None:
    """`.inc` that is no PHP: C or C++ if it reads as such nearly to the end, else assembler, Pascal and the like."""
    language = _c_or_cpp(text)
    return language if _errors(text, language) <= len(text) // 50 else None


def _c_or_cpp(text: bytes) -> str:
    code = _GUARDED.sub(b" ", _NOT_CODE.sub(b" ", text))
    marks = len(set(_CPP.findall(code)))
    if marks >= SURE:
        return "cpp"
    likely, other = ("cpp", "c") if marks else ("c", "cpp")
    errors = _errors(text, likely)
    if errors == 0:
        return likely
    # What C++ alone can say weighs more than an error; without it, the errors in C must be many.
    return other if (1 if marks else 2) * _errors(text, other) < errors else likely


def _errors(text: bytes, language: str) -> int:
    return error_bytes(parse(text, language), query_of(language, ERRORS))
