"""How the types of a C++ candidate's functions cross: what the tests' stub takes or gives, and what is on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol


class Known(Protocol):
    """What is known of a candidate's types (`crossing.py`)."""

    linked: set[str]

    @property
    def far(self) -> set[str]:
        """The types whose objects stay in the candidate's process."""


@dataclass(frozen=True)
class Way:
    """How one value crosses.

    In `sent` and `got` the value stands for `{}`: what the tests write, and what the candidate's function gets. For a
    result it is the other way round: what the candidate writes, and what the tests get.
    """

    shown: str
    """In the stub of the tests."""
    wire: str
    sent: str
    got: str


def bare(kind: str) -> str:
    """Without what crosses as text and what is no pointer of its own."""
    kind = re.sub(r"\bconst char ?\*|\bchar const ?\*", "text", kind)
    return re.sub(r"\bfunction\s*<.*>", "function", kind)


def _far(kind: str, made: Known) -> tuple[str, str] | None:
    """The class whose objects stay in the candidate's process, and `&`, `&&` or nothing."""
    found = re.fullmatch(r"(?:const\s+)?([\w:]+(?:<[\w\s:,<>]*>)?)(?:\s+const)?\s*(&{0,2})", kind)
    if found is None or found[1].partition("<")[0].rpartition("::")[2] not in made.far:
        return None
    return found[1], found[2]


def _owns_far(kind: str, made: Known) -> bool:
    return any(set(re.findall(r"\w+", part)) & made.far for part in re.findall(r"unique_ptr\s*<([^<>]*)", kind))


def iterated(kind: str) -> str:
    """The container that an iterator goes through, or nothing."""
    kind = re.sub(r"^const |\btypename |\s*&+$", "", kind)
    found = re.fullmatch(
        r"((?:std::)?(?:vector|list|deque|set|multiset|map|multimap|string)\s*(?:<.*>)?)\s*::(?:const_)?(?:iterator|pointer)",
        kind,
    )
    return found[1] if found else ""


def referred_array(kind: str) -> tuple[str, str] | None:
    """The type and number of the items of an array that is passed by reference."""
    found = re.fullmatch(r"((?:const )?[\w:]+(?: \w+)*(?:<[\w\s:,<>]*>)?)\s*\(&\)\s*\[(\d+)\]", kind)
    return (found[1], found[2]) if found else None


def _ranged(kinds: tuple[str, ...]) -> int:
    """The place of the first of two parameters that are iterators of one range; -1 if there are none."""
    for place, kind in enumerate(kinds[:-1]):
        if iterated(kind) and iterated(kind) == iterated(kinds[place + 1]):
            return place
    return -1


def all_carried(kinds: tuple[str, ...], made: Known) -> list[Way] | None:
    """How parameters cross; None if one of them does not."""
    place, ways = _ranged(kinds), list[Way | None]()
    for n, kind in enumerate(kinds):
        if place >= 0 and n == place:
            wire = f"wavecoder::Range<{kind.removesuffix('&').removeprefix('const ')}, {iterated(kind)}>"
            ways.append(Way(kind, wire, f"{wire}{{{{a{n}, a{n + 1}}}}}", f"a{n}.first()"))
        elif place >= 0 and n == place + 1:
            ways.append(Way(kind, "wavecoder::Nothing", "wavecoder::Nothing()", f"a{place}.last()"))
        else:
            ways.append(None if re.search(r"iterator\b|::(?:const_)?pointer$", kind) else carried(kind, made))
    known = [way for way in ways if way is not None]
    return known if len(known) == len(kinds) else None


def returned_by(returns: str, kinds: tuple[str, ...], made: Known) -> Way | None:
    """How the result of a function with these parameters crosses."""
    if not (container := iterated(returns)):
        return None if "iterator" in returns else returned(returns, made)
    place = _ranged(kinds)
    if place >= 0 and iterated(kinds[place]) == container:
        return Way(
            returns,
            "ptrdiff_t",
            f"std::distance(a{place}.first(), {{}})",
            f"wavecoder::within(a{place}, a{place + 1}, {{}})",
        )
    for n, kind in enumerate(kinds):
        if re.sub(r"^const |\s*&$", "", kind) == container and kind.endswith("&"):
            return Way(returns, "ptrdiff_t", f"std::distance(a{n}.begin(), {{}})", f"wavecoder::at_place(a{n}, {{}})")
    return None


def carried(kind: str, made: Known) -> Way | None:
    """How a parameter crosses."""
    if far := _far(kind, made):
        wire = f"wavecoder::Remote<{far[0]}>"
        return Way(kind, wire, f"{wire}({{}})", "*{}.at" if far[1] == "&" else "wavecoder::taken(*{}.at)")
    if found := re.fullmatch(r"(?:const\s+)?(?:std::)?initializer_list\s*<(.*)>\s*&?", kind):
        wire = f"std::vector<{found[1]}>"
        return Way(kind, wire, f"{wire}({{}})", "wavecoder::listed({})")
    if found := re.fullmatch(r"(.*?)\s*\(\*\)\[(\d+)\]", kind):
        wire = f"wavecoder::Rows<{found[1]}, {found[2]}>"
        return Way(wire, wire, f"std::forward<{wire}>({{}})", "{}.rows()")
    if array := referred_array(kind):
        wire = f"wavecoder::Fixed<{', '.join(array)}>"
        return Way(wire, wire, f"std::forward<{wire}>({{}})", "{}.whole()")
    wire, got = _near(kind, made) or ("", "")
    if _owns_far(kind, made) and not re.search(r"[^&]&$", kind):
        got = f"wavecoder::given({got})"
    return Way(wire, wire, f"std::forward<{wire}>({{}})", got) if wire else None


def _near(kind: str, made: Known) -> tuple[str, str] | None:
    """The type on the wire of a parameter that is no object of the candidate's, and how its function gets it."""
    if "(" in kind and "function<" not in kind.replace(" ", ""):
        pointer = re.sub(r"\(\s*\*\s*(?:const)?\s*\)", "(*)", kind)
        pointer = pointer if "(*)" in pointer else re.sub(r"\s*\(", " (*)(", pointer, count=1)
        return (f"wavecoder::Id<{pointer}>", "{}") if pointer.count("(") == 2 else None
    plain, pointed = bare(kind), made.linked | made.far
    if "*" not in plain:
        return kind, "{}"
    if found := re.fullmatch(r"((?:const )?[\w ]+?\s*\*)\s*(const\s*)?\*", kind):  # of pointers
        words = set(re.findall(r"\w+", found[1]))
        return None if words & pointed else (f"wavecoder::Span<{found[1]}{' const' if found[2] else ''}>", "{}.at")
    whole = re.fullmatch(r"(const\s+)?([\w\s:]+(?:<[\w\s:,<>]*>)?)\s*\*\s*(?:const\s*)?(&?)", kind)
    if whole is None:
        inside = re.findall(r"(\w+)(?:<[\w\s,:]*>)?\s*\*", plain)
        return (kind, "{}") if inside and set(inside) <= pointed and "**" not in kind else None
    if re.split(r"\W", whole[2].strip())[-1] in pointed or whole[2].strip().partition("<")[0] in pointed:
        return kind, "{}"
    return None if whole[3] else (f"wavecoder::Span<{whole[1] or ''}{whole[2].strip()}>", "{}.at")


def returned(kind: str, made: Known) -> Way | None:
    """How a result crosses."""
    if far := _far(kind, made):
        name, mark = far
        if mark:
            wire = f"wavecoder::Remote<{name}>"
            return Way(kind, wire, f"{wire}({{}})", "*{}.at") if mark == "&" else None
        wire = f"wavecoder::Made<{name}>"
        return Way(name, wire, f"{wire}{{{{new {name}({{}})}}}}", f"{name}({{}}.number)")
    if _owns_far(kind, made) and kind.endswith("&"):
        return None
    wire, _ = _near(kind, made) or ("", "")
    if not wire:
        return None
    if found := re.fullmatch(r"wavecoder::Span<(.*)>", wire):
        pointer = f"wavecoder::Pointer<{found[1]}>"
        return Way(f"{found[1]}*", pointer, f"{pointer}{{{{{{}}}}}}", "{}.at")
    if data := referred(kind, made):
        return Way(f"wavecoder::Ref<{data}>", data, "{}", "{}")
    return Way(f"wavecoder::Plain<{wire}>", wire, "{}", "{}")


def referred(kind: str, made: Known) -> str:
    """The type of the data that a result refers to, if the tests may change them through it."""
    found = re.fullmatch(r"([\w:]+(?:\s+[\w:]+)*(?:\s*<[^*()&]*>)?)\s*&", kind)
    words = set(re.findall(r"\w+", found[1])) if found else {"const"}
    if found is None or re.search(r"^const\b|\bconst$", found[1]) or words & (made.linked | made.far):
        return ""
    return "" if words & {"unique_ptr", "ostream", "istream"} else found[1]
