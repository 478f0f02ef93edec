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
from array import array
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import rensa

from codeocean.code_tokens import Tokens, read_tokens
from codeocean.collect.duplicate_index import (
    Keys,
    NearDuplicates,
    ShardedIndex,
    Signatures,
    band_keys,
    local_shards,
    rows_per_band,
)

__all__ = ["CANDIDATES", "Duplicates", "Keys", "NearDuplicates", "Signatures", "hash_shingles", "row_keys"]

SHINGLE = 5
CANDIDATES = 200
ROWS_AT_A_TIME = 512
CHARS_AT_A_TIME = 100_000
INDENTED = frozenset({"python"})
"""Languages in which indentation says what belongs to what."""
_SEED = 20240417
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MIX, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


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
    keys, signatures = np.zeros(len(codes), np.uint64), np.zeros((len(codes), permutations), np.uint8)
    for places, read in _pieces(codes):
        tokens = read([codes[place] for place in places], [blocks[place] for place in places])
        digests = b"".join(hashlib.blake2b(text, digest_size=8).digest() for text in tokens.joined)
        keys[places] = np.frombuffer(digests, np.uint64)
        signatures[places] = _signatures(tokens, permutations)
    return keys, signatures


_Read = Callable[[Sequence[str], Sequence[bool]], Tokens]


def _pieces(codes: Sequence[str]) -> Iterator[tuple[list[int], _Read]]:
    """Places of codes that are read together, and how; the arrays of one piece stay in the processor's cache."""
    plain, others, chars = list[int](), list[int](), 0
    for place, code in enumerate(codes):
        if not code.isascii():
            others.append(place)
            continue
        plain.append(place)
        chars += len(code)
        if chars >= CHARS_AT_A_TIME:
            yield plain, _read_together
            plain, chars = [], 0
    yield from ((places, read) for places, read in ((plain, _read_together), (others, read_one_by_one)) if places)


def _read_together(codes: Sequence[str], blocks: Sequence[bool]) -> Tokens:
    return read_tokens([code.encode("ascii") for code in codes], blocks)


def read_one_by_one(codes: Sequence[str], blocks: Sequence[bool]) -> Tokens:
    """`read_tokens` of any texts, the slow way."""
    tokens = [_with_blocks(code) if block else _TOKEN.findall(code) for code, block in zip(codes, blocks, strict=True)]
    joined = [" ".join(words).encode("utf-8", "surrogatepass") for words in tokens]
    return Tokens(*checksums_of(tokens), joined)


def checksums_of(tokens: Sequence[Sequence[str]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Tokens of each row, and the CRC-32 of all tokens one after the other."""
    sums = (zlib.crc32(word.encode("utf-8", "surrogatepass")) for words in tokens for word in words)
    return np.array([len(words) for words in tokens], np.int64), np.fromiter(sums, np.uint32)


def _signatures(tokens: Tokens, permutations: int) -> Signatures:
    """(N, P) MinHash signatures of the sets of shingles."""
    if not permutations:
        return np.zeros((len(tokens.counts), 0), np.uint8)
    flat, offsets = hash_shingles(tokens.counts, tokens.checksums)
    rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, permutations, _SEED).to_rows()
    values = b"".join(array("I", row).tobytes() for row in rows)  # faster than NumPy from lists
    return (np.frombuffer(values, np.uint32) & np.uint32(0xFF)).astype(np.uint8).reshape(-1, permutations)


_PIECE = re.compile(r"\n[^\S\n]*|\w+|[^\w\s]")
_STEPS = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)


def _with_blocks(code: str) -> list[str]:
    """Tokens, with a sign where a block of indented lines begins or ends; how wide a step is does not count.

    Lines inside brackets belong to no block. Not covered: brackets inside strings count as brackets.
    """
    tokens: list[str] = []
    widths, depth, line = [0], 0, ""
    for piece in _PIECE.findall("\n" + code):
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


def hash_shingles(
    lengths: npt.NDArray[np.int64], checksums: npt.NDArray[np.uint32], length: int = SHINGLE
) -> tuple[Keys, Keys]:
    """Hashes of the shingles of all rows one after the other, and where each row begins; a short row is one shingle.

    Args:
        lengths: (N,) tokens of each row.
        checksums: of all tokens.
        length: tokens of a shingle.
    """
    counts = np.maximum(lengths - length + 1, 1)
    widths = lengths + length  # padded, so that no shingle of a short row reaches into the next row
    begins = np.cumsum(widths) - widths
    offsets = np.concatenate([[0], np.cumsum(counts)])
    padded = np.zeros(widths.sum(), np.uint64)
    rows = np.repeat(np.arange(len(widths)), lengths)
    padded[np.arange(len(rows)) + length * rows] = checksums.astype(np.uint64) + np.uint64(1)
    at = np.repeat(begins - offsets[:-1], counts) + np.arange(offsets[-1])
    shingles = np.zeros(len(at), np.uint64)
    for step in range(length):
        shingles = (shingles ^ padded[at + step]) * _MIX
        shingles ^= shingles >> _SHIFT
    return shingles, offsets.astype(np.uint64)


class Duplicates:
    """The rows that went on, as far as later rows are compared with them."""

    def __init__(self, near: NearDuplicates | None, index: ShardedIndex | None = None) -> None:
        """Empty; without `near` only exact duplicates are known, without `index` this process holds all."""
        self._near = near
        self._length = rows_per_band(near) if near else 0
        self._index = index or ShardedIndex(local_shards(near, 1), 1)

    def add(self, keys: Keys, signatures: Signatures) -> None:
        """Add rows that go on."""
        self._index.add(keys, signatures, list(band_keys(signatures, self._length).T) if self._near else [])

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
            seen = self._index.contains(keys[rows])
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
        prefixes = list(band_keys(signatures, self._length).T)
        rows, others = self._index.pairs(prefixes, CANDIDATES)
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        rows, others = rows[rank < CANDIDATES], others[rank < CANDIDATES]
        compared = np.bincount(rows.astype(np.int64), minlength=len(signatures))
        dropped[rows[self._index.equal_bytes(signatures, rows, others) >= self._needed]] = True
        here = ShardedIndex(local_shards(self._near, 1), 1)
        here.add(np.zeros(0, np.uint64), signatures, prefixes)
        rows, others = here.pairs(prefixes, len(signatures))
        rows, others = rows[others < rows], others[others < rows]
        agree = here.equal_bytes(signatures, rows, others) >= self._needed
        bounds = np.searchsorted(rows, np.arange(len(signatures) + 1, dtype=np.uint64))
        for row in np.unique(rows).astype(np.int64):
            pairs = np.arange(bounds[row], bounds[row + 1])
            pairs = pairs[~dropped[others[pairs]]][: CANDIDATES - compared[row]]
            dropped[row] |= agree[pairs].any()
        return dropped

    @property
    def _needed(self) -> float:
        """Equal bytes of a pair at the threshold; those that are equal by chance (1 of 256) count as well."""
        assert self._near is not None
        return self._near.permutations * (self._near.threshold + (1 - self._near.threshold) / 256) - 1e-9
