"""The discriminator's answer → a verdict, or the reason why it is none. Nothing here raises on any text."""

from __future__ import annotations

from dataclasses import dataclass

from codeocean.generate.parse import answered_object
from codeocean.generate.tasks import Task


@dataclass(frozen=True)
class Verdict:
    """What the discriminator said of an instance: the columns of a VERDICTS row."""

    rules: list[dict[str, str]]
    """`rule, reason, answer` of each rule of the task, in its order; the answer is yes or no."""
    overall: str
    """yes or no."""
    reasons: str
    """Those of all rules, behind each other."""


def parse_verdict(text: str, finish_reason: str, task: Task) -> Verdict | str:
    """The verdict, or "truncated", "not JSON" or "wrong fields".

    Every rule of the task needs a reason and a yes or no; a verdict that leaves one out is none.
    """
    answers = answered_object(text, finish_reason, [*(rule.name for rule in task.rules), "overall"])
    if isinstance(answers, str):
        return answers
    rules = []
    for rule in task.rules:
        answer = answers.get(rule.name)
        if (
            not isinstance(answer, dict)
            or not isinstance(answer.get("reason"), str)
            or not _yes_or_no(answer.get("answer"))
        ):
            return "wrong fields"
        rules.append({"rule": rule.name, "reason": answer["reason"].strip(), "answer": _yes_or_no(answer["answer"])})
    overall = _yes_or_no(answers.get("overall"))
    if not overall:
        return "wrong fields"
    return Verdict(rules, overall, " ".join(rule["reason"] for rule in rules))


def _yes_or_no(answer: object) -> str:
    """The answer in lower case, empty when it is neither."""
    word = answer.strip().strip(".").lower() if isinstance(answer, str) else ""
    return word if word in {"yes", "no"} else ""
