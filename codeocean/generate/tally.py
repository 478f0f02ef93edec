"""How far a generation is: counts, speed and time left, as one line and as figures for metrics. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codeocean.generate.few_shot import failed_rules, is_accepted
from codeocean.generate.ledger import ROLES, Usage
from codeocean.teachers import failed_alike
from core.progress import TimeLeft, in_words

ENOUGH_TO_TELL = 128
"""Rows after which a generation stops that all failed alike at the endpoint."""

MAX_NAMED = 3
"""Rules or reasons in the line; the manifest has all of them."""


@dataclass
class Tally:
    """What became of the rows so far, those of earlier runs of the same stage included."""

    rows: int
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Rule → instances that broke it. An instance may break several."""
    num_rejected: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Reason → rows that ended without an instance or without a verdict."""
    examples: dict[str, str] = field(default_factory=dict)
    """Reason → what came instead of an answer to one of those rows."""
    used: dict[str, Usage] = field(default_factory=lambda: {role: Usage() for role in ROLES})
    found_tokens: int = 0
    """Tokens out that earlier runs used."""
    time_left: TimeLeft = field(default_factory=TimeLeft)

    @property
    def ended(self) -> int:
        """Rows about which nothing more is asked."""
        return self.accepted + self.num_rejected + self.failed.total()

    @property
    def tokens(self) -> int:
        """In and out, of both roles."""
        return sum(used.tokens for used in self.used.values())

    @property
    def tokens_out(self) -> int:
        """Of both roles."""
        return sum(used.completion_tokens for used in self.used.values())

    def generated(self, last: Mapping[str, Any]) -> None:
        """Count a raw code's last GENERATIONS row."""
        if last["error"]:
            self._fail(last["error"], last)

    def judged(self, verdict: Mapping[str, Any]) -> None:
        """Count a VERDICTS row."""
        if verdict["error"]:
            self._fail(f"verdict: {verdict['error']}", verdict)
        elif is_accepted(verdict):
            self.accepted += 1
        else:
            self.num_rejected += 1
            self.rejected.update([rule["rule"] for rule in failed_rules(verdict)] or ["overall"])

    def _fail(self, reason: str, row: Mapping[str, Any]) -> None:
        self.failed[reason] += 1
        self.examples.setdefault(reason, row.get("raw_text") or "")

    def why_useless(self, share: float) -> str:
        """Why rows that have ended are of no use, in one line; empty where something came of them.

        Args: share: of all rows that must have failed for one reason, where others were accepted.
        """
        reasons = self.failed + Counter({"rejected by the discriminator": self.num_rejected})
        line = failed_alike(self.failed, self.examples, self.ended, share)
        if line or self.accepted:
            return line
        line = failed_alike(reasons, self.examples, self.ended, 0.0)
        return line and f"no instance was accepted; {line}"

    def looks_hopeless(self, share: float) -> bool:
        """Whether so many rows have failed at the endpoint alike, and none has come through, that more would too."""
        if self.ended < ENOUGH_TO_TELL or self.accepted or self.num_rejected:
            return False
        reason, count = self.failed.most_common(1)[0]
        return "no answer: " in reason and count >= share * self.ended

    def begin(self) -> None:
        """What is counted so far is of earlier runs: it says nothing about the speed of this one."""
        self.found_tokens, self.time_left = self.tokens_out, TimeLeft()

    def figures(self, seconds: float) -> dict[str, float]:
        """Name → value, for metrics. `seconds` is the time since `begin`."""
        judged = self.accepted + self.num_rejected
        # Rows that no question was asked about end at once, and say nothing of the speed.
        left = self.time_left.update(seconds, self.ended, self.rows) if judged else None
        return {
            "accepted": self.accepted,
            "rejected": self.num_rejected,
            "failed": self.failed.total(),
            "rows": self.rows,
            "acceptance": self.accepted / judged if judged else float("nan"),
            "prompt_tokens": sum(used.prompt_tokens for used in self.used.values()),
            "completion_tokens": self.tokens_out,
            "tokens_per_s": (self.tokens_out - self.found_tokens) / seconds if seconds > 0 else 0.0,
            "eta_s": float("nan") if left is None else left,
        }

    def line(self, seconds: float, in_flight: int) -> str:
        """One line for a person."""
        figures = self.figures(seconds)
        unknown = self.ended == self.rows or figures["eta_s"] != figures["eta_s"]
        left = in_words(None if unknown else figures["eta_s"]).replace(", ", " · ")
        return (
            f"{self.ended:,} of {self.rows:,} rows · accepted {self.accepted:,} · "
            f"rejected {self.num_rejected:,}{_named(self.rejected)} · "
            f"failed {self.failed.total():,}{_named(self.failed)} · "
            f"{figures['tokens_per_s']:,.0f} tokens/s · {in_flight} in flight{left}"
        )


def _named(counts: Counter[str]) -> str:
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(MAX_NAMED))
    return f" ({listed})" if listed else ""
