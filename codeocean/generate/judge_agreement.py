"""Is the judge any good? Its verdicts on hand-made good and bad instances, rule by rule. Pure.

The instances are ours (`codeocean/generate/golden/*.yaml`); none of them is shown to the judge in its prompt. A bad
one names the rules that it breaks; every other rule holds. Instances break few rules, so a judge that always says yes
agrees often: look at `caught`, the share of broken rules that it saw, and at kappa (Cohen 1960), which is 0 for
answers that know nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from codeocean.generate.few_shot import is_accepted
from codeocean.generate.tasks import Task
from core.settings import Settings
from core.strict_yaml import read_yaml_file
from core.validation import explain

FOLDER = Path(__file__).parent / "golden"

Row = dict[str, Any]


class GoldenCase(Settings):
    """An instance whose verdict is known."""

    instruction: str = Field(min_length=1)
    """What the student is asked."""

    information: str = ""
    """What the student is given."""

    solution: str = Field(min_length=1)
    """The answer."""

    language: str = "python"
    """Of the code that is given, or asked for."""

    target_language: str = ""
    """Of the solution where it differs."""

    broken: tuple[str, ...] = ()
    """Rules that it breaks; none means that it is good."""

    reasons: str = ""
    """Why it breaks them."""

    def as_generation(self, id_: str) -> Row:
        """What the discriminator needs of a GENERATIONS row."""
        names = ("instruction", "information", "solution", "target_language")
        return {"id": id_} | {name: getattr(self, name) for name in names}


def load_golden(tasks: Mapping[str, Task], folder: Path | None = None) -> dict[str, list[GoldenCase]]:
    """Task → its golden cases, for the tasks that have a file.

    Args:
        tasks: by name.
        folder: of `<task>.yaml` files; None takes those that ship with the project.

    Raises:
        ValueError: a file is no list of cases, names an unknown rule, or there is no file at all.
    """
    golden = {}
    for name, task in tasks.items():
        file = (folder or FOLDER) / f"{name}.yaml"
        if not file.is_file():
            continue
        cases = _load_cases(file)
        unknown = {rule for case in cases for rule in case.broken} - {rule.name for rule in task.rules}
        if unknown:
            raise ValueError(f"golden file {file} names rules that {name} does not have: {', '.join(sorted(unknown))}")
        golden[name] = cases
    if not golden:
        raise ValueError(f"{folder or FOLDER} holds no golden file for any of the tasks {', '.join(tasks)}")
    return golden


def _load_cases(file: Path) -> list[GoldenCase]:
    document = read_yaml_file(file, f"golden file {file}")
    if not isinstance(document.value, list):
        raise ValueError(f"golden file {file} is no list of cases")
    return [_load_case(entry, f"golden file {file}: {document.place((number,))}")
            for number, entry in enumerate(document.value)]  # fmt: skip


def _load_case(entry: Any, place: str) -> GoldenCase:
    try:
        return GoldenCase.model_validate_json(json.dumps(entry, default=str))
    except ValidationError as error:
        raise ValueError(explain(error, GoldenCase, entry, lambda _: place)) from None


def agreement(truth: Sequence[bool], said: Sequence[bool]) -> Row:
    """How far two series of yes and no agree.

    Args:
        truth: whether it holds.
        said: whether the judge says so.

    Returns:
        `{n, agreed, caught, false_alarms, kappa}`: shares of all, of the broken that were called broken, of the sound
        that were called broken; None where there are none.
    """
    pairs = list(zip(truth, said, strict=True))
    num, agreed = len(pairs), sum(one == other for one, other in pairs)
    broken = [not other for one, other in pairs if not one]
    sound = [not other for one, other in pairs if one]
    by_chance = (sum(truth) * sum(said) + len(broken) * (num - sum(said))) / num**2 if num else 0.0
    return {
        "n": num,
        "agreed": agreed / num if num else None,
        "caught": sum(broken) / len(broken) if broken else None,
        "false_alarms": sum(sound) / len(sound) if sound else None,
        "kappa": (agreed / num - by_chance) / (1 - by_chance) if num and by_chance < 1 else None,
    }


def calibrate(task: Task, cases: Sequence[GoldenCase], verdicts: Iterable[Row]) -> Row:
    """A judge's agreement with the golden cases of a task.

    Args:
        task: whose rules are judged.
        cases: golden cases.
        verdicts: VERDICTS row of each, in their order.

    Returns:
        `{unparsed, accepting: agreement, rules: {name: agreement}}`; verdicts that did not parse count as not
        accepting, and are left out of the rules.
    """
    pairs = list(zip(cases, verdicts, strict=True))
    parsed = [(case, {rule["rule"]: rule["answer"] for rule in verdict["rules"]})
              for case, verdict in pairs if not verdict["error"]]  # fmt: skip
    return {
        "unparsed": len(pairs) - len(parsed),
        "accepting": agreement([not case.broken for case, _ in pairs], [is_accepted(verdict) for _, verdict in pairs]),
        "rules": {
            rule.name: agreement(
                [rule.name not in case.broken for case, _ in parsed], [said[rule.name] == "yes" for _, said in parsed]
            )
            for rule in task.rules
        },
    }
