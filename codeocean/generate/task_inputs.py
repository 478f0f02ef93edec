"""The fields of an instance that follow from the raw code, so that no LLM can get them wrong.

They are the code to work on, with a bug or without, and for code with a bug the code without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeocean.generate.bugs import choose_bug
from codeocean.generate.few_shot import draw_number
from codeocean.generate.tasks import Task

NO_BUG = "no bug can be put into the code"
"""The reason why raw code stops that gives nothing to a task that needs it."""


def given_fields(task: Task, raw: Mapping[str, Any], seed: int) -> dict[str, str] | None:
    """Field → text, for the fields that are not in `task.written`; None where the raw code cannot give them.

    Args:
        task: whose `information` says what is given.
        raw: RAW_CODE row.
        seed: of the run; with the row's id it decides which bug is drawn.
    """
    code = raw["code"]
    if task.information == "raw code":
        return {"information": code}
    if task.information == "mutated code":
        bug = choose_bug(code, raw["language"], draw_number(seed, "bug", raw["id"]))
        return None if bug is None else {"information": bug.code, "solution": code}
    return {}
