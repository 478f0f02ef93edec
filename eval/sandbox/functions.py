"""A function that the tests may call, as its signature tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Generic:
    """A type parameter."""

    name: str
    bounds: str
    item: str | None = None
    """What it goes through, if it is an iterator."""
    is_implied: bool = False
    """Whether it stands for `impl Trait`."""
    is_function: bool = False
    """Whether it is a function's type."""
    is_constant: bool = False
    """Whether it stands for a number, whose type are the bounds."""
    is_outer: bool = False
    """Whether the type that a method belongs to has it."""


@dataclass(frozen=True)
class Function:
    """A function of plain data."""

    name: str
    returns: str
    parameters: tuple[tuple[str, str], ...]
    """Names and types."""
    generics: tuple[Generic, ...] = ()
    where: str = ""
    """Bounds of other types than the parameters."""

    @property
    def dispatched(self) -> list[Generic]:
        """Type parameters whose types must be named."""
        return [each for each in self.generics if each.item is None and not each.is_function]


def split_at_commas(text: str) -> list[str]:
    """Split at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for at, character in enumerate(text):
        arrow = text[at : at + 2] == "<-"  # of a channel in Go
        depth += (character in "<([{" and not arrow) - (character in ">)]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
