"""What of a C++ candidate crosses into the program of its tests: which types, functions, methods, operators.

Classes that are data have the same fields in both programs. Their methods and operators run in the candidate's: the
tests' program has calls under their names. What an object is worth is not asked of the candidate alone: `==` of two
objects of its types holds only where their fields are the same, and no operator takes the tests' plain data for plain
data. Of a type that the tests do not name no constructor converts, and no method has a name that compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eval.sandbox.cpp.declared import LITERAL, Declared, Field, Member, OwnType, declared, named_types
from eval.sandbox.signatures import plain_words

MOST = 250
"""Calls of one program: the number is one byte."""
_JUDGING = re.compile(
    r"equal|cmp|compare|less|match|contain|same|^eq|^has|^is|^(?:count|find|starts_with|ends_with|at|includes|every)$",
    re.IGNORECASE,
)
_OPERATORS = frozenset(
    "+ - * / % ++ -- += -= *= /= %= == != < > <= >= ! ~ & | ^ << >> () [] && || -> &= |= ^=".split()  # noqa: SIM905
)
_TAKEN = frozenset("main std wavecoder assert Wire Call Out In Thrown Raised Span Graph Fields Id Plain T".split())  # noqa: SIM905
_WORDS = frozenset("volatile struct class enum ostream istream".split())  # noqa: SIM905


@dataclass
class Crossing:
    """What of a candidate crosses into a program of tests."""

    types: list[OwnType]
    members: list[tuple[OwnType | None, Member]]
    constants: list[Field]
    aliases: list[tuple[str, str, str]]
    linked: set[str]
    """Types whose objects point to others of theirs: pointers to them stay the same object."""
    named: set[str]
    """Types that the tests name."""

    @property
    def names(self) -> set[str]:
        """Free functions among it."""
        return {member.name for owner, member in self.members if owner is None}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but what plain data and functions of them are."""
        return not (self.types or self.members or self.constants)


def crossing(candidate: str, tests: str, entry_point: str | None) -> Crossing:
    """What of a candidate's types and functions its tests can have, beside functions of plain data."""
    found = declared(candidate)
    named, theirs = named_types(tests)
    words = set(re.findall(r"[A-Za-z_]\w*", tests))
    found.types = [whole for each in found.types for whole in _instances(each, candidate + tests)]
    known = plain_words("cpp") | _WORDS
    aliases = _aliases(found, known, theirs)
    known |= {name for _, name, _ in aliases} | {part for each in found.types for part in each.space.split("::")}
    types = _data_types(found, known, theirs)
    own = {each.short for each in types}
    pointed = {
        kind for each in types for part in each.fields() for kind in re.findall(r"(\w+)(?:<[^*]*>)?\*", part.kind)
    }
    made = Crossing(types, [], [], aliases, pointed & own, named)
    for owner in types:
        for part in owner.parts if owner.head == "struct" else ():
            if isinstance(part, Member) and _crosses(part, known | own, made) and _is_called(part, owner, words, made):
                made.members.append((owner, replace(part, space=owner.space)))
    short = {name for _, name, _ in aliases}
    for member in found.functions:
        if member.name.isidentifier():
            wanted = member.name in words - theirs and (entry_point in {None, member.name} or bool(member.space))
            wanted = wanted and _is_special(member, own | short)
        else:
            wanted = bool(member.words() & own) and _is_fair(member, None, made)
        if wanted and _crosses(member, known | own, made):
            made.members.append((None, member))
    _keep_needed(made, words)
    made.constants = [
        each for each in found.constants if each.name in words - theirs and each.kind in known and not each.is_static
    ]
    made.members = made.members[:MOST]
    return made


def _is_special(member: Member, own: set[str]) -> bool:
    """Whether a function is not one of plain data."""
    marks = (re.search(r"\*(?!\s*&?$)|\*$|\(\*|\w\s*\(", _bare(kind)) for kind in (member.returns, *member.kinds))
    return bool(member.words() & own) or bool(member.space) or any(marks)


def _keep_needed(made: Crossing, words: set[str]) -> None:
    """Drop the types of which neither the tests nor a function that they call know, and their methods and operators."""
    types = {each.path: each for each in made.types}
    reached = {word for owner, member in made.members if owner is None and member.name.isidentifier()
               for word in member.words()}  # fmt: skip
    needed = {name for name, each in types.items() if each.short in words | reached or each.enumerators() & words}
    while more := {
        name for name, each in types.items() if name not in needed and each.short in _touched(made, types, needed)
    }:
        needed |= more
    short, own = {types[name].short for name in needed}, {each.short for each in types.values()}
    made.types = [each for each in made.types if each.path in needed]
    made.members = [(owner, member) for owner, member in made.members
                    if (owner is None or owner.path in needed) and member.words() & own <= short]  # fmt: skip


def _touched(made: Crossing, types: dict[str, OwnType], names: set[str]) -> set[str]:
    """The words of the types of fields, and of the methods that the tests call."""
    words = {word for name in names for word in types[name].words()}
    return words | {word for owner, member in made.members
                    if owner is not None and owner.path in names and member.name.isidentifier()
                    for word in member.words()}  # fmt: skip


def _bare(kind: str) -> str:
    """Without what crosses as text and what is no pointer of its own."""
    kind = re.sub(r"\bconst char ?\*|\bchar const ?\*", "text", kind)
    return re.sub(r"\bfunction\s*<.*>", "function", kind)


def _instances(each: OwnType, text: str) -> Iterator[OwnType]:
    """A template with the arguments that the texts give it; another type as it is."""
    if not each.parameters:
        yield each
        return
    seen = dict.fromkeys(" ".join(part.split()) for part in re.findall(rf"\b{each.name}\s*<([\w\s:,]+)>", text))
    for arguments in list(seen)[:8]:
        if arguments.count(",") == len(each.parameters) - 1 and not set(each.parameters) & set(
            re.findall(r"\w+", arguments)
        ):
            yield each.filled(arguments)


def _aliases(found: Declared, known: set[str], theirs: set[str]) -> list[tuple[str, str, str]]:
    kept, names = [], set(known)
    for space, name, kind in found.aliases:
        fits = (
            re.fullmatch(r"[\w\s:<>,&]*(?:\(\*\)\([\w\s:<>,&]*\))?", kind)
            and set(re.findall(r"[A-Za-z_]\w*", kind)) <= names
        )
        if fits and name not in names | theirs | _TAKEN:
            kept.append((space, name, kind))
            names.add(name)
    return kept


def _data_types(found: Declared, known: set[str], theirs: set[str]) -> list[OwnType]:
    """Types that are data, in an order in which each knows the types of its fields."""
    taken = known | theirs | _TAKEN
    types = {each.path: each for each in found.types
             if each.is_whole and each.short not in taken and "wavecoder" not in each.name}  # fmt: skip
    while wrong := [name for name, each in types.items() if each.head == "struct" and not _is_data(each, types, known)]:
        for name in wrong:
            del types[name]
    return list(types.values())


def _is_data(each: OwnType, types: dict[str, OwnType], known: set[str]) -> bool:
    names = known | {other.short for other in types.values()}
    for part in each.parts:
        if not isinstance(part, Field):
            continue
        pointers = re.findall(r"(\w+)(?:<[\w\s,:]*>)?\s*\*", part.kind.replace("const char*", "text"))
        if not re.fullmatch(r"[\w\s:<>,*]*", part.kind) or not set(re.findall(r"[A-Za-z_]\w*", part.kind)) <= names:
            return False
        if any(name in known for name in pointers) or "**" in part.kind:
            return False
        if part.initial and not LITERAL.fullmatch(part.initial) and not part.is_static:
            return False
    return not each.base or any(each.base in {other.path, other.name} and other.head == "struct"
                                for other in types.values())  # fmt: skip


def _crosses(member: Member, known: set[str], made: Crossing) -> bool:
    operator = member.name.removeprefix("operator") if member.name.startswith("operator") else None
    if operator is not None and operator not in _OPERATORS and not member.name.isidentifier():
        return False
    if "wavecoder" in member.name or member.name in _TAKEN - {"T"}:
        return False
    kinds = [kind for kind in (member.returns, *member.kinds) if kind]
    if not all(re.fullmatch(r"[\w\s:<>,&*().\[\]]*", kind) for kind in kinds) or not member.words() <= known:
        return False
    return all(carried(kind, made) is not None for kind in member.kinds) and (
        not member.returns or returned(member.returns, made) is not None or operator == "<<"
    )


def _is_called(member: Member, owner: OwnType, words: set[str], made: Crossing) -> bool:
    if not member.name:  # a constructor
        copies = len(member.kinds) == 1 and re.search(rf"\b{owner.short}\b", member.kinds[0])
        return not copies
    if member.name.isidentifier():
        judges = bool(member.kinds) and _JUDGING.search(member.name) is not None
        return member.name in words and not (judges and owner.short not in made.named)
    return member.name != "operator=" and _is_fair(member, owner, made)


def _is_fair(member: Member, owner: OwnType | None, made: Crossing) -> bool:
    """Whether an operator takes nothing of the tests' for an answer that is plain data."""
    mark = member.name.removeprefix("operator")
    if mark in {"()", "[]", "<<"}:
        return mark != "<<" or (len(member.kinds) == 2 and member.kinds[0].startswith(("ostream", "std::ostream")))
    own = {each.short for each in made.types}
    operands = [set(re.findall(r"\w+", kind)) & own for kind in member.kinds] + ([{owner.short}] if owner else [])
    if mark in {"==", "!=", "<", ">", "<=", ">="}:
        return len(operands) == 2 and bool(operands[0]) and operands[0] == operands[1]
    return all(operands) or bool(set(re.findall(r"\w+", member.returns)) & own)


def carried(kind: str, made: Crossing) -> tuple[str, str] | None:
    """How a parameter crosses: its type on the wire, and how the candidate's function gets it."""
    if "(" in kind and "function<" not in kind.replace(" ", ""):
        pointer = re.sub(r"\(\s*\*\s*(?:const)?\s*\)", "(*)", kind)
        pointer = pointer if "(*)" in pointer else re.sub(r"\s*\(", " (*)(", pointer, count=1)
        return (f"wavecoder::Id<{pointer}>", "{}") if pointer.count("(") == 2 else None
    bare = _bare(kind)
    if "*" not in bare:
        return kind, "{}"
    whole = re.fullmatch(r"(const\s+)?([\w\s:]+(?:<[\w\s:,<>]*>)?)\s*\*\s*(?:const\s*)?(&?)", kind)
    if whole is None:
        inside = re.findall(r"(\w+)(?:<[\w\s,:]*>)?\s*\*", bare)
        return (kind, "{}") if inside and set(inside) <= made.linked and "**" not in kind else None
    if re.split(r"\W", whole[2].strip())[-1] in made.linked or whole[2].strip().partition("<")[0] in made.linked:
        return kind, "{}"
    return None if whole[3] else (f"wavecoder::Span<{whole[1] or ''}{whole[2].strip()}>", "{}.at")


def returned(kind: str, made: Crossing) -> tuple[str, str] | None:
    """What comes over the wire for a result, and what is behind it for the tests."""
    wire = carried(kind, made)
    if wire is None:
        return None
    found = re.fullmatch(r"wavecoder::Span<(.*)>", wire[0])
    return (f"wavecoder::Pointer<{found[1]}>", ".at") if found else (wire[0], "")
