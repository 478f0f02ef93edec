"""What stands above a function: its documentation, its attributes, and what may stand between.

Empty lines, ordinary comments and directives may, as javac, JSDoc, rustdoc and doxygen allow; in Go and Ruby an empty
line ends the documentation, as it does for `go doc`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tree_sitter import Node

from codeocean.collect.comments import (
    documentation_mark,
    documentation_of,
    is_file_header,
    is_surely_a_header,
)
from codeocean.collect.source_tree import SourceTree, at_first_column, indentation
from codeocean.grammars import GRAMMARS, Grammar

MAX_COMMENTS = 1000
"""Comments above one function that are read at most."""


@dataclass(slots=True)
class Above:
    """What stands above the code at a byte."""

    end: int
    """The byte."""
    docstring: str = ""
    """Documentation without marks; empty where there is none."""
    perhaps: bool = False
    """There is none, but for one that was taken for the file's and may not be."""
    start: int = -1
    """Where the code begins with the attributes below the documentation; -1 where there are none."""
    attributes: tuple[tuple[int, int], ...] = ()
    """Bytes of the attributes above the documentation."""
    opened: int = -1
    """Where an `#if` begins below the documentation whose other branches stand inside the function; -1 for none."""

    def code(self, outer: Node, tree: SourceTree) -> str:
        """A function with its attributes, from the first column on."""
        head = b"".join(tree.source[begin:end] + b"\n" for begin, end in self.attributes).decode("utf-8", "replace")
        start = self.start if self.start >= 0 else outer.start_byte
        if self.opened >= 0 and _closes(tree.source, outer.start_byte, outer.end_byte):
            start = self.opened
        return head + at_first_column(outer, tree, start)


@dataclass(slots=True)
class _Comment:
    """A block, or lines one below the other, that begin as documentation does."""

    begin: int
    end: int
    column: int
    behind: bool
    """Something else stands before it on its line."""
    lines: bool


_SPACE = re.compile(rb"\s*")
_EMPTY_LINE = re.compile(rb"[ \t]*\n[ \t]*\n")
_PREPROCESSOR = re.compile(
    rb"#[ \t]*(?:pragma|line|if|ifdef|ifndef|else|elif|endif|warning|error|region|endregion|nullable)\b"
    rb"(?:[^\n\\]|\\\n|\\.)*"
)
_OPENS = re.compile(rb"[ \t]*#[ \t]*if")
_CLOSES = re.compile(rb"[ \t]*#[ \t]*endif")
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(if|endif)", re.MULTILINE)
_NEXT_LINE = re.compile(rb"[ \t]*\n[ \t]*")
_ATTRIBUTES = frozenset(name for grammar in GRAMMARS.values() for name in grammar.attributes)
_HASH = re.compile(rb"#(?!\[)[^\n]*")
_DIRECTIVES = {"c": _PREPROCESSOR, "cpp": _PREPROCESSOR, "csharp": _PREPROCESSOR, "php": _HASH}


@cache
def _mark(style: str) -> re.Pattern[bytes]:
    return re.compile(documentation_mark(style).pattern.encode())


def documentation_below(tree: SourceTree, at: int, grammar: Grammar, after: bytes = b"") -> Above:
    """Reads on from a byte between two statements to the next code, and says what documents it.

    Args:
        tree: the file's.
        at: the byte, such as a documentation comment's first.
        grammar: the language's.
        after: signs to leave out first.
    """
    source = tree.source
    comments: list[_Comment] = []
    attributes = _attributes_before(tree, at) if grammar.attributes and not after else []
    macro = opened = -1
    while source[at : at + 1] in after.split():
        at += 1
    while True:
        at = _end(_SPACE.match(source, at), at)
        if (end := _comment_end(tree, at)) > at:
            if _mark(grammar.comments).match(source, at):
                _add(comments, source, at, end, tree.language)
                macro = opened = -1
        elif (directive := _DIRECTIVES.get(tree.language)) and (found := directive.match(source, at)):
            end = found.end()
            if _OPENS.match(source, at):
                opened = at if opened < 0 else opened
            elif _CLOSES.match(source, at):
                opened = -1
        elif grammar.attributes and (attribute := tree.attribute_at(at)) is not None:
            end = attribute.end_byte
            attributes.append((at, end))
        elif tree.language in {"c", "cpp"} and (end := tree.next_start(at)) > at:
            if _EMPTY_LINE.search(source, at, end):
                return Above(at)  # a declaration macro, such as `DECLARE_DOOR(front)`
            macro = at if macro < 0 else macro  # the parser does not see it
            end = _end(re.compile(rb"[^\s]+").match(source, at, end), end)
        else:
            break
        at = end
    return _chosen(Above(at, start=macro, opened=opened), comments, attributes, tree, grammar)


def _closes(source: bytes, begin: int, end: int) -> bool:
    """Whether an `#endif` between two bytes belongs to an `#if` before them."""
    depth = 0
    for match in _CONDITION.finditer(source, begin, end):
        depth += 1 if match[1] == b"if" else -1
        if depth < 0:
            return True
    return False


def _end(match: re.Match[bytes] | None, otherwise: int) -> int:
    return match.end() if match else otherwise


def _comment_end(tree: SourceTree, at: int) -> int:
    """Where the comment ends that begins at a byte; the byte itself where none does."""
    source = tree.source
    if source.startswith(b"//", at):
        end = source.find(b"\n", at)
        return end if end >= 0 else len(source)
    if not source.startswith(b"/*", at):
        return at
    end = source.find(b"*/", at + 2)
    if (
        tree.language == "rust"
        and source.find(b"/*", at + 2, end) >= 0
        and (comment := tree.comment_at(at)) is not None
    ):
        return comment.end_byte  # Rust's nest
    return end + 2 if end >= 0 else len(source)


def _add(comments: list[_Comment], source: bytes, begin: int, end: int, language: str) -> None:
    """Add a comment that begins as documentation does; a line goes on what the line before began.

    In Rust a comment is about what follows, whatever stands before it on its line.
    """
    first = source.rfind(b"\n", 0, begin) + 1
    column, before = begin - first, source[first:begin].strip()
    lines = source.startswith(b"//", begin)
    last = comments[-1] if comments else None
    if (lines and last is not None and last.lines and _NEXT_LINE.fullmatch(source, last.end, begin)
            and (not last.behind or last.column == column)):  # fmt: skip
        last.end = end
        return
    behind = language != "rust" and bool(before) and not before.endswith((b"{", b"(", b"*/"))
    comments.append(_Comment(begin, end, column, behind, lines))


def _chosen(
    above: Above, comments: list[_Comment], attributes: list[tuple[int, int]], tree: SourceTree, grammar: Grammar
) -> Above:
    """The documentation among comments: the nearest; all of them in Rust, where each is an attribute."""
    source, texts, below = tree.source, list[str](), above.end
    for comment in reversed(comments[-MAX_COMMENTS:]):
        if comment.behind and b"\n" in source[comment.end : above.end]:
            continue
        text = documentation_of([source[comment.begin : comment.end].decode("utf-8", "replace")], grammar.comments)
        if not text:
            continue
        if _heads_the_file(text, comment, tree):
            above.perhaps = not is_surely_a_header(text)
            continue
        texts.append(text)
        below = comment.end if len(texts) == 1 else below
        if grammar.comments != "rustdoc":
            break
    above.docstring = "\n".join(reversed(texts))
    above.perhaps = above.perhaps and not texts
    starts = [begin for begin, _ in attributes if begin >= below]
    above.start = min(starts) if starts else above.start
    above.attributes = tuple(span for span in attributes if span[0] < below)
    return above


def _heads_the_file(text: str, comment: _Comment, tree: SourceTree) -> bool:
    if comment.begin >= tree.head_end:
        return False
    return is_file_header(text, apart=_EMPTY_LINE.match(tree.source, comment.end) is not None)


def _attributes_before(tree: SourceTree, at: int) -> list[tuple[int, int]]:
    """The attributes right above a byte, in the order of the text."""
    found: list[tuple[int, int]] = []
    while True:
        end = len(tree.source[:at].rstrip()) if at < 4096 else at - 4096 + len(tree.source[at - 4096 : at].rstrip())
        nodes = tree.chain(end - 1) if end else ()
        node = next((node for node in nodes if node.type in _ATTRIBUTES and node.end_byte == end), None)
        if node is None:
            return found[::-1]
        found.append((node.start_byte, node.end_byte))
        at = node.start_byte


_COMMENT_LINE = {"go": b"//", "ruby": b"#"}
_SORBET = (b"sig ", b"sig{", b"sig(", b"T::Sig::WithoutRuntime.sig")


def lines_above(outer: Node, tree: SourceTree) -> Above:
    """Go, Ruby: the comment lines right above a function; a Sorbet `sig` may stand between and belongs to the code."""
    source, above = tree.source, Above(outer.start_byte)
    at, comments = source.rfind(b"\n", 0, outer.start_byte) + 1, list[str]()
    if indentation(outer, source).strip():
        return above
    while at > 0 and len(comments) < MAX_COMMENTS:
        begin = source.rfind(b"\n", 0, at - 1) + 1
        line = source[begin : at - 1].strip()
        if line.startswith(_COMMENT_LINE[tree.language]):
            if not comments and tree.comment_at(source.find(line[:1], begin)) is None:
                break  # inside a string
            comments.append(line.decode("utf-8", "replace"))
        elif line.endswith((b"*/", b"=end")) and (block := _block_above(tree, at)) is not None:
            comments.append(source[block.start_byte : block.end_byte].decode("utf-8", "replace").rstrip("\n"))
            begin = block.start_byte
        elif tree.language == "ruby" and (call := _sorbet_above(tree, at)) is not None:
            if documentation_of(comments[::-1], "lines"):
                break
            comments, above.start = [], call.start_byte
            begin = source.rfind(b"\n", 0, call.start_byte) + 1
        else:
            break
        at = begin
    above.docstring = documentation_of(comments[::-1], "lines")
    if tree.language == "ruby" and at < tree.head_end and is_file_header(above.docstring, apart=False):
        above.docstring = ""
    return above


def _block_above(tree: SourceTree, at: int) -> Node | None:
    """A block comment that ends on the line before a byte and begins a line."""
    end = len(tree.source[:at].rstrip()) if at < 4096 else at - 4096 + len(tree.source[at - 4096 : at].rstrip())
    comment = tree.comment_at(end - 1)
    return comment if comment is not None and not indentation(comment, tree.source).strip() else None


def _sorbet_above(tree: SourceTree, at: int) -> Node | None:
    """The `sig { … }` that ends on the line before a byte."""
    end = at - 1
    nodes = tree.chain(end - 1)
    return next((node for node in nodes if node.type == "call" and node.end_byte == end
                 and tree.source.startswith(_SORBET, node.start_byte)), None)  # fmt: skip
