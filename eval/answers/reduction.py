"""Statements → those that a function needs, and what it lacks. Pure; the same for every language."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from eval.answers.units import Unit


@dataclass(frozen=True)
class Reduced:
    """What is left of a program."""

    units: tuple[Unit, ...]
    needed: frozenset[str]
    """Names that the entry points need, themselves included."""
    bound: frozenset[str]
    """Names that the program binds."""
    dropped: int
    """How many statements were left out."""

    @property
    def text(self) -> str:
        """The program."""
        return "\n\n".join(unit.text for unit in self.units)


def reduce_units(units: Sequence[Unit], roots: Collection[str]) -> Reduced:
    """Keep what binds or changes a needed name, transitively, in its order.

    What else would run on loading is left out: demonstrations, asserts, questions to a user.

    Args:
        units: of a program, or of several blocks in their order.
        roots: the names that the tests use.
    """
    units = [_with_effects(unit, units, frozenset(roots)) for unit in _without_repeated(units)]
    imported = {name for unit in units if unit.kind == "import" for name in unit.names}
    foreign = {name for unit in units if _is_foreign(unit) for name in unit.names}
    needed, kept = set(roots), set[int]()
    growing = True
    while growing:
        growing = False
        for number, unit in enumerate(units):
            always = unit.always and not (unit.kind != "import" and unit.uses & foreign - needed)
            wanted = always or unit.names & needed or (unit.changes - imported) & needed
            if number not in kept and wanted and not (unit.kind == "action" and "input" in unit.uses):
                kept.add(number)
                needed |= unit.uses
                growing = True
    chosen = tuple(units[number] for number in sorted(kept))
    bound = frozenset(name for unit in chosen for name in unit.names)
    return Reduced(chosen, frozenset(needed), bound, len(units) - len(chosen))


def _is_foreign(unit: Unit) -> bool:
    """Whether it imports a package that may not be there."""
    match = re.match(r"(?:import|from)[ \t]+(\w+)", unit.text) if unit.kind == "import" else None
    return match is not None and match[1] not in sys.stdlib_module_names


def _with_effects(unit: Unit, units: Sequence[Unit], roots: frozenset[str]) -> Unit:
    """A statement that calls functions of the program, with what they change; what calls a root is a demonstration."""
    called = {name for name in unit.calls if any(name in each.names and each.kind == "definition" for each in units)}
    if not called or unit.text.startswith("assert"):
        return unit
    reached, functions = set(called), set[Unit]()
    while found := {each for each in units if each.kind == "definition" and each.names & reached} - functions:
        functions |= found
        reached |= {name for each in found for name in each.uses}
    if reached & roots or "input" in reached:
        return unit
    effects = frozenset(name for each in functions for name in each.effects)
    return replace(unit, changes=unit.changes | (effects - {"*"}) | (unit.given if "*" in effects else frozenset()))


def whole(units: Sequence[Unit]) -> Reduced:
    """All of a program, but for words that only happen to be expressions."""
    units = [unit for unit in units if unit.kind != "action" or re.search(r"[(=\n]|^assert\b", unit.text)]
    needed = frozenset(name for unit in units for name in unit.uses)
    return Reduced(tuple(units), needed, frozenset(name for unit in units for name in unit.names), 0)


def _without_repeated(units: Sequence[Unit]) -> list[Unit]:
    """Of several declarations with one key, the last."""
    last = {unit.key: number for number, unit in enumerate(units)}
    return [unit for number, unit in enumerate(units) if not unit.key or last[unit.key] == number]
