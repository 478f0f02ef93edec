"""What every benchmark yields: problems. Pure data, so that prompts, programs and scores know no benchmark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from eval.answers.thoughts import without_thoughts

DESCRIPTION = "{description}"
"""Where the model's own description goes, in a problem whose question follows a first one."""


@dataclass(frozen=True, kw_only=True)
class Describe:
    """A first question, whose answer becomes part of the second (HumanEvalExplain)."""

    question: str
    max_chars: int
    """The description is cut here, so that it cannot carry the whole program."""
    hidden: str
    """Code whose long lines are taken out of the description."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem: what is asked, in each form of prompt, and the tests that decide."""

    task_id: str
    language: str
    """python, javascript, java, go, cpp or rust."""
    entry_point: str
    """Name of the function that the tests call."""
    instruction: str
    """What is asked, in words: the user's message of a chat, the instruction of the paper's prompt."""
    opening: str = ""
    """Code that the answer is to begin with; the paper's prompt ends with it. Empty: the answer is on its own."""
    plain: str
    """The text that a model without instruction training continues."""
    declaration: str = ""
    """Imports, helpers and signature: the code that a continuation continues. Empty: it is a whole program."""
    prelude: str = ""
    """Imports that the benchmark grants every program; they stand before it."""
    reference: str
    """The benchmark's own solution, as a continuation of `declaration`."""
    tests: str
    """They end normally if, and only if, the program before them is right. In Go: a file of its own in package main."""
    stop: tuple[str, ...] = ()
    """What ends a continuation."""
    describe: Describe | None = None
    kind: Literal["function", "program", "value", "call", "lines"] = "function"
    """What an answer is: a function that the tests call; a program that reads its standard input; a value; a call;
    lines that the tests put into a program of theirs."""
    date: str = ""
    """When the problem was published, as 2024-09-30; empty if its benchmark does not say."""
    beside: bool = False
    """Its tests reach into the candidate, by patches or files, so they run beside it in one process."""
    needs: tuple[str, ...] = ()
    """Packages that its solution and tests import."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """How a benchmark's rows become problems, and where its rows come from unless the user says so."""

    read: Callable[[list[dict[str, Any]], str], list[Problem]]
    """Rows and language → problems; raises `KeyError`, `TypeError` or `ValueError` on rows that are not its own."""
    dataset: str
    """The name by which `evaluate.dataset` knows its file; benchmarks may share one."""
    source: str
    """Where its rows come from by default, as in `evaluate.dataset`."""
    hub_file: str
    """Its file in the hub's repository: a pattern, with `{language}` where each language has its own."""
    languages: tuple[str, ...] = ("python",)
    many_files: bool = False
    """Its rows lie in several files: all that match the pattern, in a folder or on the hub."""


def with_description(problem: Problem, description: str) -> Problem:
    """The second question of a problem that has a first one.

    Args:
        problem: its `instruction` and `plain` hold `{description}`.
        description: the answer to `problem.describe`; without what was thought aloud, cut to its limit, and without the
            lines of the hidden code.
    """
    assert problem.describe is not None
    text = shorten_description(without_thoughts(description), problem.describe)
    return replace(
        problem,
        instruction=problem.instruction.replace(DESCRIPTION, text),
        plain=problem.plain.replace(DESCRIPTION, text),
    )


def shorten_description(description: str, describe: Describe) -> str:
    """A description within its limit and without the code: lines of more than 20 characters are taken out."""
    text = description.strip()[: describe.max_chars].rstrip()
    for line in describe.hidden.splitlines():
        if len(line.strip()) > 20:
            text = text.replace(line.strip(), "")
    return text


_SINCE = {"kind": "function", "date": "", "beside": False, "needs": ()}
"""Fields that came later: at their defaults they are no part of a digest, so that older results keep theirs."""


def digest_of(problems: Iterable[Problem]) -> str:
    """SHA-256 of the problems themselves: the same whatever file they came in, another when a prompt or test does."""
    content = hashlib.sha256()
    for problem in problems:
        fields = asdict(problem)
        for name, plain in _SINCE.items():
            if fields[name] == plain:
                del fields[name]
        content.update(json.dumps(fields, sort_keys=True).encode())
    return content.hexdigest()
