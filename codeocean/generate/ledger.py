"""What generation took: questions, tokens, seconds, money; by role, task and round. Pure.

Not covered: what an engine costs while it starts or idles between jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from codeocean.generate.settings import RoleConfig, SpendingConfig

Row = dict[str, Any]

ROLES = ("generator", "discriminator")
"""Those that every generation has; a tester of its own comes on top."""

SELDOM = {"cache_written_tokens", "reasoning_tokens", "estimated"}
"""What is written down only where there is any."""

TAKEN = ("prompt_tokens", "cached_tokens", "cache_written_tokens", "completion_tokens", "reasoning_tokens", "seconds",
         "estimated")  # fmt: skip
"""What an answer says that it took."""


@dataclass
class Usage:
    """What some answers took."""

    questions: int = 0
    """Asked, retries included."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt, found in the engine's prefix cache; 0 where the endpoint does not tell."""
    completion_tokens: int = 0
    seconds: float = 0.0
    """From question to answer, added up over requests: with n in flight, n times the clock."""
    failures: Counter[str] = field(default_factory=Counter)
    """Reasons why answers were none, retried or not."""
    cache_written_tokens: int = 0
    """Of the prompt, written to the endpoint's cache, where that has a price of its own."""
    reasoning_tokens: int = 0
    """Of the completion, thinking; 0 where the endpoint does not tell."""
    estimated: int = 0
    """Answers whose tokens the endpoint did not tell: they were counted here, or estimated."""

    def add_answer(self, answer: Mapping[str, Any]) -> None:
        """Count one answer of a chat."""
        self.questions += 1
        for name in TAKEN:
            setattr(self, name, getattr(self, name) + answer.get(name, 0))

    def add(self, other: Usage) -> None:
        """Count what another counted."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine + theirs)

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.prompt_tokens + self.completion_tokens

    def as_json(self) -> Row:
        """As JSON values; `from_json` reads them."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values = {name: value for name, value in values.items() if value or name not in SELDOM}
        return values | {"seconds": round(self.seconds, 3), "failures": dict(+self.failures)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Usage:
        """What `as_json` wrote."""
        return cls(**(dict(values) | {"failures": Counter(values["failures"])}))


@dataclass
class Account:
    """One task of one round."""

    rows: int = 0
    """Raw code that was sent, or refused before."""
    accepted: int = 0
    used: dict[str, Usage] = field(default_factory=lambda: {role: Usage() for role in ROLES})

    def add(self, other: Account) -> None:
        """Count what another counted."""
        self.rows, self.accepted = self.rows + other.rows, self.accepted + other.accepted
        for role, used in other.used.items():
            self.used.setdefault(role, Usage()).add(used)

    @property
    def tokens(self) -> int:
        """Of both roles, in and out."""
        return sum(used.tokens for used in self.used.values())

    @property
    def seconds(self) -> float:
        """Of both roles' requests."""
        return sum(used.seconds for used in self.used.values())


@dataclass
class Ledger:
    """A round, or many: task → account, and the clock."""

    tasks: dict[str, Account] = field(default_factory=dict)
    wall_s: float = 0.0

    def add(self, other: Ledger) -> None:
        """Count what another counted."""
        self.wall_s += other.wall_s
        for task, account in other.tasks.items():
            self.tasks.setdefault(task, Account()).add(account)

    def whole(self) -> Account:
        """All tasks together."""
        total = Account()
        for account in self.tasks.values():
            total.add(account)
        return total

    def as_json(self) -> Row:
        """As JSON values; `from_json` reads them."""
        return {"wall_s": round(self.wall_s, 3), "tasks": {
            task: {"rows": account.rows, "accepted": account.accepted}
            | {role: used.as_json() for role, used in account.used.items()}
            for task, account in sorted(self.tasks.items())
        }}  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Ledger:
        """What `as_json` wrote."""
        accounts = {
            task: Account(
                found["rows"],
                found["accepted"],
                {role: Usage.from_json(used) for role, used in found.items() if role not in {"rows", "accepted"}},
            )
            for task, found in values["tasks"].items()
        }
        return cls(accounts, values["wall_s"])


def token_cost(account: Account, roles: Mapping[str, RoleConfig]) -> float:
    """Money for an account's tokens, by the prices of the roles."""
    cost = 0.0
    for role, used in account.used.items():
        price = roles[role].price
        if price is not None:
            cached = price.prompt if price.cached is None else price.cached
            written = price.prompt if price.cache_write is None else price.cache_write
            plain = used.prompt_tokens - used.cached_tokens - used.cache_written_tokens
            tokens = plain * price.prompt + used.cached_tokens * cached + used.cache_written_tokens * written
            tokens += used.completion_tokens * price.completion
            cost += tokens * (price.batch if roles[role].batch else 1.0)
    return cost / 1e6


def describe_cache(account: Account, roles: Mapping[str, RoleConfig]) -> str:
    """Shares of the tokens in that prompt caches held and took, and which price of their own is not set."""
    used = account.used
    prompt = max(1, sum(one.prompt_tokens for one in used.values()))
    cached = sum(one.cached_tokens for one in used.values())
    written = sum(one.cache_written_tokens for one in used.values())
    parts = [f"{100 * cached / prompt:.0f} % of them cached"]
    if written:
        parts.append(f"{100 * written / prompt:.0f} % written to the cache")
    for own, name in (("cached", "cached_tokens"), ("cache_write", "cache_written_tokens")):
        prices = {role: roles[role].price for role, one in used.items() if getattr(one, name)}
        full = [role for role, price in prices.items() if price is not None and getattr(price, own) is None]
        if full:
            named = " and ".join(f"generate.{role}.price.{own}" for role in full)
            parts.append(f"charged as others, as {named} is not set")
    return ", ".join(parts)


def spent(ledger: Ledger, roles: Mapping[str, RoleConfig], spending: SpendingConfig) -> float:
    """Money for tokens and for the hours of the engines."""
    return token_cost(ledger.whole(), roles) + ledger.wall_s / 3600 * spending.per_hour


def cost_rows(
    parts: Iterable[tuple[str, Account]], whole: Ledger, roles: Mapping[str, RoleConfig], spending: SpendingConfig
) -> list[Row]:
    """Table of what each part took, and what an accepted instance of it cost.

    The engines' hours are shared out by the seconds of the requests.

    Args:
        parts: name (of a task, of a round) and account.
        whole: what the hours are of.
        roles: by name, with prices.
        spending: price of an hour.
    """
    total, hours = whole.whole().seconds, whole.wall_s / 3600 * spending.per_hour
    table = []
    for name, account in parts:
        prompt = sum(used.prompt_tokens for used in account.used.values())
        cached = sum(used.cached_tokens for used in account.used.values())
        cost = token_cost(account, roles) + (hours * account.seconds / total if total else 0.0)
        table.append({
            "name": name,
            "rows": account.rows,
            "accepted": account.accepted,
            "prompt_tokens": prompt,
            "cached_share": round(cached / prompt, 4) if prompt else 0.0,
            "completion_tokens": account.tokens - prompt,
            "tokens_per_accepted": round(account.tokens / account.accepted) if account.accepted else None,
            "request_seconds": round(account.seconds, 1),
            "cost": round(cost, 6),
            "cost_per_accepted": round(cost / account.accepted, 6) if account.accepted else None,
        })  # fmt: skip
    return table


def forecast(ledger: Ledger, rows_left: Mapping[str, int]) -> Ledger:
    """What the rest will take, when it takes as much a row as the sample did, task by task.

    Args:
        ledger: of the sample; a task that it lacks takes the mean of the others.
        rows_left: task → rows still to do.
    """
    whole = ledger.whole()
    result = Ledger()
    for task, left in rows_left.items():
        sample = ledger.tasks.get(task, whole)
        share = left / sample.rows if sample.rows else 0.0
        account = Account(left, round(sample.accepted * share))
        for role, used in sample.used.items():
            scaled = {
                one.name: round(getattr(used, one.name) * share) for one in fields(used) if one.name != "failures"
            }
            account.used[role] = Usage(**scaled)
        result.tasks[task] = account
    result.wall_s = ledger.wall_s * sum(rows_left.values()) / whole.rows if whole.rows else 0.0
    return result
