"""What of a C++ candidate crosses into the program of its tests: which types, functions, methods, operators.

Classes that are data have the same fields in both programs. Their methods and operators run in the candidate's: the
tests' program has calls under their names. What an object is worth is not asked of the candidate alone: `==` of two
objects of its types holds only where their fields are the same, and no operator takes the tests' plain data for plain
data. Of a type that the tests do not name no constructor converts, and no method has a name that compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from eval.sandbox.cpp import streams
from eval.sandbox.cpp.declared import LITERAL, Declared, Field, OwnType, declared, named_types, ordered_by
from eval.sandbox.cpp.heads import Member
from eval.sandbox.cpp.remote import is_library, remote_types
from eval.sandbox.cpp.ways import all_carried, bare, returned_by
from eval.sandbox.functions import Function
from eval.sandbox.reserved import LIBRARY
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
_ITERATED = frozenset({"begin", "end"})
_RANGES = frozenset({"initializer_list", "iterator", "const_iterator"})
_TAKEN = frozenset("main std wavecoder assert Wire Call Out In Thrown Raised Span Graph Fields Id Plain T".split())  # noqa: SIM905
_WORDS = frozenset(
    "volatile struct class enum ostream istream initializer_list iterator const_iterator typename".split()  # noqa: SIM905
)


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
    late: list[tuple[str, str, str]] = field(default_factory=list)
    """Other names of what is made of the candidate's types."""
    adding: set[str] = field(default_factory=set)
    """Types with operators that take plain data."""
    thrown: set[str] = field(default_factory=set)
    """Types of data that the candidate throws."""

    @property
    def far(self) -> set[str]:
        """The types whose objects stay in the candidate's process."""
        return {each.short for each in self.types if each.head == "remote"}

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
    data = _data_types(found, known, theirs)
    types = remote_types(found.types, data, known | theirs | _TAKEN)
    own = {each.short for each in types}
    pointed = {
        kind for each in types for part in each.fields() if each.head == "struct"
        for kind in re.findall(r"(\w+)(?:<[^*]*>)?\*", part.kind)
    }  # fmt: skip
    late = [each for each in _aliases(found, known | _parts_of(types), theirs) if each not in aliases]
    inside = {name for each in found.functions for kind in each.kinds if "<" in kind
              for name in re.findall(r"(\w+)\s*\*\s*[,>]", kind)}  # fmt: skip
    made = Crossing(types, [], [], aliases, (pointed | inside) & own, named, late)
    known |= {name for _, name, _ in late}
    made.linked -= made.far
    made.adding = _adding(types, found.functions)
    made.thrown = {each.short for each in types if re.search(rf"\bthrow\s+(?:\w+::)*{each.short}\b", candidate)}
    for owner in types:
        for part in owner.open_parts() if owner.head in {"struct", "remote"} else ():
            if not isinstance(part, Member):
                continue
            wanted_part = _iterated(part, found.types) if part.name in _ITERATED else part
            if wanted_part and _crosses(wanted_part, known | own, made) and _is_called(wanted_part, owner, words, made):
                made.members.append((owner, replace(wanted_part, space=owner.space)))
    short = {name for _, name, _ in [*aliases, *late]}
    for member in found.functions:
        if member.name.isidentifier():
            wanted = member.name in words - theirs and (entry_point in {None, member.name} or bool(member.space))
            wanted = wanted and _is_special(member, own | short)
            wanted = wanted and not (entry_point is None and member.name in LIBRARY["cpp"] and not member.words() & own)
        else:
            wanted = bool(member.words() & own) and _is_fair(member, None, made)
        if wanted and _crosses(member, known | own, made):
            made.members.append((None, member))
    _keep_needed(made, words)
    made.constants = [
        each for each in found.constants if each.name in words - theirs and not each.is_static
        and re.fullmatch(r"[\w\s:<>,]+", each.kind) and set(re.findall(r"\w+", each.kind)) <= known | own
    ]  # fmt: skip
    made.members = made.members[:MOST]
    return made


def _adding(types: list[OwnType], functions: list[Member]) -> set[str]:
    """The types with operators that take anything but objects of the candidate's."""
    own, adding = {each.short for each in types}, set[str]()
    members = [(owner, part) for owner in types for part in owner.parts if isinstance(part, Member)]
    for owner, member in [*members, *((None, each) for each in functions)]:
        operands = [set(re.findall(r"\w+", kind)) & own for kind in member.kinds]
        if member.name.startswith("operator") and not all(operands):
            adding |= {owner.short} if owner else set().union(*operands)
    return adding


def _iterated(member: Member, types: list[OwnType]) -> Member | None:
    """`begin` or `end` of a class as one that gives the list of its items; None if their type is not told."""
    kind = re.sub(r"^const |\btypename ", "", member.returns)
    if found := re.fullmatch(r"(?:std::)?(?:vector|list|deque|set|multiset)\s*<(.*)>::(?:const_)?iterator", kind):
        item = found[1]
    elif found := re.fullmatch(r"(?:std::)?(?:unordered_)?map\s*<(.*)>::(?:const_)?iterator", kind):
        item = f"pair<{found[1]}>"
    elif found := re.fullmatch(r"([\w:]+(?:<.*>)?)\s*\*", kind):
        item = found[1]
    else:
        given = [part.returns for each in types if kind in {each.path, each.short, each.name} for part in each.parts
                 if isinstance(part, Member) and part.name == "operator*" and not part.kinds]  # fmt: skip
        item = re.sub(r"^const |\s*&$", "", given[0]) if given else ""
    if not item or member.kinds:
        return None
    return replace(member, returns=f"vector<{item}>", is_const=True)


def add_functions(made: Crossing, functions: list[Function]) -> Crossing:
    """What crosses and functions whose types the compiler told, as far as these cross."""
    known = [Member(each.name, each.returns, tuple(kind for _, kind in each.parameters), len(each.parameters))
             for each in functions]  # fmt: skip
    fits = [
        (None, each) for each in known if all_carried(each.kinds, made) and returned_by(each.returns, each.kinds, made)
    ]
    return replace(made, members=[*made.members, *fits])


def _is_special(member: Member, own: set[str]) -> bool:
    """Whether a function is not one of plain data."""
    marks = (re.search(r"\*(?!\s*&?$)|\*$|\(\*|\w\s*\(", bare(kind)) for kind in (member.returns, *member.kinds))
    refers = re.search(r"^(?!const ).*[^&]&$", member.returns) is not None and not member.words() & streams.WORDS
    return bool(member.words() & (own | _RANGES) or member.space or refers or any(marks))


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


def _is_object(each: OwnType) -> bool:
    return not each.head.startswith("enum")


def _parts_of(types: Iterable[OwnType]) -> set[str]:
    return {part for each in types for part in re.findall(r"\w+", each.path)}


def _is_data(each: OwnType, types: dict[str, OwnType], known: set[str]) -> bool:
    names = known | _parts_of(types.values())
    if any(isinstance(part, Member) and part.is_static and re.fullmatch(rf"{each.short}\s*[&*]", part.returns)
           for part in each.parts):  # fmt: skip
        return False  # one object, which all share
    for part in each.parts:
        if not isinstance(part, Field):
            continue
        if not part.has_known_size():
            return False
        pointers = re.findall(r"(\w+)(?:<[\w\s,:]*>)?\s*\*", part.kind.replace("const char*", "text"))
        if not re.fullmatch(r"[\w\s:<>,*]*", part.kind) or not set(re.findall(r"[A-Za-z_]\w*", part.kind)) <= names:
            return False
        if any(name in known for name in pointers) or "**" in part.kind or "iterator" in part.kind:
            return False
        keys = ordered_by(part.kind, keys=True)
        if any(other.short in (keys if _is_object(other) else ()) or (other.is_called() and other.short in
               ordered_by(part.kind)) for other in types.values()):  # fmt: skip
            return False  # a container that reads its items would ask for their order
        if part.initial and not LITERAL.fullmatch(part.initial) and not part.is_static:
            return False
    return not each.base or any(each.base in {other.path, other.name} and other.head == "struct"
                                for other in types.values())  # fmt: skip


def _crosses(member: Member, known: set[str], made: Crossing) -> bool:
    operator = member.name.removeprefix("operator") if member.name.startswith("operator") else None
    if member.name.startswith("operator "):
        return member.words() <= known and returned_by(member.returns, member.kinds, made) is not None
    if operator is not None and operator not in _OPERATORS and not member.name.isidentifier():
        return False
    if "wavecoder" in member.name or member.name in _TAKEN - {"T"}:
        return False
    kinds = [kind for kind in (member.returns, *member.kinds) if kind]
    if not all(re.fullmatch(r"[\w\s:<>,&*().\[\]]*", kind) for kind in kinds) or not member.words() <= known:
        return False
    asking, objects = (
        {each.short for each in made.types if is_one(each)} for is_one in (OwnType.is_called, _is_object)
    )
    if any(asking & ordered_by(kind) or objects & ordered_by(kind, keys=True) for kind in kinds):
        return False
    return all_carried(member.kinds, made) is not None and (
        not member.returns or returned_by(member.returns, member.kinds, made) is not None or operator == "<<"
    )


def _is_called(member: Member, owner: OwnType, words: set[str], made: Crossing) -> bool:
    if not member.name:  # a constructor
        copies = len(member.kinds) == 1 and re.search(rf"\b{owner.short}\b", member.kinds[0])
        return not copies
    if member.name.startswith("operator "):
        return owner.short in made.named or owner.short not in made.adding
    if member.name in _ITERATED:
        return True
    if member.name.isidentifier():
        if member.name == "what" and any(map(is_library, owner.bases())):
            return False  # every exception has it
        judges = bool(member.kinds) and _JUDGING.search(member.name) is not None
        return member.name in words and not (judges and owner.short not in made.named)
    return member.name != "operator=" and _is_fair(member, owner, made)


def reads_stream(member: Member) -> bool:
    """Whether it is `stream >> object`."""
    kinds = [kind.removeprefix("std::") for kind in (member.returns, *member.kinds[:1])]
    return member.name == "operator>>" and len(member.kinds) == 2 and kinds == ["istream&", "istream&"]


def _is_fair(member: Member, owner: OwnType | None, made: Crossing) -> bool:
    """Whether an operator takes nothing of the tests' for an answer that is plain data."""
    mark = member.name.removeprefix("operator")
    if mark == ">>" and reads_stream(member):
        return True
    if mark in {"()", "[]", "<<"}:
        return mark != "<<" or (len(member.kinds) == 2 and member.kinds[0].startswith(("ostream", "std::ostream")))
    own = {each.short for each in made.types}
    operands = [set(re.findall(r"\w+", kind)) & own for kind in member.kinds] + ([{owner.short}] if owner else [])
    if mark in {"==", "!=", "<", ">", "<=", ">="}:
        return len(operands) == 2 and bool(operands[0]) and operands[0] == operands[1]
    return all(operands) or bool(set(re.findall(r"\w+", member.returns)) & own)
