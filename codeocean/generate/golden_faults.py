"""The golden set's second half: instances that are right, and the same ones with a fault that reads well. Pure.

`golden/faults/problems.yaml` says what ten functions do and which calls tell right from wrong. `<language>.yaml` has
each function right, and what stands instead of a part of it in the wrong one. Each pair gives a right and a wrong
instance of all four tasks:

- generation: the function is the solution;
- repair: the same, and the student is given it with one more bug, which the solution corrects;
- translation: it is the target, and another language's right function the source;
- summarization: the right function, with what it does, or with what somebody overlooks who reads it fast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from codeocean.generate.bugs import choose_bug
from codeocean.generate.few_shot import draw_number
from codeocean.generate.signatures import signature_of
from core.languages import LANGUAGES
from core.settings import Settings
from core.strict_yaml import read_yaml

FOLDER = Path(__file__).parent / "golden" / "faults"

Row = dict[str, Any]


class GoldenProblem(Settings):
    """What a function does, in every language."""

    name: str
    """As Python writes it."""
    fault: str
    """What is wrong with the wrong one, in a few words."""
    task: str
    """What it does, behind "a function that"."""
    given: str
    """Names of its parameters."""
    summary: str
    misread: str
    """A summary that does not hold."""
    calls: tuple[tuple[list[Any], Any], ...] = Field(min_length=4)
    """Arguments and result: the right one answers all of them so, the wrong one does not."""


class GoldenCode(Settings):
    """A function of one language, right, and its fault."""

    right: str
    fault: tuple[str, str]
    """A part of it, which occurs once, and what stands there in the wrong one."""


@dataclass(frozen=True)
class FaultPair:
    """A function twice."""

    problem: GoldenProblem
    language: str
    right: str
    wrong: str

    @property
    def name(self) -> str:
        """Of the function, as its language writes it."""
        signature = signature_of(self.right, self.language)
        return signature.name if signature else ""


@dataclass(frozen=True)
class FaultCase:
    """An instance of which it is known whether it is right."""

    task: str
    language: str
    """Of its code; of a translation the target's."""
    sound: bool
    fault: str
    """Empty for a sound one."""
    generation: Row
    """What the discriminator and the proof need of a GENERATIONS row."""
    source: Row
    """Likewise of its RAW_CODE row."""


def load_pairs(folder: Path | None = None) -> list[FaultPair]:
    """All pairs, by language and then problem.

    Raises:
        ValueError: a part that a fault replaces is not there exactly once, or a problem is missing.
    """
    folder = folder or FOLDER
    problems = [GoldenProblem.model_validate_json(json.dumps(one)) for one in _read(folder / "problems.yaml")]
    pairs = []
    for file in sorted(folder.glob("*.yaml")):
        if file.stem not in LANGUAGES:
            continue
        functions = _read(file)
        for problem in problems:
            code = GoldenCode.model_validate_json(json.dumps(functions.get(problem.name)))
            right, (part, instead) = code.right.rstrip("\n"), code.fault
            if right.count(part) != 1:
                raise ValueError(f"{file.name}: {problem.name}: {part!r} is there {right.count(part)} times, not once")
            pairs.append(FaultPair(problem, file.stem, right, right.replace(part, instead)))
    return pairs


def _read(file: Path) -> Any:
    return read_yaml(file.read_text(encoding="utf-8")).value


def cases_of(pairs: list[FaultPair], languages: tuple[str, ...], most: int) -> Iterator[FaultCase]:
    """The instances of some languages.

    Args:
        pairs: of all languages: translations need another one's.
        languages: whose instances.
        most: pairs of each language.
    """
    of = {(pair.language, pair.problem.name): pair for pair in pairs}
    for language in languages:
        for pair in [pair for pair in pairs if pair.language == language][:most]:
            other = of["javascript" if language == "python" else "python", pair.problem.name]
            for sound in (True, False):
                yield from _cases(pair, other, sound=sound)


def _cases(pair: FaultPair, other: FaultPair, *, sound: bool) -> Iterator[FaultCase]:
    problem, title = pair.problem, LANGUAGES[pair.language].title
    code = pair.right if sound else pair.wrong
    seed = draw_number("fault", pair.language, problem.name, sound)
    bug = choose_bug(code, pair.language, seed)
    does = re.sub(r"^returns", "return", problem.task)
    told = f"`{pair.name}` that {problem.task}"
    texts = {
        "generation": (f"Write a {title} function {told}. Its parameters are {problem.given}.", "", code),
        "repair": (f"Fix this {title} function, which is to {does}.", bug.code if bug else "", code),
        "translation": (f"Translate this {LANGUAGES[other.language].title} function to {title}.", other.right, code),
        "summarization": (f"Explain what this {title} function does.", pair.right,
                          problem.summary if sound else problem.misread),
    }  # fmt: skip
    for task, (instruction, information, solution) in texts.items():
        raw, language = (other.right, other.language) if task == "translation" else (code, pair.language)
        if task == "summarization":
            raw = pair.right
        if task == "repair" and bug is None:
            continue
        id_ = f"fault {task} {pair.language} {problem.name} {sound}"
        generation = {"id": id_, "instruction": instruction, "information": information, "solution": solution,
                      "target_language": pair.language if task == "translation" else ""}  # fmt: skip
        name = other.name if task == "translation" else pair.name
        source = {"id": id_, "code": raw, "language": language, "name": name, "docstring": f"It is to {does}."}
        yield FaultCase(task, pair.language, sound, "" if sound else problem.fault, generation, source)
