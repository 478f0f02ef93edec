"""Which of a model's replicas answers: the one with least in flight, or the one that has seen the prompt's beginning.

Pure: no Ray, no clock. Whoever asks through one `Router` knows exactly what each replica has in flight; Ray's own
routers ask two replicas and remember the answer for a while.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

BLOCK_BYTES = 512
"""A beginning is known by whole blocks; a few times vLLM's own blocks of 16 or 32 tokens."""

MOST_BLOCKS = 64
"""So much of a request is looked at, 32 KiB."""

MOST_SEEN = 100_000
"""Beginnings that are remembered; the longest unused go first."""

SPREAD = 8
"""So many more than the idlest may a replica have in flight and still get a request for its prefix cache's sake."""


class Router:
    """Chooses among the replicas of one model."""

    def __init__(self, *, prefix: bool) -> None:
        """Args: prefix: prefer the replica whose prefix cache knows the longest part of the request."""
        self._prefix = prefix
        self._in_flight: Counter[str] = Counter()
        self._turn, self._last_asked = 0, Counter[str]()
        self._seen: OrderedDict[bytes, str] = OrderedDict()

    def choose(self, replicas: Sequence[str], body: bytes) -> str:
        """The replica to ask.

        Args:
            replicas: those that are there, at least one.
            body: of the request, whose messages or prompt stand before what changes from one request to the next.
        """
        idlest = min(replicas, key=lambda replica: (self._in_flight[replica], self._last_asked[replica]))
        if not self._prefix:
            return idlest
        beginnings = list(_beginnings(body))
        known = next((self._seen[digest] for digest in reversed(beginnings) if digest in self._seen), idlest)
        near = known in replicas and self._in_flight[known] <= self._in_flight[idlest] + SPREAD
        chosen = known if near else idlest
        for digest in beginnings:
            self._seen[digest] = chosen
            self._seen.move_to_end(digest)
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return chosen

    @contextmanager
    def asking(self, replica: str) -> Iterator[None]:
        """Count a request as in flight while the context is open."""
        self._turn += 1
        self._last_asked[replica] = self._turn
        self._in_flight[replica] += 1
        try:
            yield
        finally:
            self._in_flight[replica] -= 1

    def forget_all_but(self, replicas: Sequence[str]) -> None:
        """Drop what is known of replicas that are gone and have nothing in flight."""
        for replica in self._last_asked.keys() - set(replicas):
            if not self._in_flight[replica]:
                del self._last_asked[replica], self._in_flight[replica]


def _beginnings(body: bytes) -> Iterator[bytes]:
    """Digests of the first block, the first two, and so on."""
    digest = hashlib.blake2b(digest_size=12)
    for begin in range(0, min(len(body) // BLOCK_BYTES, MOST_BLOCKS) * BLOCK_BYTES, BLOCK_BYTES):
        digest.update(body[begin : begin + BLOCK_BYTES])
        yield digest.copy().digest()
