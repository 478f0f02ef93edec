"""The code tasks as data: one YAML file for each, found by being there (paper, section 2.1 and table 1).

A fifth task is a new file in `codeocean/generate/task_files/` or in the folder that `generate.task_folder` names.
"""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, ValidationError, model_validator

from core.settings import Settings
from core.strict_yaml import read_yaml_file
from core.validation import explain

FOLDER = Path(__file__).parent / "task_files"


class Rule(Settings):
    """What the discriminator checks."""

    name: str = Field(pattern=r"^[a-z][a-z0-9 -]{0,30}$")
    """Short name, the key of its answer."""

    text: str = Field(min_length=10)
    """What has to hold."""


class Case(Settings):
    """A judged instance that later prompts show, good or bad; the seed ones come with the task."""

    id: str = ""
    """Id of the generation; empty for a seed case."""

    language: str
    """Language of the raw code."""

    target_language: str = ""
    """Language of the solution where it differs."""

    code: str
    """The raw code."""

    instruction: str = Field(min_length=5)
    """What the model is asked."""

    information: str = ""
    """What it is given."""

    solution: str = Field(min_length=5)
    """What it should answer."""

    reasons: str = ""
    """Bad cases: why, in at least a sentence."""

    broken: tuple[str, ...] = ()
    """Bad seed cases: names of the rules that it breaks."""


class Task(Settings):
    """One code task: what the generator is told and what the discriminator asks."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    """Name in artifacts and settings."""

    title: str = Field(min_length=3)
    """Name in prompts."""

    share: NonNegativeFloat
    """Weight in the mix; weights need not add up to one."""

    solution: Literal["code", "prose"]
    """Code must parse in its language; prose must be prose."""

    information: Literal["code", "optional", "raw code", "mutated code"]
    """What the instance carries to work on. "code" and "optional" are written by the generator. "raw code" is the raw
    code itself; "mutated code" is the raw code with a bug put into it, and the raw code is then the solution."""

    definition: str = Field(min_length=10)
    """What the task is."""

    requirements: tuple[str, ...] = Field(min_length=1)
    """What an instance has to look like."""

    target_languages: dict[str, tuple[str, ...]] = {}
    """Source language → languages to translate to; empty where the language stays."""

    rules: tuple[Rule, ...] = Field(min_length=1)
    """What the discriminator checks, in this order."""

    good: tuple[Case, ...] = Field(min_length=1)
    """Seed good cases."""

    bad: tuple[Case, ...] = ()
    """Seed bad cases, with reasons."""

    @property
    def written(self) -> tuple[str, ...]:
        """The fields that the generator writes; `task_inputs.py` makes the others from the raw code."""
        given = {"raw code": {"information"}, "mutated code": {"information", "solution"}}.get(self.information, set())
        return tuple(name for name in ("task_name", "instruction", "information", "solution") if name not in given)

    @model_validator(mode="after")
    def _cases_say_why(self) -> Self:
        # The authors' bad examples are one character long: a case without a reason teaches nothing.
        if any(len(case.reasons) < 20 for case in self.bad):
            raise ValueError("every bad case needs its reasons in a sentence")
        names = {rule.name for rule in self.rules}
        if any(not case.broken or set(case.broken) - names for case in self.bad):
            raise ValueError("every bad case needs, in broken, the names of the rules that it breaks")
        if self.target_languages and not all(case.target_language for case in (*self.good, *self.bad)):
            raise ValueError("every case of a task with target_languages needs its target_language")
        return self


def load_tasks(extra_folder: str | None = None) -> dict[str, Task]:
    """All tasks by name: those that ship with the project, then those of `extra_folder`, which may replace them.

    Raises:
        ValueError: a file is no task; the file and the field are named.
        FileNotFoundError: the folder does not exist.
    """
    files = sorted(FOLDER.glob("*.yaml"))
    if extra_folder is not None:
        if not Path(extra_folder).is_dir():
            raise FileNotFoundError(f"generate.task_folder is {extra_folder!r}, which is no folder")
        files += sorted(Path(extra_folder).glob("*.yaml"))
    tasks = (_load_task(file) for file in files)
    return {task.name: task for task in tasks}


def _load_task(file: Path) -> Task:
    document = read_yaml_file(file, f"task file {file}")
    try:
        return Task.model_validate_json(json.dumps(document.value, default=str))
    except ValidationError as error:
        raise ValueError(f"task file {file}: {explain(error, Task, document.value, document.place)}") from None


def task_shares(tasks: dict[str, Task], override: dict[str, float] | None) -> dict[str, float]:
    """Name → share of the mix, adding up to one; tasks without a share are left out.

    Raises:
        ValueError: the override names an unknown task, or nothing is left.
    """
    weights = {name: task.share for name, task in tasks.items()} if override is None else override
    unknown = sorted(set(weights) - set(tasks))
    if unknown:
        raise ValueError(f"generate.tasks names {', '.join(unknown)}; there are {', '.join(tasks)}")
    total = sum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        raise ValueError("generate.tasks needs at least one positive share and no negative one")
    return {name: weight / total for name, weight in sorted(weights.items()) if weight > 0}
