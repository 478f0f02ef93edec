"""Which questions are asked about a row of the coreset, in which order, and what each of them is given. Pure.

By default a row is generated and judged. With `generate.tests` its exercise gets tests, and with `generate.solutions`
further solutions, all of them at once; then the sandbox runs all solutions against all tests, and what they agree on
goes to the judge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codeocean.generate.few_shot import draw_number
from codeocean.generate.in_place import asks_in_place
from codeocean.generate.jobs import ProofJob, SandboxJob, TurnAnswer
from codeocean.generate.scheduler import GENERATE, JUDGE
from codeocean.generate.settings import GenerateConfig
from codeocean.records import row_id

Row = dict[str, Any]

TEST, PROVE, SOLVE = 2, 3, 4
"""Turns after `GENERATE` and `JUDGE`: the tester's, the sandbox's, and that of the first further solution; the next
solution's turn is one more."""

SANDBOX = "sandbox"
"""The role of `PROVE`: no model."""

MOST_JUDGED = 3
"""Solutions of the agreeing group that the judge is asked about, one after the other, until it accepts one."""


def role_of(turn: int, config: GenerateConfig) -> str:
    """Who answers a turn."""
    if turn == TEST:
        return "tester" if config.tester is not None else "generator"
    return {JUDGE: "discriminator", PROVE: SANDBOX}.get(turn, "generator")


def roles_of(config: GenerateConfig) -> tuple[str, ...]:
    """All models that are asked."""
    return ("generator", "discriminator", *(("tester",) if config.tests and config.tester is not None else ()))


def turns_between(config: GenerateConfig, job: ProofJob | None) -> tuple[int, ...]:
    """The turns between generating and judging, but for the sandbox's; none where nothing is tested."""
    if job is None:
        return ()
    more = config.solutions - 1 if job.chooses else int(job.retold)
    return (TEST, *range(SOLVE, SOLVE + more))


def turns_after(turn: int, answers: Mapping[int, TurnAnswer], between: tuple[int, ...]) -> list[int]:
    """What is asked next about a row; empty where nothing is, or where other answers are waited for.

    Args:
        turn: that was just answered.
        answers: turn → answer, of this row, that one included.
        between: as `turns_between` has it.
    """
    if turn == GENERATE:
        if answers[GENERATE]["rows"][-1]["error"]:
            return []
        return list(between) or [JUDGE]
    if turn == PROVE:
        return [JUDGE]
    return [] if turn == JUDGE or any(each not in answers for each in between) else [PROVE]


def is_over(turn: int, answers: Mapping[int, TurnAnswer]) -> bool:
    """Whether nothing more is asked about a row."""
    return turn == JUDGE or (turn == GENERATE and bool(answers[GENERATE]["rows"][-1]["error"]))


def solutions_of(answers: Mapping[int, TurnAnswer]) -> list[str]:
    """The candidate's solution and the further ones; "" for one that was no code."""
    first = answers[GENERATE]["rows"][-1]["solution"]
    more = [answers[turn]["rows"][-1] for turn in sorted(answers) if turn >= SOLVE]
    return [first, *("" if row["error"] else row["solution"] for row in more)]


def judged_generations(config: GenerateConfig, answers: Mapping[int, TurnAnswer]) -> list[Row]:
    """GENERATIONS rows that the judge is asked about, in this order, until it accepts one.

    They are the different texts of the agreeing group, smallest seed first; where nothing agrees, the candidate alone.
    """
    candidate: Row = answers[GENERATE]["rows"][-1]
    proof = answers[PROVE]["rows"][-1] if PROVE in answers else {}
    solutions, found, seen = solutions_of(answers), list[Row](), set[str]()
    for number in proof.get("chosen") or [0]:
        text = " ".join(solutions[number].split())
        if text not in seen and len(found) < MOST_JUDGED:
            seen.add(text)
            found.append(candidate if number == 0 else _variant(config, candidate, answers, number))
    return found


def _variant(config: GenerateConfig, candidate: Row, answers: Mapping[int, TurnAnswer], number: int) -> Row:
    """The candidate with another solution: a row of its own."""
    row = answers[SOLVE + number - 1]["rows"][-1]
    more = {"solution": row["solution"], "seed": row["seed"], "raw_text": row["raw_text"], "reasoning": ""}
    return candidate | {"id": variant_id(candidate["id"], number, config.seed)} | more


def variant_id(candidate: str, number: int, seed: int) -> str:
    """Id of a candidate's further solution, given the candidate's."""
    return row_id(f"{candidate} {number} {seed}")


def finished_rows(config: GenerateConfig, answers: Mapping[int, TurnAnswer]) -> tuple[list[Row], list[Row]]:
    """GENERATIONS and PROOFS rows of a row of the coreset that is done.

    Of the generations the last one counts: the one about which the judge was asked last.
    """
    generations = list(answers[GENERATE]["rows"])
    judged = {row["id"] for row in answers[JUDGE]["rows"]} if JUDGE in answers else set()
    if PROVE not in answers:
        return generations, []
    variants = [row for row in judged_generations(config, answers) if row["id"] in judged]
    generations += [row for row in variants if row["id"] != generations[-1]["id"]]
    test, proof = answers[TEST]["rows"][-1], answers[PROVE]["rows"][-1]
    if test["tests"] and not proof["outcomes"] and SOLVE in answers:  # of a summary: the code written from it
        proof = proof | {"retold": solutions_of(answers)[1]}
    row = {"raw_id": generations[0]["raw_id"], "tests": json.dumps(test["tests"], ensure_ascii=False),
           "refused": json.dumps(test["refused"]), "error": test["error"], "solutions": len(solutions_of(answers)),
           "found": json.dumps(proof, ensure_ascii=False)}  # fmt: skip
    return generations, [row]


def sandbox_job(config: GenerateConfig, job: ProofJob, answers: Mapping[int, TurnAnswer]) -> SandboxJob:
    """What the sandbox is to run; no solution where nothing is chosen."""
    tests = answers[TEST]["rows"][-1]["tests"]
    solutions = solutions_of(answers) if job.chooses and tests else []
    seed = draw_number(config.seed, "mutants", job.generation["id"])
    in_place = asks_in_place(f"{job.generation['instruction']}\n{job.information}", job.signature, job.language)
    return SandboxJob(job.language, job.name, tests, solutions, config.mutants, seed, in_place)
