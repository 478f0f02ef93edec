"""Two generated data sets → what differs between them, row by row, and the first cause of each difference. Pure.

Causes, in the order in which they act: the rows themselves, the task, the prompt, its few-shot cases, the model, the
seed, the answer, the judge, the verdict. A row is counted under the first that applies: behind a different prompt, a
different answer is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from codeocean.generate.few_shot import is_accepted

Row = dict[str, Any]

CAUSES = ("row", "task", "prompt", "shots", "model", "seed", "answer", "judge", "verdict")
SAME = "same"


class Outcome(NamedTuple):
    """Everything about one raw code."""

    attempts: tuple[Row, ...]
    """GENERATIONS rows, in order."""
    verdict: Row | None

    @property
    def says(self) -> str:
        """What became of it, in a few words."""
        if self.verdict is None:
            return str(self.attempts[-1]["error"]) or "not judged"
        return "accepted" if is_accepted(self.verdict) else self.verdict["error"] or "rejected"


class Difference(NamedTuple):
    """One raw code that came out differently."""

    raw_id: str
    task: str
    cause: str
    here: str
    there: str


def outcomes(generations: Iterable[Row], verdicts: Iterable[Row]) -> dict[str, Outcome]:
    """Raw id → outcome."""
    judged = {verdict["id"]: verdict for verdict in verdicts}
    attempts: dict[str, list[Row]] = {}
    for row in generations:
        attempts.setdefault(row["raw_id"], []).append(row)
    return {raw_id: Outcome(tuple(rows), judged.get(rows[-1]["id"])) for raw_id, rows in attempts.items()}


def compare_rows(here: Mapping[str, Outcome], there: Mapping[str, Outcome]) -> list[Difference]:
    """The rows that differ, in the order of `here`, those that only `there` has last."""
    found = []
    for raw_id in [*here, *(raw_id for raw_id in there if raw_id not in here)]:
        one, other = here.get(raw_id), there.get(raw_id)
        if one is None or other is None:
            known = one or other
            assert known is not None
            says = [outcome.says if outcome else "not there" for outcome in (one, other)]
            found.append(Difference(raw_id, known.attempts[0]["task"], "row", *says))
            continue
        cause = _cause(one, other)
        if cause != SAME:
            found.append(Difference(raw_id, one.attempts[0]["task"], cause, one.says, other.says))
    return found


def _cause(one: Outcome, other: Outcome) -> str:
    columns = {
        "task": ("task", "target_language"), "prompt": ("prompt_version",), "shots": ("shots",),
        "model": ("generator",), "seed": ("seed", "attempt"), "answer": ("raw_text", "error", "solution"),
    }  # fmt: skip
    for mine, theirs in zip(one.attempts, other.attempts, strict=False):
        for cause, names in columns.items():
            if any(mine[name] != theirs[name] for name in names):
                return cause
    if len(one.attempts) != len(other.attempts):
        return "answer"
    verdicts = (one.verdict or {}, other.verdict or {})
    if len({verdict.get("discriminator") for verdict in verdicts}) > 1:
        return "judge"
    return SAME if verdicts[0] == verdicts[1] else "verdict"


def compare_settings(here: Any, there: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    """Keys (`section.name`) whose values differ, with both values."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        names = [*here, *(name for name in there if name not in here)]
        paths = {name: f"{key}.{name}" if key else str(name) for name in names}
        return [
            line for name, path in paths.items() for line in compare_settings(here.get(name), there.get(name), path)
        ]
    return [] if here == there else [(key, here, there)]
