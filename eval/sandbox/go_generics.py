"""Go's type parameters: the types that a generic function may be called with, and what stands for it in the tests.

The candidate's program holds the function once for each list of types that its constraints allow. The tests' program
has a generic function in its place, which picks one of them by the names of its types.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from eval.sandbox.functions import Function, Generic, split_at_commas

_INTEGERS = ("int", "int64", "int32", "int16", "int8", "uint", "uint8", "uint16", "uint32", "uint64")
_ORDERED = (*_INTEGERS, "float64", "float32", "string")
_ANY = ("int", "float64", "string", "bool", "int32", "uint8", "int64", "[]int", "[]string", "[]float64")
_SETS = {
    "any": _ANY,
    "interface{}": _ANY,
    "comparable": tuple(kind for kind in _ANY if "[" not in kind),
    **{f"{package}.Ordered": _ORDERED for package in ("cmp", "constraints")},
    "constraints.Integer": _INTEGERS,
    "constraints.Signed": _INTEGERS[:5],
    "constraints.Unsigned": _INTEGERS[5:],
    "constraints.Float": ("float64", "float32"),
}
_SAME = {"rune": "int32", "byte": "uint8"}
_MOST = {1: 24, 2: 6}
"""Plain types tried for each of so many type parameters."""
_OWN = 8
"""Types of the candidate's own that are tried beside them; as many fewer for each as there are type parameters."""


def type_parameters(
    text: str, source: str, own: Mapping[str, set[str]] = MappingProxyType({})
) -> tuple[Generic, ...] | None:
    """The type parameters between `[` and `]`, with the types of each between commas; None if one has none.

    Args:
        text: such as `K comparable, V int | float64`.
        source: the candidate, which may define constraints.
        own: its types → the constraints that allow them.
    """
    found: list[Generic] = []
    for part in reversed([" ".join(part.split()) for part in split_at_commas(text) if part.strip()]):
        name, _, constraint = part.partition(" ")
        bounds = constraint or (found[-1].bounds if found else "")
        slice_of = re.fullmatch(r"(?:interface ?\{ ?)?~?\[\](\w+)(?: ?\})?", constraint)
        if slice_of:
            found.append(Generic(name, f"[]{slice_of[1]}", item=slice_of[1]))
            continue
        kinds = bounds if not constraint else ",".join(_with_own(constraint, source, own))
        if not kinds:
            return None
        found.append(Generic(name, kinds))
    return tuple(reversed(found))


def _with_own(constraint: str, source: str, own: Mapping[str, set[str]]) -> list[str]:
    """The types that a constraint allows: plain ones, then the candidate's own."""
    return [*_kinds_of(constraint, source, 0), *(name for name, allowed in own.items() if constraint in allowed)]


def for_tests(f: Function, tests: str) -> Function:
    """The function with the types first that tests name in a line with it, then those that they name: few are tried."""
    lines = "\n".join(line for line in tests.split("\n") if re.search(rf"\b{f.name}\b", line))

    def place(kind: str) -> tuple[bool, bool]:
        named = re.compile(rf"{re.escape(kind.lstrip('*'))}\b")
        return not named.search(lines), not named.search(tests)

    ordered = [replace(each, bounds=",".join(sorted(each.bounds.split(","), key=place))) for each in f.generics]
    return replace(f, generics=tuple(ordered))


def _kinds_of(constraint: str, source: str, depth: int) -> list[str]:
    inner = re.fullmatch(r"interface ?\{(.+)\}", constraint, re.DOTALL)
    kinds: list[str] = []
    for part in re.split(r"\|", inner[1] if inner else constraint):
        part = part.strip().lstrip("~")  # noqa: PLW2901
        defined = re.search(rf"^type\s+{re.escape(part)}\s+(interface\s*\{{[^{{}}()]+\}})", source, re.MULTILINE)
        if part in _SETS:
            kinds += _SETS[part]
        elif defined and depth < 3:
            kinds += _kinds_of(" ".join(defined[1].split()), source, depth + 1)
        elif re.fullmatch(r"u?int(8|16|32|64)?|float(32|64)|string|bool|rune|byte", part):
            kinds.append(_SAME.get(part, part))
        else:
            return []
    return list(dict.fromkeys(kinds))


def instances(f: Function) -> list[tuple[str, ...]]:
    """Lists of types that a generic function is tried with; of those parameters that are no slice of another."""
    lists = [each.bounds.split(",") for each in f.generics if each.item is None]
    most, own = _MOST.get(len(lists), 3), _OWN // len(lists) if lists else 0
    tried = []
    for kinds in lists:
        mine = [kind for kind in kinds if kind not in {*_ANY, *_ORDERED}]
        tried.append([kind for kind in kinds if kind not in mine][:most] + mine[:own])
    return list(itertools.product(*tried))


def instantiated(f: Function, kinds: tuple[str, ...]) -> str:
    """The function with such types, as an expression."""
    known = dict(zip((each.name for each in f.generics if each.item is None), kinds, strict=True))
    if f.name.startswith("("):  # a method
        return re.sub(r"\[[\w, ]+\]", lambda _: f"[{', '.join(known.values())}]", f.name, count=1)
    written = [known[each.name] if each.item is None else f"[]{known[each.item]}" for each in f.generics]
    return f"{f.name}[{', '.join(written)}]"


def without_slices(kind: str, f: Function) -> str:
    """A type in which parameters that stand for slices of others are those."""
    for each in f.generics:
        if each.item is not None:
            kind = re.sub(rf"\b{each.name}\b", f"[]{each.item}", kind)
    return kind


def head(f: Function) -> str:
    """The type parameters of what stands for it; each may be anything, or what can be compared."""
    mine = [each for each in f.generics if each.item is None]
    plain = {*_ANY, *_ORDERED}
    said = [
        f"{each.name} {'any' if '[' in each.bounds or not plain & set(each.bounds.split(',')) else 'comparable'}"
        for each in mine
    ]
    return f"[{', '.join(said)}]"


def pick(f: Function, first: int) -> str:
    """The number of the candidate's function for the types at hand, in the tests' program."""
    names = ", ".join(
        f"wavecoderNameOf(reflect.TypeOf((*{each.name})(nil)).Elem())" for each in f.generics if each.item is None
    )
    listed = ", ".join(f'"{",".join(kinds)}"' for kinds in instances(f))
    return f"{first} + wavecoderPick([]string{{{names}}}, []string{{{listed}}})"
