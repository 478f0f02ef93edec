"""A repair, a translation and a summary, held against the raw code by the same tests. No Ray, no sandbox of its own.

The raw code is right by definition: what it does is what its repair restores and its translation keeps. So a test
counts only if the raw code passes it; what the tester expected otherwise is the tester's error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from codeocean.generate.bugs import draw_bugs
from codeocean.generate.few_shot import draw_number
from codeocean.generate.signatures import signature_of
from codeocean.generate.tasks import Task
from codeocean.verify.columns import unproved
from codeocean.verify.emptied import emptied
from codeocean.verify.inputs import more_inputs
from codeocean.verify.programs import in_context
from codeocean.verify.proof import FEW, Prove, not_runnable, why_vacuous
from codeocean.verify.steady import UNSTEADY, is_steady

Row = dict[str, Any]

MUTANTS = 10
"""Edits of a right answer that the tests are run against."""


OBSERVED = ("python", "javascript", "typescript")
"""Languages whose answers the sandbox takes down."""

QUICK_S = 2.0
"""Seconds for all further inputs of a function: twice an argument may be far more work, and says no more."""

APART = "an input by type is answered otherwise"
"""What is said of code that passes all tests of the tester, and differs on further inputs. No instance stops for it:
languages differ in what they make of the last digits of an integer or of a letter."""


MOVES = "it changes its arguments, and the source does not"
"""What is said of code that answers alike. No instance stops for it: a caller may not care."""


class _Side(NamedTuple):
    """Code whose answers are compared."""

    code: str
    language: str
    name: str
    """Of its function."""


class _Held(NamedTuple):
    """What is held against what."""

    generation: Mapping[str, Any]
    source: Mapping[str, Any]
    tests: Sequence[Row]
    prove: Prove
    name: str
    """Of the source's function."""


def prove_edit(
    task: Task,
    generation: Mapping[str, Any],
    source: Mapping[str, Any],
    tests: Sequence[Row],
    prove: Prove,
    retold: str = "",
) -> tuple[Row, dict[str, str]]:
    """Columns of proof, and check → result, of a repair, a translation or a summary.

    Args:
        task: of the instance.
        generation: GENERATIONS row.
        source: RAW_CODE row that it was made from.
        tests: of its PROOFS row.
        prove: the sandbox's.
        retold: code written from the summary alone; empty where there is none.
    """
    columns = unproved() | {"tests": json.dumps(list(tests), ensure_ascii=False)}
    signature = signature_of(source["code"], source["language"], source["name"].rpartition(".")[2])
    if not tests or signature is None:
        return columns, {}
    held = _Held(generation, source, tests, prove, signature.name)
    if task.information == "mutated code":
        return _prove_repair(held, columns)
    if task.target_languages:
        language = generation["target_language"]
        return _prove_alike(held, columns, generation["solution"], language, ("equivalent", "failed"))
    if task.solution == "prose" and retold:
        # The code may be wrong where the summary is right: an instance does not stop for that.
        names = ("round_trip", "the code written from it answers otherwise")
        return _prove_alike(held, columns, retold, source["language"], names)
    return columns, {}


def _unrun(source: Mapping[str, Any], found: Row) -> str:
    """Why the raw code passes no test."""
    why = not_runnable(found["errors"][:1], found["outcomes"][:1])
    missing = source.get("context_missing")
    return f"not runnable: {missing}" if why and missing else why or "the raw code passes no test"


def _prove_repair(held: _Held, columns: Row) -> tuple[Row, dict[str, str]]:
    """A test fails before and passes after; none passes before and fails after."""
    generation, source, tests, prove, name = held
    language = source["language"]
    bugs = draw_bugs(source["code"], language, MUTANTS, draw_number("mutants", generation["id"]))
    edits = [bug.code for bug in bugs if bug.code != generation["information"]]
    mutants = [[in_context(source, code) for code in edits], []]
    sides = [in_context(source, code) for code in (source["code"], generation["information"])]
    if not all(is_steady(side, tests, language, name, prove) for side in sides):
        return columns, {"tests": UNSTEADY}
    found = prove(sides, tests, language=language, entry_point=name, mutants=mutants, in_place=None)
    if found["ended"] != "passed" or not found["outcomes"]:
        return columns, {"tests": f"not run: {found['ended']}"}
    after, before = found["outcomes"]
    kept = [place for place, letter in enumerate(after) if letter == "P"]
    if not kept:
        return columns, {"tests": _unrun(source, found)}
    counted = [tests[place] for place in kept]
    columns |= {"tests": json.dumps(counted, ensure_ascii=False), "pass_rate": 1.0}
    if found["kills"] and found["chosen"][0] == 0:
        columns |= {"mutants": len(found["kills"]), "mutants_killed": sum(found["kills"])}
    if any(before[place] == "P" for place in range(len(tests)) if place not in kept):
        return columns, {"tests": "a test passes before the repair alone"}
    if all(before[place] == "P" for place in kept):
        return columns, {"tests": "no test shows the bug"}
    return columns | {"proof": "tests"}, {"tests": "passed", "bug": "passed"}


def _prove_alike(
    held: _Held, columns: Row, solution: str, language: str, names: tuple[str, str]
) -> tuple[Row, dict[str, str]]:
    """Source and other code answer the same arguments with the same values.

    Args:
        held: the source and its tests.
        columns: of an instance of which nothing is shown.
        solution: the other code.
        language: of it.
        names: of the check and the proof; and what it says of code that answers otherwise.
    """
    generation, source, tests, prove, name = held
    shown, otherwise = names
    calls = [test for test in tests if "arguments" in test]
    target = signature_of(solution, language, name)
    if not calls or target is None:
        return columns, {shown: "not run: no calls" if target else "not run: no function"}
    raw = in_context(source, source["code"])
    if not (is_steady(raw, calls, source["language"], name, prove)
            and is_steady(solution, calls, language, target.name, prove)):  # fmt: skip
        return columns, {shown: UNSTEADY}
    of_source = prove([raw], calls, language=source["language"], entry_point=name, mutants=[[]])
    if of_source["ended"] != "passed" or not of_source["outcomes"]:
        return columns, {shown: f"not run: {of_source['ended']}"}
    kept = [test for test, letter in zip(calls, of_source["outcomes"][0], strict=True) if letter == "P"]
    if not kept:
        return columns, {shown: _unrun(source, of_source)}
    bugs = draw_bugs(solution, language, MUTANTS, draw_number("mutants", generation["id"]))
    mutants = [[bug.code for bug in bugs] + emptied(solution, language, target.name, max(0, FEW - len(bugs)))]
    found = prove([solution], kept, language=language, entry_point=target.name, mutants=mutants)
    if found["ended"] != "passed" or not found["outcomes"]:
        return columns, {shown: f"not run: {found['ended']}"}
    passed = found["outcomes"][0].count("P")
    columns |= {"tests": json.dumps(kept, ensure_ascii=False), "pass_rate": passed / len(kept)}
    if found["kills"]:
        columns |= {"mutants": len(found["kills"]), "mutants_killed": sum(found["kills"])}
    if passed < len(kept):
        return columns, {shown: not_runnable(found["errors"], found["outcomes"]) or otherwise}
    if found.get("moves") and not of_source.get("moves"):
        return columns, {shown: MOVES}
    if vacuous := why_vacuous(found):
        return columns, {shown: vacuous}
    more, differ = _by_type(held, kept, _Side(solution, language, target.name))
    columns |= {"tests": json.dumps([*kept, *more], ensure_ascii=False)}
    return (columns, {shown: APART}) if differ else (columns | {"proof": shown}, {shown: "passed"})


def _by_type(held: _Held, kept: Sequence[Row], other: _Side) -> tuple[list[Row], bool]:
    """Tests made of further inputs that both sides answer alike; and whether there are any that they answer otherwise.

    One side, in a language whose answers can be taken down, says what is expected of the other. An input that the
    source does not answer, and one that the other's types have no room for, is none.
    """
    source = _Side(in_context(held.source, held.source["code"]), held.source["language"], held.name)
    first, second = (source, other) if source.language in OBSERVED else (other, source)
    inputs = [{"arguments": given} for given in more_inputs([test["arguments"] for test in kept])]
    if first.language not in OBSERVED or not inputs:
        return [], False
    prove = partial(held.prove, timeout=QUICK_S)
    seen = prove([first.code], inputs, language=first.language, entry_point=first.name, mutants=[[]])
    answers = {int(place): value for place, value in seen.get("observed", {}).items()}
    tests = [inputs[place] | {"expected": value} for place, value in sorted(answers.items())]
    if not tests:
        return [], False
    found = prove([second.code], tests, language=second.language, entry_point=second.name, mutants=[[]])
    letters = found["outcomes"][0] if found["ended"] == "passed" and found["outcomes"] else ""
    wrong = "F" if second is source else "FE"
    alike = [test for test, letter in zip(tests, letters, strict=False) if letter == "P"]
    return alike, any(letter in wrong for letter in letters)
