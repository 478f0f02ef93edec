"""The generator's answer → a candidate, or the reason why it is none. Checks that need no model, before the judge.

Reasons are short fixed strings: they are counted. Nothing here raises on any text.
"""

from __future__ import annotations

import collections
import html
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
    given = given or {}
    fields = answered_object(
        text, finish_reason, [name for name in Candidate.__dataclass_fields__ if name not in given]
    )
    if isinstance(fields, str):
        return fields
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


THINKING = re.compile(
    r"[<\[◁](/?)(?:[a-z]{1,8}:)?(?:think|thinking|thoughts?|reasoning|scratchpad|analysis|reflection)[>\]▷]",
    re.IGNORECASE,
)

_COMMENT = r"//[^\n]*|/\*.*?\*/|#[^\n]*"
_STRING_OR_SLIP = re.compile(
    rf'("(?:[^"\\]|\\.)*+"?)|,(?=(?:\s|{_COMMENT})*[}}\]])|{_COMMENT}|\\[nrt]|[\u00a0\u200b-\u200d\u2060\u3000\ufeff]',
    re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|.)', re.DOTALL)

MOST_STARTS, MOST_CHARS = 1_000, 200_000
"""Places in a text at which an object is looked for, counted from its end, and the longest object."""

MOST_WRAPPINGS = 3
"""Objects or texts around an object that counts."""


def answered_object(text: str, finish_reason: str, wanted: Sequence[str]) -> dict[str, Any] | str:
    """The JSON object of an answer, or "truncated" or "not JSON".

    An answer that was cut off behind its object is whole: some models write blanks until their room is used up.

    Args:
        text: the answer.
        finish_reason: "length" for one that was cut off.
        wanted: as of `parse_object`.
    """
    if finish_reason == "length" and not _is_whole(text, wanted):
        return "truncated"
    found = parse_object(text, wanted)
    return "not JSON" if found is None else found


def _is_whole(text: str, wanted: Sequence[str]) -> bool:
    """Whether a text begins with the object, perhaps in a fence, and no other object begins behind it."""
    text = re.sub(r"\A(?:`{3,}|~{3,})[^\r\n`]*\r?\n\s*", "", text.strip("\ufeff \t\r\n"))
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and set(wanted) <= set(value) and "{" not in text[end:]


def parse_object(text: str, wanted: Sequence[str] = ()) -> dict[str, Any] | None:
    """The JSON object that a text is, or that stands in it behind thinking, prose, a fence, a mark or another wrapping.

    Args:
        text: the answer.
        wanted: fields that it should have. Of several objects the last that has them all counts, and an object around
            such a one (`{"answer": {…}}`, a list of one, JSON inside a JSON text) is a wrapping.
    """
    text = text.strip("\ufeff \t\r\n")
    if (found := _object(text, wanted)) is not None:
        return found
    for mend in (_without_slips, _without_escapes, html.unescape):
        if (mended := mend(text)) != text and (found := _object(mended, wanted)) is not None:
            return found
    return None


def _object(text: str, wanted: Sequence[str]) -> dict[str, Any] | None:
    whole = _loaded(strip_fence(text))
    if isinstance(whole, dict) and (not wanted or set(wanted) <= set(whole)):
        return whole
    if isinstance(whole, dict | list | str) and (inner := _inside(whole, wanted)) is not None:
        return inner
    if isinstance(whole, dict):
        return whole
    if whole is not None:
        return None
    for part in (_without_thinking(text), text):
        found = [one for one in _objects(part) if not wanted or set(wanted) <= set(one) or _inside(one, wanted)]
        if found:
            last = found[-1]
            return last if not wanted or set(wanted) <= set(last) else _inside(last, wanted)
    return None


def _without_slips(text: str) -> str:
    """Without what models write where no grammar holds them: escapes that JSON lacks, last commas, comments."""
    return _STRING_OR_SLIP.sub(lambda found: _ESCAPE.sub(_escaped, found[1]) if found[1] else "", text)


def _without_escapes(text: str) -> str:
    """The object of a text that was escaped as if it stood in another one."""
    start, end = text.find("{"), text.rfind("}")
    value = _loaded(f'"{text[start : end + 1]}"') if start >= 0 else None
    return value if isinstance(value, str) else text


def _escaped(escape: re.Match[str]) -> str:
    return escape[0] if escape[1] else "'" if escape[0] == "\\'" else "\\\\" + escape[0][1:]


def _without_thinking(text: str) -> str:
    """Without what stands between marks of thinking.

    An end without a beginning ends the thinking from the start: chat templates write the beginning themselves.
    """
    parts: list[str] = []
    position, thinking = 0, False
    for mark in THINKING.finditer(text):
        if mark.group(1):
            parts = parts if thinking else []
            position, thinking = mark.end(), False
        elif not thinking:
            parts.append(text[position : mark.start()])
            thinking = True
    return "".join(parts) + ("" if thinking else text[position:])


def _loaded(text: str) -> Any:
    """The JSON value that a text is, also with line ends inside of its strings; None for no JSON."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(text: str) -> list[dict[str, Any]]:
    """The objects in a text, one behind the other; none that is inside another."""
    decoder, found, end = json.JSONDecoder(strict=False), [], 0
    starts = collections.deque((match.start() for match in re.finditer(r"\{\s*[\"}]", text)), MOST_STARTS)
    for start in starts:
        if start < end:
            continue
        try:
            value, length = decoder.raw_decode(text[start : start + MOST_CHARS])
        except (ValueError, RecursionError):
            continue
        found.append(value)
        end = start + length
    return found


def _inside(
    whole: dict[str, Any] | list[Any] | str, wanted: Sequence[str], depth: int = MOST_WRAPPINGS
) -> dict[str, Any] | None:
    """The object with the wanted fields that a JSON value wraps: its text, a field, an element (the last one first)."""
    if isinstance(whole, str):
        value = _loaded(whole)
        if isinstance(value, dict) and set(wanted) <= set(value):
            return value
        return _inside(value, wanted, depth - 1) if isinstance(value, dict | list | str) and depth else None
    inner = list(whole.values()) if isinstance(whole, dict) else whole[: -MOST_STARTS - 1 : -1]  # the last one counts
    for each in inner:
        value = _loaded(each) if isinstance(each, str) and each.lstrip().startswith("{") else each
        if isinstance(value, dict) and wanted and set(wanted) <= set(value):
            return value
        if (
            isinstance(value, dict | list)
            and wanted
            and depth
            and (deeper := _inside(value, wanted, depth - 1)) is not None
        ):
            return deeper
    only = whole[0] if isinstance(whole, list) and len(whole) == 1 else None
    return only if isinstance(only, dict) and not wanted else None


def strip_fence(text: str) -> str:
    """The inside of a Markdown fence that encloses the whole text; otherwise the text, without blanks around it."""
    text = text.strip()
    opening = re.match(r"(`{3,}|~{3,})[^\r\n`]*\r?\n", text)
    if opening is None or not text.endswith(opening[1]) or len(text) < opening.end() + len(opening[1]):
        return text
    return text[opening.end() : -len(opening[1])].rstrip(" \t").strip("\r\n")


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
    """Whether difflib's ratio says so. Its matcher is made only where lengths and letters do not rule that out."""
    ours, theirs = ours[:2000], theirs[:2000]
    enough = COPY_RATIO * (len(ours) + len(theirs)) - 1e-6
    if 2 * min(len(ours), len(theirs)) < enough:
        return False
    if 2 * (collections.Counter(ours) & collections.Counter(theirs)).total() < enough:
        return False
    return SequenceMatcher(None, ours, theirs, autojunk=False).ratio() >= COPY_RATIO


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()
