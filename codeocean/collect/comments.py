"""Documentation comments → their text, without the marks of comments."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterable


def documentation_of(comments: list[str], style: str) -> str:
    """The documentation in the comments right above a function; empty where they are ordinary ones.

    Args:
        comments: the comments on consecutive lines above the function, marks included, in the order of the text.
        style: what documents in this language: `Grammar.comments`.
    """
    if style == "lines":
        return _clean_lines(comments)
    if not comments:
        return ""
    if style == "doxygen" and _DOXYGEN_LINE.match(comments[-1]):
        lines: list[str] = []
        for comment in reversed(comments):
            if not _DOXYGEN_LINE.match(comment):
                break
            lines.insert(0, comment)
        return _clean_xml(_dedented(re.sub(r"^//[/!] ?", "", line).rstrip() for line in lines))
    return _clean_xml(_clean_block(comments[-1], style)) if style == "doxygen" else _clean_block(comments[-1], style)


_DOXYGEN_LINE = re.compile(r"//[/!](?![/<])")
"""`///` or `//!`; neither a rule of slashes nor `///<`, which documents what stands before it."""


def _dedented(lines: Iterable[str]) -> str:
    return inspect.cleandoc("\n".join(lines)).strip()


def _clean_block(comment: str, style: str) -> str:
    """The text of a `/** */` comment (`/*! */` too in doxygen); empty for an ordinary comment."""
    if not re.match(r"/\*[*!][^/*]" if style == "doxygen" else r"/\*\*[^/*]", comment):
        return ""
    lines = comment.removesuffix("*/").rstrip("* \t\n")[3:].splitlines()
    return _dedented(re.sub(r"^\s*\* ?", "", line).rstrip() for line in lines)


def _clean_lines(comments: list[str]) -> str:
    """The text of the comment lines above a Go or Ruby function, without directives such as `//go:noinline`."""
    text = "\n".join(comment for comment in comments if not re.match(r"//[a-z]+:\S|#!", comment))
    text = re.sub(r"^(=begin|/\*)|(=end|\*/)$", "", text, flags=re.MULTILINE)
    return _dedented(re.sub(r"^\s*(//+|#+) ?", "", line).rstrip() for line in text.splitlines())


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
