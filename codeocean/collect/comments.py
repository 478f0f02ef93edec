"""Comments → the documentation that they hold, without the marks; and which comments document nothing.

A comment documents nothing when it is ordinary, speaks to a tool (`# rubocop:disable …`), heads its file (a licence, an
overview), or documents what stands before it (`/**< … */`) or something that has a name of its own (`@typedef`).
"""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterable
from functools import cache


def documentation_of(comments: list[str], style: str) -> str:
    """The documentation in comments; empty where they are ordinary ones or speak to a tool.

    Args:
        comments: the comments above a function, marks included, in the order of the text.
        style: what documents in this language: `Grammar.comments`.
    """
    if style == "lines":
        return _clean_lines(comments)
    mark = documentation_mark(style)
    texts = [_clean_comment(comment) for comment in comments if mark.match(comment)]
    text = _dedented(texts) if len(texts) != 1 else texts[0]
    if _is_directive(text) or _ABOUT_ANOTHER.search(text):
        return ""
    return _clean_xml(text) if style in {"doxygen", "xml"} else text


@cache
def documentation_mark(style: str) -> re.Pattern[str]:
    """What a documentation comment begins with, except where lines document."""
    return re.compile(_MARKS[style], re.ASCII)


_BLOCK = r"/\*\*(?![*/<])"
_MARKS = {
    "block": _BLOCK,
    "doxygen": rf"{_BLOCK}|/\*!(?![*/<])|//[/!](?![/!<])|///<(?=/?[a-z]+[ />])",
    "xml": rf"{_BLOCK}|///(?!/)",
    "rustdoc": r"/\*\*(?![*/])|///(?!/)",
}
"""`/**<` and `///<` document what stands before them; `////` is a rule; `///<summary>` is XML."""


def _dedented(lines: Iterable[str]) -> str:
    return inspect.cleandoc("\n".join(lines)).strip()


def _clean_comment(comment: str) -> str:
    """The text of one block, or of lines of `///`."""
    if comment.startswith("//"):
        return _dedented(re.sub(r"^\s*//[/!] ?", "", line).rstrip() for line in comment.splitlines())
    lines = comment.removesuffix("*/").rstrip("* \t\n")[3:].splitlines()
    return _dedented(re.sub(r"^\s*\* ?", "", line).rstrip() for line in lines)


_GO_DIRECTIVE = re.compile(r"//(line |extern |export | ?nolint\b| ?#nosec\b|[a-z0-9]+:[a-z0-9])")
"""As go/ast's CommentGroup.Text leaves out; golangci-lint's `//nolint` and gosec's `// #nosec` have no colon."""


def _clean_lines(comments: list[str]) -> str:
    """The text of the comment lines above a Go or Ruby function, without what is said to tools."""
    text = "\n".join(comment for comment in comments if not _GO_DIRECTIVE.match(comment))
    text = re.sub(r"^(=begin|/\*)|(=end|\*/)$", "", text, flags=re.MULTILINE)
    lines: list[str] = []
    hidden = False
    for line in text.splitlines():
        if re.fullmatch(r"\s*#(--|\+\+)\s*", line):  # RDoc: not for the reader
            hidden = line.strip() == "#--"
        elif not hidden and not (line.lstrip().startswith("#") and _DIRECTIVE.match(line.lstrip("# \t"))):
            lines.append(re.sub(r"^\s*(//+|#+(?!!)) ?", "", line).rstrip())
    return _dedented(line for line in lines if not line.startswith("#!"))


_TOOLS = (
    r"(?:eslint|jshint|jslint|jscs|tslint|oxlint|biome|deno-lint|prettier|stylelint|clang-format|clang-tidy)"
    r"(?:-(?:disable|enable|ignore|env)[\w-]*| (?:on|off|ignore)\b)"
)
_DIRECTIVE = re.compile(
    r"(?:[a-z][\w.-]{1,29}:(?:disable|enable|todo|ignore|suppress|off|on|skip|nocov)\b|rubocop ?: ?\w"
    r"|" + _TOOLS + r"|(?:istanbul|c8|v8|node:coverage) (?:ignore|disable|enable)\b"
    r"|(?:jshint|jslint|jscs|pylint|flake8|steep|reek|codespell|[cs]pell|spell-?checker|checkstyle|pmd|cppcheck)"
    r"[:-] ?\S|:(?:reek|nocov|nodoc|doc|stopdoc|startdoc|enddoc|section|category|main|title|include|notnew):"
    r"|@?ts-(?:ignore|expect-error|nocheck|check)\b|@?noinspection\b|nolint\w*\b|nosonar\b|noqa\b|nosec\b"
    r"|@(?:phpstan|psalm|phan)-(?:ignore|suppress)|@codeCoverageIgnore|@formatter:|@lint-ignore"
    r"|[#@]__[A-Z_]{3,20}__|[lg]cov[ _]excl|coverity\[|iwyu pragma|pragma:? no ?cover|resharper (?:disable|restore)"
    r"|(?:fmt|yapf|isort|black|formatter): ?(?:on|off|skip)\b|type: ignore|shellcheck (?:disable|source)"
    r"|#(?:end)?region\b|</?editor-fold|vim?:|-\*-.*-\*-"
    r"|(?:frozen_string_literal|encoding|coding|typed|warn_indent|shareable_constant_value|warn_past_scope):[ ]?\S+\s*$"
    r"|@rbs\b|: ?(?:\(.*\) ?)?->)",
    re.IGNORECASE,
)
"""Linters, formatters, coverage, type checkers, editors, RDoc, and the first lines of a Ruby file."""


def _is_directive(text: str) -> bool:
    """Whether each line of a text speaks to a tool."""
    return all(_DIRECTIVE.match(line.strip()) for line in text.splitlines() if line.strip())


_ABOUT_ANOTHER = re.compile(
    r"^\s*[@\\](?:typedef|callback|event|file|fileoverview|overview|packageDocumentation|defgroup|addtogroup|mainpage)\b"
    r"|^\s*[@\\][{}]\s*$"
    r"|\A\s*[@\\](?:namespace|external|var|def|weakgroup|page|dir|enum|union|struct|concept|interface|property)\b",
    re.MULTILINE | re.IGNORECASE,
)
"""Commands of JSDoc, PHPDoc and doxygen that say what else is documented."""

_LICENCE = re.compile(
    r"copyright\b|\(c\) ?\d{4}|©|all rights reserved|licen[cs]ed (?:under|to)|spdx-license-identifier|@licen[cs]e\b"
    r"|permission is hereby granted|this program is free software|this file is part of|redistribution and use in source"
    r"|public domain\b|@preserve\b|(?:mit|bsd|apache|mozilla public|general public|gpl) licen[cs]e",
    re.IGNORECASE,
)
_OVERVIEW = re.compile(
    r"\s*(?:this (?:source |header |class |code |include |test )?(?:file|module|script|header|unit|package|library)\b"
    r"|(?:file(?:name)?|module|project|library|(?:plugin|theme|template) name) ?:"
    r"|@(?:module|package|author|version|since|flow|jest-environment)\b"
    r"|[\w./-]{1,60}\.(?:jsx?|[cm]js|tsx?|java|php|inc|rb|[ch]|cc|cpp|cxx|hh|hpp|cs|rs|py|go)\b(?!\())",
    re.IGNORECASE,
)
_LOOSE_OVERVIEW = re.compile(
    r"\s*(?:(?:\w+ ){0,3}(?:utilities|utility functions|helpers|helper functions|functions|routines|macros|types)"
    r" (?:for|to|that|of|used|related|which|shared)\b"
    r"|(?:an? |the )?(?:collection|set|bunch|group) of\b|(?:unit )?tests? (?:for|of)\b|module\b|polyfills?\b"
    r"|(?:common|shared|general|miscellaneous|misc|various)\b|\w+ (?:module|library|package)\b"
    r"|implementation of (?:the|an?)\b|module dependencies)",
    re.IGNORECASE,
)
_OF_A_FUNCTION = re.compile(r"[@\\](?:param|returns?|throws|exception|tparam|type)\b", re.IGNORECASE)


def is_file_header(text: str, *, apart: bool) -> bool:
    """Whether the documentation at a file's head is the file's own.

    Args:
        text: the first documentation of a file, without marks.
        apart: whether an empty line follows it.
    """
    if _OF_A_FUNCTION.search(text):
        return False
    return is_surely_a_header(text) or (apart and (_LOOSE_OVERVIEW.match(text) is not None or "@package" in text))


def is_surely_a_header(text: str) -> bool:
    """Whether it names the file or its licence; "Common prefix of …" may be either's."""
    return _LICENCE.search(text) is not None or _OVERVIEW.match(text) is not None or "@package" in text


_XML_REFERENCE = re.compile(r"<(?:see|seealso|paramref|typeparamref)\s[^<>]{0,20}=\"([^\"<>]{0,300})\"\s*/>")
_XML_NAMED = re.compile(r"<(param|typeparam|exception)\s[^<>]{0,20}=\"([^\"<>]{0,300})\"\s*/?>")
_XML_TAG = re.compile(r"</?(?:summary|remarks|returns|value|example|code|c|para|list|item|term|description|listheader"
                      r"|inheritdoc|param|typeparam|exception|see|seealso|include)\b[^<>]{0,300}>")  # fmt: skip


def _clean_xml(text: str) -> str:
    """C#'s XML documentation as plain text: `<param name="x">` becomes `@param x`; other text stays as it is."""
    if "</" not in text and "/>" not in text:
        return text
    text = _XML_REFERENCE.sub(lambda match: match[1].rpartition(":")[2], text)
    text = _XML_NAMED.sub(lambda match: f"@{match[1]} {match[2].rpartition(':')[2]} ", text)
    text = _XML_TAG.sub("", text.replace("<returns>", "@returns "))
    return _dedented(line.rstrip() for line in html.unescape(text).splitlines() if line.strip())
