"""What whoever answers a question is given, and what comes back. Pure.

A generation is asked for by a `GenerationJob`, a judgement by the GENERATIONS rows that are judged, tests and further
solutions by a `ProofJob`, and what they prove by a `SandboxJob`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from codeocean.generate.few_shot import choose_target_language, draw_number
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.signatures import signature_of
from codeocean.generate.task_inputs import given_fields
from codeocean.generate.tasks import Case, Task
from core.languages import EXECUTED

Row = dict[str, Any]


class TurnAnswer(TypedDict):
    """The answer to a question; a JSON value, as the journal keeps it."""

    rows: list[Row]
    """One for each attempt, or for each generation that was judged; the last one counts."""
    used: Row
    """`Usage` as JSON."""
    open: bool
    """Whether the next run asks again: the endpoint refused or failed the question."""


@dataclass(frozen=True)
class GenerationJob:
    """What the generator is given."""

    raw: Row
    """Of a RAW_CODE row: id, language, code and docstring."""
    given: dict[str, str] | None
    """Fields of the instance that follow from the raw code; None where it cannot give them."""
    round: int
    target_language: str
    """Empty where the language stays."""
    shots: list[Case]


@dataclass(frozen=True)
class ProofJob:
    """What tester, solver and sandbox are given."""

    generation: Row
    """GENERATIONS row that passed the checks."""
    language: str
    name: str
    """Of the function that is tested."""
    signature: str
    information: str
    """What the exercise says of it beyond the instruction."""
    chooses: bool
    """Whether the tests choose among several solutions."""
    retold: bool
    """Whether a summary is proved, by code that is written from it alone."""


@dataclass(frozen=True)
class SandboxJob:
    """What the sandbox runs."""

    language: str
    name: str
    """Of the function that is tested."""
    tests: list[Row]
    """`arguments, expected` of each."""
    solutions: list[str]
    """None where nothing is chosen."""
    mutants: int
    """Most edits of a solution that the tests are to tell from it."""
    seed: int
    """Of the edits."""
    in_place: bool = False
    """Whether the exercise asks for the arguments to be changed."""


Job = GenerationJob | list[Row] | ProofJob | SandboxJob


def generation_job(config: GenerateConfig, task: Task, row: Row, number: int, sets: list[list[Case]]) -> GenerationJob:
    """What `generate_one` needs for one raw code.

    Args:
        config: seed and few-shot settings.
        task: the row's task.
        row: RAW_CODE row.
        number: of the round.
        sets: of `round_store.draw_sets` for this task and round.
    """
    return GenerationJob(
        raw={name: row[name] for name in ("id", "language", "code", "docstring")},
        given=given_fields(task, row, config.seed) if len(row["code"]) <= config.max_code_chars else None,
        round=number,
        target_language=choose_target_language(task, row["id"], row["language"], config.seed),
        shots=sets[draw_number(config.seed, "set", row["id"]) % config.shot_sets],
    )


def proof_job(
    config: GenerateConfig, task: Task, generation: Mapping[str, Any], raw: Mapping[str, Any]
) -> ProofJob | None:
    """What tester, solver and sandbox are given; None where nothing of this row is tested.

    The function is the solution's where the model wrote it, else that of the raw code: a repair and a translation are
    held against that. Only what the exercise itself says goes into a prompt. For a summary the raw code is
    tested too, and a solver is shown the summary alone.
    """
    retold = task.solution == "prose"
    if not config.tests or (retold and not config.round_trip):
        return None
    written = "solution" in task.written and not task.target_languages and not retold
    code = generation["solution"] if written else raw["code"]
    told = f"{generation['instruction']}\n{generation['information']}" if written else raw["name"].rpartition(".")[2]
    signature = signature_of(code, raw["language"], told) if raw["language"] in EXECUTED else None
    if signature is None:
        return None
    about = generation["information"] if written else " ".join((raw["docstring"] or "").split())[:300]
    return ProofJob(dict(generation), raw["language"], signature.name, signature.text, about, written, retold)
