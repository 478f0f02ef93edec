"""Rounds over the coreset: who gets which task, and which cases a prompt shows. Pure, and decided by seed alone.

The few-shot sets of round r are drawn from the verdicts of rounds ≤ r - 2, so that round r can be generated while round
r - 1 is judged, every run with the same seed asks the same questions, and a cut-off run goes on at its first unfinished
round (docs/architecture.md).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codeocean.generate.tasks import Case, Task

MAX_CASE_CHARS = 800
"""A case longer than this is not shown again: it would crowd the raw code out of the prompt."""


def draw_number(*parts: object) -> int:
    """A number below 2³¹ that depends on the parts alone; the seed of everything random here."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big") >> 1


def plan_rounds(num_rows: int, round_size: int) -> list[range]:
    """Coreset ranks of each round."""
    return [range(start, min(start + round_size, num_rows)) for start in range(0, num_rows, round_size)]


def assign_tasks(
    languages: Sequence[str], tasks: Mapping[str, Task], shares: Mapping[str, float], seed: int
) -> list[str]:
    """The task of each row, so that every prefix's mix is as near to the shares as whole rows allow.

    Args:
        languages: of the raw code, in coreset order. A task with target languages is given only to rows that it can
            translate.
        tasks: by name.
        shares: name → share of the mix, adding up to one.
        seed: breaks ties.
    """
    given = dict.fromkeys(shares, 0)
    chosen = []
    for number, language in enumerate(languages, 1):
        possible = [name for name in shares if _can_take(tasks[name], language)]
        if not possible:
            raise ValueError(f"no task of the mix takes {language} code; add one, or leave {language} out of collect")
        name = max(possible, key=lambda name: (shares[name] * number - given[name], draw_number(seed, name)))
        given[name] += 1
        chosen.append(name)
    return chosen


def _can_take(task: Task, language: str) -> bool:
    return not task.target_languages or language in task.target_languages


def choose_target_language(task: Task, raw_id: str, language: str, seed: int) -> str:
    """Language that a row is translated to; empty for tasks that stay in the language."""
    choices = task.target_languages.get(language, ())
    return choices[draw_number(seed, "target", raw_id) % len(choices)] if choices else ""


def draw_shots(
    task: Task, cases: Iterable[Case], where: tuple[int, int, int], num_good: int, num_bad: int
) -> list[Case]:
    """The cases that a prompt shows: judged ones of earlier rounds, and the task's own where those are too few.

    The task's own stand first, in the order of its file: so prompts of all sets and rounds begin alike.

    Args:
        task: whose cases they are.
        cases: judged cases of this task from rounds at least two back, in any order.
        where: (seed, round, number of the few-shot set), which decide the draw.
        num_good: good cases wanted.
        num_bad: bad cases wanted.
    """
    pool = sorted((case for case in cases if _fits(case)), key=lambda case: case.id)
    chosen: list[Case] = []
    for bad, wanted in ((False, num_good), (True, num_bad)):
        judged = [case for case in pool if bool(case.reasons) == bad]
        own = list(task.bad if bad else task.good)
        dice = random.Random(draw_number(*where, task.name, bad))
        picks = dice.sample(judged, min(wanted, len(judged)))
        more = dice.sample(range(len(own)), min(wanted - len(picks), len(own)))
        chosen += [*(own[place] for place in sorted(more)), *picks]
    return chosen


def _fits(case: Case) -> bool:
    return len(case.code) + len(case.instruction) + len(case.information) + len(case.solution) <= MAX_CASE_CHARS


def cases_of_round(
    generations: Iterable[dict[str, Any]], verdicts: Iterable[dict[str, Any]], raw: Mapping[str, dict[str, Any]]
) -> dict[str, list[Case]]:
    """A round's judged instances as cases, by task.

    Args:
        generations: rows of GENERATIONS.
        verdicts: rows of VERDICTS.
        raw: id → row of RAW_CODE.
    """
    judged = {verdict["id"]: verdict for verdict in verdicts if not verdict["error"]}
    cases: dict[str, list[Case]] = {}
    for row in generations:
        verdict = judged.get(row["id"])
        if verdict is None:
            continue
        good = is_accepted(verdict)
        reasons = "" if good else "; ".join(f"{rule['rule']}: {rule['reason']}" for rule in failed_rules(verdict))
        if not good and len(reasons) < 20:
            continue  # a bad case that does not say why teaches nothing
        source = raw[row["raw_id"]]
        fields = {name: row[name] for name in ("id", "instruction", "information", "solution", "target_language")}
        case = Case(language=source["language"], code=source["code"], reasons=reasons, **fields)
        cases.setdefault(row["task"], []).append(case)
    return cases


def is_accepted(verdict: Mapping[str, Any]) -> bool:
    """A verdict accepts when it parsed, its overall answer is yes, and so is the answer to every rule."""
    return not verdict["error"] and verdict["overall"] == "yes" and not failed_rules(verdict)


def failed_rules(verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules whose answer is not yes."""
    return [rule for rule in verdict["rules"] or [] if rule["answer"] != "yes"]
