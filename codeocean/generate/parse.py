"""The generator's answer → a candidate, or the reason why it is none. Checks that need no model, before the judge.

Reasons are short fixed strings: they are counted. Nothing here raises on any text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from codeocean.generate.tasks import Case, Task

COPY_RATIO = 0.95
"""Two texts this similar (difflib) are copies."""

MIN_PROSE_WORDS = 8


@dataclass(frozen=True)
class Candidate:
    """The four fields of the generator's answer."""

    task_name: str
    instruction: str
    information: str
    solution: str


def parse_candidate(text: str, finish_reason: str, given: Mapping[str, str] | None = None) -> Candidate | str:
    """The candidate, or "truncated", "not JSON" or "wrong fields".

    Args:
        text: the answer.
        finish_reason: "length" for one that was cut off.
        given: fields that follow from the raw code; what the answer says of them does not count.
    """
    if finish_reason == "length":
        return "truncated"
    fields = parse_object(text)
    if fields is None:
        return "not JSON"
    given = given or {}
    texts = {name: given.get(name, _text(fields.get(name))) for name in Candidate.__dataclass_fields__}
    if any(text is None for text in texts.values()):
        return "wrong fields"
    return Candidate(
        **{name: text if name in given else strip_fence(text) for name, text in texts.items() if text is not None}
    )


def _text(value: object) -> str | None:
    """A text, or a list of lines as one; None for anything else."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return value if isinstance(value, str) else None


def parse_object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, or that stands alone inside a fence."""
    try:
        value = json.loads(strip_fence(text))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def strip_fence(text: str) -> str:
    """The inside of a Markdown fence that encloses the whole text; otherwise the text, without blanks around it."""
    match = re.fullmatch(r"\s*```[\w+#-]*[ \t]*\n(.*?)\n?```\s*", text, re.DOTALL)
    return match.group(1).strip("\n") if match else text.strip()


def check_candidate(
    candidate: Candidate,
    task: Task,
    solution_language: str,
    shots: Sequence[Case],
    fails_to_parse: Callable[[str, str], bool],
) -> str:
    """Why the candidate goes no further; empty when it goes to the judge.

    Args:
        candidate: the parsed answer.
        task: what it should be.
        solution_language: language that the solution must be in.
        shots: the cases its prompt showed.
        fails_to_parse: (code, language) → whether it has a syntax error.
    """
    solution, information = candidate.solution, candidate.information
    if not re.search(r"\w", candidate.instruction):
        return "no instruction"
    if count_sentences(candidate.instruction) > 2:
        return "instruction longer than two sentences"
    if not re.search(r"\w", solution):
        return "no solution"
    if task.information == "code" and not re.search(r"\w", information):
        return "no information"
    if _normal(solution) == _normal(information):
        return "solution equals information"
    if task.target_languages and _similar(_normal(solution), _normal(information)):
        return "solution copies the source"
    alone = "solution" not in task.written  # the instruction is all that is new
    if any(_copies(candidate, case, alone=alone) for case in shots):
        return "copy of a few-shot case"
    if task.solution == "prose":
        return "" if _is_prose(solution) else "solution is not prose"
    return "solution does not parse" if fails_to_parse(solution, solution_language) else ""


def count_sentences(text: str) -> int:
    """Sentences of a text; the dots of "e.g.", of numbers and of names do not end one."""
    text = re.sub(r"`[^`]*`|\b(e\.g|i\.e|etc|vs)\.", "x", text.strip())
    return len([part for part in re.split(r"[.!?]+(?=\s+[A-Z\"']|\s*$)", text) if part.strip()])


def _is_prose(text: str) -> bool:
    words = re.findall(r"[A-Za-z][a-z']+", text)
    looks_like_code = re.search(
        r"```|^\s*(def|class|function|func|public|import|return)\b|[;{}]\s*$", text, re.MULTILINE
    )
    return len(words) >= MIN_PROSE_WORDS and not looks_like_code


def _copies(candidate: Candidate, case: Case, *, alone: bool) -> bool:
    if alone and _similar(_normal(candidate.instruction), _normal(case.instruction)):
        return True
    pairs = ((candidate.solution, case.solution), (candidate.instruction + candidate.information,
                                                    case.instruction + case.information))  # fmt: skip
    return any(_similar(_normal(ours), _normal(theirs)) for ours, theirs in pairs)


def _similar(ours: str, theirs: str) -> bool:
    matcher = SequenceMatcher(None, ours[:2000], theirs[:2000], autojunk=False)
    return (
        matcher.real_quick_ratio() >= COPY_RATIO
        and matcher.quick_ratio() >= COPY_RATIO
        and matcher.ratio() >= COPY_RATIO
    )


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()
