"""How much of a benchmark problem a text repeats word for word: shares of n-grams of words, by hash.

Statement and solution are looked at apart, so that a row that repeats either is found; one too short to prove anything
is looked at together with the other. Words are runs of letters, digits and underscores without regard to case, so that
spaces, comment marks and other punctuation hide nothing.

Not covered: renamed variables, paraphrases, translations; these are what embeddings are for.
Cost: one hash for each word of a row, one binary search for each n-gram.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from codeocean.collect.duplicates import checksums_of, hash_shingles
from codeocean.decontaminate.benchmark_problems import BenchmarkText

MIN_GRAMS = 8
"""A statement or solution of fewer different n-grams proves nothing by itself."""

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Words of a text, in lower case."""
    return _WORD.findall(text.casefold())


class NgramIndex:
    """The n-grams of all problems."""

    def __init__(self, problems: Sequence[BenchmarkText], length: int) -> None:
        """Args: problems: of all benchmarks; length: words of an n-gram."""
        self._length = length
        owners, pieces = list[int](), list[list[str]]()
        for number, problem in enumerate(problems):
            found = [words(problem.statement), words(problem.solution)]
            if min(map(len, found)) < length + MIN_GRAMS - 1:
                found = [found[0] + found[1]]
            pieces += found
            owners += [number] * len(found)
        self._owners = np.array(owners, np.int64)
        grams, offsets = hash_shingles(*checksums_of(pieces), length)
        piece = np.repeat(np.arange(len(pieces)), np.diff(offsets).astype(np.int64))
        order = np.lexsort((piece, grams))
        grams, piece = grams[order], piece[order]
        fresh = np.ones(len(grams), bool)
        fresh[1:] = (grams[1:] != grams[:-1]) | (piece[1:] != piece[:-1])
        self._grams, self._pieces = grams[fresh], piece[fresh]
        self._sizes = np.bincount(self._pieces, minlength=len(pieces))

    def overlaps(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Pairs that share an n-gram, by text and then by problem.

        Returns:
            Number of the text, number of the problem, and the larger of the shares of the n-grams of its statement and
            of its solution that the text holds.
        """
        grams, offsets = hash_shingles(*checksums_of([words(text) for text in texts]), self._length)
        row = np.repeat(np.arange(len(texts)), np.diff(offsets).astype(np.int64))
        begin = np.searchsorted(self._grams, grams)
        hit = self._grams[np.minimum(begin, len(self._grams) - 1)] == grams
        grams, row = grams[hit], row[hit]
        order = np.lexsort((grams, row))
        grams, row = grams[order], row[order]
        fresh = np.ones(len(grams), bool)
        fresh[1:] = (grams[1:] != grams[:-1]) | (row[1:] != row[:-1])  # a text that repeats an n-gram has it once
        grams, row = grams[fresh], row[fresh]
        begin, end = np.searchsorted(self._grams, grams), np.searchsorted(self._grams, grams, side="right")
        counts = end - begin
        at = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begin, counts)
        pairs, shared = np.unique(np.repeat(row, counts) * len(self._sizes) + self._pieces[at], return_counts=True)
        row, piece = pairs // len(self._sizes), pairs % len(self._sizes)
        return _largest(row, self._owners[piece], shared / self._sizes[piece])


def _largest(
    row: npt.NDArray[np.int64], problem: npt.NDArray[np.int64], share: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Each (row, problem) once, with its largest share."""
    order = np.lexsort((-share, problem, row))
    row, problem, share = row[order], problem[order], share[order]
    first = np.ones(len(row), bool)
    first[1:] = (row[1:] != row[:-1]) | (problem[1:] != problem[:-1])
    return row[first], problem[first], share[first]
