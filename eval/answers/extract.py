"""An answer → the code in it: readings are made, parsed, reduced to what the tests need, and ranked. Pure.

A reading is a program that the answer may mean: a fenced block, a block with the others, the text without its fences,
the text after a repair. Each is parsed, by Python's own parser or tree-sitter, so that prose drops out; what the entry
point does not need is left out; and the best by `Rank` counts. It and the runners-up are kept with the sample.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from eval.answers.bodies import find_body, has_body, returns_something, set_in, shape_of
from eval.answers.candidates import Source, binds_name, is_code_of, is_open_in, sources_of, units_of
from eval.answers.declarations import defines
from eval.answers.fences import split_fences
from eval.answers.patches import applied
from eval.answers.reduction import Reduced, reduce_units, whole
from eval.answers.repairs import cleaned, repaired, with_plain_ends, without_marks
from eval.answers.thoughts import first_turn, split_thoughts
from eval.answers.units import Unit, python_units

MAX_CHARS = 400_000
"""No benchmark wants a longer answer; of one, the end is not read."""
RUNNERS_UP = 3
_ALWAYS_THERE = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_READS = re.compile(r"\binput\b|\bstdin\b|\bopen\(\s*0|\bfileinput\b|\bos\.read\b|/dev/stdin")
_WRITES = re.compile(r"\bprint\b|\bstdout\b|\bos\.write\b")
"""How programs of Python reach their standard streams."""

_HEADS = re.compile(r"#include[ \t]*\S+|\bclass[ \t]+(?!Main\b)\w+(?=[ \t]*\{)")
"""What a reading must not lose when it is read behind prose."""

DEFINES, BODY, CALLED_WRONG, IMPORTS, LOOSE_BODY, NO_ANSWER, NOTHING = 6, 5, 4, 3, 2, 1, 0
_WHAT = ("does not define it", "repeats the question or leaves it empty", "may be its body, but returns nothing",
         "imports it", "defines the function, but the text calls it wrong", "is its body",
         "defines the function")  # fmt: skip
_WHAT_OF_PROGRAMS = {**dict(enumerate(_WHAT)), NOTHING: "is no program", NO_ANSWER: "neither reads nor writes",
                     IMPORTS: "reads but does not write, or the other way round", DEFINES: "is a program"}  # fmt: skip


class Rank(NamedTuple):
    """What makes one reading better than another, the weightiest first."""

    level: int
    """It defines the entry point; is its body; defines it, but is called wrong; imports it; is a body that returns
    nothing; only repeats the question or leaves it empty; none of these."""
    aloud: int
    """Before all others what is said in the first turn, then all that is said, then a thought that never ends."""
    tagged: int
    """Its fence says the language; no language; another."""
    lacks: int
    """How many names it needs that nobody defines, as a negative number."""
    clean: bool
    """All of its text is code."""
    fenced: bool
    repairs: int
    """How far down the list of repairs, as a negative number."""
    place: int
    """Of two that are equally good, the later one: it is the corrected one."""
    blocks: int
    """How many blocks it joins, as a negative number."""


@dataclass(frozen=True)
class Question:
    """What is known of a problem when its answer is read."""

    entry_point: str
    """Empty if a whole program is wanted."""
    language: str = "python"
    declaration: str = ""
    """The code that a body continues."""
    prelude: str = ""
    text: str = ""
    """What was asked: code that stands in it is no answer."""
    tests: str = ""
    reads_input: bool = False
    """A program is wanted that reads its standard input and writes to its standard output."""


@dataclass(frozen=True)
class Reading:
    """A program that an answer may mean."""

    code: str
    where: str
    """In words."""
    rank: Rank
    others: str = ""
    """The functions that it defines in place of the entry point."""
    runners_up: tuple[str, ...] = ()
    function: bool = True
    """A function was wanted, and no program."""

    @property
    def reason(self) -> str:
        """Why it was chosen."""
        what = (_WHAT if self.function else _WHAT_OF_PROGRAMS)[self.rank.level] + (
            f" but {self.others}" if self.others else ""
        )
        lacks = f", lacks {-self.rank.lacks} names" if self.rank.lacks else ""
        return f"{self.where}: {what}{lacks}"


def read_code(answer: str, question: Question) -> Reading:
    """The best reading of a chat answer."""
    said, thought = split_thoughts(with_plain_ends(answer[:MAX_CHARS]))
    readings: list[Reading] = []
    for aloud, part in ((2, first_turn(said)), (1, said), (0, thought)):
        text = cleaned(part)
        for repairs, (name, view) in enumerate(_views(text, question) if text.strip() else ()):
            for sources in sources_of(view, question.language, question.entry_point):
                elsewhere = {each for source in sources for unit in source.units for each in unit.names}
                for source in sources:
                    where = f"{source.where}, {name}" if name else source.where
                    reading = _evaluated(replace(source, where=where), question, elsewhere)
                    readings.append(replace(reading, rank=reading.rank._replace(aloud=aloud, repairs=-repairs)))
                if any(_is_perfect(each.rank) for each in readings):
                    break
            if any(_is_perfect(each.rank) for each in readings):
                break
        if any(each.rank.level >= CALLED_WRONG for each in readings):
            break
    if not readings:
        return Reading("", "no text", Rank(NOTHING, 0, 0, 0, False, False, 0, 0, 0))
    order = sorted(readings, key=lambda each: (each.rank, len(each.code)), reverse=True)
    best = order[0] if order[0].rank.level else max(readings, key=lambda each: (*each.rank[:3], len(each.code)))
    others = dict.fromkeys(each.reason for each in order if each.code != best.code)
    return replace(best, runners_up=tuple(others)[:RUNNERS_UP])


def _views(text: str, question: Question) -> Iterator[tuple[str, str]]:
    """Texts that an answer may have been, each with the reason; the likelier first."""
    yield "", text
    yield from repaired(text)
    if question.language == "python" and question.entry_point:
        yield "body set in", set_in(text, question.entry_point)
    yield "a patch of the question's code", applied(without_marks(text), question.text)


def _is_perfect(rank: Rank) -> bool:
    """Whether nothing that is looked at later can be better."""
    return rank.level == DEFINES and rank.tagged > 0 and rank.lacks == 0 and rank.clean


def _evaluated(source: Source, question: Question, elsewhere: set[str]) -> Reading:
    """What a source is worth: as a program, or as a body.

    Args:
        source: a text that may be the program.
        question: of the problem.
        elsewhere: the names that any source of this answer defines.
    """
    if question.entry_point:
        reduced = reduce_units(source.units, _roots(question, source.units))
        level = _level(reduced, question)
    else:
        reduced = whole(source.units)
        level = _program_level(reduced, question)
    level = CALLED_WRONG if source.wrong and level == DEFINES else level
    code = source.text.strip("\n").rstrip()
    lacks, clean = 0, is_code_of(code, question.language)
    if level:
        lacks = len(_lacking(reduced, source, question) | (reduced.needed & elsewhere) - reduced.bound)
        if reduced.dropped or not clean:
            code = reduced.text
    rank = Rank(level=level, aloud=0, tagged=source.tag, lacks=-lacks, clean=clean,
                fenced=source.fenced, repairs=0, place=source.place, blocks=-source.blocks)  # fmt: skip
    defined = question.entry_point and binds_name(source.units, question.entry_point)
    if level < IMPORTS and source.blocks == 1 and question.declaration and not defined:
        body = find_body(source.text, question.declaration, question.language, fenced=source.fenced)
        if body is not None:
            returns = returns_something(body, question.declaration, question.language)
            level = BODY if returns else LOOSE_BODY
            lacks, clean = _lacking_body(body, question), clean or body.split() == source.text.split()
            return Reading(body, source.where, rank._replace(level=level, lacks=-lacks, clean=clean))
    names = [] if level else sorted(name for unit in source.units if unit.kind == "definition" for name in unit.names)
    return Reading(code, source.where, rank, ", ".join(names[:5]), function=bool(question.entry_point))


def _program_level(reduced: Reduced, question: Question) -> int:
    """See `Rank`: of a program that is judged by what it writes, one that only reads or only writes is a piece."""
    if all(unit.kind == "import" for unit in reduced.units):
        return NOTHING
    if not question.reads_input:
        return DEFINES
    text = reduced.text
    return (NO_ANSWER, IMPORTS, DEFINES)[bool(_READS.search(text)) + bool(_WRITES.search(text))]


def _roots(question: Question, units: Sequence[Unit]) -> set[str]:
    """The names that a program must keep: the entry point, its class, and what else the tests use."""
    name = question.entry_point
    holders = {each for unit in units if name in unit.methods for each in unit.names or unit.changes}
    if question.language == "python":
        own = any(name in unit.names for unit in units)
        return {name, *(() if own else holders), *_names_in(question.tests)}
    return {name, *holders}


@lru_cache(maxsize=256)
def _names_in(tests: str) -> frozenset[str]:
    """Names that tests use and do not define."""
    units = python_units(tests)
    uses = {name for unit in units for name in unit.uses}
    return frozenset(uses - {name for unit in units for name in unit.names} - _ALWAYS_THERE)


def _level(reduced: Reduced, question: Question) -> int:
    """See `Rank`."""
    name = question.entry_point
    binding = [unit for unit in reduced.units if name in unit.names | unit.methods]
    defining = [unit for unit in binding if unit.kind != "import"]
    if not defining:
        return IMPORTS if binding else NOTHING
    language = question.language
    shown = _shapes_in(f"{question.text}\n", name, language)
    last = defining[-1].text
    return DEFINES if has_body(last, language, name) and shape_of(last, language) not in shown else NO_ANSWER


@lru_cache(maxsize=64)
def _shapes_in(text: str, name: str, language: str) -> frozenset[str]:
    blocks, outside = split_fences(text, lambda code: is_open_in(code, language))
    parts = [text, "\n".join(outside), *(block.code for block in blocks)]
    found = [unit for part in parts for unit in units_of(part, language) if name in unit.names | unit.methods]
    return frozenset(shape_of(unit.text, language) for unit in found)


def _lacking(reduced: Reduced, source: Source, question: Question) -> set[str]:
    """Names that a program needs and neither has nor is given."""
    if question.language != "python":
        lost = {each for each in _HEADS.findall(source.text) if each not in reduced.text}
        return lost | set(re.findall(r"&(?:lt|gt|amp|quot|#\d+|#x\w+);", reduced.text))
    given = {
        name for unit in python_units(f"{question.prelude}\n{question.declaration}\n    pass") for name in unit.names
    }
    starred = any(unit.kind == "import" and "*" in unit.text for unit in (*reduced.units, *source.units))
    missing = set(reduced.needed - reduced.bound - given - _ALWAYS_THERE) - _names_in(question.tests)
    return set() if starred or "import *" in question.prelude else missing


def _lacking_body(body: str, question: Question) -> int:
    """How many names a body needs that nobody defines."""
    if question.language != "python":
        return 0
    program = f"{question.prelude}\n{question.declaration.rstrip()}\n{body}"
    reduced = reduce_units(python_units(program), {question.entry_point})
    return len(_lacking(reduced, Source(program, ""), question))


def binds(code: str, name: str, language: str) -> bool:
    """Whether code gives a name a meaning, or tries to and does not parse."""
    return any(name in unit.names for unit in units_of(code, language)) or defines(code, name, language)
