"""The discriminator's answer → a verdict, or the reason why it is none. Nothing here raises on any text."""

from __future__ import annotations

from typing import Any

from codeocean.generate.parse import parse_object
from codeocean.generate.tasks import Task


def parse_verdict(text: str, finish_reason: str, task: Task) -> dict[str, Any] | str:
    """`{rules, overall, reasons}` of a VERDICTS row, or "truncated", "not JSON" or "wrong fields".

    Every rule of the task needs a reason and a yes or no; a verdict that leaves one out is none.
    """
    if finish_reason == "length":
        return "truncated"
    answers = parse_object(text, [*(rule.name for rule in task.rules), "overall"])
    if answers is None:
        return "not JSON"
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
    return {"rules": rules, "overall": overall, "reasons": " ".join(rule["reason"] for rule in rules)}


def _yes_or_no(answer: object) -> str:
    """The answer in lower case, empty when it is neither."""
    word = answer.strip().strip(".").lower() if isinstance(answer, str) else ""
    return word if word in {"yes", "no"} else ""
