"""Which of several solutions to believe, by the tests that each of them passes. Pure, and only the standard library.

CodeT (Chen et al. 2022, arXiv 2207.10397, section 2.2): solutions that pass the same tests form a group; a group counts
as many solutions as it has, times as many tests as they pass. Here the solutions of a group are told apart by their
text, because a model that writes one solution four times has agreed with itself, not with anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

PASSED = "P"
"""The outcome of a test that a solution passes; any other letter is a failure."""


def groups_of(outcomes: Sequence[str]) -> dict[frozenset[int], list[int]]:
    """Tests passed → solutions that pass exactly those, in order.

    Args:
        outcomes: of each solution, one letter for each test.
    """
    groups: dict[frozenset[int], list[int]] = {}
    for number, row in enumerate(outcomes):
        passed = frozenset(place for place, letter in enumerate(row) if letter == PASSED)
        groups.setdefault(passed, []).append(number)
    return groups


def rank(outcomes: Sequence[str], texts: Sequence[str]) -> list[int]:
    """Solutions of the best group, in order; empty where no solution passes a test.

    Args:
        outcomes: of each solution, one letter for each test.
        texts: the solutions; spaces do not tell two apart.

    Ties of groups go to the one with more tests, then to the one with the earlier solution.
    """
    best: tuple[int, int, int] | None = None
    chosen: list[int] = []
    for passed, members in groups_of(outcomes).items():
        distinct = len({" ".join(texts[number].split()) for number in members})
        score = (distinct * len(passed), len(passed), -members[0])
        if passed and (best is None or score > best):
            best, chosen = score, members
    return chosen
