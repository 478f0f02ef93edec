"""C++ classes whose objects stay in the candidate's process: which they are, and what stands for them in the tests'."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from eval.sandbox.cpp.declared import Field, OwnType
from eval.sandbox.cpp.heads import Member

_THROWN = frozenset(
    "exception runtime_error logic_error invalid_argument out_of_range domain_error length_error overflow_error "  # noqa: SIM905
    "underflow_error range_error".split()
)


def is_library(base: str) -> bool:
    """Whether a class that is extended is an exception of the library's."""
    return base.removeprefix("std::") in _THROWN


def remote_types(found: list[OwnType], data: list[OwnType], taken: set[str]) -> list[OwnType]:
    """Data types, and the others as remote ones, each behind those that it extends.

    Args:
        found: all that the candidate declares, templates with their arguments.
        data: those that are data.
        taken: names that no type may have.
    """
    kept = {each.path: each for each in data}
    for each in found:
        fits = (
            each.head == "struct" and not each.parameters and each.short not in taken and "wavecoder" not in each.name
        )
        outer = each.name.rpartition("::")[0]
        if fits and each.path not in kept and (not outer or outer in kept):
            bases = [base for base in each.bases() if base in kept or is_library(base)]
            kept[each.path] = replace(_whole(each, found), head="remote", base=", ".join(bases))
    while near := [base for each in kept.values() if each.head == "remote" for base in each.bases()
                   if base in kept and kept[base].head == "struct"]:  # fmt: skip
        kept |= {base: replace(_whole(kept[base], found), head="remote") for base in near}
    return [kept[each.path] for each in found if each.path in kept]


def _whole(each: OwnType, found: list[OwnType]) -> OwnType:
    """With the constructor that nobody wrote, and with what it shows of a hidden base."""
    known = [part for part in each.parts if isinstance(part, Member)]
    more = [] if any(not member.name for member in known) else [Member("", "", (), 0)]
    for part in each.open_parts():
        if isinstance(part, str) and (shown := re.fullmatch(r"using (\w+)::(\w+);", part)):
            more += [member for other in found if other.short == shown[1] for member in other.parts
                     if isinstance(member, Member) and member.name == shown[2]]  # fmt: skip
    return replace(each, parts=(*each.parts, "public:", *more))


def public_fields(each: OwnType, types: Iterable[OwnType], known: set[str]) -> list[Field]:
    """The data that the tests see of a remote class, those that it inherits included."""
    inherited = [field for other in types if other.path in each.bases() for field in public_fields(other, types, known)]
    own = [
        part for part in each.open_parts() if isinstance(part, Field) and not part.is_static and _is_seen(part, known)
    ]
    return inherited + own


def _is_seen(part: Field, known: set[str]) -> bool:
    is_told = part.has_known_size() and re.fullmatch(r"[\w\s:<>,]*", part.kind) is not None
    return is_told and set(re.findall(r"[A-Za-z_]\w*", part.kind)) <= known


def roots(each: OwnType) -> str:
    """What the class that stands for it extends."""
    known = [f"public {base}" for base in each.bases()]
    return ", ".join(["public virtual wavecoder::Handle", *known])


def initial(each: OwnType, number: str) -> str:
    """How such an object begins, from the number of the candidate's."""
    text = {base: "" if base.endswith("exception") else '""' for base in each.bases() if is_library(base)}
    begun = [f"{base}({text.get(base, 'wavecoder::Number{0}')})" for base in each.bases()]
    return " : " + ", ".join([f"wavecoder::Handle({number})", *begun])


def lifetime(each: OwnType, *, has_fields: bool) -> list[str]:
    """Its construction from a number, copies, moves and assignments."""
    name, fresh = each.short, "wavecoder::refresh();" if has_fields else ""
    lines = [
        f"explicit {name}(wavecoder::Number n){initial(each, 'n')} {{}}",
        f"{name}(wavecoder::Number n, int){initial(each, 'n')} {{ wavecoder::refresh(); }}",
        f"{name}(const {name}& o){initial(each, 'wavecoder::copied(o)')} {{ {fresh} }}",
        f"{name}({name}&& o) noexcept{initial(each, 'wavecoder::moved(o)')} {{ {fresh} }}",
        f"{name}& operator=(const {name}& o) {{ wavecoder::assigned(*this, o, false); {fresh} return *this; }}",
        f"{name}& operator=({name}&& o) noexcept {{ wavecoder::assigned(*this, o, true); {fresh} return *this; }}",
    ]
    if any(is_library(base) for base in each.bases()):
        lines.append("const char* what() const noexcept override { return wavecoder::told(*this); }")
    return lines
