"""A text → the same text as it was meant, where something on its way spoilt it. Pure.

Each repair is a reading of its own, which counts only where the text as it is gives no better program: code may hold
all of this by right.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator

from eval.answers.carriers import (
    block_scalars,
    data_blocks,
    data_lines,
    data_strings,
    from_boxes,
    from_html,
    from_latex,
    from_tables,
    quoted_texts,
    set_in_blocks,
    texts_in_calls,
)
from eval.answers.patches import patched

_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile(r"[\x0b\x1c-\x1e\x85\u2028\u2029]")
_NOTHING = re.compile(r"[\x00\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069\u00ad]|\x1b\[[0-9;]*[A-Za-z]")
_TOKENS = (  # of a tokenizer, shown as text; models and their templates write them
    r"eos|bos|unk|pad|sep|cls|mask|eot|eod|end|stop|EOS|EOT|EOD|END|STOP|eot_id|eod_id|eom_id|0x0A|turn\||\|turn"
    r"|start_of_turn|end_of_turn|end_of_utterance|end_of_text|endoftext|fim_\w+|file_sep|issue_\w+|jupyter_\w+"
    r"|empty_output|filename|reponame|gh_stars|commit_\w+|extra_id_\d+|unused\d+|\|\w+\|?"
)
_MARK = re.compile(
    r"(?<![ \t])[ \t]*\u2581?(?:"
    r"\[/?[A-Z][A-Z_]{2,}\]|\[end of text\]|\[\|\w+\|\]|<!\[CDATA\[|\]\]>"
    rf"|<(?:{_TOKENS})>|<\|\w+\|(?=\s|\Z)"
    r"|<[|｜][^|｜<>\n]{1,40}[|｜]>"
    r"|</[A-Za-z]\w*>"
    r"|<\w+(?:[ \t]+[\w:-]+=\"[^\"\n]*\")+[ \t]*>|<\w+=\w+>"
    r"|</?(?:s|code|answer|python|solution|response|output|result|final|final_answer|pre|content|assistant"
    r"|javascript|java|go|cpp|rust)(?:[ \t][^<>\n]*)?>"
    r"|(?<!#)#{2,}[ \t]*(?:Response|Answer|Solution|Code|Output)[ \t]*:"
    r"|\\boxed\{"
    r")[ \t]*"
)
_MARK_LINE = re.compile(r"^\[/?[A-Z_]{3,}\][ \t]*$", re.MULTILINE)
_ESCAPED = re.compile(r"\b(?:def|class|import|function|func|fn|const|return|include)\b[^\n]*\\n|(?:\\n[^\n]*){3}")
_BEHIND_PROSE = re.compile(
    r"^(\w[^\n\"'`]*[.:!?])[ \t]+(?=(?:def|class|async|import|from|func|fn|function|const|public|pub|package|use|"
    r"#include)\b)", re.MULTILINE,
)  # fmt: skip
_NUMBER = re.compile(
    r"^[ \t]*(?:/\*[ \t]*|[Ll]ine[ \t]+|[L\[(])?(?P<number>\d+)(?:[ \t]*(?:\*/|[|:.)\]│→-])(?!\d)|(?=[ \t])|$)"
)
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d*\]:|\s+\.\.\.:)(?: |$)", re.MULTILINE)
_OTHER_PROMPT = re.compile(r"^[ \t]*(?:jshell>|\.\.\.>|\.{2,}|>{1,3})(?: |$)", re.MULTILINE)
_SPOILER = re.compile(r"^[ \t]*\|\|(?=\S)(.*?)\|\|[ \t]*$", re.MULTILINE | re.DOTALL)
_MARKDOWN_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!<>~|-])")
_LINE_MARK = re.compile(r"^(?:[-*+][ \t](.*)|\*\*(.*)\*\*[ \t]*)$", re.MULTILINE)
_IN_SENTENCE = re.compile(r"(?<!`)(?:`([^`\n]+)`|```(?:[a-z+]+\d?[ \t]+(?=[a-z]+[ \t]))?([^`\n]+)```)(?!`)")
_IN_TICKS = re.compile(r"(?<!`)`([^`]+\n[^`]*)`(?!`)")
_TYPOGRAPHY = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | str.maketrans(
    "‘’‚‛“”„‟«»′″–−、。", '\'\'\'\'""""""\'"--,.'
)


MAX_BARS = 40
"""A text with more hides no code behind them."""


def with_plain_ends(text: str) -> str:
    """A text whose lines end as everybody's, without marks that no language reads."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"^[\f\v\ufeff]+", "", text, flags=re.MULTILINE)


def cleaned(text: str) -> str:
    """A text with plain line ends and without lines such as [DONE], which is a list in many languages."""
    return _MARK_LINE.sub("", with_plain_ends(text))


def without_marks(text: str) -> str:
    """A text with line ends in place of tags and of a tokenizer's signs."""
    return _MARK.sub("\n", text)


def repaired(text: str) -> Iterator[tuple[str, str]]:
    """Other texts that this one may have been, each with the reason; the likelier first."""
    seen = {text}
    for name, found in _repairs(text):
        if found not in seen and found.strip():
            seen.add(found)
            yield name, found


def _repairs(text: str) -> Iterator[tuple[str, str]]:
    spaced = _NOTHING.sub("", _SPACES.sub(" ", _LINE_ENDS.sub("\n", text)))
    yield "spaces made plain", spaced
    marked = without_marks(spaced)
    yield "marks taken for line ends", marked
    if joined := data_lines(text):
        yield "lines of a JSON answer put together", cleaned(joined)
    if blocks := data_blocks(text):
        yield "texts of a JSON answer", cleaned(blocks)
    for place, field in enumerate(data_strings(text)):
        yield f"text {place + 1} of a JSON answer", cleaned(field)
        if _ESCAPED.search(field):
            yield f"text {place + 1} of a JSON answer, escaped line ends read", without_escapes(field)
    yield "line numbers taken off", without_line_numbers(marked)
    for prompt, name in ((_PROMPT, "a console"), (_OTHER_PROMPT, "another console")):
        if prompt.search(marked):
            lines = [line for line in marked.split("\n") if prompt.match(line) or line.startswith("```")]
            yield f"prompts of {name} taken off", "\n".join(prompt.sub("", line) for line in lines)
    quoted = re.sub(r"^[ \t]*(?:>!?[ \t]?)+", "", marked, flags=re.MULTILINE)
    yield "marks of a quotation taken off", quoted
    if marked.count("||") <= MAX_BARS:
        yield "bars of a spoiler taken off", _SPOILER.sub(r"\n\1\n", marked)
    unescaped = _SPACES.sub(" ", html.unescape(marked))
    yield "HTML entities read", unescaped
    yield "HTML entities read twice", html.unescape(unescaped)
    yield "HTML tags read", from_html(spaced)
    if _ESCAPED.search(text):
        yield "escaped line ends read", without_escapes(text)
        yield "escaped line ends read twice", without_escapes(without_escapes(text))
    yield "added lines of a patch", patched(marked)
    yield "the box of a final answer", from_latex(spaced)
    yield "a text of YAML", block_scalars(marked)
    yield "strings of three quotes", quoted_texts(marked)
    yield "texts that a call is given", cleaned(texts_in_calls(marked))
    yield "blocks that are set in", set_in_blocks(marked)
    yield "typographic signs made plain", marked.translate(_TYPOGRAPHY)
    yield "set out", textwrap.dedent(marked)
    yield "code taken from the end of a sentence", _BEHIND_PROSE.sub(r"\1\n", marked)
    yield "escapes of Markdown read", _MARKDOWN_ESCAPE.sub(r"\1", spaced)
    yield "bars taken off", from_boxes(spaced)
    yield "cells of a table", from_tables(spaced)
    yield "marks of each line taken off", _LINE_MARK.sub(lambda line: line[1] or line[2] or "", marked)
    yield "code between single ticks", "\n".join(_IN_TICKS.findall(marked))
    yield "code within sentences", "\n".join(map("".join, _IN_SENTENCE.findall(marked)))


def without_escapes(text: str) -> str:
    """A text with the line ends, tabs and quotes that were escaped, without quotes around it."""
    escaped = re.sub(r"\\([nrt\"'\\])", lambda match: _ESCAPES.get(match[1], match[1]), text)
    return re.sub(r"^[\"'](?=\w)|[\"']\Z", "", cleaned(escaped).strip(), flags=re.MULTILINE)


_ESCAPES = {"n": "\n", "r": "", "t": "\t"}


def without_line_numbers(text: str) -> str:
    """A listing whose lines are numbered, without the numbers; any other text as it is."""
    lines = text.split("\n")
    matches = [_NUMBER.match(line) for line in lines]
    runs: list[tuple[int, int]] = []
    for place, match in enumerate(matches):
        if match is None:
            continue
        between = "".join(lines[runs[-1][1] : place]).strip() if runs else "x"
        if not between and int(match["number"]) == _value(matches[runs[-1][1] - 1]) + 1:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    for begin, end in runs:
        if end - begin < 2:
            continue
        bare = [lines[place][_end(matches[place]) :] for place in range(begin, end)]
        lines[begin:end] = textwrap.dedent("\n".join(bare)).split("\n")
    return "\n".join(lines)


def _value(match: re.Match[str] | None) -> int:
    return int(match["number"]) if match else -1


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0
