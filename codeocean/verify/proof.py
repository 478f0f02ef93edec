"""Tests and solutions of a problem → what the sandbox finds, and what that says of an instance. No Ray, no sandbox.

The tests of one problem are held against all of its solutions in one run. What they are worth is measured by mutants:
tests that tell no edit of the solution from the solution prove nothing (mutation score; DeMillo, Lipton and Sayward
1978).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from codeocean.generate.bugs import draw_bugs
from codeocean.generate.jobs import SandboxJob
from codeocean.verify.columns import unproved
from codeocean.verify.emptied import emptied
from codeocean.verify.steady import is_steady

Row = dict[str, Any]

Prove = Callable[..., Row]
"""The sandbox's: (solutions, tests, language, entry_point, mutants) → `outcomes, errors, chosen, kills, ended`."""

NEEDS = ("ModuleNotFoundError", "ImportError", "FileNotFoundError", "PermissionError", "ConnectionError", "gaierror",
         "NameError", "ReferenceError", "signature", "needs ")  # fmt: skip
"""How errors begin of code that needs what is not there."""


CHANGED = "changed unasked"
"""What is said of an answer that changes an argument, as all solutions do that answer like it."""

FEW = 3
"""With fewer edits than that, emptied functions are mutants too."""


def run_proof(job: SandboxJob, prove: Prove) -> Row:
    """What the sandbox finds of a problem, and `in_place`, whether its exercise asks for arguments to be changed.

    Args:
        job: what is run.
        prove: the sandbox's.
    """
    return _run(job, partial(prove, in_place=job.in_place)) | {"in_place": job.in_place}


def _run(job: SandboxJob, prove: Prove) -> Row:
    solutions = job.solutions
    if not solutions:
        return {"outcomes": [], "errors": [], "chosen": [], "kills": [], "by_value": False, "ended": "nothing to run"}
    steady = {code: is_steady(code, job.tests, job.language, job.name, prove) for code in dict.fromkeys(solutions)}
    if not all(steady.values()):
        return _with_unsteady(job, prove, [steady[code] for code in solutions])
    mutants: dict[str, list[str]] = {}
    for code in solutions:
        if code not in mutants:
            bugs = draw_bugs(code, job.language, job.mutants, job.seed)
            few = max(0, min(FEW, job.mutants) - len(bugs))  # the only edit may change nothing that can be seen
            mutants[code] = [bug.code for bug in bugs] + emptied(code, job.language, job.name, few)
    found = prove(
        solutions,
        job.tests,
        language=job.language,
        entry_point=job.name,
        mutants=[mutants[code] for code in solutions],
    )
    kills = found["kills"]
    crashed, survived = sum(kills) and not found["by_value"], len(kills) <= FEW and not sum(kills)
    return _with_emptied(found, job, prove) if found["chosen"] and (crashed or survived) else found


def _with_unsteady(job: SandboxJob, prove: Prove, steady: Sequence[bool]) -> Row:
    """What the sandbox finds where some solutions answer otherwise each time: these pass nothing."""
    places = [place for place, one in enumerate(steady) if one]
    found = _run(replace(job, solutions=[job.solutions[place] for place in places]), prove)
    outcomes, errors = ["V" * len(job.tests) for _ in steady], [list[str]() for _ in steady]
    for place, letters, words in zip(places, found["outcomes"], found["errors"], strict=False):
        outcomes[place], errors[place] = letters, words
    chosen, moves = ([places[one] for one in found.get(name, [])] for name in ("chosen", "moves"))
    return found | {"outcomes": outcomes, "errors": errors, "chosen": chosen, "moves": moves}


def _with_emptied(found: Row, job: SandboxJob, prove: Prove) -> Row:
    """What the sandbox finds where all mutants crash, or all of a few survive, as they may change nothing.

    Then the tests have to tell emptied functions by their values, all of them.
    """
    code = job.solutions[found["chosen"][0]]
    functions = emptied(code, job.language, job.name, FEW - 1)
    if not functions:
        return found
    again = prove(
        [code], job.tests, language=job.language, entry_point=job.name, mutants=[functions]
    )  # fmt: skip
    told = again["by_value"] and all(again["kills"])
    return found | {"kills": [*found["kills"], *again["kills"]], "by_value": told}


def columns_of_proof(proof: Mapping[str, Any]) -> tuple[Row, str]:
    """The columns of an instance (`columns.py`) without `proof` where the tests show nothing, and a word on the tests.

    Args:
        proof: PROOFS row.
    """
    found: Row = json.loads(proof["found"])
    tests, columns = json.loads(proof["tests"]), unproved() | {"tests": proof["tests"]}
    if not tests:
        return columns, f"not run: {proof['error'] or 'no test can be run'}"
    if not found["outcomes"]:
        return columns, f"not run: {found['ended']}"
    if proof["solutions"] > 1:
        columns |= {"solutions_agreeing": len(found["chosen"]), "difficulty": 0.0}
    if not found["chosen"]:
        why = not_runnable(found["errors"], found["outcomes"]) or "no solution passes a test"
        if any("U" in row for row in found["outcomes"]):
            why = "the tests hold of any value"
        if all(set(row) == {"V"} for row in found["outcomes"]):
            why = "no solution answers alike twice"
        if all(set(row) == {"X"} for row in found["outcomes"]):
            why = why if why.startswith("not") else "not run: no test can be written in its language"
        return columns | {"pass_rate": 0.0}, why
    outcomes = found["outcomes"][found["chosen"][0]]
    run = [test for test, letter in zip(tests, outcomes, strict=True) if letter not in "XU"]
    passed = {place for place, letter in enumerate(outcomes) if letter == "P"}
    columns |= {"tests": json.dumps(run, ensure_ascii=False), "pass_rate": len(passed) / len(run)}
    if proof["solutions"] > 1:
        agree = sum(all(row[place] == "P" for place in passed) for row in found["outcomes"])
        columns |= {"difficulty": agree / len(found["outcomes"])}
    if found["kills"]:
        columns |= {"mutants": len(found["kills"]), "mutants_killed": sum(found["kills"])}
    vacuous = why_vacuous(found)
    return (columns, vacuous) if vacuous else (columns | {"proof": "tests"}, "passed")


def check_arguments(proof: Mapping[str, Any]) -> dict[str, str]:
    """Check → result, where the answer changes an argument and the exercise does not ask for it; else empty.

    Args:
        proof: PROOFS row.
    """
    found: Row = json.loads(proof["found"])
    moves = bool(found["chosen"]) and found["chosen"][0] in found.get("moves", [])
    return {"arguments": CHANGED} if moves and not found.get("in_place") else {}


def why_vacuous(found: Mapping[str, Any]) -> str:
    """Why tests prove nothing although they pass; empty where they prove something.

    `assert f(3) == f(3)` calls the function, so it notices a mutant that crashes: only another value is a proof.
    """
    if not sum(found["kills"]):
        return "the tests kill no mutant"
    return "" if found.get("by_value", True) else "the tests tell no mutant by its value"


def refused_tests(proof: Mapping[str, Any]) -> dict[str, int]:
    """Reason → tests of a PROOFS row that were none, those included that the sandbox did not take."""
    refused: dict[str, int] = json.loads(proof["refused"])
    outcomes = json.loads(proof["found"])["outcomes"]
    columns = [set(letters) for letters in zip(*outcomes, strict=True)]
    counts = {
        "not run by the sandbox": sum(letters == {"X"} for letters in columns),
        "holds of any value": sum("U" in letters for letters in columns),
    }
    return refused | {reason: count for reason, count in counts.items() if count}


def not_runnable(errors: Sequence[Sequence[str]], outcomes: Sequence[str]) -> str:
    """Why code cannot be run here, where every solution needs something that is not there; else empty."""
    if not errors or not all(set(row) <= set("EXN") for row in outcomes):
        return ""
    needs = [next((one for one in each if one.startswith(NEEDS)), "") for each in errors]
    return f"not runnable: {needs[0]}" if all(needs) else ""
