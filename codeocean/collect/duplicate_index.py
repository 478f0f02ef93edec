"""The rows that went on, as an index of their hashes, bands and signatures that may be held in shards.

A key belongs to the shard that its remainder names, so does the 32-bit key of a band, and a row's signature belongs to
the shard of its number. So each shard holds its share of all three, 304 bytes a row in all by default, and the answers
do not depend on how many shards there are. No Ray here: how a shard is reached is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from core.settings import Settings

_MIX, _MIX2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)

Keys = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint8]

Call = Callable[[str, dict[int, tuple[Any, ...]]], dict[int, Any]]
"""(method, shard → arguments) → shard → answer."""
PAIRS_AT_A_TIME = 100_000


class NearDuplicates(Settings):
    """When two rows are nearly the same."""

    threshold: float = Field(default=0.8, ge=0.3, le=1.0)
    """Estimated Jaccard similarity of the sets of 5-token shingles, from which on the later row is dropped."""

    permutations: int = Field(default=128, ge=16, le=1024)
    """Length of a signature in bytes; the estimate's standard error is 0.5 / √permutations at most."""


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

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return sum(run.nbytes for run in self._runs)

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


class IndexShard:
    """A share of the index."""

    def __init__(self, near: NearDuplicates | None) -> None:
        """Empty; without `near` it holds keys alone."""
        width = near.permutations if near else 0
        self._keys = SortedRuns()
        self._bands = [SortedRuns() for _ in range(width // rows_per_band(near))] if near else []
        self._signatures: Signatures = np.zeros((0, width), np.uint8)
        self._count = 0

    def add(self, keys: Keys, bands: Sequence[Keys], signatures: Signatures) -> None:
        """Add keys, for each band its keys with the row's number as their lower half, and signatures."""
        self._keys.add(keys)
        for band, values in zip(self._bands, bands, strict=True):
            band.add(values)
        end = self._count + len(signatures)
        if end > len(self._signatures):
            grown = np.zeros((max(end, len(self._signatures) * 3 // 2 + 512), signatures.shape[1]), np.uint8)
            grown[: self._count] = self._signatures[: self._count]
            self._signatures = grown
        self._signatures[self._count : end] = signatures
        self._count = end

    @property
    def nbytes(self) -> int:
        """Bytes of what it holds, and of the room for more signatures."""
        return self._signatures.nbytes + sum(runs.nbytes for runs in (self._keys, *self._bands))

    def contains(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which keys are there."""
        return self._keys.contains(keys)

    def meeting(self, bands: Sequence[Keys], limit: int) -> list[tuple[Keys, Keys]]:
        """For each band `SortedRuns.with_prefix` of its keys: number of the key, row that has it."""
        return [band.with_prefix(keys, limit) for band, keys in zip(self._bands, bands, strict=True)]

    def equal_bytes(self, signatures: Signatures, rows: Keys, places: Keys) -> npt.NDArray[np.int64]:
        """Equal bytes of pairs: one of these signatures, and one of this shard's by its place."""
        cuts = range(0, len(rows), PAIRS_AT_A_TIME)
        pairs = ((rows[cut : cut + PAIRS_AT_A_TIME], places[cut : cut + PAIRS_AT_A_TIME]) for cut in cuts)
        found = [(signatures[mine] == self._signatures[theirs]).sum(1) for mine, theirs in pairs]
        return np.concatenate([np.zeros(0, np.int64), *found])


class ShardedIndex:
    """Shards as one index."""

    def __init__(self, call: Call, num_shards: int) -> None:
        """Args: call: asks shards. num_shards: how many there are, numbered from 0, all empty."""
        self._call, self._num_shards, self._count = call, np.uint64(num_shards), 0

    def _members(self, values: Keys) -> list[npt.NDArray[np.int64]]:
        """Places of the values of each shard."""
        if self._num_shards == 1:
            return [np.arange(len(values))]
        owners = values % self._num_shards
        return [np.flatnonzero(owners == number) for number in range(int(self._num_shards))]

    def add(self, keys: Keys, signatures: Signatures, bands: Sequence[Keys]) -> None:
        """Add rows that go on, which are numbered in the order in which they come.

        Args:
            keys: (N,) hashes of the tokens.
            signatures: (N, P), P is 0 where near duplicates are not looked for.
            bands: for each band its N keys.
        """
        rows = np.arange(self._count, self._count + len(signatures), dtype=np.uint64)
        self._count += len(signatures)
        by_key, by_row = self._members(keys), self._members(rows)
        entries = [(band << _SHIFT) | rows for band in bands]
        by_band = [self._members(band) for band in bands]
        given = {}
        for number, (mine, numbered) in enumerate(zip(by_key, by_row, strict=True)):
            share = [band[places[number]] for band, places in zip(entries, by_band, strict=True)]
            given[number] = (keys[mine], share, signatures[numbered])
        self._call("add", given)

    def contains(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which keys are there."""
        found, members = np.zeros(len(keys), bool), self._members(keys)
        asked = {number: (keys[mine],) for number, mine in enumerate(members) if len(mine)}
        for number, answer in self._call("contains", asked).items():
            found[members[number]] = answer
        return found

    def pairs(self, bands: Sequence[Keys], limit: int) -> tuple[Keys, Keys]:
        """Pairs of N rows and known ones that meet in a band, each once, sorted by row and then by the known one.

        Args:
            bands: for each band its keys of the N rows.
            limit: known rows that are looked for in a run of a band, the earliest of them.
        """
        members = [self._members(band) for band in bands]
        asked = {number: ([band[mine[number]] for band, mine in zip(bands, members, strict=True)], limit)
                 for number in range(int(self._num_shards))}  # fmt: skip
        found = [np.zeros(0, np.uint64)]
        for number, answer in self._call("meeting", asked).items():
            found += [(mine[number][places.astype(np.int64)].astype(np.uint64) << _SHIFT) | others
                      for mine, (places, others) in zip(members, answer, strict=True)]  # fmt: skip
        met = np.unique(np.concatenate(found))
        return met >> _SHIFT, met & _LOW

    def equal_bytes(self, signatures: Signatures, rows: Keys, others: Keys) -> npt.NDArray[np.int64]:
        """Equal bytes of pairs: one of these signatures, and that of a known row."""
        found, members = np.zeros(len(rows), np.int64), self._members(others)
        asked = {}
        for number, mine in enumerate(members):
            if len(mine):
                needed, again = np.unique(rows[mine], return_inverse=True)
                asked[number] = (signatures[needed], again, others[mine] // self._num_shards)
        for number, answer in self._call("equal_bytes", asked).items():
            found[members[number]] = answer
        return found


def local_shards(near: NearDuplicates | None, num_shards: int) -> Call:
    """Shards in this process."""
    shards = [IndexShard(near) for _ in range(num_shards)]
    return lambda method, asked: {number: getattr(shards[number], method)(*given) for number, given in asked.items()}
