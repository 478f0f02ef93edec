"""Which of several solutions to believe, by the tests that each of them passes. Pure, and only the standard library.

CodeT (Chen et al. 2022, arXiv 2207.10397, section 2.2): solutions that pass the same tests form a group; a group counts
as many solutions as it has, times as many tests as they pass. Here the solutions of a group are told apart by their
text, because a model that writes one solution four times has agreed with itself, not with anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

PASSED, MOVED = "P", "M"
"""Outcomes of a test that a solution answers rightly: its arguments stay as they were, or they do not and the test does
not say what becomes of them. Any other letter is a failure."""
RIGHT = frozenset({PASSED, MOVED})


def groups_of(outcomes: Sequence[str]) -> dict[frozenset[int], list[int]]:
    """Tests answered rightly → solutions that answer exactly those so, in order.

    Args:
        outcomes: of each solution, one letter for each test.
    """
    groups: dict[frozenset[int], list[int]] = {}
    for number, row in enumerate(outcomes):
        passed = frozenset(place for place, letter in enumerate(row) if letter in RIGHT)
        groups.setdefault(passed, []).append(number)
    return groups


def rank(outcomes: Sequence[str], texts: Sequence[str], *, in_place: bool | None = False) -> list[int]:
    """Solutions of the best group, in order; empty where no solution passes a test.

    Args:
        outcomes: of each solution, one letter for each test.
        texts: the solutions; spaces do not tell two apart.
        in_place: whether the arguments are to be changed; None where the first solution decides.

    Ties of groups go to the one with more tests, then to the one with the earlier solution. Where some of the group
    change their arguments and others do not, only those stay that do as `in_place` says.
    """
    best: tuple[int, int, int] | None = None
    chosen: list[int] = []
    for passed, members in groups_of(outcomes).items():
        distinct = len({" ".join(texts[number].split()) for number in members})
        score = (distinct * len(passed), len(passed), -members[0])
        if passed and (best is None or score > best):
            best, chosen = score, members
    if in_place is None:
        in_place = bool(outcomes) and MOVED in outcomes[0]
    return [number for number in chosen if (MOVED in outcomes[number]) == in_place] or chosen


def settled(outcomes: Sequence[str], chosen: Sequence[int]) -> list[str]:
    """The outcomes; `MOVED` is left to solutions that treat their arguments otherwise than the chosen ones.

    Args:
        outcomes: of each solution, one letter for each test.
        chosen: of `rank`.
    """
    if not chosen:
        return list(outcomes)
    model = outcomes[chosen[0]]
    return [
        row.replace(MOVED, PASSED)
        if number in chosen or (MOVED in row) == (MOVED in model)
        else "".join(_against(one, its) for one, its in zip(row, model, strict=True))
        for number, row in enumerate(outcomes)
    ]


def _against(letter: str, model: str) -> str:
    return letter if letter not in RIGHT or model not in RIGHT else PASSED if letter == model else MOVED


def is_killed(letter: str, model: str) -> bool:
    """Whether a mutant fails a test that the solution answers rightly.

    A solution that changes its arguments says nothing of how: a mutant that changes them otherwise, or not, is alive.
    """
    return letter not in RIGHT or (model == PASSED and letter == MOVED)
