"""Exact and near duplicates: what workers compute of a row, and which rows go on, decided in the order of the rows.

A worker reduces the code to its tokens (words and marks; spaces and line ends do not count, but for Python's blocks),
their 64-bit hash, and a MinHash signature of the set of 5-token shingles (Broder 1997; rensa computes it), of which 8
bits of each of P values are kept (Li & König 2010). Who is a duplicate is decided in one process, row after row, so
that the answer does not depend on who read what when: a row is dropped when an earlier row that goes on has the same
hash, or shares a band of its signature and agrees in enough of it. Bands are cut so that a pair at the threshold meets
in one with 99 %.

Memory: 8 bytes a row for exact duplicates; P + 8 × bands more for near ones (296 bytes for 128 permutations at 0.8).
Not covered: a row is compared with the first `CANDIDATES` rows that share a band with it, so that a corpus of a million
variants of one function takes no quadratic time.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import rensa
from pydantic import Field

from core.settings import Settings

SHINGLE = 5
CANDIDATES = 200
ROWS_AT_A_TIME = 512
INDENTED = frozenset({"python"})
"""Languages in which indentation says what belongs to what."""
_SEED = 20240417
_TOKEN, _ASCII_TOKEN = re.compile(r"\w+|[^\w\s]"), re.compile(r"[A-Za-z0-9_]+|[^A-Za-z0-9_\s]")
_MIX, _MIX2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)

Keys = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint8]


class NearDuplicates(Settings):
    """When two rows are nearly the same."""

    threshold: float = Field(default=0.8, ge=0.3, le=1.0)
    """Estimated Jaccard similarity of the sets of 5-token shingles, from which on the later row is dropped."""

    permutations: int = Field(default=128, ge=16, le=1024)
    """Length of a signature in bytes; the estimate's standard error is 0.5 / √permutations at most."""


def row_keys(codes: Sequence[str], permutations: int, languages: Sequence[str] = ()) -> tuple[Keys, Signatures]:
    """What the decision needs of each code.

    Args:
        codes: N texts.
        permutations: length P of a signature; 0 leaves it out.
        languages: of each; without them indentation counts nowhere.

    Returns:
        (N,) uint64 hash of the tokens, (N, P) uint8 signature.
    """
    blocks = [language in INDENTED for language in languages] or [False] * len(codes)
    tokens = [_with_blocks(code) if block else _tokens(code) for code, block in zip(codes, blocks, strict=True)]
    digests = b"".join(
        hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest() for words in tokens
    )
    keys = np.frombuffer(digests, np.uint64)
    if not permutations or not tokens:
        return keys, np.zeros((len(keys), permutations), np.uint8)
    flat, offsets = hash_shingles(tokens)
    rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, permutations, _SEED).to_rows()
    return keys, (np.array(rows, np.uint32) & np.uint32(0xFF)).astype(np.uint8)


_PIECE = re.compile(r"\n[^\S\n]*|\w+|[^\w\s]")
_ASCII_PIECE = re.compile(r"\n[ \t\r\f\v\x1c-\x1f]*|[A-Za-z0-9_]+|[^A-Za-z0-9_\s]")
"""The same of texts that are ASCII, in two thirds of the time."""
_STEPS = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)


def _tokens(code: str) -> list[str]:
    return (_ASCII_TOKEN if code.isascii() else _TOKEN).findall(code)


def _with_blocks(code: str) -> list[str]:
    """Tokens, with a sign where a block of indented lines begins or ends; how wide a step is does not count.

    Lines inside brackets belong to no block. Not covered: brackets inside strings count as brackets.
    """
    tokens: list[str] = []
    widths, depth, line = [0], 0, ""
    for piece in (_ASCII_PIECE if code.isascii() else _PIECE).findall("\n" + code):
        if piece[0] == "\n":
            line = piece
            continue
        if line:  # its first token
            if depth <= 0 and piece != "#":
                width = len(line[1:].expandtabs())
                while width < widths[-1]:
                    widths.pop()
                    tokens.append("\x02")
                if width > widths[-1]:
                    widths.append(width)
                    tokens.append("\x01")
            line = ""
        tokens.append(piece)
        if piece in _STEPS:
            depth += _STEPS[piece]
    return tokens


class _TokenHashes(dict[str, int]):
    def __missing__(self, token: str) -> int:
        if len(self) > MAX_KNOWN_TOKENS:
            self.clear()
        self[token] = value = zlib.crc32(token.encode("utf-8", "surrogatepass")) + 1
        return value


MAX_KNOWN_TOKENS = 200_000
_HASHES = _TokenHashes({"": 0})
"""Of this process; the empty token pads a row."""


def hash_shingles(tokens: Sequence[Sequence[str]], length: int = SHINGLE) -> tuple[Keys, Keys]:
    """Hashes of the shingles of all rows one after the other, and where each row begins; a short row is one shingle."""
    padding = [""] * length  # no shingle of a short row reaches into the next row
    counts = np.array([max(len(words) - length + 1, 1) for words in tokens])
    widths = np.array([len(words) + length for words in tokens])
    flat = chain.from_iterable((*words, *padding) for words in tokens)
    padded = np.fromiter(map(_HASHES.__getitem__, flat), np.uint64)
    begins = np.cumsum(widths) - widths
    offsets = np.concatenate([[0], np.cumsum(counts)])
    at = np.repeat(begins - offsets[:-1], counts) + np.arange(offsets[-1])
    shingles = np.zeros(len(at), np.uint64)
    for step in range(length):
        shingles = (shingles ^ padded[at + step]) * _MIX
        shingles ^= shingles >> _SHIFT
    return shingles, offsets.astype(np.uint64)


def rows_per_band(config: NearDuplicates) -> int:
    """The longest bands in one of which a pair at the threshold meets with a probability of 99 %."""
    lengths = range(config.permutations, 0, -1)
    meets = (1 - (1 - config.threshold**length) ** (config.permutations // length) for length in lengths)
    return next((length for length, chance in zip(lengths, meets, strict=True) if chance >= 0.99), 1)


def band_keys(signatures: Signatures, length: int) -> Keys:
    """(N, P) signatures → (N, bands) 32-bit keys of their bands, as uint64."""
    count = signatures.shape[1] // length
    values = signatures[:, : count * length].reshape(len(signatures), count, length).astype(np.uint64)
    keys = np.zeros(values.shape[:2], np.uint64)
    for step in range(length):
        keys = (keys ^ (values[:, :, step] + np.uint64(1))) * _MIX
        keys ^= keys >> _SHIFT
    return keys * _MIX2 >> _SHIFT


class SortedRuns:
    """A set of uint64 values as sorted runs of falling length, 8 bytes a value; adding merges runs of like length."""

    def __init__(self) -> None:
        """Empty."""
        self._runs: list[Keys] = []

    def add(self, values: Keys) -> None:
        """Add values; amortised O(log n) moves a value."""
        if len(values) == 0:
            return
        self._runs.append(np.sort(values))
        while len(self._runs) > 1 and len(self._runs[-2]) < 4 * len(self._runs[-1]):
            merged = np.concatenate([self._runs.pop(-2), self._runs.pop()])
            merged.sort(kind="stable")  # finds the two runs
            self._runs.append(merged)

    def contains(self, values: Keys) -> npt.NDArray[np.bool_]:
        """Which values are there."""
        found = np.zeros(len(values), bool)
        for run in self._runs:
            found |= run[np.minimum(np.searchsorted(run, values), len(run) - 1)] == values
        return found

    def with_prefix(self, prefixes: Keys, limit: int) -> tuple[Keys, Keys]:
        """For each 32-bit prefix the values that have it as their upper half, the `limit` smallest of a run at most.

        Returns:
            Pairs as two arrays: number of the prefix, lower half of the value.
        """
        numbers, lower = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        for run in self._runs:
            begin = np.searchsorted(run, prefixes << _SHIFT)
            hits = np.flatnonzero(run[np.minimum(begin, len(run) - 1)] >> _SHIFT == prefixes)
            end = np.searchsorted(run, (prefixes[hits] << _SHIFT) | _LOW, side="right")
            counts = np.clip(end - begin[hits], 0, limit)
            offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            numbers.append(np.repeat(hits, counts).astype(np.uint64))
            lower.append(run[np.repeat(begin[hits], counts) + offsets] & _LOW)
        return np.concatenate(numbers), np.concatenate(lower)


class Duplicates:
    """The rows that went on, as far as later rows are compared with them."""

    def __init__(self, near: NearDuplicates | None) -> None:
        """Empty; without `near` only exact duplicates are known."""
        self._near = near
        self._keys = SortedRuns()
        self._length = rows_per_band(near) if near else 0
        self._bands = [SortedRuns() for _ in range(near.permutations // self._length)] if near else []
        self._signatures: Signatures = np.zeros((0, near.permutations if near else 0), np.uint8)
        self._count = 0

    def add(self, keys: Keys, signatures: Signatures) -> None:
        """Add rows that go on."""
        self._keys.add(keys)
        if self._near is None:
            return
        while self._count + len(keys) > len(self._signatures):
            grown = np.zeros((len(self._signatures) * 3 // 2 + ROWS_AT_A_TIME, self._near.permutations), np.uint8)
            grown[: self._count] = self._signatures[: self._count]
            self._signatures = grown
        self._signatures[self._count : self._count + len(keys)] = signatures
        rows = np.arange(self._count, self._count + len(keys), dtype=np.uint64)
        for band, prefixes in zip(self._bands, band_keys(signatures, self._length).T, strict=True):
            band.add((prefixes << _SHIFT) | rows)
        self._count += len(keys)

    def decide(self, keys: Keys, signatures: Signatures, alive: npt.NDArray[np.bool_]) -> list[str]:
        """Reasons why rows stop as duplicates, empty for those that go on; these are added.

        Args:
            keys: (N,) from `row_keys`.
            signatures: (N, P) from `row_keys`.
            alive: (N,) rows that stopped before are no duplicates, and no later row is one of them.
        """
        reasons = np.full(len(keys), "", object)
        for start in range(0, len(keys), ROWS_AT_A_TIME):
            rows = np.arange(start, min(start + ROWS_AT_A_TIME, len(keys)))
            rows = rows[alive[rows]]
            if len(rows) == 0:
                continue
            seen = self._keys.contains(keys[rows])
            _, first, group = np.unique(keys[rows], return_index=True, return_inverse=True)
            again = first[group] != np.arange(len(rows))
            fresh = ~seen & ~again
            dropped = np.zeros(len(rows), bool)
            dropped[fresh] = self._near_earlier(signatures[rows[fresh]])
            # A copy of a row that goes no further is what that row was: near to an earlier one.
            near = np.where(seen, False, dropped[first[group]])
            reasons[rows[seen | again]] = "duplicate code"
            reasons[rows[near]] = "near duplicate"
            new = rows[fresh & ~dropped]
            self.add(keys[new], signatures[new])
        return list(reasons)

    def _near_earlier(self, signatures: Signatures) -> npt.NDArray[np.bool_]:
        """Which of these rows are near to a row that went on, or to an earlier one of these that goes on."""
        dropped = np.zeros(len(signatures), bool)
        if self._near is None or len(signatures) == 0:
            return dropped
        mine = [SortedRuns() for _ in self._bands]
        prefixes = band_keys(signatures, self._length).T
        for band, keys in zip(mine, prefixes, strict=True):
            band.add((keys << _SHIFT) | np.arange(len(signatures), dtype=np.uint64))
        rows, others = _pairs(self._bands, prefixes, CANDIDATES)
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        rows, others = rows[rank < CANDIDATES], others[rank < CANDIDATES]
        compared = np.bincount(rows.astype(np.int64), minlength=len(signatures))
        dropped[rows[self._agree(signatures, rows, self._signatures, others)]] = True
        rows, others = _pairs(mine, prefixes, len(signatures))
        rows, others = rows[others < rows], others[others < rows]
        agree = self._agree(signatures, rows, signatures, others)
        bounds = np.searchsorted(rows, np.arange(len(signatures) + 1, dtype=np.uint64))
        for row in np.unique(rows).astype(np.int64):
            pairs = np.arange(bounds[row], bounds[row + 1])
            pairs = pairs[~dropped[others[pairs]]][: CANDIDATES - compared[row]]
            dropped[row] |= agree[pairs].any()
        return dropped

    def _agree(self, mine: Signatures, rows: Keys, theirs: Signatures, others: Keys) -> npt.NDArray[np.bool_]:
        """Which pairs reach the threshold; equal bytes by chance (1 of 256) are taken off."""
        assert self._near is not None
        needed = self._near.permutations * (self._near.threshold + (1 - self._near.threshold) / 256)
        step = 100_000  # pairs at a time: 13 MB
        equal = [
            (mine[rows[start : start + step]] == theirs[others[start : start + step]]).sum(1)
            for start in range(0, len(rows), step)
        ]
        return np.concatenate([np.zeros(0, int), *equal]) >= needed - 1e-9


def _pairs(bands: list[SortedRuns], prefixes: Any, limit: int) -> tuple[Keys, Keys]:
    """Pairs that meet in a band, each once, sorted by row and then by the other."""
    found = [band.with_prefix(keys, limit) for band, keys in zip(bands, prefixes, strict=True)]
    pairs = np.unique(np.concatenate([(rows << _SHIFT) | others for rows, others in found]))
    return pairs >> _SHIFT, pairs & _LOW
