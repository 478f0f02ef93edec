"""C and C++ as g++ on Linux reads them: the package's own headers in place, and no branch that is never taken.

Conditions are decided as far as the files and the library tell (`conditions.py`). A branch of which that is unknown
stays, with its directives. Of macros, those are expanded that open or close something: `BEGIN_NAMESPACE`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from codeocean.context.conditions import Condition, Value
from codeocean.context.cpp_headers import ABSENT, PREDEFINED, is_standard, names_given

Find = Callable[[str, str], tuple[str, bytes] | None]
"""Name of a header, path of the file that includes it → its path and its text, where the package has it."""
MAX_BYTES = 300_000
"""Of a file with its headers; those that would make it larger count as not there."""
MAX_HEADERS, MAX_DEPTH = 300, 40

_SCAN = re.compile(
    rb'^[ \t]*#[ \t]*(?P<word>\w*)(?P<rest>(?://(?:[^\n\\]|\\\r?\n|\\.)*|/\*.*?\*/|\\\r?\n|[^\n\\]|\\.)*)'
    rb'|//(?:[^\n\\]|\\\r?\n|\\.)*|/\*.*?\*/|R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"|"(?:[^"\\\n]|\\.)*"'
    rb"|'(?:[^'\\\n]|\\.){1,8}'", re.MULTILINE | re.DOTALL
)  # fmt: skip
"""A directive, or what only looks like one: a comment, a string."""
_DEFINITION = re.compile(r"\s*(\w+)(?:\(([^()]*)\))?\s*(.*)", re.DOTALL)
_INCLUDED = re.compile(r'\s*(?:<([^>\n]+)>|"([^"\n]+)")')
_NAME = re.compile(r"\s*(\w+)")
_COMMENT = re.compile(r"/\*.*?\*/|//.*", re.DOTALL)


@dataclass
class Unit:
    """A text that was read so."""

    source: bytes
    runs: list[tuple[int, int, int]]
    """Pieces of the file itself: where each begins in the file and here, and its length."""
    headers: set[str] = field(default_factory=set)
    """Of the language's library, those that are included for sure."""
    is_open: bool = False
    """Whether a header is included that is neither there nor the library's."""
    merged: list[tuple[int, int, str]] = field(default_factory=list)
    """Headers that stand in it: begin, end and path."""
    bodies: dict[str, list[str]] = field(default_factory=dict)
    """Macro → what it was defined as."""

    def place(self, at: int) -> int | None:
        """Where a byte of the file stands here; None if it was left out."""
        number = bisect_right(self.runs, (at, len(self.source), 0)) - 1
        begin, here, length = self.runs[number] if number >= 0 else (0, 0, 0)
        return here + at - begin if begin <= at < begin + length else None


def as_it_is(source: bytes) -> Unit:
    """A text of a language without a preprocessor."""
    return Unit(source, [(0, 0, len(source))])


def preprocessed(source: bytes, language: str, path: str = "", find: Find | None = None) -> Unit | None:
    """A file of C or C++ as the compiler reads it; None where its conditions do not close.

    Args:
        source: its bytes.
        language: `c` or `cpp`.
        path: the file's, for `find`.
        find: gives headers of its package.
    """
    reader = _Reader(language, find or _nothing)
    if not reader.file(path, source, 0):
        return None
    unit = reader.unit
    unit.source, unit.bodies = b"".join(reader.pieces), dict(reader.bodies)
    return unit


def _nothing(_name: str, _includer: str) -> None:
    """Finds no header."""


@dataclass
class _Group:
    """An `#if` up to its `#endif`: the branch that is read."""

    outer: Value
    """Of what stands around it."""
    state: Value
    """1: it is taken; 0: it is not; None: it may be."""
    settled: bool
    """No further branch is taken."""
    shown: bool = False
    """Whether its `#if` was kept."""

    @property
    def live(self) -> Value:
        """Whether the text is read that stands in it."""
        return 0 if 0 in (self.outer, self.state) else None if None in (self.outer, self.state) else 1


@dataclass(frozen=True, slots=True)
class _Line:
    """A directive."""

    begin: int
    end: int
    word: str
    rest: str
    name: str
    """The first word behind its own."""
    is_guard: bool = False
    """Whether it is an `#ifndef` with the definition of its name on the next line."""


@lru_cache(maxsize=512)  # a header is included by many files
def _directives(text: bytes) -> tuple[_Line, ...]:
    lines = list[_Line]()
    for match in _SCAN.finditer(text):
        if match["word"] is not None:
            rest = match["rest"].decode("utf-8", "replace")
            name = _NAME.match(rest)
            lines.append(_Line(*match.span(), match["word"].decode(), rest, name[1] if name else ""))
    for number, (line, below) in enumerate(pairwise(lines)):
        if line.word == "ifndef" and below.word == "define" and below.name == line.name:
            lines[number] = replace(line, is_guard=True)
    return tuple(lines)


class _Reader:
    def __init__(self, language: str, find: Find) -> None:
        self.unit = Unit(b"", [])
        self.pieces, self.size = list[bytes](), 0
        self.bodies = defaultdict[str, list[str]](list)
        self._find, self._groups = find, list[_Group]()
        self._macros = dict[str, tuple[list[str] | None, str]]()
        self._maybe, self._undefined, self._once = set[str](), set[str](), set[str]()
        self._braces = set[str]()
        """Macros that open or close something: `BEGIN_NAMESPACE`."""
        self._given = {name: value for name, value in PREDEFINED.items() if language == "cpp" or name != "__cplusplus"}
        self._absent = ABSENT | (frozenset() if language == "cpp" else {"__cplusplus"})

    def file(self, path: str, text: bytes, depth: int) -> bool:
        """Read a file; whether its conditions close."""
        level, at = len(self._groups), 0
        for line in _directives(text):
            self._copy(text, at, line.begin, depth)
            at = line.end
            if line.word in _CONDITIONALS:
                if line.word not in _OPENS and len(self._groups) <= level:
                    return False
                self._conditional(line)
            elif self._live() != 0:
                self._directive(line, (path, depth), text[line.begin : line.end])
        self._copy(text, at, len(text), depth)
        closed = len(self._groups) == level
        del self._groups[level:]
        return closed

    def _live(self) -> Value:
        return self._groups[-1].live if self._groups else 1

    def _copy(self, text: bytes, begin: int, end: int, depth: int) -> None:
        if self._live() == 0:
            return
        for use in _uses(self._braces).finditer(text, begin, end) if self._braces else ():
            if (expanded := self._expanded(use["name"].decode(), (use["given"] or b"").decode())) is not None:
                self._keep(text, begin, use.start(), depth)
                self._emit(expanded.encode())
                begin = use.end()
        self._keep(text, begin, end, depth)

    def _keep(self, text: bytes, begin: int, end: int, depth: int) -> None:
        if not depth and begin < end:
            self.unit.runs.append((begin, self.size, end - begin))
        self._emit(text[begin:end])

    def _expanded(self, name: str, given: str, depth: int = 0) -> str | None:
        """What a macro that opens or closes something stands for; None where it is called in another way."""
        parameters, body = self._macros[name]
        values = [one.strip() for one in given.strip()[1:-1].split(",")] if given else []
        if len(parameters or []) != len(values):
            return None
        meant = dict(zip(parameters or [], values, strict=True))
        body = re.sub(r"\w+", lambda word: meant.get(word[0], word[0]), body)
        for inner in re.findall(r"\w+", body) if depth < MAX_DEPTH else ():
            if inner in self._braces and self._macros[inner][0] is None:
                body = body.replace(inner, self._expanded(inner, "", depth + 1) or "", 1)
        return body

    def _emit(self, text: bytes) -> None:
        self.pieces.append(text)
        self.size += len(text)

    def _conditional(self, line: _Line) -> None:
        word, rest = line.word, line.rest
        if word in _OPENS:
            outer = self._live()
            value = 0 if outer == 0 else self._asked(line)
            self._groups.append(_Group(outer, value, value == 1 or outer == 0, value is None))
            if value is None:
                self._emit(f"#{word}{rest}".encode())
            return
        group = self._groups[-1]
        if word == "endif":
            self._groups.pop()
            if group.shown:
                self._emit(b"#endif")
            return
        if group.settled:
            group.state = 0
            return
        value = 1 if word == "else" else self._evaluated(rest)
        if value == 0:
            group.state = 0
        elif not group.shown:
            group.state, group.settled, group.shown = value, value == 1, value is None
            self._emit(b"" if value else f"#if{rest}".encode())
        else:  # a branch before it may be taken, so that this one may be too
            group.state, group.settled = None, value == 1
            self._emit(b"#else" if value else f"#elif{rest}".encode())

    def _asked(self, line: _Line) -> Value:
        if line.word == "if":
            return self._evaluated(line.rest)
        value = self._defined(line.name) if line.name else None
        if line.word == "ifdef" or value is not None:
            return value if line.word == "ifdef" or value is None else int(not value)
        return 1 if line.is_guard and line.name not in self._maybe else None

    def _directive(self, line: _Line, place: tuple[str, int], raw: bytes) -> None:
        word, rest, name, certain = line.word, line.rest, line.name, self._live() == 1
        if word in {"include", "include_next", "import"}:
            self._include(rest, place, raw)
            return
        if word == "pragma" and name == "once":
            self._once |= {place[0]} if certain else set()
            return
        if word == "define" and (found := _DEFINITION.match(rest)):
            parameters = None if found[2] is None else [one.strip() for one in found[2].split(",")]
            body = " ".join(_COMMENT.sub(" ", found[3]).replace("\\\n", " ").replace("\\\r\n", " ").split())
            self.bodies[found[1]].append(body)
            self._undefined.discard(found[1])
            self._braces.discard(found[1])
            if certain:
                self._macros[found[1]] = (parameters, body)
                self._maybe.discard(found[1])
                self._braces |= {found[1]} if body.count("{") != body.count("}") else set()
            else:
                self._maybe.add(found[1])
        elif word == "undef" and name:
            self._macros.pop(name, None)
            self._braces.discard(name)
            self._maybe.discard(name)
            (self._undefined if certain else self._maybe).add(name)
        self._emit(raw)

    def _include(self, rest: str, place: tuple[str, int], raw: bytes) -> None:
        path, depth = place
        word = rest.strip()
        target = _INCLUDED.match(self._macros[word][1] if word in self._macros else rest)
        name = (target[1] or target[2]).strip() if target else ""
        own = None if name and target and target[1] and is_standard(name) else self._found(name, path)
        if own is None and is_standard(name):
            if self._live() == 1:
                self._emit(b"" if name in self.unit.headers else f"#include <{name}>".encode())
                self.unit.headers.add(name)
            else:
                self._emit(raw)
            return
        if own is not None and (own[0] in self._once or self._is_read(own[1])):
            return
        state = (self.size, len(self.pieces), len(self.unit.merged))
        if own is None or depth >= MAX_DEPTH or len(self.unit.merged) >= MAX_HEADERS:
            self.unit.is_open = True
        elif self.size + len(own[1]) > MAX_BYTES or not self.file(own[0], own[1], depth + 1):
            self.unit.is_open = True
            self.size = state[0]
            del self.pieces[state[1] :], self.unit.merged[state[2] :]
        else:
            self.unit.merged.append((state[0], self.size, own[0]))

    def _is_read(self, text: bytes) -> bool:
        """Whether all of a header is behind a guard that was passed."""
        first = next(iter(_directives(text)), None)
        return first is not None and first.is_guard and self._defined(first.name) == 1

    def _found(self, name: str, path: str) -> tuple[str, bytes] | None:
        return self._find(name, path) if name else None

    def _evaluated(self, text: str, depth: int = 0) -> Value:
        text = _COMMENT.sub(" ", text).replace("\\\n", " ").replace("\\\r\n", " ")
        return Condition(text, lambda name, given: self._value(name, given, depth), self._defined).value()

    def _value(self, name: str, given: list[str], depth: int) -> Value:
        if name == "__has_include" and given:
            header = given[0].strip('<>"')
            return 1 if is_standard(header) or self._found(header, "") else None
        if name in self._macros and depth < MAX_DEPTH:
            parameters, body = self._macros[name]
            if len(parameters or []) != len(given):
                return None
            meant = dict(zip(parameters or [], given, strict=True))
            return self._evaluated(re.sub(r"\w+", lambda word: meant.get(word[0], word[0]), body), depth + 1)
        defined = self._defined(name)
        return 0 if defined == 0 and not given else self._given.get(name)

    def _defined(self, name: str) -> Value:
        if name in self._maybe:
            return None
        if name in self._macros or name in self._given:
            return 1
        if name in self._undefined or name in self._absent or "DOXYGEN" in name:
            return 0
        if name in names_given(self.unit.headers, "global"):
            return 1
        return None if self.unit.is_open or name.startswith("_") else 0


def _uses(names: set[str]) -> re.Pattern[bytes]:
    """Lines that begin with some macros."""
    words = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(rf"^[ \t]*(?P<name>{words})\b(?P<given>[ \t]*\([^()\n]*\))?".encode(), re.MULTILINE)


_OPENS = frozenset({"if", "ifdef", "ifndef"})
_CONDITIONALS = _OPENS | {"else", "elif", "endif"}
