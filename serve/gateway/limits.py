"""How much a key may ask for: requests and tokens a minute, requests at once, tokens a day and in all. No clock here.

Rates are token buckets that hold one minute's worth: from `s` to `t` no more than rate · (1 min + t − s) is let in.
What a request will cost is not known when it comes, so its upper bound is reserved, and what it did not use is given
back when it ends: no number of requests at once gets past a limit. Calls are told the time (seconds since the epoch).

Processes of one gateway share their counts (`shared.py`). Not covered: several gateways do not; each lets in the whole
limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic import PositiveInt

from core.settings import Settings

MINUTE, DAY = 60.0, 86_400.0


class Limits(Settings):
    """What one key may use; None is without bound."""

    requests_per_minute: PositiveInt | None = None
    """Requests; a minute's worth may come at once."""

    tokens_per_minute: PositiveInt | None = None
    """Tokens, prompt and answer together."""

    tokens_per_day: PositiveInt | None = None
    """Tokens from midnight to midnight, UTC."""

    tokens_total: PositiveInt | None = None
    """Tokens in the key's whole life."""

    parallel: PositiveInt | None = None
    """Requests at the same time."""


class Wait(NamedTuple):
    """A refusal: which limit, its size, and when to come again."""

    limit: str
    size: int
    seconds: float
    """Until there is room, if nobody else asks; infinite when there never will be."""


class Left(NamedTuple):
    """What is left of a rate."""

    kind: Literal["requests", "tokens"]
    limit: int
    """A minute's worth."""
    remaining: int
    reset_s: float
    """Seconds until all of it is there again, if nobody asks."""


@dataclass
class Ticket:
    """A request that was let in; `settle` it once."""

    key_id: str
    reserved: int
    per_minute: int | None
    at: float


@dataclass
class Bucket:
    """What is taken out of one minute's worth and has not flowed back yet."""

    taken: float = 0.0
    at: float = 0.0

    def flow(self, per_minute: int | None, now: float) -> None:
        """Let flow back what does by a time."""
        if per_minute:
            self.taken = max(0.0, self.taken - max(0.0, now - self.at) * per_minute / MINUTE)
        self.at = max(now, self.at)

    def wait_for(self, amount: int, per_minute: int) -> float:
        """Seconds until `amount` fits; 0 when it does."""
        if amount > per_minute:
            return math.inf
        excess = self.taken + amount - per_minute
        return max(0.0, excess * MINUTE / per_minute) if excess > 1e-6 else 0.0


@dataclass
class Account:
    """What a key has taken of its limits."""

    requests: Bucket = field(default_factory=Bucket)
    tokens: Bucket = field(default_factory=Bucket)
    parallel: int = 0
    day: int = 0
    day_tokens: int = 0
    total_tokens: int = 0
    total_requests: int = 0
    last_used: float = 0.0


SAVED = ("day", "day_tokens", "total_tokens", "total_requests", "last_used")
"""What of an account outlives the gateway: quotas do, rates do not."""


class Limiter:
    """Counts of every key."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._places = 0

    @contextmanager
    def _open(self, key_id: str) -> Iterator[Account]:
        """A key's account, to be read and changed while the context is open."""
        yield self._accounts.setdefault(key_id, Account())

    def take_place(self, most: int) -> bool:
        """Take a place among the requests under way, of all keys together; False where `most` are taken."""
        if self._places >= most:
            return False
        self._places += 1
        return True

    def leave_place(self) -> None:
        """Give a place back."""
        self._places -= 1

    def admit(self, key_id: str, limits: Limits, tokens: int, now: float) -> Ticket | Wait:
        """Let a request in and reserve for it, or say when to come again; a refusal takes nothing.

        Args:
            key_id: whose request it is.
            limits: of that key.
            tokens: most that the request can use.
            now: seconds since the epoch.
        """
        with self._open(key_id) as account:
            self._flow(account, limits, now)
            refusal = _longest(_waits_to_begin(account, limits) + _waits_for_tokens(account, limits, tokens, now))
            if refusal is not None:
                return refusal
            account.requests.taken += 1
            account.tokens.taken += tokens
            account.day_tokens += tokens
            account.total_tokens += tokens
            account.total_requests += 1
            account.parallel += 1
            account.last_used = now
        return Ticket(key_id, tokens, limits.tokens_per_minute, now)

    @staticmethod
    def _flow(account: Account, limits: Limits, now: float) -> None:
        account.requests.flow(limits.requests_per_minute, now)
        account.tokens.flow(limits.tokens_per_minute, now)
        if account.day != int(now // DAY):
            account.day, account.day_tokens = int(now // DAY), 0

    def reserve(self, ticket: Ticket, limits: Limits, tokens: int, now: float) -> Wait | None:
        """Reserve tokens for a request that was let in before these were known, or say when to come again."""
        with self._open(ticket.key_id) as account:
            self._flow(account, limits, now)
            refusal = _longest(_waits_for_tokens(account, limits, tokens, now))
            if refusal is None:
                account.tokens.taken += tokens
                account.day_tokens += tokens
                account.total_tokens += tokens
                ticket.reserved, ticket.at = ticket.reserved + tokens, now
        return refusal

    def settle(self, ticket: Ticket, used: int, now: float) -> None:
        """Give back what a request had reserved and did not use, or take what it used above that."""
        with self._open(ticket.key_id) as account:
            account.parallel -= 1
            over = used - ticket.reserved
            account.total_tokens += over
            if account.day == int(ticket.at // DAY):
                account.day_tokens += over
            if ticket.per_minute:
                account.tokens.flow(ticket.per_minute, now)
                # What has flowed back since the reservation was lent to others already: it is not given back twice.
                flowed = max(0.0, now - ticket.at) * ticket.per_minute / MINUTE
                account.tokens.taken = max(0.0, account.tokens.taken + (over if over > 0 else min(0.0, over + flowed)))

    def left(self, key_id: str, limits: Limits, now: float) -> list[Left]:
        """What a key has left of each of its rates."""
        with self._open(key_id) as account:
            self._flow(account, limits, now)
            taken = account.requests.taken, account.tokens.taken
        rates: list[tuple[Literal["requests", "tokens"], float, int | None]] = [
            ("requests", taken[0], limits.requests_per_minute),
            ("tokens", taken[1], limits.tokens_per_minute),
        ]
        return [
            Left(kind, size, max(0, math.floor(size - gone + 1e-6)), gone * MINUTE / size)
            for kind, gone, size in rates
            if size
        ]

    def state(self) -> dict[str, dict[str, Any]]:
        """What must be kept: key id → its counts. Requests under way count with what they reserved."""
        return {id_: {name: getattr(account, name) for name in SAVED} for id_, account in self._accounts.items()}

    @classmethod
    def from_state(cls, state: dict[str, dict[str, Any]]) -> Limiter:
        """A limiter that goes on where another ended."""
        limiter = cls()
        limiter._accounts = {id_: account_from(saved) for id_, saved in state.items()}
        return limiter


def account_from(saved: dict[str, Any]) -> Account:
    """An account of which only what outlives the gateway is known."""
    return Account(**{name: saved[name] for name in SAVED})


def _waits_to_begin(account: Account, limits: Limits) -> list[Wait]:
    waits: list[Wait] = []
    if limits.parallel and account.parallel >= limits.parallel:
        waits.append(Wait("parallel", limits.parallel, 1.0))
    if limits.requests_per_minute:
        seconds = account.requests.wait_for(1, limits.requests_per_minute)
        waits.append(Wait("requests_per_minute", limits.requests_per_minute, seconds))
    return waits


def _waits_for_tokens(account: Account, limits: Limits, tokens: int, now: float) -> list[Wait]:
    waits: list[Wait] = []
    if limits.tokens_per_minute:
        seconds = account.tokens.wait_for(tokens, limits.tokens_per_minute)
        waits.append(Wait("tokens_per_minute", limits.tokens_per_minute, seconds))
    if limits.tokens_per_day and account.day_tokens + tokens > limits.tokens_per_day:
        midnight = DAY - now % DAY if tokens <= limits.tokens_per_day else math.inf
        waits.append(Wait("tokens_per_day", limits.tokens_per_day, midnight))
    if limits.tokens_total and account.total_tokens + tokens > limits.tokens_total:
        waits.append(Wait("tokens_total", limits.tokens_total, math.inf))
    return waits


def _longest(waits: list[Wait]) -> Wait | None:
    longest = max(waits, key=lambda wait: wait.seconds, default=None)
    return longest if longest is not None and longest.seconds > 0 else None
